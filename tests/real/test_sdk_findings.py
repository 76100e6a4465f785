"""Each finding about a published SDK once more, without the harness: the package as it is, and a plain socket."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from real.sdks import MARKS
from wire.sockets import listening

pytestmark = MARKS

MISSING = "pip install 'psp-harness[sdks]'"
UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
DROPPED = b""
MONEY = {"amount": 100, "currency": "EUR"}


@dataclass
class Heard:
    """Who listens, what it was sent, and when, in seconds."""

    base_url: str = ""
    requests: list[bytes] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    @property
    def keys(self) -> list[list[bytes]]:
        """What stands behind the colon of each line for a key, request by request."""
        lines = (request.partition(b"\r\n\r\n")[0].split(b"\r\n") for request in self.requests)
        return [[line.partition(b":")[2].strip() for line in each if b"idempotency" in line.lower()] for each in lines]


@asynccontextmanager
async def answering(*answers: object) -> AsyncIterator[Heard]:
    """A socket that gives one answer after the other, as (status, body, lines) or a body under 200; the last for ever."""
    heard, left = Heard(), list(answers)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        heard.times.append(time.monotonic())
        length = re.search(rb"(?i)content-length: (\d+)", head)
        heard.requests.append(head + await reader.readexactly(int(length[1]) if length else 0))
        answer = left.pop(0) if len(left) > 1 else left[0]
        if answer == DROPPED:
            return
        status, body, *lines = answer if isinstance(answer, tuple) else (200, answer)
        raw = json.dumps(body).encode()
        lines += ["Content-Type: application/json", "Connection: close", f"Content-Length: {len(raw)}"]
        writer.write("\r\n".join([f"HTTP/1.1 {status} X", *lines, "", ""]).encode() + raw)
        await writer.drain()

    async with listening(handle) as heard.base_url:
        yield heard


async def called(heard: Heard, call: Callable[[str], Any]) -> Any:
    """What a call of an SDK returns."""
    return await asyncio.to_thread(call, heard.base_url)


async def test_stripe_takes_an_empty_key_for_none() -> None:
    """What goes on the wire is a random one, in the shape of a UUID."""
    stripe = pytest.importorskip("stripe", reason=MISSING)

    def pay(base_url: str) -> None:
        client = stripe.StripeClient("sk_test_1", base_addresses={"api": base_url})
        client.v1.payment_intents.create(MONEY, {"idempotency_key": ""})

    async with answering({"id": "pi_1", "object": "payment_intent"}) as heard:
        await called(heard, pay)
    assert UUID.fullmatch(heard.keys[0][0])


async def test_stripe_does_not_wait_as_long_as_it_is_told() -> None:
    """With its retries on, the second attempt comes after its own pause, whatever Retry-After says."""
    stripe = pytest.importorskip("stripe", reason=MISSING)

    def pay(base_url: str) -> None:
        client = stripe.StripeClient("sk_test_1", base_addresses={"api": base_url}, max_network_retries=1)
        client.v1.payment_intents.create(MONEY)

    async with answering((503, {}, "Retry-After: 5"), {"id": "pi_1", "object": "payment_intent"}) as heard:
        await called(heard, pay)
    first, again = heard.times
    assert again - first < 4


async def test_mollie_takes_an_empty_key_for_none() -> None:
    """What goes on the wire is a random one."""
    package = pytest.importorskip("mollie.api.client", reason=MISSING)

    def pay(base_url: str) -> None:
        client = package.Client(api_endpoint=base_url)
        client.set_api_key("test_1")
        client.payments.create({}, idempotency_key="")

    async with answering({"resource": "payment", "id": "tr_1"}) as heard:
        await called(heard, pay)
    assert UUID.fullmatch(heard.keys[0][0])


@pytest.mark.parametrize(
    ("how", "keys"),
    [
        ({}, []),
        ({"idempotency_key": ""}, []),
        ({"idempotency_key": "order-7"}, [b"order-7"]),
        ({"header_parameters": {"Idempotency-Key": ""}}, [b""]),
    ],
)
async def test_adyen_sends_no_key_unless_it_is_given_one(how: dict[str, Any], keys: list[bytes]) -> None:
    """A missing or empty argument is no header at all, and an empty header is sent."""
    package = pytest.importorskip("Adyen", reason=MISSING)

    def pay(base_url: str) -> None:
        payments = package.Adyen(xapikey="key", platform="test").checkout.payments_api
        payments.baseUrl = base_url
        payments.payments(MONEY, **how)

    async with answering({"pspReference": "P1", "resultCode": "Authorised"}) as heard:
        await called(heard, pay)
    assert heard.keys == [keys]


async def test_adyen_hands_its_api_key_to_whoever_a_redirect_names() -> None:
    """It follows a redirect to another port, and the header with the credential goes with it."""
    package = pytest.importorskip("Adyen", reason=MISSING)

    def pay(base_url: str) -> None:
        payments = package.Adyen(xapikey="credential", platform="test").checkout.payments_api
        payments.baseUrl = base_url
        payments.payments(MONEY)

    async with (
        answering({"pspReference": "P1", "resultCode": "Authorised"}) as elsewhere,
        answering((307, {}, f"Location: {elsewhere.base_url}/payments")) as heard,
    ):
        await called(heard, pay)
    assert b"x-api-key: credential" in elsewhere.requests[0].split(b"\r\n")


@pytest.mark.parametrize("key", ["", "   "])
async def test_square_sends_an_empty_key(key: str) -> None:
    """It stands in the body as it was given; only one that is missing is refused, by Python."""
    package = pytest.importorskip("square", reason=MISSING)

    def pay(base_url: str) -> None:
        payments = package.Square(token="token", base_url=base_url).payments
        payments.create(source_id="card", amount_money=MONEY, idempotency_key=key)
        with pytest.raises(TypeError, match="idempotency_key"):
            payments.create(source_id="card", amount_money=MONEY)

    async with answering({"payment": {"id": "1"}}) as heard:
        await called(heard, pay)
    assert [json.loads(each.partition(b"\r\n\r\n")[2])["idempotency_key"] for each in heard.requests] == [key]


def gocardless(base_url: str, headers: dict[str, str], **options: Any) -> Any:
    """The payment that it returns."""
    package = pytest.importorskip("gocardless_pro", reason=MISSING)
    client = package.Client(access_token="token", base_url=base_url, **options)
    return client.payments.create(params=MONEY, headers=headers)


PAID = {"payments": {"id": "PM1", "amount": 7}}


async def test_gocardless_replaces_a_key_in_lower_case() -> None:
    """The header is the same one to HTTP; what goes on the wire is a random key, on each attempt the same."""
    async with answering(DROPPED, PAID) as heard:
        await called(heard, lambda url: gocardless(url, {"idempotency-key": "order-7"}))
    first, again = heard.keys
    assert first == again
    assert UUID.fullmatch(first[0])


async def test_gocardless_sends_an_empty_key() -> None:
    """The header is there, and says nothing."""
    async with answering(PAID) as heard:
        await called(heard, lambda url: gocardless(url, {"Idempotency-Key": ""}))
    assert heard.keys == [[b""]]


CONFLICT = {"reason": "idempotent_creation_conflict", "message": "no", "links": {"conflicting_resource_id": "PM1"}}
REFUSED = (409, {"error": {"type": "invalid_state", "code": 409, "message": "no", "errors": [CONFLICT]}})


async def test_gocardless_returns_what_it_was_not_asked_for() -> None:
    """After a conflict it reads the resource that the refusal names, and returns it, whatever its amount is."""
    async with answering(REFUSED, PAID) as heard:
        returned = await called(heard, lambda url: gocardless(url, {"Idempotency-Key": "order-7"}))
    assert [request.split()[0] for request in heard.requests] == [b"POST", b"GET"]
    assert (returned.id, returned.amount, MONEY["amount"]) == ("PM1", 7, 100)


async def test_gocardless_raises_a_conflict_where_it_is_told_to() -> None:
    """With its option nothing is read, and the caller is told."""
    package = pytest.importorskip("gocardless_pro", reason=MISSING)
    async with answering(REFUSED, PAID) as heard:
        with pytest.raises(package.errors.IdempotentCreationConflictError):
            await called(
                heard,
                lambda url: gocardless(url, {"Idempotency-Key": "order-7"}, raise_on_idempotency_conflict=True),
            )
    assert len(heard.requests) == 1


async def test_razorpay_sends_a_refund_three_times_without_a_key() -> None:
    """Dropped, dropped, answered: with its retries on, three POSTs that nothing ties together."""
    package = pytest.importorskip("razorpay", reason=MISSING)

    def refund(base_url: str) -> Any:
        client = package.Client(auth=("id", "secret"), base_url=base_url, initial_delay=0.01)
        client.enable_retry(True)
        return client.payment.refund("pay_1", {"amount": 100})

    async with answering(DROPPED, DROPPED, {"id": "rfnd_1"}) as heard:
        assert await called(heard, refund) == {"id": "rfnd_1"}
    assert heard.keys == [[], [], []]
    assert {request.split(b"\r\n")[0] for request in heard.requests} == {b"POST /v1/payments/pay_1/refund HTTP/1.1"}
