"""B11: a quota is used up. 429 says when to come again; the key is kept, and is not used up by having been refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from integration.psps import Provider
from integration.shops import Running, serving
from psp_harness.reference.shop.settings import Settings

pytestmark = pytest.mark.integration

MINUTE = 60


async def test_a_payment_that_was_turned_away_is_made_later_under_the_same_key(
    told: Running, provider: Provider
) -> None:
    """The customer is told when to come again."""
    await provider.limit(0, MINUTE)
    answer = await told.pay()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, str(MINUTE))
    (before,) = (await told.state())["orders"]
    assert (before["status"], before["in_doubt"]) == ("created", 0)
    await provider.unlimit()
    order_id = await told.paid()
    assert order_id == before["id"]
    assert [effect["id"] for effect in await provider.effects()] == [order_id]


async def test_a_refund_that_was_turned_away_is_picked_up_when_the_quota_allows(
    told: Running, provider: Provider
) -> None:
    """With its own key; and until then the PSP is not asked for anything else, either."""
    orders = [await told.paid(f"cart-{number}") for number in range(2)]
    await provider.limit(0, MINUTE)
    for order_id in orders:
        assert (await told.refund(order_id, 6540)).status_code == 503
    found = await told.reconcile()
    assert (found["settled"], len(found["open"]), found["retry_after_seconds"]) == ([], 1, MINUTE)  # type: ignore[arg-type]
    await provider.unlimit()
    found = await told.reconcile()
    assert sorted(effect["id"] for effect in await provider.effects("refund")) == sorted(found["settled"])  # type: ignore[call-overload]
    assert len(await provider.effects("refund")) == 2


async def test_what_is_let_in_is_done_once_and_the_rest_not_at_all(told: Running, provider: Provider) -> None:
    """Of ten that come together, three; the others when they come again."""
    await provider.limit(3, MINUTE)
    answers = await asyncio.gather(*(told.pay(f"cart-{number}") for number in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [503] * 7
    assert len(await provider.effects()) == 3
    await provider.unlimit()
    for number in range(10):
        await told.paid(f"cart-{number}")
    assert len(await provider.effects()) == 10


async def test_the_quota_is_over_when_its_time_is(told: Running, provider: Provider) -> None:
    """By the PSP's clock."""
    await provider.limit(1, MINUTE)
    await told.paid("cart-1")
    assert (await told.pay("cart-2")).status_code == 503
    await provider.advance(MINUTE)
    await told.paid("cart-2")


async def test_the_shops_own_limit_is_shared_by_its_processes(
    settings: Settings, provider: Provider, redis: str
) -> None:
    """Through Redis; whoever is over it is told so, and the PSP is not asked."""
    limited = replace(settings, redis_url=redis, payments_each_minute=3)
    async with serving(limited) as one, serving(limited) as other:
        answers = [await (one, other)[number % 2].pay(f"cart-{number}") for number in range(8)]
        turned_away = [answer for answer in answers if answer.status_code == 429]
        assert len(turned_away) >= 2  # a minute may have ended between two of them
        assert all(0 < int(answer.headers["retry-after"]) <= MINUTE for answer in turned_away)
    assert len(await provider.effects()) == len(answers) - len(turned_away)
