"""The states of payments and refunds as tables: what stands in no table does not happen."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from psp_harness.reference.provider.ledger import Refusal


class PaymentStatus(StrEnum):
    """The states of a payment."""

    REQUIRES_METHOD = "requires_payment_method"
    """It was made, and nobody said yet what it is paid with."""
    REQUIRES_CONFIRMATION = "requires_confirmation"
    PROCESSING = "processing"
    AUTHORIZED = "authorized"
    SUCCEEDED = "succeeded"
    PARTIALLY_CAPTURED = "partially_captured"
    CAPTURABLE = "partially_captured_and_capturable"
    CANCELLED = "cancelled"
    FAILED = "failed"


class PaymentEvent(StrEnum):
    """What can happen to a payment."""

    UPDATE = "update"
    """Something else of it is changed."""
    NAME_METHOD = "name-method"
    """It is said what it is paid with."""
    CONFIRM = "confirm"
    AUTHORISE = "authorise"
    DECLINE = "decline"
    CAPTURE = "capture"
    """Of all that is authorised."""
    CAPTURE_PART = "capture-part"
    """The rest is given up."""
    CAPTURE_SOME = "capture-some"
    """The rest may follow."""
    CANCEL = "cancel"
    REFUND = "refund"


class RefundStatus(StrEnum):
    """The states of a refund."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class RefundEvent(StrEnum):
    """What can happen to a refund."""

    SETTLE = "settle"
    FAIL = "fail"
    """Also of one that had been settled: the bank of the customer sent the money back."""


_P, _E = PaymentStatus, PaymentEvent

PAYMENT_MOVES: Mapping[tuple[PaymentStatus, PaymentEvent], PaymentStatus] = {
    (_P.REQUIRES_METHOD, _E.UPDATE): _P.REQUIRES_METHOD,
    (_P.REQUIRES_METHOD, _E.NAME_METHOD): _P.REQUIRES_CONFIRMATION,
    (_P.REQUIRES_METHOD, _E.CANCEL): _P.CANCELLED,
    (_P.REQUIRES_CONFIRMATION, _E.UPDATE): _P.REQUIRES_CONFIRMATION,
    (_P.REQUIRES_CONFIRMATION, _E.NAME_METHOD): _P.REQUIRES_CONFIRMATION,
    (_P.REQUIRES_CONFIRMATION, _E.CONFIRM): _P.PROCESSING,
    (_P.REQUIRES_CONFIRMATION, _E.CANCEL): _P.CANCELLED,
    (_P.PROCESSING, _E.AUTHORISE): _P.AUTHORIZED,
    (_P.PROCESSING, _E.DECLINE): _P.FAILED,
    (_P.PROCESSING, _E.CAPTURE): _P.SUCCEEDED,
    (_P.AUTHORIZED, _E.CAPTURE): _P.SUCCEEDED,
    (_P.AUTHORIZED, _E.CAPTURE_PART): _P.PARTIALLY_CAPTURED,
    (_P.AUTHORIZED, _E.CAPTURE_SOME): _P.CAPTURABLE,
    (_P.AUTHORIZED, _E.CANCEL): _P.CANCELLED,
    (_P.CAPTURABLE, _E.CAPTURE): _P.SUCCEEDED,
    (_P.CAPTURABLE, _E.CAPTURE_SOME): _P.CAPTURABLE,
    (_P.CAPTURABLE, _E.CANCEL): _P.PARTIALLY_CAPTURED,
    (_P.SUCCEEDED, _E.REFUND): _P.SUCCEEDED,
    (_P.PARTIALLY_CAPTURED, _E.REFUND): _P.PARTIALLY_CAPTURED,
}

REFUND_MOVES: Mapping[tuple[RefundStatus, RefundEvent], RefundStatus] = {
    (RefundStatus.PENDING, RefundEvent.SETTLE): RefundStatus.SUCCEEDED,
    (RefundStatus.PENDING, RefundEvent.FAIL): RefundStatus.FAILED,
    (RefundStatus.SUCCEEDED, RefundEvent.FAIL): RefundStatus.FAILED,
}

State = TypeVar("State", bound=StrEnum)
Event = TypeVar("Event", bound=StrEnum)


def move(moves: Mapping[tuple[State, Event], State], state: State, event: Event) -> State | Refusal:
    """The state after an event; or a refusal, `wrong-state`, of an event that the table does not know in that state."""
    after = moves.get((state, event))
    if after is None:
        return Refusal("wrong-state", f"{event} is not possible in state {state.value!r}", {"status": state.value})
    return after
