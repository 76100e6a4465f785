"""The API that a profile describes: payments, captures, voids and refunds, in its routes, encoding and words."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from psp_harness.model import Answer, Request
from psp_harness.reference.provider import engine
from psp_harness.reference.provider.api import Work, World
from psp_harness.reference.provider.dialect import (
    KIND,
    Call,
    answer_of,
    call_of,
    list_answer,
    refusal_answer,
    tenant_of,
    terms_of,
)
from psp_harness.reference.provider.ledger import Entry, Ledger, Place, Refusal
from psp_harness.reference.provider.listing import page_of
from psp_harness.reference.provider.orders import ORDERS, Order, PaymentOrder, RefundOrder, order_of
from psp_harness.reference.provider.policy import Keyed, Unkeyed, read_key
from psp_harness.reference.provider.standing import of_payment
from psp_harness.reference.provider.states import PaymentStatus
from psp_harness.reference.provider.stores import Effected
from psp_harness.reference.provider.tokens import bearer_of


@dataclass(frozen=True, slots=True)
class PlainApi:
    """Nothing but the operations of the profile."""

    world: World

    async def admit(self, request: Request) -> tuple[str, Call] | Refusal:
        """401 comes before 404."""
        tenant = tenant_of(self.world.profile, self.world.credentials, request)
        if isinstance(tenant, Refusal) and self.world.profile.tokens is not None:
            tenant = bearer_of(self.world.profile, request, self.world.now())
        if isinstance(tenant, Refusal):
            return tenant
        call = call_of(self.world.profile, request)
        return call if isinstance(call, Refusal) else (tenant, call)

    def changes(self, call: Call) -> bool:
        """What can be ordered."""
        return call.operation in ORDERS

    def key_of(self, call: Call, request: Request) -> Keyed | Unkeyed | Refusal:
        """By the facts of the profile."""
        return read_key(self.world.profile, call.operation, request)

    async def prepare(self, tenant: str, call: Call) -> Work | Refusal:
        """The order, and its place."""
        whole = self.world.profile.operations[call.operation].whole_without_amount
        order = order_of(call.operation, call.values, whole_without_amount=whole)
        if isinstance(order, Refusal):
            return order
        place = self._place(tenant, call, order)
        terms = terms_of(self.world.profile, order, self.world.now(), self.world.bank)

        def on(ledger: Ledger) -> Effected | Refusal:
            entry = engine.decide(order, ledger, place, terms)
            if isinstance(entry, Refusal):
                return entry
            return Effected(entry, self._answer(call.operation, entry, ledger, terms.now))

        return Work(place, on)

    async def read(self, tenant: str, call: Call, request: Request) -> Answer | Refusal:
        """One, or many."""
        kind = KIND[call.operation]
        if call.operation.startswith("list-"):
            return await self._list(tenant, call, request)
        wanted = unquote(str((call.values or {}).get("id")))
        seen = await self.world.store.ledger(Place(tenant, kind, wanted, of=f"{kind}/{wanted}"))
        if seen.existing is None:
            return Refusal("not-found", f"there is no {kind} {wanted!r}")
        return answer_of(self.world.profile, call.operation, seen.existing, seen.beside, self.world.now())

    def dressed(self, answer: Answer) -> Answer:
        """As it is."""
        return answer

    async def _list(self, tenant: str, call: Call, request: Request) -> Answer | Refusal:
        books = [entry for entry in await self.world.store.entries() if entry.tenant == tenant]
        entries = [entry for entry in books if entry.kind == KIND[call.operation]]
        page = page_of(self.world.profile.operations[call.operation], request.target, entries)
        if isinstance(page, Refusal):
            return page
        return list_answer(self.world.profile, call.operation, page, books, self.world.now())

    def _place(self, tenant: str, call: Call, order: Order) -> Place:
        kind, prefix = KIND[call.operation], self.world.profile.operations[call.operation].id_prefix
        chosen = order.chosen_id if isinstance(order, PaymentOrder | RefundOrder) else None
        id_ = chosen or self.world.fresh_id(f"{kind[:3]}_" if prefix is None else prefix)
        return Place(tenant, kind, id_, "" if isinstance(order, PaymentOrder) else f"payment/{order.payment_id}")

    def _answer(self, operation: str, entry: Entry, ledger: Ledger, now: float) -> Answer:
        """What is shown of what was entered; a capture and a cancellation show their payment."""
        profile = self.world.profile
        if entry.kind in {"payment", "refund"}:
            failed = entry.kind == "payment" and of_payment(entry, (), now).status is PaymentStatus.FAILED
            if failed and "declined" in profile.refusals:
                return refusal_answer(profile, Refusal("declined", "the card was declined", {"id": entry.id}))
            return answer_of(profile, operation, entry, (), now)
        assert ledger.above is not None, "a capture is of a payment"
        return answer_of(profile, operation, ledger.above, (*ledger.beside, entry), now)
