"""Orders: placed once for each checkout, paid once under their own id.

The id is the key of the payment, and stands in the database before the PSP is asked. So a declined order is over: under
the same key the PSP would say the same again, and another try of the customer is another order.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from psp_harness.reference.client_answers import Payment
from psp_harness.reference.client_errors import Declined, NotSent, RateLimited, Rejected
from psp_harness.reference.shop.asking import Asking
from psp_harness.reference.shop.books import Books
from psp_harness.reference.shop.psp import Capture, PaymentProvider
from psp_harness.reference.shop.refusals import Conflict, Mismatch, NotFound, WrongState, expect_amount, expect_word
from psp_harness.reference.shop.states import ORDER_MOVES, OrderEvent, OrderStatus, after
from psp_harness.reference.shop.tables import Order

SAYS: Mapping[str, OrderEvent] = {
    "succeeded": OrderEvent.SUCCEED,
    "partially_captured": OrderEvent.SUCCEED,
    "requires_capture": OrderEvent.AUTHORISE,
    "failed": OrderEvent.FAIL,
    "expired": OrderEvent.FAIL,
    "cancelled": OrderEvent.CANCEL,
}
"""What a payment's status means to its order; every other one: the PSP has it, and cannot say yet."""

IN_DOUBT = (OrderStatus.CONFIRMING, OrderStatus.PROCESSING, OrderStatus.CAPTURING, OrderStatus.CANCELLING)
"""States in which the shop cannot say whether the money moved."""


class Orders:
    """What customers buy."""

    def __init__(self, books: Books, psp: PaymentProvider) -> None:
        self._books, self._psp = books, psp
        self.asking = Asking()

    def place_order(
        self,
        checkout: str,
        *,
        amount: int,
        currency: str,
        capture: Capture = "automatic",
        customer_id: str | None = None,
    ) -> Order:
        """The order of a checkout, in minor units: the same one, however often it is submitted.

        Raises `Invalid`, and `Conflict` where the checkout was submitted with another content.
        """
        wanted = (expect_amount(amount), expect_word("currency", currency).upper(), capture)
        with self._books.transaction() as session:
            self._write(session, expect_word("checkout", checkout), customer_id, *wanted)
            order = session.scalars(select(Order).where(Order.checkout == checkout)).one()
        if (order.amount, order.currency, order.capture) != wanted:
            raise Conflict(f"checkout {checkout!r} was submitted before, for {order.amount} {order.currency}")
        return order

    def confirm_order(self, order_id: str, *, payment_token: str | None) -> Order:
        """Ask the PSP for the money of an order. Raises as `pay` does."""
        return self.pay(
            order_id,
            lambda order: self._psp.create_payment(
                order.id,
                amount=order.amount,
                currency=order.currency,
                payment_token=payment_token,
                capture="manual" if order.capture == "manual" else "automatic",
            ),
        )

    def pay(self, order_id: str, ask: Callable[[Order], Payment]) -> Order:
        """Ask the PSP in one way or another, once: of all who want an order paid, one sends.

        Raises `WrongState` for all the others, and what `client_errors` names. After an `OutcomeUnknown` the order
        stays in `confirming`, and `settle` finds out.
        """
        with self.asking.about(order_id):
            return self._pay(order_id, ask)

    def claim(self, order_id: str, step: OrderEvent = OrderEvent.CONFIRM) -> Order:
        """The guard against double submit: a step that asks the PSP is made once. Raises `WrongState`, `NotFound`."""
        with self._books.transaction() as session:
            order = locked(session, order_id)
            if not apply(order, step):
                raise WrongState(f"order {order_id!r}", order.status)
        return order

    def settle(self, order_id: str) -> Order:
        """Read what became of an order's payment, and write that down; where there is none, it may be paid again."""
        try:
            payment = self._psp.get_payment(order_id)
        except Rejected as error:
            if error.status != 404:
                raise
            return self.move(order_id, OrderEvent.RELEASE)
        return self.book(payment)

    def book(self, payment: Payment) -> Order:
        """Write down what the PSP says of a payment. Raises `Mismatch` where it is not the order's."""
        with self._books.transaction() as session:
            order = locked(session, payment.payment_id)
            if (payment.amount, payment.currency) != (order.amount, order.currency):
                raise Mismatch(order.id, f"{payment.amount} {payment.currency}", f"{order.amount} {order.currency}")
            apply(order, _meaning(order, payment.status), _received(payment))
        return order

    def get(self, order_id: str) -> Order:
        """It as it stands; raises `NotFound`."""
        with self._books.transaction() as session:
            return locked(session, order_id)

    def in_doubt(self) -> list[str]:
        """The orders of which the shop cannot say whether their money moved."""
        with self._books.transaction() as session:
            open_ = session.scalars(select(Order.id).where(Order.status.in_(IN_DOUBT)).order_by(Order.id))
            return [order_id for order_id in open_ if order_id not in self.asking]

    def move(self, order_id: str, event: OrderEvent) -> Order:
        """Let an event happen to an order, if its state allows it."""
        with self._books.transaction() as session:
            order = locked(session, order_id)
            apply(order, event)
        return order

    def _pay(self, order_id: str, ask: Callable[[Order], Payment]) -> Order:
        order = self.claim(order_id)
        try:
            payment = ask(order)
        except (NotSent, RateLimited):
            self.move(order.id, OrderEvent.RELEASE)
            raise
        except Declined:
            self.move(order.id, OrderEvent.FAIL)
            raise
        except Rejected:  # this request did nothing; an earlier one under this id may have
            if (settled := self.settle(order.id)).status != OrderStatus.CREATED:
                return settled
            raise
        return self.book(payment)

    def _write(
        self, session: Session, checkout: str, customer_id: str | None, amount: int, currency: str, capture: Capture
    ) -> None:
        self._books.add_once(
            session,
            Order,
            id=f"ord_{secrets.token_hex(12)}",
            checkout=checkout,
            customer_id=customer_id,
            amount=amount,
            currency=currency,
            capture=capture,
            status=OrderStatus.CREATED,
            captured=0,
        )


def locked(session: Session, order_id: str) -> Order:
    """The order's row, which nobody else changes until the transaction ends; raises `NotFound`."""
    order = session.get(Order, order_id, with_for_update=True)
    if order is None:
        raise NotFound(f"there is no order {order_id!r}")
    return order


def apply(order: Order, event: OrderEvent, captured: int = 0) -> bool:
    """Let an event happen to an order, if its state allows it; whether anything changed. `captured`: minor units."""
    status = after(ORDER_MOVES, OrderStatus(order.status), event)
    if status is None:
        return False
    order.status = status
    if status is OrderStatus.PAID:
        order.captured = captured
    return True


def _meaning(order: Order, status: str) -> OrderEvent:
    """What a payment's status means, once it was read: still authorised is nothing new, or a step that did not come."""
    says = SAYS.get(status, OrderEvent.PROCESS)
    asked_for_more = order.status in {OrderStatus.CAPTURING, OrderStatus.CANCELLING}
    return OrderEvent.RELEASE if asked_for_more and says is OrderEvent.AUTHORISE else says


def _received(payment: Payment) -> int:
    return payment.amount if payment.received is None else payment.received
