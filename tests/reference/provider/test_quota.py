"""429: when to come again, and what is left of a key that was turned away."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from psp_harness.profile import load
from psp_harness.reference.provider import asgi, build
from psp_harness.reference.provider.quota import Meter, Quota
from psp_harness.subjects import hosting
from reference.provider.asking import Begin, Clock

AUTH = {"authorization": "Bearer tenant-a"}
MONEY = {"amount": 1000, "currency": "EUR"}


@pytest.fixture
def store_address() -> str:
    """Keys are counted before any store is asked."""
    return "memory"


async def test_a_429_burns_no_key(begin: Begin, clock: Clock) -> None:
    """The key executes when it comes again, under any body, and the earlier one still replays."""
    shop = begin()
    shop.provider.meter.quota = Quota(1, 60)
    first = await shop.pay("k1")
    turned_away = await shop.pay("k2", amount=500)
    assert (first.status, turned_away.status) == (201, 429)
    assert turned_away.lines("retry-after") == [b"60"]
    clock.now += 60
    assert (await shop.pay("k2", amount=700)).status == 201
    clock.now += 60
    assert (await shop.pay("k1")).body == first.body
    assert [effect.amount for effect in await shop.provider.effects()] == [1000, 700]


async def test_who_comes_when_told_is_let_in(begin: Begin, clock: Clock) -> None:
    """Never later than `Retry-After` says, and not much earlier."""
    shop = begin()
    shop.provider.meter.quota = Quota(2, 10)
    for wait in (0.0, 4.5):
        clock.now += wait
        assert (await shop.pay(f"k{wait}")).status == 201
    refused = await shop.pay("k")
    wait = int(refused.lines("retry-after")[0])
    assert wait == 6
    clock.now += wait
    assert (await shop.pay("k")).status == 201
    assert (await shop.pay("k")).status == 429


async def test_one_tenant_does_not_use_up_anothers(begin: Begin) -> None:
    """Nor does anybody who is not known."""
    shop = begin()
    shop.provider.meter.quota = Quota(1, 60)
    assert (await shop.pay()).status == 201
    assert (await replace(shop, tenant="tenant-b").pay()).status == 201


@pytest.mark.parametrize("requests", [0, 3])
def test_requests_that_were_turned_away_are_not_counted(requests: int) -> None:
    """Asking all the time keeps nobody out."""
    meter = Meter(Quota(requests, 10))
    let_in = [meter.count("t", float(now)) is None for now in range(40)]
    assert sum(let_in) == requests * 4


async def test_the_quota_is_set_over_http() -> None:
    """And given up again."""
    async with hosting.in_thread(asgi(build(load("hyperswitch")))) as url, httpx.AsyncClient(base_url=url) as http:
        key = {"api-key": load("hyperswitch").credentials["tenant-a"]}
        assert (await http.post("/psp-harness/quota", json={"requests": 0, "seconds": 2.5})).status_code == 204
        refused = await http.post("/payments", json=MONEY, headers=key)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "3")
        assert "come again in 3 s" in refused.json()["message"]
        assert (await http.delete("/psp-harness/quota")).status_code == 204
        assert (await http.post("/payments", json=MONEY, headers=key)).status_code == 200
        assert (await http.post("/psp-harness/quota", json={"requests": -1, "seconds": 1})).status_code == 400
