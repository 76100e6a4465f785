"""B8: credentials are acquired by OAuth 2 (RFC 6749 §4.4, as PayPal's); a refused grant moves nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
import pytest_asyncio

from integration.plain import PLAIN
from integration.psps import Provider, providing
from psp_harness.profile import load
from psp_harness.reference.client_errors import NotSent
from psp_harness.reference.oauth import ClientCredentials, GrantRefused

pytestmark = pytest.mark.integration

CLIENT = load("paypal").clients["tenant-a"].split(":")
PAYMENT = {"amount": 6540, "currency": "EUR", "reference": "order-1"}


@pytest_asyncio.fixture
async def paypal() -> AsyncIterator[Provider]:
    """A PSP that lets nobody in without a token."""
    async with providing("paypal") as running:
        yield running


def auth(provider: Provider, client: str = CLIENT[0], secret: str = CLIENT[1]) -> ClientCredentials:
    """The access of a client."""
    return ClientCredentials(f"{provider.base_url}/v1/oauth2/token", client, secret)


async def pay(provider: Provider, auth: httpx.Auth | None, key: str = "order-1") -> httpx.Response:
    """A payment under a key."""
    async with httpx.AsyncClient(base_url=provider.base_url, auth=auth, verify=PLAIN) as http:
        return await http.post("/payments", json=PAYMENT, headers={"PayPal-Request-Id": key})


async def test_a_client_gets_in_by_its_id_and_secret(paypal: Provider) -> None:
    """And pays once, however many tokens it has had."""
    answers = [await pay(paypal, auth(paypal)) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {201}
    assert len(await paypal.effects()) == 1


async def test_a_token_is_fetched_once_and_kept(paypal: Provider) -> None:
    """For as long as it lives."""
    shared = auth(paypal)
    answers = [await pay(paypal, shared, key) for key in ("order-1", "order-2")]
    assert len({answer.request.headers["Authorization"] for answer in answers}) == 1
    assert len(await paypal.effects()) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        lambda provider: auth(provider, secret="stolen and withdrawn"),
        lambda provider: auth(provider, client="nobody"),
        lambda provider: auth(provider, client="", secret=""),
    ],
)
async def test_a_refused_grant_moves_nothing(wrong: Callable[[Provider], ClientCredentials], paypal: Provider) -> None:
    """It is an error that says that nothing was sent, and neither id nor secret."""
    with pytest.raises(GrantRefused, match="401 invalid_client") as refused:
        await pay(paypal, wrong(paypal))
    assert isinstance(refused.value, NotSent)
    assert "withdrawn" not in f"{refused.value!r}{wrong(paypal)!r}"
    assert await paypal.effects() == []


async def test_what_is_no_token_route_grants_nothing(paypal: Provider) -> None:
    """An answer that is not understood is none."""
    lost = ClientCredentials(f"{paypal.base_url}/health", *CLIENT)
    with pytest.raises(GrantRefused, match="no token was granted"):
        await pay(paypal, lost)
    assert await paypal.effects() == []


async def test_without_a_token_nobody_is_let_in(paypal: Provider) -> None:
    """Nor with somebody's own invention."""
    assert (await pay(paypal, None)).status_code == 401
    async with httpx.AsyncClient(base_url=paypal.base_url, verify=PLAIN) as http:
        headers = {"PayPal-Request-Id": "order-1", "Authorization": "Bearer dGVuYW50LWE.9999999999.x.00"}
        assert (await http.post("/payments", json=PAYMENT, headers=headers)).status_code == 401
    assert await paypal.effects() == []


async def test_two_that_fetch_a_token_at_once_both_get_in(paypal: Provider) -> None:
    """And a key of theirs is one key."""
    shared = auth(paypal)
    answers = await asyncio.gather(*(pay(paypal, shared) for _ in range(5)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len(await paypal.effects()) == 1
