"""Providers in profile `generic` that go wrong while a request is in flight: from the claim of its key to its answer.

`slow` is long enough in each for the requests of a case to meet in it, also on a busy machine.
"""

from __future__ import annotations

import asyncio

from psp_harness.miniatures.correct_providers import StopsWithItsSender
from psp_harness.miniatures.declaration import miniature
from psp_harness.miniatures.faulty_providers import MEET
from psp_harness.miniatures.providers import Asked, CarefulGateway, Kept, Slot, refused
from psp_harness.model import Answer, Role

# --- the lock ------------------------------------------------------------------------------------------------------


@miniature(
    "locks-only-the-lookup",
    role=Role.PROVIDER,
    mode="P03",
    breaks={"another-body-in-flight-never-executes", "concurrent-duplicates-have-one-effect", "one-key-has-one-effect"},
)
class LocksOnlyTheLookup(StopsWithItsSender):
    """Takes a lock to look a key up and lets go of it before the work, so that duplicates work side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = asyncio.Lock()

    async def claim(self, asked: Asked) -> Answer | None:
        async with self.lock:
            return await super().claim(asked) if self.living(asked) else None

    def complete(self, asked: Asked, answer: Answer | None) -> None:
        if self.keeps(answer):
            self.kept.setdefault(self.slot(asked), Kept(asked.fingerprint, self.now(), answer))


@miniature(
    "lease-shorter-than-the-work",
    role=Role.PROVIDER,
    mode="P04",
    breaks={"one-key-has-one-effect"},
    may={"concurrent-duplicates-have-one-effect"},
)
class LeaseShorterThanTheWork(StopsWithItsSender):
    """Gives a claim a lease that ends before the work does, and then lets the next request work as well."""

    lease = 0.1
    """Seconds."""

    def living(self, asked: Asked) -> Kept | None:
        kept = super().living(asked)
        return None if kept and not kept.answer and self.now() - kept.since > self.lease else kept


@miniature(
    "frees-the-next-holders-lock",
    role=Role.PROVIDER,
    mode="P05",
    breaks={"one-key-has-one-effect"},
    may={"concurrent-duplicates-have-one-effect"},
)
class FreesTheNextHoldersLock(StopsWithItsSender):
    """Frees a key when it has cleaned up after a sender that is gone, though by then another request holds it."""

    cleanup = 0.2
    """Seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.abandoned: list[Kept] = []

    def living(self, asked: Asked) -> Kept | None:
        """The next request may have a key as soon as its holder is gone, as it should."""
        kept = super().living(asked)
        return None if any(kept is each for each in self.abandoned) else kept

    async def execute(self, asked: Asked) -> Answer:
        mine = self.kept[self.slot(asked)]
        try:
            return await super().execute(asked)
        except asyncio.CancelledError:
            self.abandoned.append(mine)
            await asyncio.sleep(self.cleanup)
            raise

    def complete(self, asked: Asked, answer: Answer | None) -> None:
        """Here is the fault: whoever holds the key now loses it."""
        if self.keeps(answer):
            self.kept[self.slot(asked)] = Kept(asked.fingerprint, self.now(), answer)
        else:
            self.kept.pop(self.slot(asked), None)


@miniature(
    "visible-half-a-second-later",
    role=Role.PROVIDER,
    mode="P34",
    breaks={
        "another-body-is-refused",
        "another-body-never-executes",
        "one-key-has-one-effect",
        "retry-gets-the-first-answer",
        "retry-names-the-same-resource",
    },
    may={"concurrent-duplicates-have-one-effect"},
)
class VisibleHalfASecondLater(CarefulGateway):
    """Looks keys up in a replica that lags, so that what comes soon after the first answer executes again."""

    slow = MEET
    lag = 0.5
    """Seconds."""

    def complete(self, asked: Asked, answer: Answer | None) -> None:
        self.kept.pop(self.slot(asked), None)
        if self.keeps(answer):
            kept = Kept(asked.fingerprint, self.now(), answer)
            asyncio.get_running_loop().call_later(self.lag, self.kept.setdefault, self.slot(asked), kept)


# --- another body in flight ----------------------------------------------------------------------------------------


@miniature(
    "locks-key-and-body",
    role=Role.PROVIDER,
    mode="P10",
    breaks={"another-body-in-flight-never-executes"},
)
class LocksKeyAndBody(CarefulGateway):
    """Locks the key together with the body, and compares bodies once an answer is there: two at once both execute."""

    slow = MEET

    def __init__(self) -> None:
        super().__init__()
        self.held: set[Slot] = set()

    async def claim(self, asked: Asked) -> Answer | None:
        if self.living(asked):
            return await super().claim(asked)
        lock = (*self.slot(asked), asked.fingerprint)
        if lock in self.held:
            return self.in_flight
        self.held.add(lock)
        return None

    def complete(self, asked: Asked, answer: Answer | None) -> None:
        self.held.discard((*self.slot(asked), asked.fingerprint))
        if self.keeps(answer):
            self.kept.setdefault(self.slot(asked), Kept(asked.fingerprint, self.now(), answer))


@miniature(
    "waits-without-comparing",
    role=Role.PROVIDER,
    mode="P10",
    breaks={"another-body-in-flight-never-gets-the-answer"},
)
class WaitsWithoutComparing(CarefulGateway):
    """Lets whatever comes under a key in flight wait for the first answer, and gives it that, whatever its body is."""

    slow = MEET

    async def claim(self, asked: Asked) -> Answer | None:
        kept = self.living(asked)
        if kept is None or kept.answer:
            return await super().claim(asked)
        while self.kept.get(self.slot(asked)) is kept and not kept.answer:  # noqa: ASYNC110 - as who polls a row
            await asyncio.sleep(0.005)
        return self.replay(kept.answer) if kept.answer else await super().claim(asked)


# --- duplicates in flight ------------------------------------------------------------------------------------------


@miniature("in-flight-is-503", role=Role.PROVIDER, mode="P35", breaks={"duplicates-in-flight-wait-or-are-told-so"})
class InFlightIs503(CarefulGateway):
    """Answers a duplicate in flight with 503, as if it had broken down, so that clients send it again and again."""

    slow = MEET
    in_flight = refused(503, "service unavailable", "unavailable")


@miniature(
    "unique-violation-is-500", role=Role.PROVIDER, mode="P35", breaks={"duplicates-in-flight-wait-or-are-told-so"}
)
class UniqueViolationIs500(CarefulGateway):
    """Lets the error of its UNIQUE index through as 500 where a duplicate meets the first request in flight."""

    slow = MEET
    in_flight = refused(500, "duplicate key value violates unique constraint", "internal_error")


# --- the sender is gone --------------------------------------------------------------------------------------------


@miniature(
    "frees-the-key-after-the-effect",
    role=Role.PROVIDER,
    mode="P20",
    breaks={"one-key-has-one-effect"},
    may={"concurrent-duplicates-have-one-effect"},
)
class FreesTheKeyAfterTheEffect(StopsWithItsSender):
    """Breaks off after the money moved when the sender is gone, and frees the key as if nothing had happened."""

    async def execute(self, asked: Asked) -> Answer:
        answer = self.refusal(asked) or self.book(asked)
        await asyncio.sleep(self.slow)
        return answer


@miniature("in-flight-for-ever", role=Role.PROVIDER, mode="P21", breaks={"a-key-is-never-stuck"})
class InFlightForEver(StopsWithItsSender):
    """Stops its work when the sender is gone and leaves the key in flight, so that nobody can ever finish it."""

    def complete(self, asked: Asked, answer: Answer | None) -> None:
        if answer is not None:
            super().complete(asked, answer)
