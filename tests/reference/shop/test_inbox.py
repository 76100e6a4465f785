from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from psp_harness.reference.client_answers import Refund
from psp_harness.reference.shop.inbox import NotBelieved
from psp_harness.reference.shop.shop import Shop
from psp_harness.reference.shop.tables import Received
from reference.shop.selling import LOST, SECRET, Psp, of_payment, of_refund, webhook

MINUTE = 60


@pytest.fixture
def order_id(shop: Shop) -> str:
    """An order of 65.40 EUR, placed."""
    return shop.orders.place_order("cart-1", amount=6540, currency="EUR").id


@pytest.fixture
def paid(shop: Shop, order_id: str) -> str:
    """The same, paid."""
    return shop.orders.confirm_order(order_id, payment_token="tok_1").id


def rows(shop: Shop) -> list[Received]:
    """What is in the inbox."""
    with shop.books.transaction() as session:
        return list(session.scalars(select(Received)))


def test_an_event_is_written_before_it_is_applied(shop: Shop, order_id: str) -> None:
    """And a restart between the two loses nothing."""
    shop.inbox.receive(*of_payment("evt_1", order_id, "succeeded"))
    assert [row.status for row in rows(shop)] == ["received"]
    assert shop.orders.get(order_id).status == "created"
    shop.reconcile()
    assert shop.orders.get(order_id).status == "paid"


@pytest.mark.parametrize("count", [1, 2, 5])
def test_an_event_is_applied_once(count: int, shop: Shop, paid: str) -> None:
    """However often it comes."""
    told = of_refund("evt_1", "ref_theirs", paid)
    assert [shop.take(*told) for _ in range(count)] == ["applied"] * count
    assert [refund["amount"] for refund in shop.state()["refunds"]] == [1000]


def test_deliveries_that_come_together_are_applied_once(shop: Shop, paid: str) -> None:
    """Also two events of one refund that the shop did not ask for: it has one row."""
    together = threading.Barrier(8)

    def take(number: int) -> str:
        together.wait(MINUTE)
        return shop.take(*of_refund(f"evt_{number % 2}", "ref_theirs", paid))

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(take, range(8))) == {"applied"}
    (order,) = shop.state()["orders"]
    assert order["refunded"] == 1000


@pytest.mark.parametrize("late", ["processing", "requires_capture", "failed", "cancelled"])
def test_nothing_goes_back(late: str, shop: Shop, paid: str) -> None:
    """A paid order stays paid, whatever comes late."""
    assert shop.take(*of_payment("evt_1", paid, late)) == "applied"
    assert shop.orders.get(paid).status == "paid"


def test_money_that_arrives_after_a_failure_has_arrived(shop: Shop, order_id: str) -> None:
    """A late success is one."""
    for number, status in enumerate(("failed", "succeeded")):
        shop.take(*of_payment(f"evt_{number}", order_id, status))
    assert (shop.orders.get(order_id).status, shop.orders.get(order_id).captured) == ("paid", 6540)


@pytest.mark.parametrize(("amount", "currency"), [(6541, "EUR"), (6540, "USD"), ("6540", "EUR"), (None, "EUR")])
def test_what_does_not_fit_the_order_does_nothing(amount: object, currency: str, shop: Shop, order_id: str) -> None:
    """It is taken, so that it does not come for ever, and the reason is kept."""
    assert shop.take(*of_payment("evt_1", order_id, "succeeded", amount, currency)) == "ignored"
    assert shop.orders.get(order_id).status == "created"
    assert "6540 EUR" in rows(shop)[0].reason


def test_a_refund_of_another_amount_or_order_does_nothing(shop: Shop, psp: Psp, paid: str) -> None:
    """The row stays pending."""
    refund, _ = shop.refunds.open_refund(paid, request="r-1", amount=1000)
    other = shop.orders.place_order("cart-2", amount=6540, currency="EUR")
    shop.orders.confirm_order(other.id, payment_token="tok_1")
    assert shop.take(*of_refund("evt_1", refund.id, paid, amount=2000)) == "ignored"
    assert shop.take(*of_refund("evt_2", refund.id, other.id)) == "ignored"
    assert shop.refunds.get(refund.id).status == "pending"


def test_the_webhook_that_overtakes_the_answer_is_of_the_same_refund(shop: Shop, psp: Psp, paid: str) -> None:
    """One row, once."""
    psp.after = LOST
    with pytest.raises(type(LOST)):
        shop.refunds.refund_order(paid, request="r-1", amount=1000)
    (pending,) = shop.refunds.in_doubt()
    shop.take(*of_refund("evt_1", pending, paid))
    assert [(each["status"], each["psp_id"]) for each in shop.state()["refunds"]] == [("succeeded", pending)]


def test_a_refund_of_the_psp_s_own_that_is_pending_is_read_and_never_asked_for(shop: Shop, psp: Psp, paid: str) -> None:
    """It has another name there than its row has here; asked for by that, it would be made again."""
    shop.take(*of_refund("evt_1", "ref_theirs", paid, "pending"))
    (own,) = shop.refunds.in_doubt()
    assert list(shop.reconcile().open) == [own]
    psp.refunds["ref_theirs"] = Refund("ref_theirs", paid, "succeeded", 1000)
    assert shop.reconcile().settled == [own]
    assert psp.count("create_refund") == 0
    assert shop.state()["orders"][0]["refunded"] == 1000


def test_a_capture_of_a_part_says_how_much_it_is(shop: Shop, order_id: str) -> None:
    """Or it is not believed to be the whole."""
    assert shop.take(*of_payment("evt_1", order_id, "partially_captured")) == "ignored"
    told = {"payment_id": order_id, "status": "partially_captured", "amount": 6540, "currency": "EUR"}
    assert shop.take(*webhook("evt_2", "payment_details", {**told, "amount_received": 5000})) == "applied"
    assert shop.orders.get(order_id).captured == 5000


def test_a_refund_that_fails_later_is_no_refund(shop: Shop, paid: str) -> None:
    """The amount is there again."""
    refund = shop.refunds.refund_order(paid, request="r-1", amount=1000)
    shop.take(*of_refund("evt_1", refund.id, paid, "failed"))
    assert shop.state()["orders"][0]["refunded"] == 0


def test_a_refund_before_its_payment_waits_for_it(shop: Shop, order_id: str) -> None:
    """And is applied when that has come."""
    assert shop.take(*of_refund("evt_1", "ref_theirs", order_id)) == "received"
    assert shop.take(*of_payment("evt_2", order_id, "succeeded")) == "applied"
    (order,) = shop.state()["orders"]
    assert (order["captured"], order["refunded"]) == (6540, 1000)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"content": 1}', b"\xff"])
def test_what_is_signed_and_no_event_is_not_taken(body: bytes, shop: Shop) -> None:
    """And nothing is written."""
    from psp_harness.signing import SCHEMES, Draft, sign

    signed = sign(SCHEMES["hyperswitch"], Draft(body), [SECRET])
    with pytest.raises(NotBelieved):
        shop.take(signed.headers, signed.body)
    assert rows(shop) == []


def test_what_is_not_signed_by_the_psp_is_not_believed(shop: Shop, order_id: str) -> None:
    """By another secret, with another body, not at all."""
    headers, body = of_payment("evt_1", order_id, "succeeded")
    forged = [
        webhook("evt_1", "payment_details", {"payment_id": order_id}, secret="another"),
        (headers, body + b" "),
        ((), body),
    ]
    for told in forged:
        with pytest.raises(NotBelieved):
            shop.take(*told)
    assert rows(shop) == []


def test_a_shop_without_a_secret_believes_nobody(database: str, psp: Psp) -> None:
    """An empty one is none."""
    shop = Shop(database, psp, webhook_secrets=[""])
    with pytest.raises(NotBelieved, match="no webhook secret"):
        shop.take(*of_payment("evt_1", "ord_1", "succeeded"))
    shop.close()


def test_the_old_secret_is_believed_beside_the_new(database: str, psp: Psp) -> None:
    """While it is changed."""
    shop = Shop(database, psp, webhook_secrets=["new", SECRET])
    assert shop.take(*of_payment("evt_1", "ord_1", "succeeded")) == "ignored"
    shop.close()


def test_another_merchant_s_event_is_taken_and_does_nothing(database: str, psp: Psp) -> None:
    """Where the shop knows whose it is."""
    shop = Shop(database, psp, webhook_secrets=[SECRET], account="merchant_2")
    order = shop.orders.place_order("cart-1", amount=6540, currency="EUR")
    assert shop.take(*of_payment("evt_1", order.id, "succeeded")) == "ignored"
    assert shop.orders.get(order.id).status == "created"
    shop.close()


def test_of_an_event_nothing_personal_is_kept(shop: Shop, order_id: str) -> None:
    """Only what the shop goes by."""
    shop.take(*of_payment("evt_1", order_id, "succeeded"))
    (row,) = rows(shop)
    assert "ada@example.org" not in json.dumps([row.name, row.facts, row.reason])


def test_an_event_of_something_else_is_taken(shop: Shop) -> None:
    """Or it would come for ever."""
    assert shop.take(*webhook("evt_1", "mandate_details", {"mandate_id": "man_1"})) == "ignored"
