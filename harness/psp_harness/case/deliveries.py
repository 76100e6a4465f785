"""What only the cases of receivers say: the orders of the shop, and of each webhook what it tells and what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, Protocol

from psp_harness.case.written import Written
from psp_harness.registry import suggest
from psp_harness.vocabulary import EVENTS, FORGERIES


class Order(Written, frozen=True, rename=lambda name: name.rstrip("_").replace("_", "-")):
    """An order that the shop has when the case begins."""

    as_: str
    """Its name in this case."""
    amount: int
    currency: str = "EUR"
    status: Literal["pending", "paid"] = "pending"
    known: bool = True
    """The shop knows what the PSP calls the payment: the answer to its own request has come."""


class Delivery(Written, frozen=True):
    """One webhook."""

    event: str = "payment-succeeded"
    order: str = "order"
    """Which of the case's orders it is about."""
    amount: int | None = None
    """What the event says, in minor units; the order's amount unless told."""
    currency: str | None = None
    payment: str | None = None
    """Another payment of that order, by a name: a customer may have paid twice; the order's own unless told."""
    account: str = "tenant-a"
    """Whose account it names."""
    mode: Literal["test", "live"] = "test"
    forged: str | None = None
    """What is wrong with it; the PSP sent it unless told."""
    rotated: bool = False
    """It is signed with another secret as well, and first."""
    beside: str | None = None
    """An order about which the PSP tells in the same batch, before this one."""
    until_acknowledged: bool = False
    """It is delivered again until a 2xx comes."""
    ends: float | None = None
    """Seconds after which the receiver's process is ended and started again; 0: as soon as its answer was seen."""


class _Step(Protocol):
    @property
    def do(self) -> str | None: ...
    @property
    def delivery(self) -> Delivery | None: ...


def problems(orders: Iterable[Order], steps: Iterable[_Step]) -> Iterator[tuple[str, str, str]]:
    """What is wrong with the orders and webhooks of a case, under which key, and what to do about it."""
    names = {order.as_: order.amount for order in orders}
    if not names:
        yield "a receiver needs an order to be told of", "orders", 'as in [{ as = "order", amount = 1050 }]'
    for amount in names.values():
        if amount < 1:
            yield f"amount {amount!r}: expected a positive integer in minor units", "orders", ""
    for delivery in (step.delivery or Delivery() for step in steps if step.do == "deliver-webhook"):
        for name, known in (
            (delivery.event, EVENTS),
            (delivery.forged, FORGERIES),
            (delivery.order, names),
            (delivery.beside, names),
        ):
            if name is not None and name not in known:
                yield f"the delivery names {name!r}, which there is not", "steps", suggest(name, known)
