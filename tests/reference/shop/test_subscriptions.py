from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from psp_harness.reference.client_errors import Declined, OutcomeUnknown
from psp_harness.reference.shop.refusals import Conflict, NotFound, WrongState
from psp_harness.reference.shop.shop import Shop
from psp_harness.reference.shop.tables import Subscription
from reference.shop.selling import LOST, Psp

MINUTE = 60


def subscribed(shop: Shop, customer_id: str, amount: int = 900) -> Subscription:
    """A subscription of 9.00 EUR."""
    return shop.subscriptions.subscribe("form-1", customer_id=customer_id, amount=amount, currency="EUR", method="pm_1")


@pytest.fixture
def customer_id(shop: Shop) -> str:
    """Ada."""
    return shop.customers.register(name="Ada", email="ada@example.org").id


@pytest.fixture
def subscription_id(shop: Shop, customer_id: str) -> str:
    """A subscription of hers."""
    return subscribed(shop, customer_id).id


def test_each_period_is_an_order_and_its_id_the_key(shop: Shop, psp: Psp, subscription_id: str) -> None:
    """As of every payment: there is no second way to money."""
    orders = [shop.subscriptions.charge(subscription_id, period) for period in ("2026-11", "2026-12")]
    assert [(order.status, order.captured) for order in orders] == [("paid", 900)] * 2
    assert [key for name, key in psp.calls if name == "create_payment"] == [order.id for order in orders]


def test_of_all_who_charge_a_period_one_does(shop: Shop, psp: Psp, subscription_id: str) -> None:
    """A job that is started twice, and the one that somebody starts by hand."""
    together = threading.Barrier(6)

    def charge(_: int) -> bool:
        together.wait(MINUTE)
        try:
            shop.subscriptions.charge(subscription_id, "2026-11")
        except WrongState:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(charge, range(6))) == 1
    assert psp.count("create_payment") == 1


def test_a_period_in_doubt_is_looked_up_and_not_charged_again(shop: Shop, psp: Psp, subscription_id: str) -> None:
    """As every order."""
    psp.after = LOST
    with pytest.raises(OutcomeUnknown):
        shop.subscriptions.charge(subscription_id, "2026-11")
    with pytest.raises(WrongState, match="confirming"):
        shop.subscriptions.charge(subscription_id, "2026-11")
    shop.reconcile()
    assert [order["status"] for order in shop.state()["orders"]] == ["paid"]
    assert psp.count("create_payment") == 1


def test_a_period_that_the_psp_never_heard_of_is_asked_for_with_its_own_key(
    shop: Shop, psp: Psp, subscription_id: str
) -> None:
    """The customer is away: nobody else asks again."""
    psp.before = LOST
    with pytest.raises(OutcomeUnknown):
        shop.subscriptions.charge(subscription_id, "2026-11")
    shop.reconcile()
    (order,) = shop.state()["orders"]
    assert (order["status"], order["subscription_id"]) == ("paid", subscription_id)
    assert {key for name, key in psp.calls if name == "create_payment"} == {order["id"]}


def test_of_a_subscription_that_ended_meanwhile_nothing_is_asked(shop: Shop, psp: Psp, subscription_id: str) -> None:
    """What the PSP never heard of stays open."""
    psp.before = LOST
    with pytest.raises(OutcomeUnknown):
        shop.subscriptions.charge(subscription_id, "2026-11")
    shop.subscriptions.cancel(subscription_id)
    shop.reconcile()
    assert [order["status"] for order in shop.state()["orders"]] == ["created"]


def test_an_order_that_the_psp_never_heard_of_is_left_to_its_customer(shop: Shop, psp: Psp) -> None:
    """Also where its checkout looks like a period's."""
    order = shop.orders.place_order("cart:2026-11", amount=900, currency="EUR")
    psp.before = LOST
    with pytest.raises(OutcomeUnknown):
        shop.orders.confirm_order(order.id, payment_token="tok_1")
    shop.reconcile()
    assert [(each["status"], each["subscription_id"]) for each in shop.state()["orders"]] == [("created", None)]


def test_a_declined_period_is_over_and_the_next_is_not(shop: Shop, psp: Psp, subscription_id: str) -> None:
    """Each has its own key."""
    psp.before = Declined("51", "no funds")
    with pytest.raises(Declined):
        shop.subscriptions.charge(subscription_id, "2026-11")
    assert shop.subscriptions.charge(subscription_id, "2026-12").status == "paid"


def test_a_form_that_comes_twice_is_one_subscription(shop: Shop, customer_id: str, subscription_id: str) -> None:
    """With another amount it is refused."""
    assert subscribed(shop, customer_id).id == subscription_id
    with pytest.raises(Conflict, match="900 EUR"):
        subscribed(shop, customer_id, amount=1)


def test_what_was_ended_is_not_charged(shop: Shop, psp: Psp, subscription_id: str) -> None:
    """Also not what was due before."""
    due = shop.subscriptions.due(subscription_id, "2026-11")
    assert shop.subscriptions.cancel(subscription_id).status == "cancelled"
    with pytest.raises(WrongState, match="cancelled"):
        shop.subscriptions.collect(subscription_id, due.id)
    assert psp.count("create_payment") == 0


def test_what_is_not_there_is_not_charged(shop: Shop) -> None:
    """Nor ended, nor subscribed to by nobody."""
    for act in (lambda: shop.subscriptions.charge("sub_0", "2026-11"), lambda: shop.subscriptions.cancel("sub_0")):
        with pytest.raises(NotFound):
            act()
    with pytest.raises(NotFound):
        subscribed(shop, "cus_0")
