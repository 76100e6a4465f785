from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from psp_harness.reference import shop as reference_shop
from psp_harness.reference.client_errors import Declined, PaymentError, RateLimited, Rejected, Unreachable
from psp_harness.reference.shop import front as fronts
from psp_harness.reference.shop.shop import Shop
from reference.shop.selling import LOST, Psp, of_payment

PAY = {"checkout": "cart-1", "amount": 6540, "currency": "EUR", "payment_token": "tok_1"}
MINUTE = 60


@pytest_asyncio.fixture
async def http(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    """The front, called without a socket."""
    transport = httpx.ASGITransport(fronts.front(shop, reconcile_seconds=3600))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        yield client


async def test_a_payment_is_answered_with_its_order(http: httpx.AsyncClient) -> None:
    """As it stands then."""
    answer = await http.post("/api/v1/payments", json=PAY)
    assert answer.status_code == 201
    order = answer.json()
    assert (order["status"], order["captured"], order["in_doubt"]) == ("paid", 6540, 0)
    assert (await http.get(f"/api/v1/orders/{order['id']}")).json() == order
    assert (await http.get("/api/v1/state")).json() == {"orders": [order], "refunds": [], "payouts": [], "disputes": []}


async def test_a_form_that_is_submitted_twice_pays_once(http: httpx.AsyncClient, psp: Psp) -> None:
    """One after the other, and eight at a time."""
    answers = await asyncio.gather(*(http.post("/api/v1/payments", json=PAY) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {200, 201, 202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    again = await http.post("/api/v1/payments", json=PAY)
    assert (again.status_code, again.json()["status"]) == (200, "paid")
    assert psp.count("create_payment") == 1


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Declined("51", "no funds"), 402),
        (LOST, 202),
        (Unreachable("gone"), 503),
        (RateLimited(429, "", "", 1), 503),
        (Rejected(400, "IR_16", "card expired"), 502),
    ],
)
async def test_what_the_psp_did_decides_the_status(
    error: PaymentError, status: int, http: httpx.AsyncClient, psp: Psp
) -> None:
    """And what nobody knows is neither yes nor no."""
    psp.before = error
    assert (await http.post("/api/v1/payments", json=PAY)).status_code == status


async def test_what_is_in_doubt_is_looked_after_on_demand(http: httpx.AsyncClient, psp: Psp) -> None:
    """The answer says what was settled."""
    psp.after = LOST
    await http.post("/api/v1/payments", json=PAY)
    again = await http.post("/api/v1/payments", json=PAY)
    assert (again.status_code, again.json()["status"]) == (202, "confirming")
    assert (await http.post("/api/v1/reconcile")).json()["settled"] == [again.json()["id"]]
    assert (await http.post("/api/v1/payments", json=PAY)).json()["status"] == "paid"


async def test_a_refund_is_answered_with_its_row(http: httpx.AsyncClient) -> None:
    """The same one for the same request."""
    order = (await http.post("/api/v1/payments", json=PAY)).json()
    asked = {"order_id": order["id"], "request": "r-1", "amount": 1000}
    first, again = [await http.post("/api/v1/refunds", json=asked) for _ in range(2)]
    assert (first.status_code, first.json()["status"]) == (201, "succeeded")
    assert again.json() == first.json()
    assert (await http.get(f"/api/v1/refunds/{first.json()['id']}")).json() == first.json()


async def test_what_was_authorised_is_captured_or_given_up(http: httpx.AsyncClient) -> None:
    """By the order that the payment was of."""
    orders = [
        (await http.post("/api/v1/payments", json={**PAY, "checkout": name, "capture": "manual"})).json()
        for name in ("cart-1", "cart-2")
    ]
    captured = await http.post("/api/v1/captures", json={"order_id": orders[0]["id"], "amount": 5000})
    voided = await http.post("/api/v1/voids", json={"order_id": orders[1]["id"]})
    assert [(each.status_code, each.json()["status"], each.json()["captured"]) for each in (captured, voided)] == [
        (200, "paid", 5000),
        (200, "cancelled", 0),
    ]
    again = await http.post("/api/v1/captures", json={"order_id": orders[1]["id"]})
    assert (again.status_code, "cancelled" in again.json()["message"]) == (409, True)


async def test_a_customer_subscribes_is_charged_once_a_period_and_is_forgotten(
    http: httpx.AsyncClient, psp: Psp
) -> None:
    """And nothing personal is answered."""
    ada = (await http.post("/api/v1/customers", json={"name": "Ada", "email": "ada@example.org"})).json()
    asked = {"request": "f-1", "customer_id": ada["id"], "amount": 900, "currency": "EUR", "method": "pm_1"}
    made = await http.post("/api/v1/subscriptions", json=asked)
    period = {"subscription_id": made.json()["id"], "period": "2026-11"}
    charged = [await http.post("/api/v1/charges", json=period) for _ in range(2)]
    assert [(answer.status_code, answer.json()["captured"]) for answer in charged] == [(201, 900), (200, 900)]
    ended = await http.delete(f"/api/v1/subscriptions/{made.json()['id']}")
    gone = await http.delete(f"/api/v1/customers/{ada['id']}")
    assert (ended.json()["status"], gone.json()) == ("cancelled", {"id": ada["id"], "status": "redacted"})
    assert (await http.post("/api/v1/charges", json=period)).status_code == 409
    assert psp.count("create_payment") == 1


async def test_a_payout_is_answered_with_its_row(http: httpx.AsyncClient) -> None:
    """The same one for the same request; and not where it went."""
    asked = {"request": "payroll-1", "amount": 5000, "currency": "EUR", "destination": "tok_1"}
    first, again = [await http.post("/api/v1/payouts", json=asked) for _ in range(2)]
    assert (first.status_code, first.json()["status"]) == (201, "succeeded")
    assert first.json() == again.json() == (await http.get(f"/api/v1/payouts/{first.json()['id']}")).json()
    assert "tok_1" not in first.text


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("payments", b"{", 400),
        ("payments", b"[]", 400),
        ("payments", b"{}", 400),
        ("payments", b'{"checkout": "c", "amount": 1.5, "currency": "EUR"}', 400),
        ("payments", b'{"checkout": 7, "amount": 1, "currency": "EUR"}', 400),
        ("payments", b'{"checkout": "c", "amount": 1, "currency": "EUR", "capture": "later"}', 400),
        ("captures", b'{"order_id": "ord_0"}', 404),
        ("refunds", b'{"order_id": "ord_0", "request": "r", "amount": 1}', 404),
        ("refunds", b'{"order_id": "ord_0", "request": "r", "amount": "1"}', 400),
    ],
)
async def test_a_bad_request_is_told_what_is_wrong(
    path: str, body: bytes, status: int, http: httpx.AsyncClient, psp: Psp
) -> None:
    """And the PSP is not asked."""
    answer = await http.post(f"/api/v1/{path}", content=body)
    assert (answer.status_code, bool(answer.json()["message"])) == (status, True)
    assert psp.calls == []


async def test_more_than_is_left_is_refused(http: httpx.AsyncClient) -> None:
    """With what is left."""
    order = (await http.post("/api/v1/payments", json=PAY)).json()
    asked = {"order_id": order["id"], "request": "r-1", "amount": 6541}
    answer = await http.post("/api/v1/refunds", json=asked)
    assert (answer.status_code, "6540 is left" in answer.json()["message"]) == (422, True)


async def test_a_webhook_is_taken_and_a_forged_one_is_not(http: httpx.AsyncClient, shop: Shop) -> None:
    """By the bytes on the wire."""
    order = shop.orders.place_order("cart-1", amount=6540, currency="EUR")
    headers, body = of_payment("evt_1", order.id, "succeeded")
    answer = await http.post("/webhooks", headers=list(headers), content=body)
    assert (answer.status_code, answer.json()) == (200, {"event": "evt_1"})
    assert shop.orders.get(order.id).status == "paid"
    assert (await http.post("/webhooks", headers=list(headers), content=body + b" ")).status_code == 400


async def test_it_says_that_it_lives(http: httpx.AsyncClient) -> None:
    """And that its database does."""
    assert (await http.get("/health")).text == "shop is good"
    assert (await http.get("/health/ready")).json() == {"database": True}


async def test_without_its_database_it_lives_and_is_not_ready(http: httpx.AsyncClient, shop: Shop) -> None:
    """And says what is missing."""

    def broken(*_: object) -> None:
        raise OperationalError("connect", {}, OSError())

    event.listen(shop.books.engine, "begin", broken)
    answer = await http.get("/health/ready")
    assert (answer.status_code, answer.json()["database"]) == (503, False)
    assert (await http.get("/health")).status_code == 200


@pytest.mark.parametrize("path", ["/webhooks", "/api/v1/payments"])
async def test_a_body_that_is_too_large_is_not_read(path: str, http: httpx.AsyncClient) -> None:
    """Nobody fills the memory of a shop."""
    assert (await http.post(path, content=b"x" * (fronts.LARGEST_BODY + 1))).status_code == 413


# --- as a process of its own ----------------------------------------------------------------------------------------


def test_it_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    """With nothing but variables: its database is made, and it answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    told = {"PSP_BASE_URL": "http://127.0.0.1:9", "PSP_API_KEY": "k", "DATABASE_URL": f"sqlite:///{tmp_path}/s.sqlite3"}
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), **told}
    command = [sys.executable, "-m", "psp_harness.reference.shop", "--port", str(port)]
    transport = httpx.HTTPTransport(retries=9)  # of the connection, with a growing pause
    with subprocess.Popen(command, env=environment) as process, httpx.Client(transport=transport) as client:
        try:
            paid = client.post(f"http://127.0.0.1:{port}/api/v1/payments", json=PAY, timeout=MINUTE)
            assert (paid.status_code, "nothing was sent" in paid.json()["message"]) == (503, True)
        finally:
            process.terminate()


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "PSP_BASE_URL is not set"),
        ({"PSP_BASE_URL": "http://127.0.0.1:9"}, "PSP_API_KEY is not set"),
        ({"PSP_BASE_URL": "http://127.0.0.1:9", "PSP_API_KEY": "k", "PSP_TIMEOUT_SECONDS": "soon"}, "'soon'"),
    ],
)
def test_what_is_missing_is_one_line(environment: dict[str, str], says: str) -> None:
    """And no traceback."""
    command = [sys.executable, "-m", "psp_harness.reference.shop"]
    clean = {**environment, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=clean, capture_output=True, text=True, timeout=MINUTE, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert says in done.stderr


def test_without_its_packages_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The base installation imports, and the error is one of ours."""
    monkeypatch.setitem(sys.modules, "psp_harness.reference.shop.running", None)
    with pytest.raises(Exception, match=re.escape("pip install 'psp-harness[shop]'")):
        reference_shop.application({})
