"""The states of payments and refunds as tables: what stands in no table does not happen."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from psp_harness.reference.provider.ledger import PaymentStatus, RefundStatus, Refusal


class PaymentEvent(StrEnum):
    """What can happen to a payment."""

    CAPTURE = "capture"
    DECLINE = "decline"
    REFUND = "refund"


class RefundEvent(StrEnum):
    """What can happen to a refund."""

    SETTLE = "settle"
    FAIL = "fail"


PAYMENT_MOVES: Mapping[tuple[PaymentStatus, PaymentEvent], PaymentStatus] = {
    (PaymentStatus.PROCESSING, PaymentEvent.CAPTURE): PaymentStatus.SUCCEEDED,
    (PaymentStatus.PROCESSING, PaymentEvent.DECLINE): PaymentStatus.FAILED,
    (PaymentStatus.SUCCEEDED, PaymentEvent.REFUND): PaymentStatus.SUCCEEDED,
}

REFUND_MOVES: Mapping[tuple[RefundStatus, RefundEvent], RefundStatus] = {
    (RefundStatus.PENDING, RefundEvent.SETTLE): RefundStatus.SUCCEEDED,
    (RefundStatus.PENDING, RefundEvent.FAIL): RefundStatus.FAILED,
}

State = TypeVar("State", bound=StrEnum)
Event = TypeVar("Event", bound=StrEnum)


def move(moves: Mapping[tuple[State, Event], State], state: State, event: Event) -> State | Refusal:
    """The state after an event; or a refusal, `wrong-state`, of an event that the table does not know in that state."""
    after = moves.get((state, event))
    if after is None:
        return Refusal("wrong-state", f"{event} is not possible in state {state.value!r}", {"status": state.value})
    return after
