"""Providers in profile `generic` that keep the wrong answers, for the wrong time, or replay them in another shape."""

from __future__ import annotations

import json

from psp_harness.miniatures.declaration import miniature
from psp_harness.miniatures.providers import Asked, CarefulGateway, Kept, answered, refused
from psp_harness.model import Answer, Request, Role

# --- the shape of a replay -----------------------------------------------------------------------------------------


@miniature("replays-wrapped", role=Role.PROVIDER, mode="P15", breaks={"retry-gets-the-first-answer"})
class ReplaysWrapped(CarefulGateway):
    """Wraps the first body of a duplicate's answer into an envelope of its own, where clients find no id."""

    def replay(self, first: Answer) -> Answer:
        return answered(first.status, {"replayed": True, "response": json.loads(first.body)})


@miniature("replays-encoded-twice", role=Role.PROVIDER, mode="P15", breaks={"retry-gets-the-first-answer"})
class ReplaysEncodedTwice(CarefulGateway):
    """Encodes the stored body once more, so that a duplicate is answered with JSON text that contains JSON."""

    def replay(self, first: Answer) -> Answer:
        return answered(first.status, first.body.decode())


# --- what is kept --------------------------------------------------------------------------------------------------

MAGIC = 1010
"""Minor units: as a PSP's sandbox has amounts that make something go wrong."""


@miniature("forgets-a-timeout", role=Role.PROVIDER, mode="P19", breaks={"one-key-has-one-effect"})
class ForgetsATimeout(CarefulGateway):
    """Answers a payment of 10.10 with 504 after the money moved, and does not keep that, so that a retry pays again."""

    async def execute(self, asked: Asked) -> Answer:
        answer = await super().execute(asked)
        return refused(504, "the processor did not answer in time", "timeout") if asked.amount == MAGIC else answer


@miniature("keeps-refusals", role=Role.PROVIDER, mode="P22", breaks={"a-refused-request-frees-its-key"})
class KeepsRefusals(CarefulGateway):
    """Keeps the 400 for an amount that is none under the key, so that the corrected request is refused as well."""

    async def post(self, request: Request, kind: str, tenant: str) -> Answer:
        answer = await super().post(request, kind, tenant)
        key = self.key_of(request.lines("Idempotency-Key"))
        if answer.status == 400 and isinstance(key, bytes):
            self.kept.setdefault((tenant, kind, key), Kept(request.body.decode("latin-1"), self.now(), answer))
        return answer


# --- for how long --------------------------------------------------------------------------------------------------


@miniature("keys-never-expire", role=Role.PROVIDER, mode="P27", breaks={"an-expired-key-is-a-new-request"})
class KeysNeverExpire(CarefulGateway):
    """Documents that a key lives 24 h, and keeps it for ever."""

    lives = 1 << 62


@miniature("keys-live-five-minutes", role=Role.PROVIDER, mode="P27", breaks={
    "a-key-lives-as-long-as-documented", "retry-gets-the-first-answer", "retry-names-the-same-resource",
})  # fmt: skip
class KeysLiveFiveMinutes(CarefulGateway):
    """Documents that a key lives 24 h, and keeps it for the five minutes that its cache has by default."""

    lives = 300


@miniature("lock-outlives-the-answer", role=Role.PROVIDER, mode="P28", breaks={"an-expired-key-is-a-new-request"})
class LockOutlivesTheAnswer(CarefulGateway):
    """Forgets the answer of an expired key and not its lock, so that the key is answered 409 for ever."""

    def living(self, asked: Asked) -> Kept | None:
        kept = self.kept.get(self.slot(asked))
        if kept and kept.answer and self.now() - kept.since >= self.lives:
            kept.answer = None
        return kept


@miniature("replays-prolong-the-key", role=Role.PROVIDER, mode="P29", breaks={"an-expired-key-is-a-new-request"})
class ReplaysProlongTheKey(CarefulGateway):
    """Counts the 24 h of a key anew from each replay, so that one that is asked for daily never expires."""

    def living(self, asked: Asked) -> Kept | None:
        kept = super().living(asked)
        if kept and kept.answer:
            kept.since = self.now()
        return kept


@miniature("keeps-the-last-ninety", role=Role.PROVIDER, mode="P31", breaks={
    "retry-gets-the-first-answer", "retry-names-the-same-resource", "one-key-has-one-effect",
})  # fmt: skip
class KeepsTheLastNinety(CarefulGateway):
    """Keeps keys in a cache that has room for 90, and forgets the oldest, however young it is."""

    room = 90

    def complete(self, asked: Asked, answer: Answer | None) -> None:
        super().complete(asked, answer)
        finished = [slot for slot, kept in self.kept.items() if kept.answer]
        for slot in finished[: max(0, len(finished) - self.room)]:
            del self.kept[slot]


@miniature("voids-what-it-replays", role=Role.PROVIDER, mode="P32", breaks={"what-is-answered-happened"})
class VoidsWhatItReplays(CarefulGateway):
    """Takes a repetition for a sign that the first answer was lost, undoes the effect, and answers as if it stood."""

    def replay(self, first: Answer) -> Answer:
        name = json.loads(first.body)["id"]
        self.moved = {place: effect for place, effect in self.moved.items() if effect.id != name}
        return super().replay(first)
