"""B9: a token expires between two attempts; the retry under the next one keeps the key, and nothing is paid twice."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from integration.plain import PLAIN
from integration.psps import Provider, providing
from psp_harness.profile import load
from psp_harness.reference.oauth import ClientCredentials

pytestmark = pytest.mark.integration

PAYPAL = load("paypal")
LIFE = 31_349
"""Seconds of a token."""
PAYMENT = {"amount": 6540, "currency": "EUR", "reference": "order-1"}


class Wire(httpx.AsyncHTTPTransport):
    """Keeps what is sent, and loses the next answer where it is told to."""

    def __init__(self) -> None:
        super().__init__(verify=PLAIN)
        self.sent: list[httpx.Request] = []
        self.loses = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        if request.url.path == "/payments":
            self.sent.append(
                httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
            )
        if self.loses and request.url.path == "/payments":
            self.loses = False
            await answer.aread()
            raise httpx.ReadError("the connection was reset", request=request)
        return answer


@pytest_asyncio.fixture
async def paypal() -> AsyncIterator[Provider]:
    """A PSP that lets nobody in without a token."""
    async with providing("paypal") as running:
        yield running


@pytest_asyncio.fixture
async def wire() -> AsyncIterator[Wire]:
    """What the client sends through."""
    async with Wire() as transport:
        yield transport


@pytest.fixture
def client(paypal: Provider, wire: Wire) -> httpx.AsyncClient:
    """A client that has credentials, and whose own clock stands still: it holds an old token for good."""
    credentials = PAYPAL.clients["tenant-a"].split(":")
    auth = ClientCredentials(f"{paypal.base_url}/v1/oauth2/token", *credentials, clock=lambda: 0.0)
    return httpx.AsyncClient(base_url=paypal.base_url, auth=auth, transport=wire)


async def pay(client: httpx.AsyncClient) -> httpx.Response:
    """The payment of order-1."""
    return await client.post("/payments", json=PAYMENT, headers={"PayPal-Request-Id": "order-1"})


def keys(wire: Wire) -> list[str]:
    """The keys on the wire, in order."""
    return [request.headers["PayPal-Request-Id"] for request in wire.sent]


async def test_a_lost_payment_is_asked_for_again_under_a_new_token_and_the_same_key(
    client: httpx.AsyncClient, wire: Wire, paypal: Provider
) -> None:
    """Between the two the token expired: its 401 executes nothing, and what follows gets the first answer."""
    await client.get("/payments/none")  # a token is fetched, and grows old
    await paypal.advance(20_000)
    wire.loses = True
    with pytest.raises(httpx.ReadError):
        await pay(client)
    await paypal.advance(LIFE - 20_000)
    answer = await pay(client)
    assert answer.status_code == 201
    assert keys(wire) == ["order-1"] * 3
    assert len({request.content for request in wire.sent}) == 1
    assert len({request.headers["Authorization"] for request in wire.sent}) == 2
    (effect,) = await paypal.effects()
    assert effect["id"] == answer.json()["id"]


async def test_a_token_that_expired_before_the_first_attempt_costs_nothing(
    client: httpx.AsyncClient, wire: Wire, paypal: Provider
) -> None:
    """One attempt is turned away, the next one pays."""
    await client.get("/payments/none")
    await paypal.advance(LIFE)
    assert (await pay(client)).status_code == 201
    assert keys(wire) == ["order-1"] * 2
    assert len(await paypal.effects()) == 1


async def test_a_client_that_watches_the_clock_does_not_begin_with_an_old_token(paypal: Provider, wire: Wire) -> None:
    """It fetches another one before the PSP has to say so."""
    now = [0.0]
    credentials = PAYPAL.clients["tenant-a"].split(":")
    auth = ClientCredentials(f"{paypal.base_url}/v1/oauth2/token", *credentials, clock=lambda: now[0])
    async with httpx.AsyncClient(base_url=paypal.base_url, auth=auth, transport=wire) as client:
        await client.get("/payments/none")
        now[0] = LIFE - 29.0
        await paypal.advance(LIFE)
        assert (await pay(client)).status_code == 201
        assert keys(wire) == ["order-1"]
