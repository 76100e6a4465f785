from __future__ import annotations

import pytest

from psp_harness.reference.client_errors import OutcomeUnknown, RateLimited
from psp_harness.reference.shop.refusals import TooMuch, WrongState
from psp_harness.reference.shop.shop import Shop
from reference.shop.selling import LOST, Psp, of_payment


@pytest.fixture
def order_id(shop: Shop) -> str:
    """An order of 65.40 EUR whose money is authorised."""
    order = shop.orders.place_order("cart-1", amount=6540, currency="EUR", capture="manual")
    assert shop.orders.confirm_order(order.id, payment_token="tok_1").status == "authorised"
    return order.id


def test_what_is_captured_can_be_given_back_and_no_more(shop: Shop, order_id: str) -> None:
    """The rest was given up."""
    order = shop.captures.capture_order(order_id, amount=5000)
    assert (order.status, order.captured) == ("paid", 5000)
    with pytest.raises(TooMuch, match="5000 is left"):
        shop.refunds.refund_order(order_id, request="r-1", amount=5001)


def test_money_is_taken_once(shop: Shop, psp: Psp, order_id: str) -> None:
    """Under a key that is not the payment's."""
    shop.captures.capture_order(order_id)
    with pytest.raises(WrongState, match="paid"):
        shop.captures.capture_order(order_id)
    assert [key for name, key in psp.calls if name == "capture_payment"] == [f"{order_id}-capture"]


def test_more_than_was_authorised_is_not_asked_for(shop: Shop, psp: Psp, order_id: str) -> None:
    """The PSP is not asked."""
    with pytest.raises(TooMuch, match="6540"):
        shop.captures.capture_order(order_id, amount=6541)
    assert psp.count("capture_payment") == 0


def test_what_is_given_up_cannot_be_taken(shop: Shop, psp: Psp, order_id: str) -> None:
    """Nor given up again."""
    assert shop.captures.cancel_order(order_id).status == "cancelled"
    for again in (shop.captures.capture_order, shop.captures.cancel_order):
        with pytest.raises(WrongState, match="cancelled"):
            again(order_id)
    assert psp.count("capture_payment") == 0


def test_an_order_that_was_not_confirmed_is_given_up_without_the_psp(shop: Shop, psp: Psp) -> None:
    """There is nothing to void."""
    order = shop.orders.place_order("cart-2", amount=6540, currency="EUR")
    assert shop.captures.cancel_order(order.id).status == "cancelled"
    assert psp.calls == []


@pytest.mark.parametrize(("when", "status"), [("after", "paid"), ("before", "authorised")])
def test_after_a_lost_answer_the_capture_is_looked_up(
    when: str, status: str, shop: Shop, psp: Psp, order_id: str
) -> None:
    """It is not repeated; where it did not come about, it may be asked for again."""
    setattr(psp, when, LOST)
    with pytest.raises(OutcomeUnknown):
        shop.captures.capture_order(order_id)
    assert shop.orders.get(order_id).status == "capturing"
    shop.reconcile()
    assert (shop.orders.get(order_id).status, psp.count("capture_payment")) == (status, 1)


def test_a_capture_that_was_not_made_may_be_asked_for_again(shop: Shop, psp: Psp, order_id: str) -> None:
    """429 is not now."""
    psp.before = RateLimited(429, "", "", 1)
    with pytest.raises(RateLimited):
        shop.captures.capture_order(order_id)
    assert shop.captures.capture_order(order_id).status == "paid"


def test_a_refused_capture_that_had_happened_is_seen(shop: Shop, psp: Psp, order_id: str) -> None:
    """By reading the payment."""
    psp.capture_payment("other", payment_id=order_id, amount=6540)
    assert shop.captures.capture_order(order_id).status == "paid"


def test_a_late_word_of_the_authorisation_does_not_undo_the_capture(shop: Shop, psp: Psp, order_id: str) -> None:
    """While the answer is open."""
    psp.after = LOST
    with pytest.raises(OutcomeUnknown):
        shop.captures.capture_order(order_id)
    shop.take(*of_payment("evt_1", order_id, "requires_capture"))
    assert shop.orders.get(order_id).status == "capturing"
