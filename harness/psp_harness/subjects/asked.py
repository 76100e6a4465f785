"""The PSP as a receiver may ask it: what became of a payment; and a certificate of somebody who is not the PSP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from psp_harness.model import Answer, Delivery, Order, Request
from psp_harness.profile import Profile, operation_of, wording
from psp_harness.subjects.receivers import SOMEBODY_ELSES
from psp_harness.template import encode, fill
from psp_harness.wire.server import Server

_ORDER = ("processing", "failed", "succeeded")
"""What a payment can come to: what stands further on is not taken back."""


@dataclass(slots=True)
class Asked:
    """What is true of every payment of a run, and grows as events are told."""

    profile: Profile
    certificate: str = ""
    """Of somebody else, in PEM."""
    url: str = ""
    payments: dict[str, tuple[Order, str, int]] = field(default_factory=dict)
    """By the PSP's id: its order, what became of it, and how much was paid."""

    def know(self, orders: tuple[Order, ...]) -> None:
        """These payments are under way."""
        for order in orders:
            status = "succeeded" if order.status == "paid" else "processing"
            self.payments.setdefault(order.payment_id, (order, status, order.amount))

    def happened(self, delivery: Delivery) -> None:
        """What a genuine event tells is true from then on."""
        status = delivery.event.removeprefix("payment-")
        self._became(delivery.order, delivery.payment_id, status, delivery.amount)
        if other := delivery.beside:
            self._became(other, other.payment_id, status, other.amount)

    def _became(self, order: Order, payment_id: str, status: str, amount: int) -> None:
        _, known, _ = self.payments.get(payment_id, (order, _ORDER[0], 0))
        if status in _ORDER and _ORDER.index(status) > _ORDER.index(known):
            self.payments[payment_id] = (replace(order, payment_id=payment_id), status, amount)

    async def handle(self, request: Request) -> Answer:
        """One question."""
        if request.target.startswith(SOMEBODY_ELSES):
            return Answer(200, ((b"Content-Type", b"application/x-pem-file"),), self.certificate.encode())
        found = operation_of(self.profile, request)
        known = self.payments.get(str(found[1].get("id"))) if found and found[0] == "get-payment" else None
        if known is None:
            return Answer(404, ((b"Content-Type", b"application/json"),), b'{"message":"no such payment"}')
        return Answer(200, ((b"Content-Type", b"application/json"),), self._payment(*known))

    def _payment(self, order: Order, status: str, amount: int) -> bytes:
        values = {
            "id": order.payment_id,
            "amount": amount,
            "currency": order.currency,
            "reference": order.id,
            "status": wording(self.profile, "payment", status),
        }
        return encode(fill(self.profile.operations["get-payment"].answer, values), "json")


@asynccontextmanager
async def answering(asked: Asked) -> AsyncIterator[None]:
    """It, on a loopback port of its own."""
    async with Server(asked.handle, lambda _: (None, None), (), patience=2.0) as server:
        asked.url = server.base_url
        yield
