from __future__ import annotations

import inspect
import io
import json
import logging
import pickle
import re
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Queue
from typing import Any

import httpx
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from psp_harness.reference import client_errors
from psp_harness.reference.client import HyperswitchClient
from psp_harness.reference.client_errors import (
    Declined,
    Duplicate,
    InvalidAmount,
    InvalidId,
    InvalidIdempotencyKey,
    OutcomeUnknown,
    PaymentError,
    RateLimited,
    Rejected,
    Unreachable,
)

API_KEY = "dev_planted_secret"
BAD_KEYS = [
    "",
    " ",
    "\t",
    "a" * 65,
    "a b",
    "a\nb",
    "a\r\nX-Evil: 1",
    "a\n",
    "a\x00",
    "ordér",
    "٣",
    "a,b",
    "a/b",
    None,
    7,
    b"a",
]
ANYWHERE = re.compile("/.*")
NO = {"type": "invalid_request", "code": "IR_06", "message": "no"}

Call = Callable[[HyperswitchClient], object]


def pay(client: HyperswitchClient, key: Any = "order_1", amount: Any = 6540) -> object:
    """Charge; the key is the order's id."""
    return client.create_payment(key, amount=amount, currency="EUR", payment_token="tok_visa", reference="order_1")


def refund(client: HyperswitchClient, key: Any = "refund_row_1", amount: Any = 1000) -> object:
    """Give back; the key is the refund row's id."""
    return client.create_refund(key, payment_id="order_1", amount=amount)


def echo(request: Request) -> Response:
    """Answer as Hyperswitch does: with what was asked, succeeded."""
    asked = request.get_json()
    return Response(json.dumps({"currency": "EUR", "status": "succeeded", **asked}), content_type="application/json")


@pytest.fixture
def psp(httpserver: HTTPServer) -> HTTPServer:
    """Answer every payment and refund with a yes."""
    httpserver.expect_request("/payments", method="POST").respond_with_handler(echo)
    httpserver.expect_request("/refunds", method="POST").respond_with_handler(echo)
    return httpserver


@pytest.fixture
def client(httpserver: HTTPServer) -> Iterator[HyperswitchClient]:
    """Speak to that server."""
    with HyperswitchClient(httpserver.url_for(""), API_KEY, timeout_seconds=10) as client:
        yield client


def sent(server: HTTPServer) -> list[tuple[str | None, dict[str, Any]]]:
    """Tell what arrived: the key's header, and the body."""
    return [(request.headers.get("Idempotency-Key"), request.get_json()) for request, _ in server.log]


# --- the key --------------------------------------------------------------------------------------------------------


def test_payment_key(psp: HTTPServer, client: HyperswitchClient) -> None:
    """A payment's key is the header's exact value, and the payment_id of the body."""
    payment = client.create_payment("order_1", amount=6540, currency="EUR", payment_token="tok_visa", reference="o-1")
    assert sent(psp) == [
        (
            "order_1",
            {
                "payment_id": "order_1",
                "amount": 6540,
                "currency": "EUR",
                "confirm": True,
                "capture_method": "automatic",
                "payment_method": "card",
                "payment_token": "tok_visa",
                "merchant_order_reference_id": "o-1",
            },
        )
    ]
    assert (payment.payment_id, payment.status, payment.amount) == ("order_1", "succeeded", 6540)


def test_simple_payment_key(psp: HTTPServer, client: HyperswitchClient) -> None:
    """The convenience wrapper sends the key as create_payment does, and confirms nothing."""
    client.create_payment_simple("order_1", 6540, "EUR")
    body = {"payment_id": "order_1", "amount": 6540, "currency": "EUR", "capture_method": "automatic"}
    assert sent(psp) == [("order_1", body)]


def test_refund_key(psp: HTTPServer, client: HyperswitchClient) -> None:
    """A refund's key is the id of the refund row, in header and body, never the payment's id."""
    answer = client.create_refund("refund_row_7", payment_id="order_1", amount=1000, reference="refund_row_7")
    body = {
        "payment_id": "order_1",
        "refund_id": "refund_row_7",
        "amount": 1000,
        "metadata": {"reference": "refund_row_7"},
    }
    assert sent(psp) == [("refund_row_7", body)]
    assert answer == ("refund_row_7", "succeeded")


def test_partial_refunds(psp: HTTPServer, client: HyperswitchClient) -> None:
    """Two partial refunds of one payment carry two keys, each its own row's id."""
    for row in ("refund_row_1", "refund_row_2"):
        client.create_refund(row, payment_id="order_1", amount=500)
    assert [(key, body["refund_id"], body["payment_id"]) for key, body in sent(psp)] == [
        ("refund_row_1", "refund_row_1", "order_1"),
        ("refund_row_2", "refund_row_2", "order_1"),
    ]


def test_one_key_line(psp: HTTPServer) -> None:
    """A client-wide Idempotency-Key of a handed-in httpx client neither wins nor joins in."""
    with httpx.Client(headers={"Idempotency-Key": "ambient"}) as http:
        pay(HyperswitchClient(psp.url_for(""), API_KEY, http=http))
    assert [key for key, _ in sent(psp)] == ["order_1"]


@pytest.mark.parametrize("call", [pay, refund, lambda client, key: client.create_payment_simple(key, 6540, "EUR")])
@pytest.mark.parametrize("key", BAD_KEYS, ids=repr)
def test_bad_key(psp: HTTPServer, client: HyperswitchClient, call: Callable[..., object], key: Any) -> None:
    """A key that cannot be both header and id is refused, and no request arrives."""
    with pytest.raises(InvalidIdempotencyKey, match="expected 1 to 64 of A-Z a-z 0-9 _ -") as caught:
        call(client, key)
    assert psp.log == []
    assert isinstance(caught.value, ValueError)
    assert caught.value.outcome_known


@pytest.mark.parametrize("name", ["create_payment", "create_payment_simple", "create_refund"])
def test_key_has_no_default(name: str) -> None:
    """The key is the first argument, and cannot be left out."""
    parameters = list(inspect.signature(getattr(HyperswitchClient, name)).parameters.values())
    assert (parameters[1].name, parameters[1].default) == ("idempotency_key", inspect.Parameter.empty)


@pytest.mark.parametrize("key", ["a", "-", "_", "a" * 64, "0b9e5a4e-7a52-4f0c-8f5c-3d4a1c2b9f10"])
def test_good_key(psp: HTTPServer, client: HyperswitchClient, key: str) -> None:
    """Every key of the allowed alphabet and length goes out unchanged."""
    pay(client, key)
    refund(client, key)
    assert [header for header, _ in sent(psp)] == [key, key]


@pytest.mark.parametrize("call", [pay, refund])
@pytest.mark.parametrize("amount", [0, -1, True, 10.0, "10", None], ids=repr)
def test_bad_amount(psp: HTTPServer, client: HyperswitchClient, call: Callable[..., object], amount: Any) -> None:
    """An amount that is no positive integer is refused, and no request arrives."""
    with pytest.raises(InvalidAmount, match="minor units"):
        call(client, amount=amount)
    assert psp.log == []


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.get_payment("../refunds"),
        lambda client: client.get_refund(".."),
        lambda client: client.get_payment(""),
        lambda client: client.create_refund("refund_row_1", payment_id="", amount=1),
    ],
)
def test_bad_id(httpserver: HTTPServer, client: HyperswitchClient, call: Call) -> None:
    """An id that would name another route is refused, and no request arrives."""
    with pytest.raises(InvalidId, match="the id that the PSP returned"):
        call(client)
    assert httpserver.log == []


# --- what the PSP says ----------------------------------------------------------------------------------------------


def test_reads(httpserver: HTTPServer, client: HyperswitchClient) -> None:
    """A payment and a refund that failed are read, not raised, and reading sends no key."""
    payment = {"payment_id": "order_1", "status": "failed", "amount": 6540, "currency": "EUR", "error_code": "51"}
    httpserver.expect_request("/payments/order_1", method="GET").respond_with_json(payment)
    httpserver.expect_request("/refunds/row_1", method="GET").respond_with_json(
        {"refund_id": "row_1", "payment_id": "order_1", "status": "failed", "amount": 10, "currency": "EUR"}
    )
    assert client.get_payment("order_1").status == "failed"
    assert client.get_refund("row_1").amount == 10
    assert [request.headers.get("Idempotency-Key") for request, _ in httpserver.log] == [None, None]


def test_reads_of_another(httpserver: HTTPServer, client: HyperswitchClient) -> None:
    """A yes about another payment or refund is not taken for the one that was asked for."""
    other = {"refund_id": "row_2", "payment_id": "order_2", "status": "succeeded", "amount": 10, "currency": "EUR"}
    httpserver.expect_request(ANYWHERE).respond_with_json(other)
    for read in (client.get_payment, client.get_refund):
        with pytest.raises(OutcomeUnknown, match="asked was"):
            read("order_1")


ANSWERS: dict[str, tuple[int, object, type[PaymentError]]] = {
    "refused": (400, {"error": NO}, Rejected),
    "refused, the shape of JSON errors": (400, {"error": {"error_type": "invalid_request", "code": "IR_06"}}, Rejected),
    "not JSON": (403, "<html>blocked by the firewall</html>", Rejected),
    "wrong api key": (401, {"error": {**NO, "code": "IR_01"}}, Rejected),
    "error is no object": (400, {"error": "no"}, Rejected),
    "body is no object": (400, [1], Rejected),
    "refund above captured": (400, {"error": {**NO, "code": "IR_13"}}, Rejected),
    "duplicate": (400, {"error": {**NO, "code": "HE_01"}}, Duplicate),
    "rate limit": (429, "slow down", RateLimited),
    "blocked in a 200": (200, {"error": {"type": "blocked", "code": "HE_03", "message": "fraud"}}, Declined),
    "another error in a 200": (200, {"error": {"type": "api", "code": "HE_00"}}, OutcomeUnknown),
    "busy": (422, {"error": {**NO, "code": "HE_00"}}, OutcomeUnknown),
    "request timeout": (408, "", OutcomeUnknown),
    "in flight": (409, {"error": NO}, OutcomeUnknown),
    "too early": (425, "", OutcomeUnknown),
    "server error": (500, {"error": {"type": "api", "code": "HE_00", "message": "oops"}}, OutcomeUnknown),
    "proxy error": (502, "<html>bad gateway</html>", OutcomeUnknown),
    "redirect": (307, "", OutcomeUnknown),
    "empty yes": (200, "", OutcomeUnknown),
    "yes without members": (200, {}, OutcomeUnknown),
    "yes that is no JSON": (200, '{"payment_id": ', OutcomeUnknown),
    "yes that is nested too deep": (200, "[" * 100_000, OutcomeUnknown),
    "accepted without a body": (202, "", OutcomeUnknown),
}


@pytest.mark.parametrize("call", [pay, refund])
@pytest.mark.parametrize("answer", ANSWERS)
def test_answers(httpserver: HTTPServer, client: HyperswitchClient, call: Call, answer: str) -> None:
    """Each answer that is no yes raises its one error, tells whether the outcome is known, and is not sent again."""
    status, body, expected = ANSWERS[answer]
    text = body if isinstance(body, str) else json.dumps(body)
    httpserver.expect_request(ANYWHERE).respond_with_data(text, status, {"Location": "/elsewhere"})
    with pytest.raises(PaymentError) as caught:
        call(client)
    assert type(caught.value) is expected
    assert caught.value.outcome_known is (expected is not OutcomeUnknown)
    assert len(httpserver.log) == 1


@pytest.mark.parametrize("call", [pay, refund])
def test_failed(httpserver: HTTPServer, client: HyperswitchClient, call: Call) -> None:
    """A 200 with status failed is a decline, with the code and the message of the PSP."""

    def decline(request: Request) -> Response:
        failed = {"status": "failed", "error_code": "51", "error_message": "insufficient funds"}
        return Response(json.dumps({"currency": "EUR", **request.get_json(), **failed}))

    httpserver.expect_request(ANYWHERE).respond_with_handler(decline)
    with pytest.raises(Declined, match="51: 'insufficient funds'"):
        call(client)


@pytest.mark.parametrize("other", [{"payment_id": "order_2"}, {"amount": 1}, {"currency": "USD"}])
def test_yes_to_another_payment(httpserver: HTTPServer, client: HyperswitchClient, other: dict[str, Any]) -> None:
    """A yes about another payment, amount or currency is not taken for this payment's."""

    def answer(request: Request) -> Response:
        return Response(json.dumps({**request.get_json(), "status": "succeeded", **other}))

    httpserver.expect_request("/payments").respond_with_handler(answer)
    with pytest.raises(OutcomeUnknown, match="asked was"):
        pay(client)


@pytest.mark.parametrize("other", [{"refund_id": "row_2"}, {"payment_id": "order_2"}, {"amount": 1}])
def test_yes_to_another_refund(httpserver: HTTPServer, client: HyperswitchClient, other: dict[str, Any]) -> None:
    """A yes about another refund, payment or amount is not taken for this refund's."""

    def answer(request: Request) -> Response:
        return Response(json.dumps({**request.get_json(), "status": "succeeded", **other}))

    httpserver.expect_request("/refunds").respond_with_handler(answer)
    with pytest.raises(OutcomeUnknown, match="asked was"):
        refund(client)


@pytest.mark.parametrize(("line", "seconds"), [("7", 7), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("9" * 5000, None)])
def test_retry_after(httpserver: HTTPServer, client: HyperswitchClient, line: str, seconds: int | None) -> None:
    """A 429 hands on the seconds of Retry-After, and None where they are unreadable."""
    httpserver.expect_request("/payments").respond_with_data("", 429, {"Retry-After": line})
    with pytest.raises(RateLimited) as caught:
        pay(client)
    assert caught.value.retry_after_seconds == seconds


# --- the connection -------------------------------------------------------------------------------------------------


@contextmanager
def scripted(*answers: bytes | None) -> Iterator[tuple[str, Queue[bytes]]]:
    """Serve one connection for each answer: read a request, answer, close; None waits for the client to close.

    Gives the address, and the requests as they came; each is there once its connection is closed. Ends only well if
    nobody connected more often.
    """
    heard: Queue[bytes] = Queue()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def serve() -> None:
            for answer in answers:
                connection, _ = listener.accept()
                with connection, connection.makefile("rb") as stream:
                    request = read_request(stream)
                    connection.sendall(answer or b"")
                    if answer is None:
                        stream.read()
                heard.put(request)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard
        thread.join(10)
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()


def read_request(stream: io.BufferedIOBase) -> bytes:
    """Read one request whose body has a Content-Length."""
    head = b"".join(iter(stream.readline, b"\r\n"))
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    assert length, head
    return head + b"\r\n" + stream.read(int(length[1]))


def key_of(request: bytes) -> tuple[str, str]:
    """Find the key's header in the bytes, and the id of what the body asks to make."""
    head, _, body = request.partition(b"\r\n\r\n")
    (key,) = re.findall(rb"(?i)\r\nidempotency-key: (.*)", head + b"\r\n")
    asked = json.loads(body)
    return key.strip().decode(), asked.get("refund_id", asked["payment_id"])


def yes(asked: str) -> bytes:
    """Write a complete answer that keeps the connection alive, as far as the client can know."""
    body = json.dumps({"payment_id": asked, "status": "succeeded", "amount": 6540, "currency": "EUR"}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@pytest.mark.parametrize(
    "lost",
    [b"", None, b"HTTP/1.1 200 OK\r\nContent-Le", yes("order_1")[:-1], b"nonsense\r\n\r\n"],
    ids=["closed", "never", "half a head", "half a body", "no HTTP"],
)
@pytest.mark.parametrize("call", [pay, refund])
def test_lost_answer(call: Call, lost: bytes | None) -> None:
    """A lost answer is an unknown outcome, and the request goes out exactly once."""
    with scripted(lost) as (url, heard), HyperswitchClient(url, API_KEY, timeout_seconds=0.5) as client:
        with pytest.raises(OutcomeUnknown, match=r"no complete answer to POST /\w+ \(\w+") as caught:
            call(client)
        heard.get(timeout=10)
    assert not caught.value.outcome_known


def test_kept_connection_that_was_closed() -> None:
    """Where the PSP closed the kept connection, the next request takes a new one, with its own key, once."""
    with scripted(yes("order_1"), yes("order_2")) as (url, heard), HyperswitchClient(url, API_KEY) as client:
        pay(client, "order_1")
        first = heard.get(timeout=10)
        pay(client, "order_2")
        second = heard.get(timeout=10)
    assert key_of(first) == ("order_1", "order_1")
    assert key_of(second) == ("order_2", "order_2")


@pytest.mark.parametrize("call", [pay, refund])
def test_connecting_again(call: Call) -> None:
    """A connection that is refused at first is made again, and the one request that goes out has the key."""
    refusals = []
    with socket.socket() as listener, HyperswitchClient(refusing(listener), API_KEY, timeout_seconds=0.5) as client:

        def listen_after_refusal(event: str, _: object) -> None:
            if event == "connection.connect_tcp.failed":
                refusals.append(event)
                listener.listen()

        def trace(request: httpx.Request) -> None:
            request.extensions["trace"] = listen_after_refusal

        client._http.event_hooks = {"request": [trace]}
        with pytest.raises(OutcomeUnknown):  # the listener takes the request in, and nobody answers
            call(client)
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as stream:
            header, named = key_of(read_request(stream))
    assert len(refusals) == 1
    assert header == named == ("order_1" if call is pay else "refund_row_1")


def refusing(listener: socket.socket) -> str:
    """Give an address that refuses connections, until the socket listens."""
    listener.bind(("127.0.0.1", 0))
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("call", [pay, refund, lambda client: client.get_payment("order_1")])
def test_unreachable(call: Call) -> None:
    """Where no connection comes about, nothing was sent, and the error says so."""
    with (
        socket.socket() as listener,
        HyperswitchClient(refusing(listener), API_KEY) as client,
        pytest.raises(Unreachable, match="nothing was sent") as caught,
    ):
        call(client)
    assert caught.value.outcome_known


def test_timeout(psp: HTTPServer) -> None:
    """The time-out bounds each of connecting, writing and reading, also with an httpx client of yours."""
    bounds: list[object] = []
    hooks = {"request": [lambda request: bounds.append(request.extensions["timeout"])]}
    with httpx.Client(event_hooks=hooks) as http:
        pay(HyperswitchClient(psp.url_for(""), API_KEY, timeout_seconds=7.5, http=http))
    assert bounds == [dict.fromkeys(["connect", "read", "write", "pool"], 7.5)]


# --- the client itself ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ANSWERS)
def test_api_key_stays_inside(
    httpserver: HTTPServer, client: HyperswitchClient, caplog: pytest.LogCaptureFixture, answer: str
) -> None:
    """No error, no traceback, no log line and no repr contains the api key, which does go to the PSP."""
    status, body, _ = ANSWERS[answer]
    httpserver.expect_request(ANYWHERE).respond_with_data(body if isinstance(body, str) else json.dumps(body), status)
    with caplog.at_level(logging.DEBUG), pytest.raises(PaymentError) as caught:
        pay(client)
    told = [repr(client), repr(caught.value), *traceback.format_exception(caught.value), caplog.text]
    assert API_KEY not in "".join(told)
    assert httpserver.log[0][0].headers["api-key"] == API_KEY


@pytest.mark.parametrize("api_key", ["", "dev_planted\n", "dev planted", "dev_plänted"])
def test_bad_api_key(api_key: str) -> None:
    """An api key that is no header value is refused without being repeated."""
    with pytest.raises(ValueError, match="api key: expected") as caught:
        HyperswitchClient("http://127.0.0.1:1", api_key)
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "psp.example", "ftp://psp.example", "https://"])
def test_bad_base_url(url: str) -> None:
    """A base url that is none is refused at once, not with the first payment."""
    with pytest.raises(ValueError, match="expected http"):
        HyperswitchClient(url, API_KEY)


def test_own_http_client_stays_open(psp: HTTPServer) -> None:
    """A handed-in httpx client is still usable after the client was closed, and brings its own certificates."""
    with httpx.Client() as http:
        with HyperswitchClient(psp.url_for(""), API_KEY, http=http) as client:
            pay(client)
        assert not http.is_closed
        with pytest.raises(ValueError, match="exclude each other"):
            HyperswitchClient(psp.url_for(""), API_KEY, http=http, ca_file="ca.pem")


@pytest.mark.parametrize(
    "error",
    [
        InvalidIdempotencyKey("no"),
        Rejected(400, "IR_06", "no"),
        Duplicate(400, "HE_01", "no"),
        RateLimited(429, "", "no", 7),
        Declined("51", "no"),
        OutcomeUnknown("no"),
    ],
    ids=repr,
)
def test_errors_travel(error: PaymentError) -> None:
    """An error that crosses a process boundary arrives as it was."""
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


def test_errors_tell_their_bit() -> None:
    """Only OutcomeUnknown leaves open whether money moved."""
    errors = [error for error in vars(client_errors).values() if isinstance(error, type)]
    unknown = {error for error in errors if issubclass(error, PaymentError) and not error.outcome_known}
    assert unknown == {OutcomeUnknown}
