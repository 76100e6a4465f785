from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from pytest_httpserver import HTTPServer

from psp_harness.reference.client_errors import InvalidId, InvalidIdempotencyKey, OutcomeUnknown, Rejected
from psp_harness.reference.shop.hyperswitch import HyperswitchOfShop

Call = Callable[[HyperswitchOfShop, str], object]

PAYMENT = {"payment_id": "ord_1", "status": "succeeded", "amount": 6540, "currency": "EUR", "amount_received": 5000}
CALLS: dict[str, tuple[Call, str, dict[str, object], dict[str, object]]] = {
    "capture": (
        lambda psp, key: psp.capture_payment(key, payment_id="ord_1", amount=5000),
        "/payments/ord_1/capture",
        {"amount_to_capture": 5000},
        PAYMENT,
    ),
    "cancel": (lambda psp, key: psp.cancel_payment(key, payment_id="ord_1"), "/payments/ord_1/cancel", {}, PAYMENT),
    "charge a subscription": (
        lambda psp, key: psp.create_subscription_payment(
            key, amount=6540, currency="EUR", customer_id="cus_1", method="pm_1"
        ),
        "/payments",
        {
            "payment_id": "key-1",
            "amount": 6540,
            "currency": "EUR",
            "confirm": True,
            "capture_method": "automatic",
            "off_session": True,
            "customer_id": "cus_1",
            "recurring_details": {"type": "payment_method_id", "data": "pm_1"},
        },
        {**PAYMENT, "payment_id": "key-1"},
    ),
    "pay out": (
        lambda psp, key: psp.create_payout(key, amount=6540, currency="EUR", destination="tok_1"),
        "/payouts/create",
        {
            "payout_id": "key-1",
            "amount": 6540,
            "currency": "EUR",
            "payout_token": "tok_1",
            "confirm": True,
            "auto_fulfill": True,
        },
        {"payout_id": "key-1", "status": "success", "amount": 6540, "currency": "EUR"},
    ),
}
"""Each call that moves money: how it is made, its path, its body, and a yes."""


@pytest.fixture
def psp(httpserver: HTTPServer) -> Iterator[HyperswitchOfShop]:
    """A client of a local server."""
    with HyperswitchOfShop(httpserver.url_for("/"), "dev_key") as client:
        yield client


@pytest.mark.parametrize("name", CALLS)
def test_the_key_that_is_given_is_the_one_on_the_wire(
    name: str, httpserver: HTTPServer, psp: HyperswitchOfShop
) -> None:
    """Of every call that moves money, once, with its body."""
    call, path, body, told = CALLS[name]
    httpserver.expect_request(path, method="POST").respond_with_json(told)
    call(psp, "key-1")
    ((request, _),) = httpserver.log
    assert request.headers.getlist("Idempotency-Key") == ["key-1"]
    assert request.get_json() == body


@pytest.mark.parametrize("key", ["", " ", "a" * 65, None])
@pytest.mark.parametrize("name", CALLS)
def test_without_a_key_nothing_is_sent(name: str, key: str, httpserver: HTTPServer, psp: HyperswitchOfShop) -> None:
    """It is an error, and loud."""
    with pytest.raises(InvalidIdempotencyKey):
        CALLS[name][0](psp, key)
    assert httpserver.log == []


@pytest.mark.parametrize("name", CALLS)
def test_a_yes_to_something_else_is_none(name: str, httpserver: HTTPServer, psp: HyperswitchOfShop) -> None:
    """Nobody knows then what became of the call."""
    call, path, _, told = CALLS[name]
    other = {member: "ord_2" if member.endswith("_id") else value for member, value in told.items()}
    httpserver.expect_request(path, method="POST").respond_with_json(other)
    with pytest.raises(OutcomeUnknown):
        call(psp, "key-1")


def test_an_id_that_cannot_stand_in_a_path_is_not_sent(httpserver: HTTPServer, psp: HyperswitchOfShop) -> None:
    """It would name something else."""
    with pytest.raises(InvalidId):
        psp.cancel_payment("key-1", payment_id="../refunds")
    assert httpserver.log == []


def test_what_was_captured_is_told(httpserver: HTTPServer, psp: HyperswitchOfShop) -> None:
    """In minor units."""
    httpserver.expect_request("/payments/ord_1/capture").respond_with_json(PAYMENT)
    assert psp.capture_payment("key-1", payment_id="ord_1", amount=5000).received == 5000


KNOWN = {"error": {"type": "invalid_request", "code": "IR_12", "message": "already exists"}}
GONE = {"error": {"type": "invalid_request", "code": "IR_11", "message": "already been redacted"}}
BUSY = {"error": {"type": "invalid_request", "code": "IR_10", "message": "Customer has active mandate"}}


@pytest.mark.parametrize(("status", "told"), [(200, {"customer_id": "cus_1"}), (400, KNOWN)])
def test_a_customer_is_known_afterwards(
    status: int, told: dict[str, object], httpserver: HTTPServer, psp: HyperswitchOfShop
) -> None:
    """Whether or not they were before."""
    httpserver.expect_request("/customers", method="POST").respond_with_json(told, status)
    psp.create_customer("cus_1", name="Ada", email="ada@example.org", phone="")
    assert httpserver.log[0][0].get_json() == {"customer_id": "cus_1", "name": "Ada", "email": "ada@example.org"}


@pytest.mark.parametrize(("status", "told"), [(200, {"customer_deleted": True}), (400, GONE), (404, GONE)])
def test_a_customer_is_forgotten_afterwards(
    status: int, told: dict[str, object], httpserver: HTTPServer, psp: HyperswitchOfShop
) -> None:
    """Whether or not they were before."""
    httpserver.expect_request("/customers/cus_1", method="DELETE").respond_with_json(told, status)
    psp.delete_customer("cus_1")


def test_a_customer_who_is_not_forgotten_is_said(httpserver: HTTPServer, psp: HyperswitchOfShop) -> None:
    """Such as one with a mandate that is active."""
    httpserver.expect_request("/customers/cus_1", method="DELETE").respond_with_json(BUSY, 400)
    with pytest.raises(Rejected, match="active mandate"):
        psp.delete_customer("cus_1")
