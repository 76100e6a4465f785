"""How a payment or a refund stands: read from its entry, from what was entered of it later, and from the clock. Pure.

Nothing of it is stored, so no two places can disagree about it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from psp_harness.model import Effect
from psp_harness.reference.provider.ledger import Entry, Refusal
from psp_harness.reference.provider.states import (
    PAYMENT_MOVES,
    REFUND_MOVES,
    PaymentEvent,
    PaymentStatus,
    RefundEvent,
    RefundStatus,
    move,
)

FAILS_AFTER: Final = 3600.0
"""Seconds after which a refund that fails is known to have failed."""


class Capture(StrEnum):
    """When the money of a payment is taken; `about["capture"]`."""

    AT_ONCE = "at-once"
    LATER = "later"
    """In one go: what is not captured then is given up."""
    IN_PARTS = "in-parts"


class Fate(StrEnum):
    """What a test card makes of a payment, or of a refund; `about["fate"]`."""

    NONE = ""
    DECLINED = "declined"
    REFUND_FAILS = "refund-fails"


@dataclass(frozen=True, slots=True)
class PaymentStanding:
    """A payment as it stands now; amounts in minor units."""

    status: PaymentStatus
    amount: int
    captured: int = 0
    given_back: int = 0
    """By refunds that did not fail."""

    @property
    def capturable(self) -> int:
        """What may still be captured."""
        open_ = self.status in {PaymentStatus.AUTHORIZED, PaymentStatus.CAPTURABLE}
        return self.amount - self.captured if open_ else 0

    @property
    def left(self) -> int:
        """What may still be given back."""
        return self.captured - self.given_back


def of_payment(payment: Entry, later: Iterable[Entry], now: float) -> PaymentStanding:
    """How a payment stands; `later` are the entries of it, in order."""
    standing = _born(payment)
    for entry in later:
        match entry.kind:
            case "capture":
                standing = _captured(standing, entry.amount, Capture(str(payment.about["capture"])))
            case "cancellation":
                standing = replace(standing, status=_moved(standing.status, PaymentEvent.CANCEL))
            case "refund" if of_refund(entry, now) is not RefundStatus.FAILED:
                standing = replace(standing, given_back=standing.given_back + entry.amount)
    return standing


def capture_event(standing: PaymentStanding, amount: int, capture: Capture) -> PaymentEvent:
    """What capturing that much is."""
    if amount == standing.capturable:
        return PaymentEvent.CAPTURE
    return PaymentEvent.CAPTURE_SOME if capture is Capture.IN_PARTS else PaymentEvent.CAPTURE_PART


def _captured(standing: PaymentStanding, amount: int, capture: Capture) -> PaymentStanding:
    status = _moved(standing.status, capture_event(standing, amount, capture))
    return replace(standing, status=status, captured=standing.captured + amount)


def _born(payment: Entry) -> PaymentStanding:
    if payment.about.get("fate") == Fate.DECLINED:
        return PaymentStanding(_moved(PaymentStatus.PROCESSING, PaymentEvent.DECLINE), payment.amount)
    if payment.about.get("capture", Capture.AT_ONCE) == Capture.AT_ONCE:
        status = _moved(PaymentStatus.PROCESSING, PaymentEvent.CAPTURE)
        return PaymentStanding(status, payment.amount, captured=payment.amount)
    return PaymentStanding(_moved(PaymentStatus.PROCESSING, PaymentEvent.AUTHORISE), payment.amount)


def _moved(status: PaymentStatus, event: PaymentEvent) -> PaymentStatus:
    after = move(PAYMENT_MOVES, status, event)
    assert not isinstance(after, Refusal), f"the books hold a {event} of a payment that was {status}"
    return after


def of_refund(refund: Entry, now: float) -> RefundStatus:
    """How a refund stands: settled at once; one that fails is known to have failed a while later."""
    settled = REFUND_MOVES[RefundStatus.PENDING, RefundEvent.SETTLE]
    fails = refund.about.get("fate") == Fate.REFUND_FAILS and now - refund.created >= FAILS_AFTER
    return REFUND_MOVES[settled, RefundEvent.FAIL] if fails else settled


def effects_of(entries: Iterable[Entry], now: float) -> tuple[Effect, ...]:
    """Every movement of money that these entries come to: a declined payment and a failed refund are none."""
    return tuple(
        Effect(entry.kind, entry.id, entry.amount, entry.currency, entry.of.partition("/")[2], entry.reference or "")
        for entry in entries
        if _moved_money(entry, now)
    )


def _moved_money(entry: Entry, now: float) -> bool:
    match entry.kind:
        case "payment":
            return _born(entry).captured > 0
        case "refund":
            return of_refund(entry, now) is not RefundStatus.FAILED
    return entry.kind == "capture"
