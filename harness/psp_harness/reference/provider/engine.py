"""Whether money moves: an order and the ledger in, an entry or a refusal out. Pure.

What must live here: every reason for which money does not move that can be seen in the ledger alone.
What this module may not know: bytes, HTTP, idempotency keys, stores, the time, and whose PSP this pretends to be.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import assert_never

from psp_harness.reference.provider.bank import Bank
from psp_harness.reference.provider.ledger import Entry, Ledger, Place, Refusal
from psp_harness.reference.provider.orders import CancelOrder, CaptureOrder, Order, PaymentOrder, RefundOrder
from psp_harness.reference.provider.standing import Capture, Fate, PaymentStanding, capture_event, of_payment
from psp_harness.reference.provider.states import PAYMENT_MOVES, PaymentEvent, move


@dataclass(frozen=True, slots=True)
class Terms:
    """What the PSP's words of an order come to, and when it came."""

    now: float
    """Seconds since 1970."""
    capture: Capture = Capture.AT_ONCE
    fate: Fate = Fate.NONE
    """Of the card."""
    bank: Bank = field(default_factory=Bank)


def decide(order: Order, ledger: Ledger, place: Place, terms: Terms) -> Entry | Refusal:
    """What is entered at that place, or why nothing is."""
    match order:
        case PaymentOrder():
            return _pay(order, ledger, place, terms)
        case CaptureOrder():
            return _capture(order, ledger, place, terms)
        case CancelOrder():
            return _cancel(order, ledger, place, terms)
        case RefundOrder():
            return _give_back(order, ledger, place, terms)
        case _ as never:
            assert_never(never)


def _pay(order: PaymentOrder, ledger: Ledger, place: Place, terms: Terms) -> Entry | Refusal:
    """Captured at once, or authorised; or declined, where the card says so."""
    if ledger.existing:
        return Refusal("duplicate-payment-id", f"payment {place.id!r} already exists", {"id": place.id})
    about = {"capture": terms.capture.value, **terms.bank.of_payment(terms.fate)}
    return _entry(place, terms, order.amount, order.currency, order.reference, about)


def _capture(order: CaptureOrder, ledger: Ledger, place: Place, terms: Terms) -> Entry | Refusal:
    found = _standing(order.payment_id, ledger, terms)
    if isinstance(found, Refusal):
        return found
    payment, standing = found
    amount = standing.capturable if order.amount is None else order.amount
    event = capture_event(standing, amount)
    if wrong := _refused(standing, event, "not-capturable"):
        return wrong
    if amount > standing.capturable:
        told = f"{amount} is more than the {standing.capturable} left to capture of payment {payment.id!r}"
        return Refusal("exceeds-authorised", told)
    return _entry(place, terms, amount, payment.currency)


def _cancel(order: CancelOrder, ledger: Ledger, place: Place, terms: Terms) -> Entry | Refusal:
    found = _standing(order.payment_id, ledger, terms)
    if isinstance(found, Refusal):
        return found
    payment, standing = found
    return _refused(standing, PaymentEvent.CANCEL, "not-cancellable") or _entry(place, terms, 0, payment.currency)


def _give_back(order: RefundOrder, ledger: Ledger, place: Place, terms: Terms) -> Entry | Refusal:
    """The refund, or why there is none.

    The amount is looked at before the id, as PSPs are known to do: the repeat of a full refund is told that it asks for
    too much, not that it was done already.
    """
    found = _standing(order.payment_id, ledger, terms)
    if isinstance(found, Refusal):
        return found
    payment, standing = found
    if wrong := _refused(standing, PaymentEvent.REFUND, "not-refundable"):
        return wrong
    amount = max(standing.left, 1) if order.amount is None else order.amount  # of nothing nothing can go back
    if amount > standing.left:
        told = f"{amount} is more than the {standing.left} left of payment {payment.id!r}"
        return Refusal("exceeds-captured", told)
    if ledger.existing:
        return Refusal("duplicate-refund-id", f"refund {place.id!r} already exists", {"id": place.id})
    fails = payment.about.get("fate") == Fate.REFUND_FAILS
    about = terms.bank.of_refund(Fate.REFUND_FAILS if fails else Fate.NONE)
    return _entry(place, terms, amount, payment.currency, order.reference, about)


def _standing(payment_id: str, ledger: Ledger, terms: Terms) -> tuple[Entry, PaymentStanding] | Refusal:
    if ledger.above is None:
        return Refusal("not-found", f"there is no payment {payment_id!r}")
    return ledger.above, of_payment(ledger.above, ledger.beside, terms.now)


def _refused(standing: PaymentStanding, event: PaymentEvent, reason: str) -> Refusal | None:
    """Why this cannot happen to a payment that stands so, if it cannot."""
    after = move(PAYMENT_MOVES, standing.status, event)
    return replace(after, reason=reason) if isinstance(after, Refusal) else None


def _entry(
    place: Place,
    terms: Terms,
    amount: int,
    currency: str,
    reference: str | None = None,
    about: dict[str, object] | None = None,
) -> Entry:
    return Entry(place.tenant, place.kind, place.id, place.of, amount, currency, reference, terms.now, about or {})
