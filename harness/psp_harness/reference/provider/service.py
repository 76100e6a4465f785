"""The provider: who asks, for what, under which key, and then the money; each by the module that knows it.

The order of the questions is the order of the refusals: 401, then 404, then the key, then the order itself.
"""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from urllib.parse import unquote

from psp_harness.model import Answer, Effect, Request
from psp_harness.profile import Profile
from psp_harness.reference.provider.dialect import (
    KIND,
    Call,
    call_of,
    entry_answer,
    list_answer,
    refusal_answer,
    tenant_of,
)
from psp_harness.reference.provider.execution import Execution
from psp_harness.reference.provider.ledger import Place, Refund, Refusal, kind_of, moved_money
from psp_harness.reference.provider.listing import page_of
from psp_harness.reference.provider.policy import Keyed, read_key
from psp_harness.reference.provider.stores import Store, StoreUnavailable

_ALPHABET = string.ascii_letters + string.digits
_CREATES = frozenset({"create-payment", "create-refund"})


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
        self._credentials = profile.credentials if credentials is None else credentials
        self._clock = clock
        self._advanced = 0.0
        self._execution = Execution(profile, store, self._now, fresh_id, processing)

    async def handle(self, request: Request) -> Answer:
        """The answer to one complete request; 503 where the store does not answer: without it nobody may execute."""
        try:
            return await self._handle(request)
        except StoreUnavailable:
            return self._refuse(Refusal("store-unavailable", "try again later, with the same key"))

    async def _handle(self, request: Request) -> Answer:
        tenant = tenant_of(self._profile, self._credentials, request)
        if isinstance(tenant, Refusal):
            return self._refuse(tenant)
        call = call_of(self._profile, request)
        if isinstance(call, Refusal):
            return self._refuse(call)
        if call.operation in _CREATES:
            return await self._create(tenant, call, request)
        return await self._read(tenant, call, request)

    async def effects(self) -> tuple[Effect, ...]:
        """Every movement of money that happened, of all tenants."""
        return tuple(
            Effect(
                kind=kind_of(entry),
                id=entry.id,
                amount=entry.amount,
                currency=entry.currency,
                payment_id=entry.payment_id if isinstance(entry, Refund) else "",
                reference=entry.reference or "",
            )
            for entry in await self._store.entries()
            if moved_money(entry)
        )

    async def advance(self, seconds: float) -> None:
        """Let the provider's clock, and no other, go forward."""
        self._advanced += seconds

    async def ready(self) -> None:
        """Return if the store answers; raises `StoreUnavailable`."""
        await self._store.ledger(Place("", "payment", ""))

    async def close(self) -> None:
        """Give back what the store holds."""
        await self._store.close()

    def _now(self) -> float:
        return self._clock() + self._advanced

    def _refuse(self, refusal: Refusal) -> Answer:
        return refusal_answer(self._profile, refusal)

    async def _read(self, tenant: str, call: Call, request: Request) -> Answer:
        kind = KIND[call.operation]
        if call.operation.startswith("list-"):
            return await self._list(tenant, call, request)
        wanted = unquote(str((call.values or {}).get("id")))
        entry = (await self._store.ledger(Place(tenant, kind, wanted))).existing
        if entry is None:
            return self._refuse(Refusal("not-found", f"there is no {kind} {wanted!r}"))
        return entry_answer(self._profile, call.operation, entry)

    async def _list(self, tenant: str, call: Call, request: Request) -> Answer:
        entries = [
            entry
            for entry in await self._store.entries()
            if entry.tenant == tenant and kind_of(entry) == KIND[call.operation]
        ]
        page = page_of(self._profile.operations[call.operation], request.target, entries)
        return self._refuse(page) if isinstance(page, Refusal) else list_answer(self._profile, call.operation, page)

    async def _create(self, tenant: str, call: Call, request: Request) -> Answer:
        key = read_key(self._profile, call.operation, request)
        if isinstance(key, Refusal):
            return self._refuse(key)
        verdict = await self._execution.create(tenant, call, key)
        if isinstance(verdict, Answer):
            return verdict
        sent = {"key": key.key.decode(errors="replace")} if isinstance(key, Keyed) else {}
        return self._refuse(replace(verdict, about={**verdict.about, **sent}))
