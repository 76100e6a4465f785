from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psp_harness.reference.provider.ledger import Refusal
from psp_harness.reference.provider.orders import CancelOrder, CaptureOrder, PaymentOrder, RefundOrder, order_of

PAYMENT = {"amount": 1000, "currency": "EUR"}
REFUND = {"payment_id": "pay", "amount": 1}


@pytest.mark.parametrize("amount", [True, "10", 1.5, 1.0, 0, -1, None, [1], {"value": 1}, 2**53, 10**40])
def test_amounts_are_positive_integers(amount: object) -> None:
    """Nothing but a positive integer of minor units is an amount, whatever it is the amount of."""
    for operation, values in (("create-payment", PAYMENT), ("create-refund", REFUND)):
        refused = order_of(operation, {**values, "amount": amount})
        assert isinstance(refused, Refusal)
        assert refused.reason == "invalid"


@given(st.integers(1, 2**53 - 1))
def test_amounts_are_kept(amount: int) -> None:
    """Every amount that JSON can carry exactly is taken as it is."""
    assert order_of("create-payment", {**PAYMENT, "amount": amount}) == PaymentOrder(amount, "EUR")


@pytest.mark.parametrize(
    "wrong",
    [
        {"currency": "eur"},
        {"currency": "EURO"},
        {"currency": "EUR\n"},
        {"currency": None},
        {"reference": 5},
        {"reference": "a\x00b"},
        {"reference": "\ud800"},
        {"chosen_id": ""},
        {"chosen_id": "a b"},
        {"chosen_id": "é"},
        {"chosen_id": "x" * 65},
        {"chosen_id": 7},
    ],
)
def test_wrong_payments(wrong: dict[str, object]) -> None:
    """A payment with a wrong member is refused as invalid."""
    refused = order_of("create-payment", {**PAYMENT, **wrong})
    assert isinstance(refused, Refusal)
    assert refused.reason == "invalid"


def test_ids_of_payments_and_refunds() -> None:
    """A payment's id has 1 to 64 of [A-Za-z0-9_-]; a refund's id is any text of at most 64 bytes."""
    assert isinstance(order_of("create-payment", {**PAYMENT, "chosen_id": "A_-9" * 16}), PaymentOrder)
    assert isinstance(order_of("create-refund", {**REFUND, "chosen_id": "é" * 32}), RefundOrder)
    assert isinstance(order_of("create-refund", {**REFUND, "chosen_id": "é" * 33}), Refusal)


def test_null_is_not_given() -> None:
    """JSON's null for what is optional is the same as leaving it out."""
    assert order_of("create-payment", {**PAYMENT, "reference": None, "chosen_id": None}) == PaymentOrder(1000, "EUR")


def test_members_that_are_missing() -> None:
    """A refund that names no payment or no amount, and a body that cannot be read, are refused as invalid."""
    for values in ({"amount": 1}, {"payment_id": "pay"}, {}, None):
        assert isinstance(order_of("create-refund", values), Refusal)


def test_a_refund_may_leave_its_amount_open_where_the_psp_lets_it() -> None:
    """It is then of all that is left; an amount that is given is looked at all the same."""
    assert order_of("create-refund", {"payment_id": "pay"}, whole_without_amount=True) == RefundOrder("pay")
    for wrong in ({"payment_id": "pay", "amount": 0}, {"payment_id": "pay", "amount": ""}, {}):
        assert isinstance(order_of("create-refund", wrong, whole_without_amount=True), Refusal)


def test_a_capture_may_leave_its_amount_open() -> None:
    """It is then of all that is left; a void has no amount at all."""
    assert order_of("capture-payment", {"payment_id": "pay"}) == CaptureOrder("pay")
    assert order_of("cancel-payment", {"payment_id": "pay"}) == CancelOrder("pay")
    assert isinstance(order_of("cancel-payment", {}), Refusal)
