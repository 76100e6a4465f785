from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from psp_harness.reference.client_answers import Refund
from psp_harness.reference.client_errors import (
    Declined,
    OutcomeUnknown,
    PaymentError,
    RateLimited,
    Rejected,
    Unreachable,
)
from psp_harness.reference.shop.hyperswitch import HyperswitchOfShop
from psp_harness.reference.shop.refusals import Conflict, Mismatch, TooMuch, WrongState
from psp_harness.reference.shop.shop import Shop
from reference.shop.selling import LOST, SECRET, Psp

MINUTE = 60


@pytest.fixture
def order_id(shop: Shop) -> str:
    """An order of 65.40 EUR that is paid."""
    order = shop.orders.place_order("cart-1", amount=6540, currency="EUR")
    return shop.orders.confirm_order(order.id, payment_token="tok_1").id


def test_the_row_is_there_before_the_psp_is_asked_and_its_id_is_the_key(shop: Shop, psp: Psp, order_id: str) -> None:
    """Two phases: also whoever looks while the PSP is at it finds a pending row."""
    refund, opened = shop.refunds.open_refund(order_id, request="r-1", amount=1000)
    assert opened
    assert (shop.refunds.get(refund.id).status, psp.count("create_refund")) == ("pending", 0)
    sent = shop.refunds.send_refund(refund.id)
    assert psp.calls[-1] == ("create_refund", refund.id)
    assert (sent.status, sent.psp_id) == ("succeeded", refund.id)


def test_a_request_that_comes_twice_is_one_refund(shop: Shop, psp: Psp, order_id: str) -> None:
    """With another amount it is refused."""
    first, again = (shop.refunds.refund_order(order_id, request="r-1", amount=1000) for _ in range(2))
    assert (first.id, psp.count("create_refund")) == (again.id, 1)
    with pytest.raises(Conflict, match="1000"):
        shop.refunds.refund_order(order_id, request="r-1", amount=999)


def test_refunds_that_come_together_never_exceed_what_was_captured(shop: Shop, psp: Psp, order_id: str) -> None:
    """Of eight halves, two."""
    together = threading.Barrier(8)

    def refund(number: int) -> bool:
        together.wait(MINUTE)
        try:
            shop.refunds.refund_order(order_id, request=f"r-{number}", amount=3270)
        except TooMuch:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(refund, range(8))) == 2
    assert sum(made.amount for made in psp.refunds.values()) == 6540


def test_a_pending_refund_counts(shop: Shop, psp: Psp, order_id: str) -> None:
    """For it may have happened."""
    psp.before = LOST
    with pytest.raises(OutcomeUnknown):
        shop.refunds.refund_order(order_id, request="r-1", amount=6540)
    with pytest.raises(TooMuch, match="0 is left"):
        shop.refunds.refund_order(order_id, request="r-2", amount=1)


@pytest.mark.parametrize(
    ("when", "error"),
    [("before", LOST), ("after", LOST), ("before", Unreachable("gone")), ("before", RateLimited(429, "", "", 1))],
)
def test_a_refund_in_doubt_is_picked_up_with_its_own_key(
    when: str, error: PaymentError, shop: Shop, psp: Psp, order_id: str
) -> None:
    """Read first, and asked for only where the PSP has none."""
    setattr(psp, when, error)
    with pytest.raises(type(error)):
        shop.refunds.refund_order(order_id, request="r-1", amount=6540)
    (pending,) = shop.refunds.in_doubt()
    assert shop.reconcile().settled == [pending]
    assert list(psp.refunds) == [pending]
    assert shop.refunds.get(pending).status == "succeeded"
    assert {key for name, key in psp.calls if name == "create_refund"} == {pending}


@pytest.mark.parametrize("error", [Declined("05", "no"), Rejected(400, "IR_14", "no")])
def test_a_no_is_a_failure_and_frees_the_amount(error: PaymentError, shop: Shop, psp: Psp, order_id: str) -> None:
    """If it is certain that there is no refund under this id."""
    psp.before = error
    with pytest.raises(type(error)):
        shop.refunds.refund_order(order_id, request="r-1", amount=6540)
    assert shop.refunds.refund_order(order_id, request="r-2", amount=6540).status == "succeeded"


def test_the_repeat_of_a_refund_that_happened_is_refused_and_believed_to_have_happened(
    shop: Shop, psp: Psp, order_id: str
) -> None:
    """IR_13, where nothing is left of the payment because of that very refund."""
    refund, _ = shop.refunds.open_refund(order_id, request="r-1", amount=6540)
    psp.refunds[refund.id] = Refund(refund.id, order_id, "succeeded", 6540)
    psp.before = Rejected(400, "IR_13", "exceeds the amount captured")
    assert shop.refunds.send_refund(refund.id).status == "succeeded"


def test_a_refused_api_key_says_nothing_of_the_refund(shop: Shop, psp: Psp, order_id: str) -> None:
    """It stays pending."""
    psp.before = Rejected(401, "IR_01", "no key")
    with pytest.raises(Rejected):
        shop.refunds.refund_order(order_id, request="r-1", amount=6540)
    assert len(shop.refunds.in_doubt()) == 1


def test_a_refund_of_another_amount_is_not_the_row_s(shop: Shop, psp: Psp, order_id: str) -> None:
    """It stays pending, loudly."""
    refund, _ = shop.refunds.open_refund(order_id, request="r-1", amount=1000)
    psp.refunds[refund.id] = Refund(refund.id, order_id, "succeeded", 1)
    with pytest.raises(Mismatch, match="the PSP says 1 of"):
        shop.refunds.settle(refund.id)
    assert shop.refunds.get(refund.id).status == "pending"


def test_an_order_that_is_not_paid_is_not_refunded(shop: Shop) -> None:
    """There is nothing to give back."""
    order = shop.orders.place_order("cart-2", amount=6540, currency="EUR")
    with pytest.raises(WrongState, match="created"):
        shop.refunds.refund_order(order.id, request="r-1", amount=1)


# --- on the wire ----------------------------------------------------------------------------------------------------


@pytest.fixture
def wired(httpserver: HTTPServer, tmp_path: Path) -> Iterator[tuple[Shop, list[Request]]]:
    """A shop whose PSP is a local HTTP server that says yes to everything; and what it was sent."""
    sent: list[Request] = []

    def answer(request: Request) -> Response:
        sent.append(request)
        told = {"currency": "EUR", **(request.get_json() or {}), "status": "succeeded"}
        return Response(json.dumps(told), content_type="application/json")

    httpserver.expect_request("/payments", method="POST").respond_with_handler(answer)
    httpserver.expect_request("/refunds", method="POST").respond_with_handler(answer)
    with HyperswitchOfShop(httpserver.url_for("/"), "dev_key") as psp:
        shop = Shop(f"sqlite:///{tmp_path / 'shop.sqlite3'}", psp, webhook_secrets=[SECRET])
        yield shop, sent
        shop.close()


def test_the_key_on_the_wire_is_the_refund_s_id(wired: tuple[Shop, list[Request]]) -> None:
    """In the header and in the body; and never the order's, whose id is the payment's key."""
    shop, sent = wired
    order = shop.orders.place_order("cart-1", amount=6540, currency="EUR")
    shop.orders.confirm_order(order.id, payment_token="tok_1")
    rows = [shop.refunds.refund_order(order.id, request=f"r-{number}", amount=1000) for number in range(2)]
    assert [each.headers["Idempotency-Key"] for each in sent] == [order.id, *(row.id for row in rows)]
    assert [(each.get_json()["refund_id"], each.get_json()["payment_id"]) for each in sent[1:]] == [
        (row.id, order.id) for row in rows
    ]
