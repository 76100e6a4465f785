"""What banks do with disputes, which no API of a PSP offers: they open one, and decide it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from psp_harness.model import Answer
from psp_harness.reference.provider.disputes import DISPUTE_MOVES, DisputeEvent, Stage, of_dispute
from psp_harness.reference.provider.ledger import Entry, Ledger, Place, Refusal
from psp_harness.reference.provider.standing import of_payment
from psp_harness.reference.provider.states import move
from psp_harness.reference.provider.stores import Effected, Store

WEEK = 7 * 86_400.0
"""Seconds that a shop has to say something, unless it is told otherwise."""


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A dispute that a bank opens."""

    payment_id: str
    amount: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Minor units; none is all that was captured."""
    reason: str = "fraudulent"
    stage: Stage = "dispute"
    challenge_within: Annotated[float, msgspec.Meta(gt=0, le=1e9)] = WEEK
    """Seconds."""
    tenant: str = "tenant-a"


class Closing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a bank decides."""

    dispute_id: str
    outcome: Literal["win", "lose", "cancel"]
    """`win`: the shop keeps the money."""
    tenant: str = "tenant-a"


@dataclass(frozen=True, slots=True)
class Disputing:
    """The banks' side of one provider's disputes."""

    store: Store
    now: Callable[[], float]
    fresh_id: Callable[[str], str]
    heard: Callable[[], Awaitable[None]]
    """Told of each change."""

    async def open(self, wanted: Opening) -> Entry | Refusal:
        """The dispute; or why there is none: no such payment, or less captured than is asked for."""
        place = Place(wanted.tenant, "dispute", self.fresh_id("dp_"), f"payment/{wanted.payment_id}")

        def on(ledger: Ledger) -> Effected | Refusal:
            if ledger.above is None:
                return Refusal("not-found", f"there is no payment {wanted.payment_id!r}")
            captured = of_payment(ledger.above, ledger.beside, self.now()).captured
            amount = captured if wanted.amount is None else wanted.amount
            if not 0 < amount <= captured:
                return Refusal("invalid", f"{captured} is captured of payment {wanted.payment_id!r}, not {amount}")
            until = self.now() + wanted.challenge_within
            about = {"reason": wanted.reason, "stage": wanted.stage, "challenge_by": until}
            where = (place.tenant, place.kind, place.id, place.of)
            entry = Entry(*where, amount, ledger.above.currency, None, self.now(), about)
            return Effected(entry, Answer(201))

        return await self._entered(place, on)

    async def close(self, wanted: Closing) -> Entry | Refusal:
        """The decision; or why there can be none."""
        found = (await self.store.ledger(Place(wanted.tenant, "dispute", wanted.dispute_id))).existing
        if found is None:
            return Refusal("not-found", f"there is no dispute {wanted.dispute_id!r}")
        place = Place(wanted.tenant, "dispute-move", self.fresh_id("dmv_"), found.of)

        def on(ledger: Ledger) -> Effected | Refusal:
            status = of_dispute(found, ledger.beside, self.now()).status
            after = move(DISPUTE_MOVES, status, DisputeEvent(wanted.outcome))
            if isinstance(after, Refusal):
                return after
            about = {"dispute": found.id, "event": wanted.outcome}
            entry = Entry(place.tenant, place.kind, place.id, place.of, created=self.now(), about=about)
            return Effected(entry, Answer(200))

        return await self._entered(place, on)

    async def _entered(self, place: Place, on: Callable[[Ledger], Effected | Refusal]) -> Entry | Refusal:
        decision = await self.store.complete(None, place, on)
        if isinstance(decision, Effected):
            await self.heard()
            return decision.entry
        assert isinstance(decision, Refusal), "no key is in play"
        return decision
