"""Providers in profile `generic` with one fault each: a correct one, with the decision that goes wrong.

Where the fault is a race, `slow` is long enough for requests that are sent together to meet in it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from psp_harness.miniatures.correct_providers import StopsWithItsSender
from psp_harness.miniatures.declaration import miniature
from psp_harness.miniatures.providers import Asked, CarefulGateway, Kept, Slot, answered, refused
from psp_harness.model import Answer, Request, Role

MEET = 0.15
"""Seconds: copies of a case that come one after the other are closer than that."""


# --- duplicates ----------------------------------------------------------------------------------------------------


@miniature(
    "no-dedupe",
    role=Role.PROVIDER,
    mode="P01",
    breaks={
        "retry-gets-the-first-answer",
        "retry-names-the-same-resource",
        "one-key-has-one-effect",
        "another-body-never-executes",
        "another-body-is-refused",
        "another-body-in-flight-never-executes",
        "concurrent-duplicates-have-one-effect",
    },
)
class NoDedupe(CarefulGateway):
    """Requires a key and never looks at it again: each duplicate executes."""

    async def create(self, asked: Asked) -> Answer:
        return await self.execute(asked)


@miniature(
    "check-then-set",
    role=Role.PROVIDER,
    mode="P02",
    breaks={"another-body-in-flight-never-executes", "concurrent-duplicates-have-one-effect", "one-key-has-one-effect"},
)
class CheckThenSet(StopsWithItsSender):
    """Looks whether a key is free, works, and claims it afterwards: duplicates that come together all execute."""

    async def claim(self, asked: Asked) -> Answer | None:
        return await super().claim(asked) if self.living(asked) else None

    def complete(self, asked: Asked, answer: Answer | None) -> None:
        if answer and self.keeps(answer) and not self.living(asked):
            self.kept[self.slot(asked)] = Kept(asked.fingerprint, self.now(), answer)


@miniature(
    "keeps-only-200",
    role=Role.PROVIDER,
    mode="P18",
    breaks={
        "another-body-is-refused",
        "another-body-never-executes",
        "one-key-has-one-effect",
        "retry-gets-the-first-answer",
        "retry-names-the-same-resource",
    },
    may={"concurrent-duplicates-have-one-effect"},
)
class KeepsOnly200(CarefulGateway):
    """Keeps answers of status 200 alone, so that a duplicate of what was answered 201 executes again."""

    slow = MEET

    def keeps(self, answer: Answer | None) -> bool:
        return answer is not None and answer.status == 200


@miniature("replays-with-200", role=Role.PROVIDER, mode="P14", breaks={"retry-gets-the-first-answer"})
class ReplaysWith200(CarefulGateway):
    """Answers a duplicate with the first body under status 200, where the first was 201."""

    def replay(self, first: Answer) -> Answer:
        return Answer(200, body=first.body)


@miniature(
    "replays-as-conflict",
    role=Role.PROVIDER,
    mode="P14",
    breaks={"retry-gets-the-first-answer"},
)
class ReplaysAsConflict(CarefulGateway):
    """Answers a duplicate with the first body under status 409, so that a client takes success for failure."""

    def replay(self, first: Answer) -> Answer:
        return Answer(409, body=first.body)


@miniature(
    "replays-with-a-new-id",
    role=Role.PROVIDER,
    mode="P16",
    breaks={"retry-gets-the-first-answer", "retry-names-the-same-resource", "what-is-answered-happened"},
    may={"concurrent-duplicates-have-one-effect"},
)
class ReplaysWithANewId(CarefulGateway):
    """Executes once, and makes a duplicate's answer anew, with an id that names nothing."""

    slow = MEET

    def replay(self, first: Answer) -> Answer:
        body = json.loads(first.body)
        return answered(first.status, {**body, "id": f"{body['id'].partition('_')[0]}_{uuid4().hex}"})


# --- another body, another caller, another key ---------------------------------------------------------------------


@miniature("no-fingerprint", role=Role.PROVIDER, mode="P06", breaks={"another-body-is-refused"})
class NoFingerprint(CarefulGateway):
    """Never compares bodies: another body under a used key gets the answer of the first."""

    slow = MEET

    def fingerprint(self, request: Request, body: Mapping[str, Any]) -> str:
        return ""


@miniature(
    "body-is-part-of-the-key",
    role=Role.PROVIDER,
    mode="P07",
    breaks={"another-body-never-executes", "another-body-is-refused", "another-body-in-flight-never-executes"},
)
class BodyIsPartOfTheKey(CarefulGateway):
    """Stores answers under key and body together, so that another body under a used key executes."""

    def slot(self, asked: Asked) -> Slot:
        return *super().slot(asked), asked.fingerprint


@miniature("currency-is-no-part-of-the-body", role=Role.PROVIDER, mode="P06", breaks={"another-body-is-refused"})
class CurrencyIsNoPartOfTheBody(CarefulGateway):
    """Compares amounts alone: as much in another currency under a used key gets the answer of the first."""

    def fingerprint(self, request: Request, body: Mapping[str, Any]) -> str:
        return super().fingerprint(request, {name: body[name] for name in body if name != "currency"})


@miniature(
    "currency-is-part-of-the-key",
    role=Role.PROVIDER,
    mode="P07",
    breaks={"another-body-never-executes", "another-body-is-refused"},
)
class CurrencyIsPartOfTheKey(CarefulGateway):
    """Keeps its payments by currency, each with keys of its own: as much in another one under a used key executes."""

    def slot(self, asked: Asked) -> Slot:
        return *super().slot(asked), asked.of if asked.kind == "payment" else ""


@miniature("mismatch-is-500", role=Role.PROVIDER, mode="P40", breaks={"another-body-is-refused"})
class MismatchIs500(CarefulGateway):
    """Answers another body under a used key with 500, which asks the client to try again."""

    reused = refused(500, "internal error", "internal_error")


@miniature("mismatch-is-409", role=Role.PROVIDER, mode="P40", breaks={"refusals-are-answered-as-documented"})
class MismatchIs409(CarefulGateway):
    """Refuses another body under a used key with 409 instead of 422, which reads as still in flight."""

    reused = refused(409, "this key was used with another body", "idempotency_key_reused")


@miniature("keys-without-tenant", role=Role.PROVIDER, mode="P12", breaks={"another-tenant-never-gets-the-answer"})
class KeysWithoutTenant(CarefulGateway):
    """Stores answers under the key alone, so that another tenant with the same key and body gets them."""

    def slot(self, asked: Asked) -> Slot:
        return super().slot(asked)[1:]


@miniature("dedupes-by-content", role=Role.PROVIDER, mode="P26", breaks={"different-keys-both-execute"})
class DedupesByContent(CarefulGateway):
    """Takes a second payment with an equal body for a duplicate, although its key is another."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[Slot, tuple[float, Answer]] = {}
        self.turn = asyncio.Lock()

    async def execute(self, asked: Asked) -> Answer:
        content = (asked.tenant, asked.kind, asked.fingerprint)
        async with self.turn:
            since, answer = self.seen.get(content, (0.0, None))
            if answer is None or self.now() - since >= self.lives:
                answer = await super().execute(asked)
                if answer.accepted:
                    self.seen[content] = (self.now(), answer)
        return answer


# --- keys that are none --------------------------------------------------------------------------------------------


@miniature("missing-key-accepted", role=Role.PROVIDER, mode="P23", breaks={"a-missing-key-is-refused"})
class MissingKeyAccepted(CarefulGateway):
    """Executes a request without a key, each time that it comes."""

    def key_of(self, lines: list[bytes]) -> bytes | Answer:
        return super().key_of(lines) if lines else uuid4().bytes


@miniature("empty-key-accepted", role=Role.PROVIDER, mode="P24", breaks={"an-empty-key-is-refused"})
class EmptyKeyAccepted(CarefulGateway):
    """Takes the empty key for a key like any other, which everybody shares who sends it."""

    def key_of(self, lines: list[bytes]) -> bytes | Answer:
        return b"" if lines == [b""] else super().key_of(lines)


@miniature("empty-key-is-500", role=Role.PROVIDER, mode="P25", breaks={
    "an-empty-key-is-refused", "an-odd-key-never-breaks-the-provider", "a-malformed-key-is-refused",
})  # fmt: skip
class EmptyKeyIs500(CarefulGateway):
    """Breaks down over an empty key and answers 500, which asks the client to try again."""

    def key_of(self, lines: list[bytes]) -> bytes | Answer:
        return refused(500, "internal error", "internal_error") if lines == [b""] else super().key_of(lines)
