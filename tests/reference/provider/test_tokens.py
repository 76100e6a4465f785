"""OAuth 2 for a client's credentials: grants, refusals, expiry, and keys that outlive a token."""

from __future__ import annotations

import base64

import httpx
import pytest

from psp_harness.model import Answer, Request
from psp_harness.profile import load
from psp_harness.reference.provider import asgi, build
from psp_harness.subjects import hosting
from reference.provider.asking import Begin, Caller, Clock, body

GRANT = b"grant_type=client_credentials"
ROUTE = "/v1/oauth2/token"
MONEY = {"amount": 1000, "currency": "EUR"}


@pytest.fixture
def store_address() -> str:
    """Nothing of a token is kept."""
    return "memory"


def basic(client: str) -> tuple[bytes, bytes]:
    """The header line of an id and a secret."""
    return b"Authorization", b"Basic " + base64.b64encode(client.encode())


async def asked(caller: Caller, *lines: tuple[bytes, bytes], form: bytes = GRANT) -> Answer:
    """What a request for a token is answered."""
    return await caller.send(Request("POST", ROUTE, lines, form))


async def token(caller: Caller, tenant: str = "tenant-a") -> bytes:
    """A token of that tenant."""
    granted = body(await asked(caller, basic(caller.profile.clients[tenant])))
    assert isinstance(granted, dict)
    assert (granted["token_type"], granted["expires_in"]) == ("Bearer", 31349)
    return str(granted["access_token"]).encode()


async def pay(caller: Caller, bearer: bytes, key: str = "k") -> Answer:
    """A payment of 10.00 as the bearer of a token."""
    request = caller.request("create-payment", key, MONEY)
    others = tuple(line for line in request.headers if line[0] != b"Authorization")
    return await caller.send(
        Request("POST", request.target, ((b"Authorization", b"Bearer " + bearer), *others), request.body)
    )


async def test_a_refreshed_token_keeps_the_scope_of_its_keys(begin: Begin, clock: Clock) -> None:
    """An expired one is 401 and executes nothing; the retry under the next one gets the first answer."""
    shop = begin("paypal", credentials={})
    first = await token(shop)
    paid = await pay(shop, first)
    assert paid.status == 201
    clock.now += 20_000
    assert (await pay(shop, first)).body == paid.body
    clock.now += 11_349
    expired = await pay(shop, first, "another")
    assert (expired.status, body(expired)) == (
        401,
        {"error": "invalid_token", "error_description": "the token has expired: get another one"},
    )
    assert len(await shop.provider.effects()) == 1


async def test_a_retry_under_the_next_token_is_replayed(begin: Begin, clock: Clock) -> None:
    """Within the life of the key: the token is refreshed early."""
    shop = begin("paypal", credentials={})
    paid = await pay(shop, await token(shop))
    clock.now += 3600
    assert (await pay(shop, await token(shop))).body == paid.body
    assert (await pay(shop, await token(shop, "tenant-b"))).body != paid.body
    assert len(await shop.provider.effects()) == 2


@pytest.mark.parametrize(
    ("lines", "form", "status", "error"),
    [
        ((), GRANT, 401, "invalid_client"),
        ((basic("psp-harness-client-a:wrong"),), GRANT, 401, "invalid_client"),
        ((basic("a:b"), basic("psp-harness-client-a:no-secret-of-client-a")), GRANT, 401, "invalid_client"),
        ((basic("psp-harness-client-a:no-secret-of-client-a"),), b"", 400, "invalid_request"),
        ((basic("psp-harness-client-a:no-secret-of-client-a"),), b"\xff", 400, "invalid_request"),
        ((basic("psp-harness-client-a:no-secret-of-client-a"),), b"grant_type=password", 400, "unsupported_grant_type"),
    ],
)
async def test_a_refused_grant(
    lines: tuple[tuple[bytes, bytes], ...], form: bytes, status: int, error: str, begin: Begin
) -> None:
    """RFC 6749 §5.2: why, and how to say who one is."""
    refused = await asked(begin("paypal"), *lines, form=form)
    told = body(refused)
    assert isinstance(told, dict)
    assert (refused.status, told["error"]) == (status, error)
    assert bool(refused.lines("www-authenticate")) == (status == 401)


@pytest.mark.parametrize(
    "change",
    [lambda t: t[:-1] + (b"0" if t[-1:] != b"0" else b"1"), lambda _: b"x", lambda t: b"eA" + t[t.index(b".") :]],
)
async def test_a_token_that_is_not_ours_is_refused(change: object, begin: Begin) -> None:
    """One character is another; it is none; it is another tenant's in name."""
    shop = begin("paypal", credentials={})
    assert callable(change)
    assert (await pay(shop, change(await token(shop)))).status == 401


async def test_a_psp_without_tokens_has_no_such_route(begin: Begin) -> None:
    """401, as every request of somebody unknown."""
    assert (await asked(begin("generic"), basic("a:b"))).status == 401


async def test_tokens_over_http() -> None:
    """As a client gets and uses them, against another process's clock."""
    facts = load("paypal")
    client = tuple(facts.clients["tenant-a"].split(":"))
    async with hosting.in_thread(asgi(build(facts, credentials={}))) as url, httpx.AsyncClient(base_url=url) as http:
        granted = await http.post(ROUTE, data={"grant_type": "client_credentials"}, auth=(client[0], client[1]))
        assert (granted.status_code, granted.headers["cache-control"]) == (200, "no-store")
        headers = {"authorization": f"Bearer {granted.json()['access_token']}", "paypal-request-id": "k"}
        assert (await http.post("/payments", json=MONEY, headers=headers)).status_code == 201
        await http.post("/psp-harness/clock", json={"advance": granted.json()["expires_in"]})
        assert (await http.post("/payments", json=MONEY, headers=headers)).status_code == 401
