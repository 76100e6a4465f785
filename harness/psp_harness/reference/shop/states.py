"""The states of everything as tables: what stands in none does not happen, and nothing goes back."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar


class OrderStatus(StrEnum):
    """How far an order is."""

    CREATED = "created"
    CONFIRMING = "confirming"
    """The PSP was or is about to be asked: money may have moved."""
    PROCESSING = "processing"
    """The PSP has it, and cannot say yet."""
    AUTHORISED = "authorised"
    CAPTURING = "capturing"
    """The PSP was or is about to be asked for what is authorised."""
    CANCELLING = "cancelling"
    """The PSP was or is about to be told that nothing will be taken."""
    PAID = "paid"
    FAILED = "failed"
    CANCELLED = "cancelled"


class OrderEvent(StrEnum):
    """What can happen to an order."""

    CONFIRM = "confirm"
    CAPTURE = "capture"
    VOID = "void"
    RELEASE = "release"
    """It is certain that the PSP did not do what it was asked for last."""
    PROCESS = "process"
    AUTHORISE = "authorise"
    SUCCEED = "succeed"
    FAIL = "fail"
    CANCEL = "cancel"


class RefundStatus(StrEnum):
    """How far a refund is."""

    PENDING = "pending"
    """Its row is written; the money may have moved."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class PayoutStatus(StrEnum):
    """How far a payout is."""

    PENDING = "pending"
    """Its row is written; the money may have moved."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REVERSED = "reversed"
    """It had gone, and came back."""


class CustomerStatus(StrEnum):
    """Whether a customer may still be known."""

    ACTIVE = "active"
    REDACTING = "redacting"
    """Nothing personal is here any more; the PSP was or is about to be told."""
    REDACTED = "redacted"


class SubscriptionStatus(StrEnum):
    """Whether a subscription is charged."""

    ACTIVE = "active"
    CANCELLED = "cancelled"


class DisputeStatus(StrEnum):
    """How far a dispute is."""

    OPENED = "opened"
    """The shop may answer it."""
    CHALLENGED = "challenged"
    ACCEPTED = "accepted"
    EXPIRED = "expired"
    """Nobody answered it in time."""
    LOST = "lost"
    WON = "won"
    CANCELLED = "cancelled"


class DisputeEvent(StrEnum):
    """What can happen to a dispute."""

    CHALLENGE = "challenge"
    ACCEPT = "accept"
    EXPIRE = "expire"
    LOSE = "lose"
    WIN = "win"
    CANCEL = "cancel"


class RefundEvent(StrEnum):
    """What can happen to a refund."""

    SUCCEED = "succeed"
    FAIL = "fail"
    """Also of one that had succeeded: the customer's bank sent the money back."""


class PayoutEvent(StrEnum):
    """What can happen to a payout."""

    SUCCEED = "succeed"
    FAIL = "fail"
    REVERSE = "reverse"


_O, _OE = OrderStatus, OrderEvent

_UNDECIDED = (_O.CREATED, _O.CONFIRMING, _O.PROCESSING, _O.AUTHORISED, _O.CAPTURING, _O.CANCELLING)

ORDER_MOVES: Mapping[tuple[OrderStatus, OrderEvent], OrderStatus] = {
    (_O.CREATED, _OE.CONFIRM): _O.CONFIRMING,
    (_O.AUTHORISED, _OE.CAPTURE): _O.CAPTURING,
    (_O.AUTHORISED, _OE.VOID): _O.CANCELLING,
    (_O.CONFIRMING, _OE.RELEASE): _O.CREATED,
    (_O.CAPTURING, _OE.RELEASE): _O.AUTHORISED,
    (_O.CANCELLING, _OE.RELEASE): _O.AUTHORISED,
    **{(status, _OE.PROCESS): _O.PROCESSING for status in (_O.CREATED, _O.CONFIRMING)},
    **{(status, _OE.AUTHORISE): _O.AUTHORISED for status in (_O.CREATED, _O.CONFIRMING, _O.PROCESSING)},
    **{(status, _OE.FAIL): _O.FAILED for status in _UNDECIDED},
    **{(status, _OE.CANCEL): _O.CANCELLED for status in _UNDECIDED},
    # money that arrived has arrived, whatever was thought before: a late success after a failure is one
    **{(status, _OE.SUCCEED): _O.PAID for status in _O if status is not _O.PAID},
}

_R, _RE = RefundStatus, RefundEvent

REFUND_MOVES: Mapping[tuple[RefundStatus, RefundEvent], RefundStatus] = {
    (_R.PENDING, _RE.SUCCEED): _R.SUCCEEDED,
    (_R.PENDING, _RE.FAIL): _R.FAILED,
    (_R.SUCCEEDED, _RE.FAIL): _R.FAILED,
}

_P, _PE = PayoutStatus, PayoutEvent

PAYOUT_MOVES: Mapping[tuple[PayoutStatus, PayoutEvent], PayoutStatus] = {
    (_P.PENDING, _PE.SUCCEED): _P.SUCCEEDED,
    (_P.PENDING, _PE.FAIL): _P.FAILED,
    (_P.PENDING, _PE.REVERSE): _P.REVERSED,
    (_P.SUCCEEDED, _PE.REVERSE): _P.REVERSED,
}

_D, _DE = DisputeStatus, DisputeEvent

DISPUTE_MOVES: Mapping[tuple[DisputeStatus, DisputeEvent], DisputeStatus] = {
    (_D.OPENED, _DE.CHALLENGE): _D.CHALLENGED,
    (_D.OPENED, _DE.EXPIRE): _D.EXPIRED,
    **{(status, _DE.ACCEPT): _D.ACCEPTED for status in (_D.OPENED, _D.CHALLENGED)},
    **{(status, _DE.LOSE): _D.LOST for status in (_D.OPENED, _D.CHALLENGED)},
    **{(status, _DE.WIN): _D.WON for status in (_D.OPENED, _D.CHALLENGED)},
    **{(status, _DE.CANCEL): _D.CANCELLED for status in (_D.OPENED, _D.CHALLENGED)},
}

State = TypeVar("State", bound=StrEnum)
Event = TypeVar("Event", bound=StrEnum)


def after(moves: Mapping[tuple[State, Event], State], state: State, event: Event) -> State | None:
    """The state after an event; None where the table has no such move, and nothing is to change."""
    return moves.get((state, event))
