"""B12: a payment stays `processing`; whoever waits for it waits with a bound, and is told how it stands."""

from __future__ import annotations

import asyncio

import pytest

from integration.psps import Provider
from integration.shops import Running, serving, until
from psp_harness.reference.shop.settings import Settings

pytestmark = pytest.mark.integration

MINUTE = 60


async def test_who_waits_is_told_when_it_is_paid(settings: Settings, provider: Provider) -> None:
    """By asking alone: no webhook comes."""
    await provider.bank(takes=MINUTE)
    async with serving(settings) as shop:
        answer = await shop.pay()
        assert (answer.status_code, answer.json()["status"]) == (202, "processing")
        order_id = answer.json()["id"]
        waiting = asyncio.create_task(shop.http.get(f"/api/v1/orders/{order_id}?wait=20"))
        await provider.advance(MINUTE)
        told = await waiting
        assert (told.status_code, told.json()["status"], told.json()["captured"]) == (200, "paid", 6540)
    assert len(await provider.effects()) == 1


@pytest.mark.parametrize("wait", ["0", "0.3", "-1", "soon"])
async def test_who_waits_does_not_wait_for_ever(wait: str, settings: Settings, provider: Provider) -> None:
    """After the bound it is told as it stands: open, with the money in doubt."""
    await provider.bank(takes=MINUTE)
    async with serving(settings) as shop:
        order_id = (await shop.pay()).json()["id"]
        async with asyncio.timeout(10):
            told = await shop.http.get(f"/api/v1/orders/{order_id}", params={"wait": wait})
        assert (told.status_code, told.json()["status"], told.json()["in_doubt"]) == (202, "processing", 6540)


async def test_a_payment_that_fails_later_is_failed(settings: Settings, provider: Provider) -> None:
    """And moved nothing."""
    await provider.bank(takes=MINUTE, yes=False)
    async with serving(settings) as shop:
        order_id = (await shop.pay()).json()["id"]
        assert (await shop.reconcile())["open"] == {order_id: "it is processing"}
        await provider.advance(MINUTE)
        assert (await shop.reconcile())["settled"] == [order_id]
        assert (await shop.order(order_id))["status"] == "failed"
    assert await provider.effects() == []


async def test_a_webhook_ends_the_waiting_too(told: Running, provider: Provider) -> None:
    """Whichever is first."""
    await provider.bank(takes=MINUTE)
    order_id = (await told.pay()).json()["id"]
    await provider.advance(MINUTE)
    await until(lambda: told.order(order_id), lambda seen: seen["status"] == "paid")
    assert (await told.reconcile())["settled"] == []


async def test_a_refund_that_settles_later_is_looked_after(told: Running, provider: Provider) -> None:
    """Until then it counts as gone, and is not asked for again."""
    order_id = await told.paid()
    await provider.bank(takes=0, refunds_take=MINUTE)
    refund = await told.refund(order_id, 6540)
    assert (refund.status_code, refund.json()["status"]) == (202, "pending")
    assert (await told.refund(order_id, 1, "r-2")).status_code == 422
    await told.reconcile()
    await provider.advance(MINUTE)
    await told.reconcile()
    assert (await told.order(order_id))["refunded"] == 6540
    assert len(await provider.effects("refund")) == 1
