"""Odd deliveries: at once, withheld, in reverse, before the answer, and again by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from psp_harness.errors import UsageError
from psp_harness.profile import load
from psp_harness.reference.provider import asgi, build
from psp_harness.reference.provider.sending import Manner
from psp_harness.subjects import hosting
from reference.provider.asking import HOUR, Begin, Caller
from reference.provider.listening import Endpoint, listening


@pytest.fixture
def store_address() -> str:
    """How webhooks come is no matter of what keeps them."""
    return "memory"


@pytest_asyncio.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    """One that takes everything."""
    async with listening() as one:
        yield one


@pytest_asyncio.fixture
async def shop(begin: Begin, endpoint: Endpoint) -> AsyncIterator[Caller]:
    """A caller whose webhooks go there."""
    caller = begin()
    await caller.provider.webhooks.register(endpoint.url)
    yield caller
    await caller.provider.close()


async def test_copies_come_together_and_are_one_delivery(shop: Caller, endpoint: Endpoint) -> None:
    """The same event, id and signature, five times; the schedule counts one."""
    shop.provider.webhooks.manner = Manner(copies=5)
    await shop.paid()
    await shop.provider.webhooks.settled()
    assert len(endpoint.arrived) == 5
    assert len({(request.body, *request.lines("webhook-signature")) for request in endpoint.arrived}) == 1
    assert len(await shop.provider.webhooks.sent()) == 1


async def test_what_is_withheld_comes_when_that_is_over(shop: Caller, endpoint: Endpoint) -> None:
    """A shop that waits for webhooks hears nothing, also after an hour; and then everything."""
    shop.provider.webhooks.manner = Manner(withheld=True)
    payment = await shop.paid()
    await shop.refund(payment, 100)
    await shop.provider.advance(HOUR)
    assert endpoint.arrived == []
    shop.provider.webhooks.manner = Manner(newest_first=True)
    await shop.provider.webhooks.settled()
    assert endpoint.means(shop.profile) == ["refund-succeeded", "payment-succeeded"]


async def test_a_change_is_told_before_it_is_answered(shop: Caller, endpoint: Endpoint) -> None:
    """When the answer is there, the webhook was."""
    shop.provider.webhooks.manner = Manner(before_the_answer=True)
    await shop.paid()
    assert endpoint.means(shop.profile) == ["payment-succeeded"]


async def test_an_event_is_sent_again_by_hand(shop: Caller, endpoint: Endpoint) -> None:
    """Years after it was taken, under its own id."""
    await shop.paid()
    await shop.provider.webhooks.settled()
    ((first,),) = ([attempt.event for attempt in await shop.provider.webhooks.sent()],)
    await shop.provider.advance(10_000 * HOUR)
    await shop.provider.webhooks.redeliver(first)
    assert len({request.lines("webhook-id")[0] for request in endpoint.arrived}) == 1
    assert len(endpoint.arrived) == 2
    with pytest.raises(UsageError, match="no event 'evt_x'"):
        await shop.provider.webhooks.redeliver("evt_x")


async def test_the_manner_is_told_over_http(endpoint: Endpoint) -> None:
    """And what is no manner is 400."""
    app = asgi(build(load("generic")), [endpoint.url])
    async with hosting.in_thread(app) as url, httpx.AsyncClient(base_url=url) as http:
        odd = {"before_the_answer": True, "copies": 2}
        assert (await http.put("/psp-harness/webhooks", json=odd)).status_code == 204
        headers = {"authorization": "Bearer tenant-a", "idempotency-key": "k"}
        await http.post("/payments", json={"amount": 5, "currency": "EUR"}, headers=headers)
        assert len(endpoint.arrived) == 2
        (sent,) = (await http.get("/psp-harness/webhooks")).json()["sent"]
        again = await http.post("/psp-harness/webhooks/redeliver", json={"event_id": sent["event_id"]})
        assert (again.status_code, len(endpoint.arrived)) == (204, 3)
        assert (await http.post("/psp-harness/webhooks/redeliver", json={"event_id": "x"})).status_code == 404
        for wrong in ({"copies": 0}, {"copy": 1}, []):
            assert (await http.put("/psp-harness/webhooks", json=wrong)).status_code == 400
        assert (await http.post("/psp-harness/webhooks/redeliver", json={})).status_code == 400
