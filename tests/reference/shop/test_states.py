from __future__ import annotations

import pytest

from psp_harness.reference.shop.states import (
    ORDER_MOVES,
    REFUND_MOVES,
    OrderEvent,
    OrderStatus,
    RefundEvent,
    RefundStatus,
    after,
)


@pytest.mark.parametrize("event", OrderEvent)
def test_a_paid_order_stays_paid(event: OrderEvent) -> None:
    """What goes back is a refund, and a row of its own."""
    assert after(ORDER_MOVES, OrderStatus.PAID, event) is None


@pytest.mark.parametrize("status", [each for each in OrderStatus if each is not OrderStatus.PAID])
def test_money_that_arrived_has_arrived(status: OrderStatus) -> None:
    """In every state."""
    assert after(ORDER_MOVES, status, OrderEvent.SUCCEED) is OrderStatus.PAID


def test_only_a_created_order_is_confirmed() -> None:
    """The guard against the second click."""
    confirmed = [status for status in OrderStatus if after(ORDER_MOVES, status, OrderEvent.CONFIRM)]
    assert confirmed == [OrderStatus.CREATED]


@pytest.mark.parametrize("event", RefundEvent)
def test_a_refund_that_failed_stays_failed(event: RefundEvent) -> None:
    """Another one is another row."""
    assert after(REFUND_MOVES, RefundStatus.FAILED, event) is None


def test_every_state_is_reached() -> None:
    """But for the first."""
    assert {*ORDER_MOVES.values()} == {*OrderStatus}
    assert {*REFUND_MOVES.values()} == {*RefundStatus} - {RefundStatus.PENDING}
