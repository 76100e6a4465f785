"""At most once: claim the key, let the money move, keep the answer with it; or say what became of the first time.

    claim ─┬─ Claim ──► processing ──► complete ─┬─ Effected: the answer, kept
           │                                     ├─ Refusal: the key is free again
           │                                     └─ Lost: somebody took over; look again
           └─ Record ─► policy: Replay | Refusal | Wait and look again

`stores/__init__.py` says why a crash at any arrow doubles nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from psp_harness.model import Answer
from psp_harness.profile import Profile
from psp_harness.reference.provider.dialect import KIND, Call, entry_answer, replayed
from psp_harness.reference.provider.engine import create_payment, create_refund
from psp_harness.reference.provider.keys import Claim, Term
from psp_harness.reference.provider.ledger import Entry, Ledger, Place, Refusal
from psp_harness.reference.provider.orders import Order, PaymentOrder, RefundOrder, order_of
from psp_harness.reference.provider.policy import IN_FLIGHT, Keyed, Replay, Unkeyed, Wait, decide, slot_of, ttl_of
from psp_harness.reference.provider.stores import Decide, Effected, Lost, Store, StoreUnavailable

LEASE = 10.0
"""Seconds. Processing takes milliseconds; this is how long a process that died keeps its key from being tried again."""

PAUSES = (0.005, 0.01, 0.02, 0.04, 0.08, *(0.15,) * 30)
"""Seconds between looks at a request in flight: 4.7 in all, then it is refused."""

RACE = 0.02
"""Seconds between look and entry where the PSP is known to take no lock."""


@dataclass(frozen=True, slots=True)
class Execution:
    """What an effect is made of: the PSP's facts, the store, and where the world comes in."""

    profile: Profile
    store: Store
    now: Callable[[], float]
    fresh_id: Callable[[str], str]
    processing: Callable[[], Awaitable[None]]

    async def create(self, tenant: str, call: Call, key: Keyed | Unkeyed) -> Answer | Refusal:
        """Execute, if nobody did under this key; else what the policy says."""
        for pause in PAUSES:
            match await self._attempt(tenant, call, key):
                case Answer() | Refusal() as verdict:
                    return verdict
                case Replay(answer):
                    return replayed(self.profile, answer)
                case Wait() | Lost():
                    await asyncio.sleep(pause)
        return IN_FLIGHT

    async def _attempt(self, tenant: str, call: Call, key: Keyed | Unkeyed) -> Answer | Refusal | Replay | Wait | Lost:
        if isinstance(key, Unkeyed):
            return await self._execute(None, tenant, call)
        slot = slot_of(self.profile, tenant, call.operation, key)
        term = Term(self.now(), LEASE, ttl_of(self.profile, call.operation))
        held = await self.store.claim(slot, call.fingerprint, term)
        if isinstance(held, Claim):
            return await self._execute(held, tenant, call)
        return decide(self.profile, call.operation, call.fingerprint, held)

    async def _execute(self, claim: Claim | None, tenant: str, call: Call) -> Answer | Refusal | Lost:
        """Whatever goes wrong here frees the key; only what was completed stays, and the store knows which it is."""
        try:
            await self.processing()
            return await self._settle(claim, tenant, call)
        except BaseException:
            await self._release(claim)
            raise

    async def _settle(self, claim: Claim | None, tenant: str, call: Call) -> Answer | Refusal | Lost:
        order = order_of(KIND[call.operation], call.values)
        if isinstance(order, Refusal):
            await self._release(claim)
            return order
        place = self._place(tenant, call, order)
        decision = await self.store.complete(claim, place, await self._decision(call, order, place))
        return decision.answer if isinstance(decision, Effected) else decision

    async def _release(self, claim: Claim | None) -> None:
        """Where the store cannot be told, the end of the lease frees the key."""
        if claim is not None:
            with suppress(StoreUnavailable):
                await self.store.release(claim)

    def _place(self, tenant: str, call: Call, order: Order) -> Place:
        kind = KIND[call.operation]
        prefix = self.profile.operations[call.operation].id_prefix
        id_ = order.chosen_id or self.fresh_id(f"{kind[:3]}_" if prefix is None else prefix)
        return Place(tenant, kind, id_, order.payment_id if isinstance(order, RefundOrder) else "")

    async def _decision(self, call: Call, order: Order, place: Place) -> Decide:
        now = self.now()

        def on(ledger: Ledger) -> Effected | Refusal:
            entry = _entry(order, ledger, place, now)
            if isinstance(entry, Refusal):
                return entry
            return Effected(entry, entry_answer(self.profile, call.operation, entry))

        if place.kind == "refund" and self.profile.has_defect("refund-race"):
            return await self._racing(on, place)
        return on

    async def _racing(self, decide_on: Decide, place: Place) -> Decide:
        """The listed defect, on purpose: what is left is read now and spent later, without a second look."""
        stale = await self.store.ledger(place)
        await asyncio.sleep(RACE)
        return lambda ledger: decide_on(replace(stale, existing=ledger.existing))


def _entry(order: Order, ledger: Ledger, place: Place, now: float) -> Entry | Refusal:
    if isinstance(order, PaymentOrder):
        return create_payment(order, ledger, place, now)
    return create_refund(order, ledger, place, now)
