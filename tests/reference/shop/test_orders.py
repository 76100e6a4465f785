from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from psp_harness.reference.client_answers import Payment
from psp_harness.reference.client_errors import Declined, OutcomeUnknown, RateLimited, Rejected, Unreachable
from psp_harness.reference.shop.refusals import Conflict, Invalid, Mismatch, NotFound, WrongState
from psp_harness.reference.shop.shop import Shop
from reference.shop.selling import LOST, Psp

MINUTE = 60


def placed(shop: Shop, checkout: str = "cart-1") -> str:
    """The id of an order of 65.40 EUR."""
    return shop.orders.place_order(checkout, amount=6540, currency="EUR").id


def test_the_key_of_a_payment_is_the_id_of_its_order(shop: Shop, psp: Psp) -> None:
    """Which stands in the database before the PSP is asked."""
    order_id = placed(shop)
    order = shop.orders.confirm_order(order_id, payment_token="tok_1")
    assert psp.calls == [("create_payment", order_id)]
    assert (order.status, order.captured) == ("paid", 6540)


def test_a_checkout_that_is_submitted_twice_is_one_order(shop: Shop) -> None:
    """And with another amount it is refused."""
    assert placed(shop) == placed(shop)
    with pytest.raises(Conflict, match="6540 EUR"):
        shop.orders.place_order("cart-1", amount=1, currency="EUR")


def test_of_all_who_confirm_together_one_asks_the_psp(shop: Shop, psp: Psp) -> None:
    """The others are told how the order stands."""
    order_id, together = placed(shop), threading.Barrier(8)

    def confirm(_: int) -> str:
        together.wait(MINUTE)
        try:
            return shop.orders.confirm_order(order_id, payment_token="tok_1").status
        except WrongState as error:
            return f"refused: {error.status}"

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(confirm, range(8)))
    assert psp.count("create_payment") == 1
    assert told.count("paid") == 1
    assert {each for each in told if each != "paid"} <= {"refused: confirming", "refused: paid"}


def test_after_a_lost_answer_the_order_is_in_doubt_and_then_paid(shop: Shop, psp: Psp) -> None:
    """Unknown is not failed; the PSP is read, and not asked for the money again."""
    psp.after, order_id = LOST, placed(shop)
    with pytest.raises(OutcomeUnknown):
        shop.orders.confirm_order(order_id, payment_token="tok_1")
    assert shop.orders.get(order_id).status == "confirming"
    assert shop.reconcile().settled == [order_id]
    assert shop.orders.get(order_id).status == "paid"
    assert psp.count("create_payment") == 1


def test_after_a_lost_request_the_order_may_be_paid_again(shop: Shop, psp: Psp) -> None:
    """Under the same id."""
    psp.before, order_id = LOST, placed(shop)
    with pytest.raises(OutcomeUnknown):
        shop.orders.confirm_order(order_id, payment_token="tok_1")
    shop.reconcile()
    assert shop.orders.confirm_order(order_id, payment_token="tok_1").status == "paid"
    assert {name for _, name in psp.calls} == {order_id}


@pytest.mark.parametrize("error", [Unreachable("no connection"), RateLimited(429, "", "", 1)])
def test_where_nothing_happened_the_order_may_be_paid_again(
    error: Unreachable | RateLimited, shop: Shop, psp: Psp
) -> None:
    """It is no failure of the payment."""
    psp.before, order_id = error, placed(shop)
    with pytest.raises(type(error)):
        shop.orders.confirm_order(order_id, payment_token="tok_1")
    assert shop.orders.get(order_id).status == "created"


def test_a_declined_order_is_over(shop: Shop, psp: Psp) -> None:
    """Under its key the PSP would say the same again."""
    psp.before, order_id = Declined("51", "no funds"), placed(shop)
    with pytest.raises(Declined):
        shop.orders.confirm_order(order_id, payment_token="tok_1")
    with pytest.raises(WrongState, match="failed"):
        shop.orders.confirm_order(order_id, payment_token="tok_1")
    assert psp.count("create_payment") == 1


def test_a_refusal_does_not_speak_of_an_earlier_request(shop: Shop, psp: Psp) -> None:
    """A duplicate is refused, and the payment that was made first is found."""
    order_id = placed(shop)
    psp.payments[order_id] = Payment(order_id, "succeeded", 6540, "EUR")
    assert shop.orders.confirm_order(order_id, payment_token="tok_1").status == "paid"


def test_a_refusal_where_there_is_no_payment_is_one(shop: Shop, psp: Psp) -> None:
    """The order can be corrected and confirmed again."""
    psp.before, order_id = Rejected(400, "IR_16", "card expired"), placed(shop)
    with pytest.raises(Rejected, match="card expired"):
        shop.orders.confirm_order(order_id, payment_token="tok_1")
    assert shop.orders.get(order_id).status == "created"


def test_a_payment_of_another_amount_is_no_payment_of_the_order(shop: Shop, psp: Psp) -> None:
    """It stays in doubt, loudly."""
    order_id = placed(shop)
    psp.payments[order_id] = Payment(order_id, "succeeded", 1, "EUR")
    with pytest.raises(Mismatch, match="1 EUR"):
        shop.orders.confirm_order(order_id, payment_token="tok_1")
    assert "1 EUR" in shop.reconcile().open[order_id]
    assert shop.orders.get(order_id).captured == 0


@pytest.mark.parametrize("amount", [0, -1, 1.5, True, "10"])
def test_an_amount_is_a_positive_integer(amount: object, shop: Shop) -> None:
    """Of minor units."""
    with pytest.raises(Invalid, match="minor units"):
        shop.orders.place_order("cart-1", amount=amount, currency="EUR")  # type: ignore[arg-type]


def test_an_unknown_order_is_not_confirmed(shop: Shop, psp: Psp) -> None:
    """And the PSP is not asked."""
    with pytest.raises(NotFound):
        shop.orders.confirm_order("ord_0", payment_token="tok_1")
    assert psp.calls == []
