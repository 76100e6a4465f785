"""The provider: who asks, for what, under which key, and then the money; each by the module that knows it.

The order of the questions is the order of the refusals: 401, then 404, then 429, then the key, then the order
itself.
"""

from __future__ import annotations

import asyncio
import secrets
import string
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from psp_harness.model import Answer, Effect, Request
from psp_harness.profile import Profile
from psp_harness.reference.provider.api import World
from psp_harness.reference.provider.apis import api_of, further_of
from psp_harness.reference.provider.bank import Bank
from psp_harness.reference.provider.dialect import Call, refusal_answer
from psp_harness.reference.provider.disputing import Disputing
from psp_harness.reference.provider.execution import Execution
from psp_harness.reference.provider.ledger import Place, Refusal
from psp_harness.reference.provider.policy import Keyed
from psp_harness.reference.provider.quota import Meter
from psp_harness.reference.provider.sending import Sender
from psp_harness.reference.provider.standing import effects_of
from psp_harness.reference.provider.stores import Store, StoreUnavailable
from psp_harness.reference.provider.tokens import granted

A_MOMENT = 0.001
"""Seconds behind the time at which something is due: sums of floating-point times fall short of it."""

_ALPHABET = string.ascii_letters + string.digits


def fresh_id(prefix: str) -> str:
    """The prefix and 20 letters and digits."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(20))


async def at_once() -> None:
    """Processing that takes no time."""


class Provider:
    """One PSP, in the dialect and with the policy of its profile, over one store."""

    def __init__(
        self,
        profile: Profile,
        store: Store,
        *,
        credentials: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
        fresh_id: Callable[[str], str] = fresh_id,
        processing: Callable[[], Awaitable[None]] = at_once,
    ) -> None:
        """`credentials`: by tenant, looked up at each request, so that they may be revoked or refreshed.

        `processing` is awaited between the claim of a key and the entry: the place of the call to an acquirer.
        """
        self._profile = profile
        self._store = store
        self._clock = clock
        self._advanced = 0.0
        self._advancing = asyncio.Lock()
        self.bank = Bank()
        known = profile.credentials if credentials is None else credentials
        self._api = api_of(World(profile, store, known, self._now, fresh_id, self.bank))
        self._execution = Execution(profile, self._api, store, self._now, processing)
        self.webhooks = Sender(profile, store, self._now, further_of(profile))
        self.meter = Meter()
        self.disputes = Disputing(store, self._now, fresh_id, self.webhooks.heard)

    async def handle(self, request: Request) -> Answer:
        """The answer to one complete request; 503 where the store does not answer: without it nobody may execute."""
        try:
            answer = await self._handle(request)
        except StoreUnavailable:
            answer = self.refuse(Refusal("store-unavailable", "try again later, with the same key"))
        return self._api.dressed(answer)

    async def _handle(self, request: Request) -> Answer:
        token = granted(self._profile, request, self._now())
        if token is not None:
            return token
        admitted = await self._api.admit(request)
        if isinstance(admitted, Refusal):
            return self.refuse(admitted)
        tenant, call = admitted
        too_many = self.meter.count(tenant, self._now())
        if too_many is not None:
            return self.refuse(too_many)
        if self._api.changes(call):
            return await self._change(tenant, call, request)
        return await self._read(tenant, call, request)

    async def effects(self) -> tuple[Effect, ...]:
        """Every movement of money that happened, of all tenants."""
        return effects_of(await self._store.entries(), self._now())

    async def advance(self, seconds: float) -> None:
        """Let the provider's clock, and no other, go forward, by way of every moment at which a webhook is due."""
        async with self._advancing:
            until = self._advanced + seconds
            while (due := await self.webhooks.next_moment()) is not None:
                there = min(until, due - self._clock() + A_MOMENT)
                if there <= self._advanced:
                    break
                self._advanced = there
            self._advanced = until
            self.webhooks.wake()

    async def ready(self) -> Refusal | None:
        """Why it cannot work, if it cannot: its store does not answer."""
        try:
            await self._store.ledger(Place("", "payment", ""))
        except StoreUnavailable as error:
            return Refusal("not-ready", str(error))
        return None

    async def close(self) -> None:
        """Send nothing more, and give back what the store holds."""
        await self.webhooks.close()
        await self._store.close()

    async def start(self) -> None:
        """Go on from where an earlier life was: its clock, as far as the books say, and what it left unsent.

        Without it, sending begins when an endpoint is registered.
        """
        with suppress(StoreUnavailable):  # it starts all the same, and answers 503 until its store is there
            latest = max((entry.created for entry in await self._store.entries()), default=0.0)
            self._advanced = max(self._advanced, latest - self._clock())
        await self.webhooks.start()

    def _now(self) -> float:
        return self._clock() + self._advanced

    def refuse(self, refusal: Refusal) -> Answer:
        """No, in the PSP's words."""
        return refusal_answer(self._profile, refusal)

    async def _change(self, tenant: str, call: Call, request: Request) -> Answer:
        key = self._api.key_of(call, request)
        if isinstance(key, Refusal):
            return self.refuse(key)
        verdict = await self._execution.change(tenant, call, key)
        if isinstance(verdict, Answer):
            await self.webhooks.heard()
            return verdict
        sent = {"key": key.key.decode(errors="replace")} if isinstance(key, Keyed) else {}
        return self.refuse(replace(verdict, about={**verdict.about, **sent}))

    async def _read(self, tenant: str, call: Call, request: Request) -> Answer:
        seen = await self._api.read(tenant, call, request)
        return self.refuse(seen) if isinstance(seen, Refusal) else seen
