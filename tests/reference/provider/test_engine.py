from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psp_harness.reference.provider.engine import create_payment, create_refund
from psp_harness.reference.provider.ledger import (
    Ledger,
    Payment,
    PaymentStatus,
    Place,
    Refund,
    RefundStatus,
    Refusal,
    moved_money,
)
from psp_harness.reference.provider.orders import DECLINED, PaymentOrder, RefundOrder
from psp_harness.reference.provider.states import PAYMENT_MOVES, REFUND_MOVES, PaymentEvent, RefundEvent, move

PAYMENT = Payment("tenant-a", "pay", 1000, "EUR", None, PaymentStatus.SUCCEEDED, 0.0)
HERE = Place("tenant-a", "refund", "ref", "pay")


def refund_of(amount: int, status: RefundStatus = RefundStatus.SUCCEEDED) -> Refund:
    """Build a refund of `PAYMENT`."""
    return Refund("tenant-a", "earlier", "pay", amount, "EUR", None, status, 0.0)


def payment_in(status: PaymentStatus) -> Payment:
    """Build a payment in that state."""
    return Payment("tenant-a", "pay", 1000, "EUR", None, status, 0.0)


@pytest.mark.parametrize(("state", "event"), list(itertools.product(PaymentStatus, PaymentEvent)))
def test_payment_moves(state: PaymentStatus, event: PaymentEvent) -> None:
    """In each state each event either leads to the state that the table names, or is refused as the wrong state."""
    after = move(PAYMENT_MOVES, state, event)
    if (state, event) in PAYMENT_MOVES:
        assert after == PAYMENT_MOVES[state, event]
    else:
        assert isinstance(after, Refusal)
        assert (after.reason, after.about["status"]) == ("wrong-state", state.value)


@pytest.mark.parametrize(("state", "event"), list(itertools.product(RefundStatus, RefundEvent)))
def test_refund_moves(state: RefundStatus, event: RefundEvent) -> None:
    """A refund that was settled or that failed moves no more."""
    after = move(REFUND_MOVES, state, event)
    assert isinstance(after, RefundStatus) == (state is RefundStatus.PENDING)


def test_every_state_is_reached() -> None:
    """The tables name no state that nothing leads to, but the two in which everything begins."""
    assert set(PAYMENT_MOVES.values()) == set(PaymentStatus) - {PaymentStatus.PROCESSING}
    assert set(REFUND_MOVES.values()) == set(RefundStatus) - {RefundStatus.PENDING}


@given(captured=st.integers(1, 5000), amounts=st.lists(st.integers(1, 2000), max_size=20))
def test_refunds_never_exceed_the_captured_amount(captured: int, amounts: list[int]) -> None:
    """Whatever is asked for, what is given back is at most what was captured; and what fits is never refused."""
    payment = Payment("tenant-a", "pay", captured, "EUR", None, PaymentStatus.SUCCEEDED, 0.0)
    given_back: tuple[Refund, ...] = ()
    for number, amount in enumerate(amounts):
        ledger, place = Ledger(payment=payment, refunds=given_back), Place("tenant-a", "refund", str(number), "pay")
        entry = create_refund(RefundOrder("pay", amount), ledger, place, 0.0)
        fits = sum(refund.amount for refund in given_back) + amount <= captured
        assert isinstance(entry, Refund) == fits
        given_back += (entry,) if isinstance(entry, Refund) else ()
    assert sum(refund.amount for refund in given_back) <= captured


@pytest.mark.parametrize(
    ("ledger", "amount", "reason"),
    [
        (Ledger(), 1, "not-found"),
        (Ledger(payment=payment_in(PaymentStatus.FAILED)), 1, "wrong-state"),
        (Ledger(payment=payment_in(PaymentStatus.PROCESSING)), 1, "wrong-state"),
        (Ledger(payment=PAYMENT), 1001, "exceeds-captured"),
        (Ledger(payment=PAYMENT, refunds=(refund_of(600),)), 401, "exceeds-captured"),
        (Ledger(payment=PAYMENT, refunds=(refund_of(600, RefundStatus.PENDING),)), 401, "exceeds-captured"),
        (Ledger(payment=PAYMENT, existing=refund_of(1)), 1, "duplicate-refund-id"),
        (Ledger(payment=PAYMENT, existing=refund_of(1000), refunds=(refund_of(1000),)), 1000, "exceeds-captured"),
    ],
)
def test_refused_refunds(ledger: Ledger, amount: int, reason: str) -> None:
    """A refund is refused for the first of these reasons: no such payment, its state, what is left, its id."""
    refused = create_refund(RefundOrder("pay", amount), ledger, HERE, 0.0)
    assert isinstance(refused, Refusal)
    assert refused.reason == reason


def test_failed_refunds_leave_the_money() -> None:
    """A refund that failed does not count against what is left."""
    ledger = Ledger(payment=PAYMENT, refunds=(refund_of(1000, RefundStatus.FAILED),))
    assert isinstance(create_refund(RefundOrder("pay", 1000), ledger, HERE, 0.0), Refund)


def test_a_refund_is_in_the_currency_of_its_payment() -> None:
    """Nobody but the payment says in which currency it is given back."""
    refund = create_refund(RefundOrder("pay", 10), Ledger(payment=PAYMENT), HERE, 7.0)
    assert refund == Refund("tenant-a", "ref", "pay", 10, "EUR", None, RefundStatus.SUCCEEDED, 7.0)


def test_a_payment_id_is_taken_once() -> None:
    """A second payment with an id that exists is refused, and says which."""
    refused = create_payment(PaymentOrder(1, "EUR"), Ledger(existing=PAYMENT), Place("tenant-a", "payment", "pay"), 0.0)
    assert isinstance(refused, Refusal)
    assert (refused.reason, refused.about) == ("duplicate-payment-id", {"id": "pay"})


def test_a_declined_payment_is_no_movement_of_money() -> None:
    """A declined payment exists, has failed, and is no effect."""
    order = PaymentOrder(1, "EUR", token=DECLINED)
    payment = create_payment(order, Ledger(), Place("tenant-a", "payment", "pay"), 0.0)
    assert isinstance(payment, Payment)
    assert (payment.status, moved_money(payment)) == (PaymentStatus.FAILED, False)
