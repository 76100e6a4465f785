"""Orders whose money is first authorised: it is taken when the goods leave, or given up.

Each of both is a step of the table of states that is made once, before the PSP is asked, under a key of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from psp_harness.reference.client_answers import Payment
from psp_harness.reference.client_errors import NotSent, PaymentError, RateLimited, Rejected
from psp_harness.reference.shop.orders import Orders
from psp_harness.reference.shop.psp import PaymentProvider
from psp_harness.reference.shop.refusals import TooMuch, expect_amount
from psp_harness.reference.shop.states import OrderEvent, OrderStatus
from psp_harness.reference.shop.tables import Order


class Captures:
    """What becomes of an authorisation."""

    def __init__(self, orders: Orders, psp: PaymentProvider) -> None:
        self._orders, self._psp = orders, psp

    def capture_order(self, order_id: str, *, amount: int | None = None) -> Order:
        """Take the money of an order, or `amount` minor units of it: once, and the rest is given up.

        Raises `WrongState`, `TooMuch`, `Invalid`, and what `client_errors` names. After an `OutcomeUnknown` the order
        stays in `capturing`, and `Orders.settle` finds out.
        """
        whole = self._orders.get(order_id).amount
        wanted = whole if amount is None else expect_amount(amount)
        if wanted > whole:
            raise TooMuch(f"capture of {wanted}: order {order_id!r} is of {whole}")
        return self._ask(
            order_id,
            OrderEvent.CAPTURE,
            lambda: self._psp.capture_payment(f"{order_id}-capture", payment_id=order_id, amount=wanted),
        )

    def cancel_order(self, order_id: str) -> Order:
        """Give up an order whose money was not taken. Raises as `capture_order` does."""
        if self._orders.get(order_id).status == OrderStatus.CREATED:
            return self._orders.move(order_id, OrderEvent.CANCEL)
        return self._ask(
            order_id, OrderEvent.VOID, lambda: self._psp.cancel_payment(f"{order_id}-void", payment_id=order_id)
        )

    def _ask(self, order_id: str, step: OrderEvent, call: Callable[[], Payment]) -> Order:
        with self._orders.asking.about(order_id):
            self._orders.claim(order_id, step)
            try:
                payment = call()
            except (NotSent, RateLimited):
                self._orders.move(order_id, OrderEvent.RELEASE)
                raise
            except Rejected as error:  # this request did nothing; an earlier one may have
                return self._after_a_no(order_id, error)
            return self._orders.book(payment)

    def _after_a_no(self, order_id: str, error: PaymentError) -> Order:
        order = self._orders.settle(order_id)
        if order.status == OrderStatus.AUTHORISED:
            raise error
        return order
