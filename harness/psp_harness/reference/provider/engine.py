"""Whether money moves: an order and the ledger in, an entry or a refusal out. Pure.

What must live here: every reason for which money does not move that can be seen in the ledger alone.
What this module may not know: bytes, HTTP, idempotency keys, stores, the time, and whose PSP this pretends to be.
"""

from __future__ import annotations

from psp_harness.reference.provider.ledger import Ledger, Payment, PaymentStatus, Place, Refund, RefundStatus, Refusal
from psp_harness.reference.provider.orders import DECLINED, PaymentOrder, RefundOrder
from psp_harness.reference.provider.states import PAYMENT_MOVES, REFUND_MOVES, PaymentEvent, RefundEvent, move


def create_payment(order: PaymentOrder, ledger: Ledger, place: Place, now: float) -> Payment | Refusal:
    """The payment, captured at once (or declined, where the token says so); or why there is none."""
    if ledger.existing:
        return Refusal("duplicate-payment-id", f"payment {place.id!r} already exists", {"id": place.id})
    event = PaymentEvent.DECLINE if order.token == DECLINED else PaymentEvent.CAPTURE
    status = move(PAYMENT_MOVES, PaymentStatus.PROCESSING, event)
    if isinstance(status, Refusal):
        return status
    return Payment(place.tenant, place.id, order.amount, order.currency, order.reference, status, now)


def create_refund(order: RefundOrder, ledger: Ledger, place: Place, now: float) -> Refund | Refusal:
    """The refund, settled at once; or why there is none.

    The amount is looked at before the id, as PSPs are known to do: the repeat of a full refund is told that it asks for
    too much, not that it was done already.
    """
    payment = ledger.payment
    if payment is None:
        return Refusal("not-found", f"there is no payment {order.payment_id!r}")
    if wrong := _may_give_back(order, payment, ledger.left):
        return wrong
    if ledger.existing:
        return Refusal("duplicate-refund-id", f"refund {place.id!r} already exists", {"id": place.id})
    status = move(REFUND_MOVES, RefundStatus.PENDING, RefundEvent.SETTLE)
    if isinstance(status, Refusal):
        return status
    amount, currency = order.amount, payment.currency
    return Refund(place.tenant, place.id, payment.id, amount, currency, order.reference, status, now)


def _may_give_back(order: RefundOrder, payment: Payment, left: int) -> Refusal | None:
    state = move(PAYMENT_MOVES, payment.status, PaymentEvent.REFUND)
    if isinstance(state, Refusal):
        return state
    if order.amount > left:
        return Refusal("exceeds-captured", f"{order.amount} is more than the {left} left of payment {payment.id!r}")
    return None
