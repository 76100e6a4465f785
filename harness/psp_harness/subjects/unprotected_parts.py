"""Parts of the reference shop, each without one of its protections. What is left protects what it can."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from psp_harness.reference.shop import orders
from psp_harness.reference.shop.books import Books
from psp_harness.reference.shop.events import Event
from psp_harness.reference.shop.inbox import Applies, Inbox
from psp_harness.reference.shop.orders import Orders
from psp_harness.reference.shop.payouts import Payouts
from psp_harness.reference.shop.refunds import Refunds
from psp_harness.reference.shop.states import OrderEvent
from psp_harness.reference.shop.subscriptions import Subscriptions
from psp_harness.reference.shop.tables import Order, Payout, Refund


class AsksFirst(Refunds):
    """Without the pending row: it asks with an id that it has just made, and writes the row when it knows."""

    def refund_order(self, order_id: str, *, request: str, amount: int) -> Refund:
        with self._books.transaction() as session:
            same = session.scalars(select(Refund).where(Refund.request == request)).first()
        if same is not None:
            return same
        name = f"ref_{secrets.token_hex(12)}"
        psp_id, status = self._psp.create_refund(name, payment_id=order_id, amount=amount)
        more = {"id": name, "order_id": order_id, "request": request, "amount": amount, "psp_id": psp_id}
        with self._books.transaction() as session:
            session.add(Refund(status="succeeded" if status == "succeeded" else "pending", **more))
        return self.get(name)


class SendsFirst(Payouts):
    """Without the pending row: it sends with an id that it has just made, and writes the row when it knows."""

    def pay_out(self, request: str, *, amount: int, currency: str, destination: str) -> Payout:
        with self._books.transaction() as session:
            same = session.scalars(select(Payout).where(Payout.request == request)).first()
        if same is not None:
            return same
        wanted: dict[str, Any] = {"amount": amount, "currency": currency, "destination": destination}
        name = f"out_{secrets.token_hex(12)}"
        self._psp.create_payout(name, **wanted)
        with self._books.transaction() as session:
            session.add(Payout(id=name, request=request, status="succeeded", **wanted))
        return self.get(name)


class OncePerDay(Payouts):
    """Without the request in the payout's row: one that has the day in it is the payout, whoever is to get what."""

    def pay_out(self, request: str, **more: Any) -> Payout:
        with self._books.transaction() as session:
            todays = session.scalars(select(Payout)).first()
        return super().pay_out(request, **more) if todays is None else todays


class SubmitsTwice(Orders):
    """Without the guard on the checkout: each time that it is submitted is an order."""

    def place_order(self, checkout: str, **more: Any) -> Order:
        return super().place_order(f"{checkout}-{secrets.token_hex(4)}", **more)


class ChargesForEachRun(Subscriptions):
    """Without the period in the order's checkout: each run of the job that charges makes an order."""

    def due(self, subscription_id: str, period: str) -> Order:
        return super().due(subscription_id, f"{period}-{secrets.token_hex(4)}")


class AsksBeforeItSaysSo(Orders):
    """Without the step to `confirming`: the order stays as it was until the answer comes."""

    def claim(self, order_id: str, step: OrderEvent = OrderEvent.CONFIRM) -> Order:  # noqa: ARG002
        return self.get(order_id)


class NoIndex(Books):
    """Without the UNIQUE index on what the PSP calls a refund."""

    def prepare(self) -> None:
        super().prepare()
        with self.engine.begin() as connection:
            connection.execute(text("DROP INDEX IF EXISTS refunds_psp_id_once"))


class OneEventForEachThing(Inbox):
    """Without the event's id as the inbox's key: it keeps that of what the event is about."""

    def name(self, event: Event) -> str:
        return event.about or event.name


class LastEventWins(Inbox):
    """Without the table of states: an order is what the last event says."""

    def __init__(
        self, books: Books, known: Sequence[str], applying: Mapping[str, Applies], *, account: str = ""
    ) -> None:
        super().__init__(books, known, {**applying, "payment": _overwrite}, account=account)


class ComparesNothing(Inbox):
    """Without a look at amount and currency."""

    def __init__(
        self, books: Books, known: Sequence[str], applying: Mapping[str, Applies], *, account: str = ""
    ) -> None:
        super().__init__(books, known, {**applying, "payment": _believe}, account=account)


class ForgetsOrders(Orders):
    """Without a look after what is in doubt."""

    def in_doubt(self) -> list[str]:
        return []


class ForgetsRefunds(Refunds):
    """Without a look after what is in doubt."""

    def in_doubt(self) -> list[str]:
        return []


def _overwrite(session: Session, event: Event) -> None:
    order = session.get(Order, event.about)
    says = {"succeeded": "paid", "failed": "failed", "processing": "processing"}
    if order is not None and (event.amount(), event.facts.get("currency")) == (order.amount, order.currency):
        order.status = says.get(str(event.facts.get("status")), order.status)


def _believe(session: Session, event: Event) -> None:
    order = session.get(Order, event.about)
    if order is not None:
        says = orders.SAYS.get(str(event.facts.get("status")), OrderEvent.PROCESS)
        orders.apply(order, says, order.amount)
