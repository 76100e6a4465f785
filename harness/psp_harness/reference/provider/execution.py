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
from psp_harness.profile import Profile, values_of
from psp_harness.reference.provider.api import Api, Work
from psp_harness.reference.provider.dialect import KIND, Call, answer_of, replayed
from psp_harness.reference.provider.keys import Claim, Term
from psp_harness.reference.provider.ledger import Place, Refusal
from psp_harness.reference.provider.policy import IN_FLIGHT, Keyed, Replay, Unkeyed, Wait, decide, slot_of, ttl_of
from psp_harness.reference.provider.stores import Decide, Effected, Lost, Store, StoreUnavailable

LEASE = 5.0
"""Seconds. Processing takes milliseconds; this is how long a process that died keeps its key from being tried again."""

PAUSES = (0.005, 0.01, 0.02, 0.04, 0.08, *(0.15,) * 30)
"""Seconds between looks at a request in flight: 4.7 in all, then it is refused."""

RACE = 0.02
"""Seconds between look and entry where the PSP is known to take no lock."""


@dataclass(frozen=True, slots=True)
class Execution:
    """What an effect is made of: the PSP's facts and API, the store, and where the world comes in."""

    profile: Profile
    api: Api
    store: Store
    now: Callable[[], float]
    processing: Callable[[], Awaitable[None]]

    async def change(self, tenant: str, call: Call, key: Keyed | Unkeyed) -> Answer | Refusal:
        """Execute, if nobody did under this key; else what the policy says."""
        for pause in PAUSES:
            match await self._attempt(tenant, call, key):
                case Answer() | Refusal() as verdict:
                    return verdict
                case Replay(answer):
                    return replayed(self.profile, await self._as_it_stands(tenant, call, answer))
                case Wait() | Lost():
                    await asyncio.sleep(pause)
        return IN_FLIGHT

    async def _as_it_stands(self, tenant: str, call: Call, first: Answer) -> Answer:
        """The first answer; where the PSP promises the current state, what it would say today."""
        if self.profile.duplicate is None or self.profile.duplicate.answer != "current-state":
            return first
        kind, id_ = KIND[call.operation], str(values_of(self.profile, call.operation, first).get("id"))
        seen = await self.store.ledger(Place(tenant, kind, id_, of=f"{kind}/{id_}"))
        if seen.existing is None:
            return first
        return answer_of(self.profile, call.operation, seen.existing, seen.beside, self.now())

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
        work = await self.api.prepare(tenant, call)
        if isinstance(work, Refusal):
            await self._release(claim)
            return work
        decision = await self.store.complete(claim, work.place, await self._decision(work))
        return decision.answer if isinstance(decision, Effected) else decision

    async def _release(self, claim: Claim | None) -> None:
        """Where the store cannot be told, the end of the lease frees the key."""
        if claim is not None:
            with suppress(StoreUnavailable):
                await self.store.release(claim)

    async def _decision(self, work: Work) -> Decide:
        if work.place.kind == "refund" and self.profile.has_defect("refund-race"):
            return await self._racing(work.decide, work.place)
        return work.decide

    async def _racing(self, decide_on: Decide, place: Place) -> Decide:
        """The listed defect, on purpose: what is left is read now and spent later, without a second look."""
        stale = await self.store.ledger(place)
        await asyncio.sleep(RACE)
        return lambda ledger: decide_on(replace(stale, existing=ledger.existing))
