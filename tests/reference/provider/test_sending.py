"""Webhooks over real sockets: what is told, how often, when, and to whom."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from psp_harness.errors import UsageError
from psp_harness.profile import Profile, load, names
from psp_harness.reference.provider import Provider, asgi, build
from psp_harness.reference.provider.keys import Claim
from psp_harness.reference.provider.ledger import Place
from psp_harness.reference.provider.stores import Decide, StoreUnavailable
from psp_harness.signing import Genuine, Unproved
from psp_harness.subjects import hosting
from reference.provider.asking import HOUR, Begin, Caller, Clock
from reference.provider.listening import Endpoint, listening


@pytest.fixture
def store_address() -> str:
    """In memory, but where a test asks for a store that outlives a process."""
    return "memory"


@pytest_asyncio.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    """One that takes everything."""
    async with listening() as one:
        yield one


async def telling(begin: Begin, endpoint: Endpoint, profile: str = "generic", **options: object) -> Caller:
    """A provider whose webhooks go there."""
    caller = begin(profile, **options)
    await caller.provider.webhooks.register(endpoint.url)
    return caller


def chosen(facts: Profile) -> bool:
    """Whether it tells of payments, and not by RSA, whose key a test would have to make."""
    hooks = facts.webhooks
    return hooks is not None and "payment-succeeded" in hooks.events and not hooks.signature.asymmetric


@pytest.mark.parametrize("name", [name for name in names() if chosen(load(name))])
async def test_a_payment_is_told_as_its_psp_tells_it(name: str, begin: Begin, endpoint: Endpoint, clock: Clock) -> None:
    """Once, in the profile's body, under a signature that proves it; the values are those of the payment."""
    shop = await telling(begin, endpoint, name)
    payment = await shop.paid(1050)
    await shop.provider.webhooks.settled()
    assert len(endpoint.arrived) == 1
    assert isinstance(endpoint.proved(shop.profile, clock.now), Genuine | Unproved)
    if shop.profile.webhooks and shop.profile.webhooks.says("amount"):
        ((means, values),) = endpoint.told(shop.profile)
        assert (means, values["id"], values["amount"], values["currency"]) == (
            "payment-succeeded",
            payment,
            1050,
            "EUR",
        )
    await shop.provider.close()


async def test_every_change_of_state_is_told_once(begin: Begin, endpoint: Endpoint) -> None:
    """Held, taken in part, given up, declined and given back; in the order in which it happened."""
    shop = await telling(begin, endpoint, "hyperswitch")
    held = shop.id_of("create-payment", await shop.pay(capture="manual"))
    await shop.send(shop.request("capture-payment", None, {"payment_id": held, "amount": 400}))
    given_up = shop.id_of("create-payment", await shop.pay(capture="manual"))
    await shop.send(shop.request("cancel-payment", None, {"payment_id": given_up}))
    await shop.refund(held, 150)
    await shop.provider.webhooks.settled()
    told = [(values.get("id", ""), means) for means, values in endpoint.told(shop.profile)]
    assert [means for id_, means in told if id_ == held] == ["payment-authorized", "payment-captured"]
    assert [means for id_, means in told if id_ == given_up] == ["payment-authorized", "payment-cancelled"]
    assert [values["amount"] for means, values in endpoint.told(shop.profile) if means == "refund-succeeded"] == [150]
    assert [values["captured"] for means, values in endpoint.told(shop.profile) if means == "payment-captured"] == [400]
    await shop.provider.close()


async def test_a_decline_is_told(begin: Begin, endpoint: Endpoint) -> None:
    """Also where the answer was a refusal."""
    shop = await telling(begin, endpoint, "stripe")
    await shop.pay(token="pm_card_visa_chargeDeclined", capture="automatic")
    await shop.provider.webhooks.settled()
    assert endpoint.means(shop.profile) == ["payment-failed"]
    await shop.provider.close()


async def test_a_refund_that_fails_later_is_told_then(begin: Begin, endpoint: Endpoint) -> None:
    """Nobody asks anything meanwhile: time alone brings it."""
    shop = await telling(begin, endpoint, "stripe")
    payment = shop.id_of("create-payment", await shop.pay(token="pm_card_refundFail", capture="automatic"))
    await shop.refund(payment, 1000)
    await shop.provider.advance(HOUR - 1)
    assert endpoint.means(shop.profile) == ["payment-succeeded", "refund-succeeded"]
    await shop.provider.advance(1)
    await shop.provider.webhooks.settled()
    assert endpoint.means(shop.profile) == ["payment-succeeded", "refund-succeeded", "refund-failed"]
    await shop.provider.close()


async def test_the_schedule_of_the_psp_runs_in_virtual_time(begin: Begin, endpoint: Endpoint, clock: Clock) -> None:
    """Hyperswitch: 17 deliveries of the same bytes in 24 hours and a minute, and then no more."""
    endpoint.always = 500
    shop = await telling(begin, endpoint, "hyperswitch")
    await shop.paid()
    await shop.provider.advance(30 * HOUR)
    assert len({(request.headers, request.body) for request in endpoint.arrived}) == 1
    assert isinstance(endpoint.proved(shop.profile, clock.now), Genuine)
    facts = shop.profile.webhooks
    assert facts is not None
    times = [attempt.at for attempt in await shop.provider.webhooks.sent()]
    assert len(times) == len(endpoint.arrived) == 17
    waits = [round(later - earlier) for earlier, later in itertools.pairwise(times)]
    assert waits == list(facts.retry_seconds)
    assert await shop.provider.webhooks.waiting() == []
    await shop.provider.close()


async def test_what_is_signed_anew_keeps_its_id_and_its_body(begin: Begin, endpoint: Endpoint, clock: Clock) -> None:
    """Standard Webhooks: the third delivery has a time and a signature of its own, which are right then."""
    endpoint.statuses = [500, 503]
    shop = await telling(begin, endpoint)
    await shop.paid()
    await shop.provider.advance(HOUR)
    first, _, third = endpoint.arrived
    assert (first.body, first.lines("webhook-id")) == (third.body, third.lines("webhook-id"))
    assert first.lines("webhook-signature") != third.lines("webhook-signature")
    assert first.lines("delivery-id") != third.lines("delivery-id")
    assert isinstance(endpoint.proved(shop.profile, clock.now + 305, 2), Genuine)
    assert [attempt.outcome for attempt in await shop.provider.webhooks.sent()] == ["500", "503", "200"]
    await shop.provider.advance(100 * HOUR)
    assert len(endpoint.arrived) == 3
    await shop.provider.close()


@pytest.mark.parametrize("how", [{"always": 302, "location": "/webhooks"}, {"always": 404}, {"hangs": True}])
async def test_whatever_is_no_2xx_is_not_taken(begin: Begin, how: dict[str, object]) -> None:
    """A redirect is not followed, and who does not answer is not waited for."""
    async with listening(**how) as endpoint:
        shop = begin()
        shop.provider.webhooks.patience = 0.1
        await shop.provider.webhooks.register(endpoint.url)
        await shop.paid()
        await shop.provider.webhooks.settled()
        assert len(endpoint.arrived) == 1
        assert [sending.number for sending in await shop.provider.webhooks.waiting()] == [2]
        await shop.provider.close()


async def test_an_endpoint_that_is_not_there_is_tried_again(begin: Begin) -> None:
    """Nobody listens at first."""
    shop = begin()
    async with listening() as endpoint:
        pass
    await shop.provider.webhooks.register(endpoint.url)
    await shop.paid()
    await shop.provider.webhooks.settled()
    assert [attempt.outcome for attempt in await shop.provider.webhooks.sent()] == ["ConnectError"]
    await shop.provider.close()


async def test_requests_do_not_wait_for_webhooks(begin: Begin) -> None:
    """Twenty payments are answered while the endpoint answers nothing, a few deliveries are under way, and it ends."""
    async with listening(hangs=True) as endpoint:
        shop = await telling(begin, endpoint)
        began = time.monotonic()
        for _ in range(20):
            await shop.paid()
        await shop.provider.close()
        assert time.monotonic() - began < 4
        assert len(endpoint.arrived) <= 8


async def test_nothing_is_told_of_before_it_is_asked_for(begin: Begin, endpoint: Endpoint, clock: Clock) -> None:
    """Of payments before the endpoint was registered, of another tenant's, and after it was removed."""
    shop = begin()
    await shop.paid()
    clock.now += 1
    await shop.provider.webhooks.register(endpoint.url)
    await replace(shop, tenant="tenant-b").paid()
    await shop.provider.webhooks.settled()
    assert endpoint.arrived == []
    clock.now += 1
    await shop.provider.webhooks.remove(endpoint.url)
    await shop.paid()
    await shop.provider.webhooks.settled()
    assert endpoint.arrived == []
    await shop.provider.close()


async def test_a_second_tenant_has_its_own_secret_and_endpoint(begin: Begin, endpoint: Endpoint, clock: Clock) -> None:
    """What is signed for one does not prove anything to the other."""
    shop = begin()
    await shop.provider.webhooks.register(endpoint.url, "tenant-b")
    await replace(shop, tenant="tenant-b").paid()
    await shop.provider.webhooks.settled()
    assert len(endpoint.arrived) == 1
    assert not isinstance(endpoint.proved(shop.profile, clock.now), Genuine)
    await shop.provider.close()


@pytest.mark.parametrize(
    ("profile", "url", "secret", "said"),
    [
        ("generic", "http://example.org/webhooks", None, "not loopback"),
        ("generic", "ftp://127.0.0.1/", None, "no URL of HTTP"),
        ("generic", "http://[::1/", None, "no URL"),
        ("generic", "http://127.0.0.1:1/", "whsec_%%%", "no secret"),
        ("paypal", "http://127.0.0.1:1/", None, "no secret"),
        ("ietf-draft", "http://127.0.0.1:1/", None, "does not say how webhooks are delivered"),
    ],
)
async def test_a_wrong_endpoint_is_refused(profile: str, url: str, secret: str | None, said: str, begin: Begin) -> None:
    """One clear error, and nothing is registered."""
    with pytest.raises(UsageError, match=said):
        await begin(profile).provider.webhooks.register(url, secret=secret)


async def test_a_store_that_does_not_answer_costs_no_event(begin: Begin, endpoint: Endpoint) -> None:
    """Neither before a delivery, nor when it was taken: it is sent, perhaps again, and the request was answered."""
    shop = await telling(begin, endpoint)
    store = shop.provider.webhooks._store
    complete, left = store.complete, ["attempt", "outcome"]

    async def failing(claim: Claim | None, place: Place, decide: Decide) -> object:
        if place.kind in left:
            left.remove(place.kind)
            raise StoreUnavailable(place.kind)
        return await complete(claim, place, decide)

    store.complete = failing  # type: ignore[method-assign,assignment]
    await shop.paid()
    await until(lambda: not left)
    await shop.provider.advance(HOUR)
    assert endpoint.means(shop.profile) == ["payment-succeeded"] * 2
    assert [attempt.outcome for attempt in await shop.provider.webhooks.sent()] == [None, "200"]
    await shop.provider.close()


# --- more lives than one ----------------------------------------------------------------------------------------------


async def test_what_was_not_taken_is_sent_by_the_next_life(shared_store: str) -> None:
    """The endpoint is down, the provider ends, and both come back: the same event, under the same id."""
    facts = load("generic")
    first = build(facts, shared_store)
    async with listening(always=500) as endpoint:
        await first.webhooks.register(endpoint.url)
        await Caller(facts, first).paid()
        await first.webhooks.settled()
        await first.close()
        endpoint.always = 200
        second = build(facts, shared_store)
        await second.start()
        await second.advance(10)
        assert len(endpoint.arrived) == 2
        assert len({request.lines("webhook-id")[0] for request in endpoint.arrived}) == 1
        await second.advance(100 * HOUR)
        assert len(endpoint.arrived) == 2
        await second.close()


async def test_the_schedule_goes_on_in_the_next_life(shared_store: str) -> None:
    """Time that was advanced is not gone back to: what is due in an hour is due in an hour."""
    facts = load("generic")
    first = build(facts, shared_store)
    async with listening(always=500) as endpoint:
        await first.advance(100 * HOUR)
        await first.webhooks.register(endpoint.url)
        await Caller(facts, first).paid()
        await first.webhooks.settled()
        await first.close()
        second = build(facts, shared_store)
        await second.start()
        await second.advance(10)
        assert len(endpoint.arrived) == 2
        await second.close()


async def test_a_provider_that_is_killed_sends_what_it_owes(tmp_path: Path) -> None:
    """Over a process: it dies with an event that was not taken, and tells it when it is started again."""
    from psp_harness.subjects.reference_provider import asked_for, serving

    facts = load("generic")
    async with listening(always=500) as endpoint:
        address = f"provider?webhooks={endpoint.url}&store=sqlite:{tmp_path / 'books.db'}"
        async with (
            serving(facts, facts.credentials, asked_for(address)) as (base_url, restart),
            httpx.AsyncClient() as http,
        ):
            headers = {"authorization": "Bearer tenant-a", "idempotency-key": "k"}
            paid = await http.post(f"{base_url}/payments", json={"amount": 5, "currency": "EUR"}, headers=headers)
            assert paid.status_code == 201
            await until(lambda: len(endpoint.arrived) == 1)
            assert restart is not None
            await restart()
            endpoint.always = 200
            assert (await http.post(f"{base_url}/psp-harness/clock", json={"advance": 10})).status_code == 204
            await until(lambda: len(endpoint.arrived) == 2)
            assert endpoint.means(facts) == ["payment-succeeded"] * 2
            assert endpoint.arrived[0].lines("webhook-id") == endpoint.arrived[1].lines("webhook-id")


async def test_two_providers_over_one_store_deliver_once(shared_store: str, endpoint: Endpoint) -> None:
    """An attempt is entered before it is made, so only one of them makes it."""
    facts = load("generic")
    first, second = (Caller(facts, build(facts, shared_store)) for _ in range(2))
    for caller in (first, second):
        await caller.provider.webhooks.register(endpoint.url)
    payments = [await caller.paid() for caller in (first, second) for _ in range(5)]
    await asyncio.gather(first.provider.webhooks.settled(), second.provider.webhooks.settled())
    await asyncio.gather(first.provider.webhooks.settled(), second.provider.webhooks.settled())
    assert sorted(values["id"] for _, values in endpoint.told(first.profile)) == sorted(payments)
    for caller in (first, second):
        await caller.provider.close()


# --- by its routes ----------------------------------------------------------------------------------------------------


async def until(holds: object) -> None:
    """Return when it does."""
    async with asyncio.timeout(20):
        while not holds():  # type: ignore[operator]
            await asyncio.sleep(0.01)


async def test_endpoints_are_registered_over_http(endpoint: Endpoint) -> None:
    """A payment over HTTP is delivered over HTTP, and the provider says what it sent; no secret is told."""
    facts = load("generic")
    provider: Provider = build(facts)
    async with hosting.in_thread(asgi(provider)) as base_url, httpx.AsyncClient(base_url=base_url) as http:
        where = {"url": endpoint.url, "secret": facts.secrets["tenant-a"]}
        assert (await http.post("/psp-harness/webhooks", json=where)).status_code == 201
        headers = {"authorization": "Bearer tenant-a", "idempotency-key": "k"}
        paid = (await http.post("/payments", json={"amount": 5, "currency": "EUR"}, headers=headers)).json()
        await until(lambda: len(endpoint.arrived) == 1)
        assert (await http.post("/psp-harness/clock", json={"advance": 0})).status_code == 204
        told = await http.get("/psp-harness/webhooks")
        assert facts.secrets["tenant-a"] not in told.text
        ((sent,), waiting) = told.json()["sent"], told.json()["waiting"]
        assert (sent["event"], sent["about"], sent["outcome"]) == ("payment-succeeded", f"payment/{paid['id']}", "200")
        assert waiting == []
        gone = await http.request("DELETE", "/psp-harness/webhooks", json={"url": endpoint.url})
        assert gone.status_code == 204
        assert (await http.get("/psp-harness/webhooks")).json()["endpoints"] == []


@pytest.mark.parametrize("wrong", ["", "{}", '{"url": 3}', '{"url": "http://example.org"}', '{"uri": "x"}', "\ud800"])
async def test_a_wrong_registration_is_400(wrong: str) -> None:
    """With a sentence that says why."""
    transport = httpx.ASGITransport(asgi(build(load("generic"))))
    async with httpx.AsyncClient(transport=transport, base_url="http://provider") as http:
        answer = await http.post("/psp-harness/webhooks", content=wrong.encode("utf-8", "surrogatepass"))
        assert answer.status_code == 400
        assert answer.json()["message"]


def test_a_url_in_an_address_is_looked_at_before_anything_starts() -> None:
    """It is an error of the call, and no application that did not start."""
    with pytest.raises(UsageError, match="not loopback"):
        asgi(build(load("generic")), ["http://example.org/"])
