"""How a payment or a refund stands: read from its entry, from what was entered of it later, and from the clock. Pure.

Nothing of it is stored, so no two places can disagree about it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from psp_harness.model import Effect
from psp_harness.reference.provider.disputes import challenge_by, lost_of
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
    REFUSED = "refused"
    """Of a refund: the bank does not take it."""


@dataclass(frozen=True, slots=True)
class PaymentStanding:
    """A payment as it stands now; amounts in minor units."""

    status: PaymentStatus
    amount: int
    captured: int = 0
    given_back: int = 0
    """By refunds that did not fail, and by disputes that were lost."""
    capture: Capture = Capture.AT_ONCE

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
    later = tuple(later)
    standing = _born(payment, now)
    for entry in later:
        match entry.kind:
            case "update":
                standing = _updated(standing, entry)
            case "confirmation":
                standing = _confirmed(standing, entry, now)
            case "capture":
                standing = _captured(standing, entry.amount)
            case "cancellation":
                standing = replace(standing, status=_moved(standing.status, PaymentEvent.CANCEL))
            case "refund" if of_refund(entry, now) is not RefundStatus.FAILED:
                standing = replace(standing, given_back=standing.given_back + entry.amount)
    return replace(standing, given_back=standing.given_back + lost_of(later, now))


def capture_event(standing: PaymentStanding, amount: int) -> PaymentEvent:
    """What capturing that much is."""
    if amount == standing.capturable:
        return PaymentEvent.CAPTURE
    return PaymentEvent.CAPTURE_SOME if standing.capture is Capture.IN_PARTS else PaymentEvent.CAPTURE_PART


def _captured(standing: PaymentStanding, amount: int) -> PaymentStanding:
    status = _moved(standing.status, capture_event(standing, amount))
    return replace(standing, status=status, captured=standing.captured + amount)


def _born(payment: Entry, now: float) -> PaymentStanding:
    """A payment that is not confirmed yet says in `about["opens"]` what it waits for."""
    opens = PaymentStatus(str(payment.about.get("opens", PaymentStatus.PROCESSING)))
    standing = PaymentStanding(opens, payment.amount, capture=_capture_of(payment))
    return _processed(standing, payment, now) if opens is PaymentStatus.PROCESSING else standing


def _processed(standing: PaymentStanding, entry: Entry, now: float) -> PaymentStanding:
    """What the bank makes of it, once it answers: at once, whatever the clock of whoever entered it said."""
    if _is_before(entry, _takes(entry), now):
        return standing
    if entry.about.get("fate") == Fate.DECLINED:
        return replace(standing, status=_moved(standing.status, PaymentEvent.DECLINE))
    if standing.capture is Capture.AT_ONCE:
        return replace(standing, status=_moved(standing.status, PaymentEvent.CAPTURE), captured=standing.amount)
    return replace(standing, status=_moved(standing.status, PaymentEvent.AUTHORISE))


def _updated(standing: PaymentStanding, entry: Entry) -> PaymentStanding:
    event = PaymentEvent.NAME_METHOD if entry.about.get("method") else PaymentEvent.UPDATE
    status = _moved(standing.status, event)
    return replace(standing, status=status, amount=entry.amount, capture=_capture_of(entry))


def _confirmed(standing: PaymentStanding, entry: Entry, now: float) -> PaymentStanding:
    if entry.about.get("method"):
        standing = _updated(standing, entry)
    return _processed(replace(standing, status=_moved(standing.status, PaymentEvent.CONFIRM)), entry, now)


def _capture_of(entry: Entry) -> Capture:
    return Capture(str(entry.about.get("capture", Capture.AT_ONCE)))


def _moved(status: PaymentStatus, event: PaymentEvent) -> PaymentStatus:
    after = move(PAYMENT_MOVES, status, event)
    assert not isinstance(after, Refusal), f"the books hold a {event} of a payment that was {status}"
    return after


def of_refund(refund: Entry, now: float) -> RefundStatus:
    """How a refund stands: settled at once, or when its time has come; one that fails has failed a while later."""
    if _is_before(refund, _settles_after(refund), now):
        return RefundStatus.PENDING
    if refund.about.get("fate") == Fate.REFUSED:
        return REFUND_MOVES[RefundStatus.PENDING, RefundEvent.FAIL]
    settled = REFUND_MOVES[RefundStatus.PENDING, RefundEvent.SETTLE]
    fails = refund.about.get("fate") == Fate.REFUND_FAILS and now >= refund.created + FAILS_AFTER
    return REFUND_MOVES[settled, RefundEvent.FAIL] if fails else settled


def moments_of(entry: Entry) -> tuple[float, ...]:
    """When time alone will make something else of it; seconds since 1970."""
    if entry.kind == "dispute":
        return (challenge_by(entry),)
    fails = (FAILS_AFTER,) if entry.kind == "refund" and entry.about.get("fate") == Fate.REFUND_FAILS else ()
    returns = (_takes(entry) + _returns_after(entry),) if _returns_after(entry) else ()
    after = (_takes(entry), _settles_after(entry), *fails, *returns)
    return tuple(entry.created + seconds for seconds in after if seconds)


def _is_before(entry: Entry, after: float, now: float) -> bool:
    """Whether what takes so long has not happened yet. What takes no time has, also by a clock that was set back."""
    return after > 0 and now < entry.created + after


def _takes(entry: Entry) -> float:
    """Seconds until the bank answers."""
    return float(str(entry.about.get("takes", 0)))


def _returns_after(payout: Entry) -> float:
    """Seconds after which what was paid out comes back; 0: never."""
    return float(str(payout.about.get("returns_after", 0)))


def arrived(payout: Entry, now: float) -> bool | None:
    """Whether money that was sent with this entry is with its receiver; None: not yet. It may come back."""
    if _is_before(payout, _takes(payout), now):
        return None
    returned = _returns_after(payout) > 0 and now >= payout.created + _takes(payout) + _returns_after(payout)
    return payout.about.get("yes", True) is True and not returned


def _settles_after(refund: Entry) -> float:
    return float(str(refund.about.get("settles_after", 0)))


def effects_of(entries: Iterable[Entry], now: float) -> tuple[Effect, ...]:
    """Every movement of money that these entries come to: a declined payment and a failed refund are none.

    A payment moves when it is confirmed: where that came later, its confirmation is the movement.
    """
    return tuple(_effect(entry) for entry in entries if _moved_money(entry, now))


def _effect(entry: Entry) -> Effect:
    above = entry.of.partition("/")[2]
    kind, id_, of = entry.kind, entry.id, above
    if entry.kind == "confirmation":
        kind, id_, of = "payment", above, ""
    elif entry.kind.startswith("payout"):
        kind, id_, of = "payout", above or entry.id, ""
    return Effect(kind, id_, entry.amount, entry.currency, of, entry.reference or "")


def _moved_money(entry: Entry, now: float) -> bool:
    match entry.kind:
        case "payment":
            return _born(entry, now).captured > 0
        case "confirmation":
            processing = PaymentStanding(PaymentStatus.PROCESSING, entry.amount, capture=_capture_of(entry))
            return _processed(processing, entry, now).captured > 0
        case "refund":
            return of_refund(entry, now) is RefundStatus.SUCCEEDED
        case "payout" | "payout-update" | "payout-fulfilment":
            return entry.about.get("paid") is True and arrived(entry, now) is True
    return entry.kind == "capture"
