"""B3: money goes out under its own key: once, retried, refused, and sent back."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from integration.shops import Running
from psp_harness.pytest_plugin.psp import Psp
from psp_harness.reference.shop import open_shop
from psp_harness.reference.shop.hyperswitch import HyperswitchOfShop
from psp_harness.reference.shop.settings import Settings
from reference.shop.selling import of_payout

pytestmark = [pytest.mark.integration, pytest.mark.psp(profile="hyperswitch")]


async def pay_out(shop: Running, request: str = "payroll-1", **more: object) -> httpx.Response:
    """50.00 EUR to whom the token stands for."""
    body = {"request": request, "amount": 5000, "currency": "EUR", "destination": "tok_1", **more}
    return await shop.http.post("/api/v1/payouts", json=body)


def went_out(psp: Psp) -> list[tuple[str, int]]:
    """The payouts that happened."""
    return [(effect.id, effect.amount) for effect in psp.effects if effect.kind == "payout"]


def keys(psp: Psp) -> list[str]:
    """The keys of the requests for payouts, in order, as they are on the wire."""
    asked = [each.request for each in psp.exchanges if each.request and each.request.target == "/payouts/create"]
    return [value.decode() for request in asked for value in request.lines("Idempotency-Key")]


async def test_a_payout_goes_out_under_the_id_of_its_row(shop: Running, psp: Psp) -> None:
    """In the header, and as the PSP's id of it."""
    answer = await pay_out(shop)
    payout = answer.json()
    assert (answer.status_code, payout["status"]) == (201, "succeeded")
    assert keys(psp) == [payout["id"]]
    assert went_out(psp) == [(payout["id"], 5000)]


async def test_a_payroll_that_is_run_twice_pays_once(shop: Running, psp: Psp) -> None:
    """Ten times, together."""
    answers = await asyncio.gather(*(pay_out(shop) for _ in range(10)))
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(keys(psp)) == len(went_out(psp)) == 1


async def test_two_payouts_of_one_amount_are_two(shop: Running, psp: Psp) -> None:
    """Each with its own key."""
    await asyncio.gather(*(pay_out(shop, f"payroll-{number}") for number in range(2)))
    assert len(set(keys(psp))) == len(went_out(psp)) == 2


@pytest.mark.parametrize("gone", [True, False])
async def test_a_payout_in_doubt_is_picked_up_with_its_own_key(
    gone: bool, shop: Running, database: str, psp: Psp
) -> None:
    """The shop died over it, before or after the PSP was asked: it is read first, and asked for where there is none."""
    dead = open_shop(Settings(psp.base_url, psp.token, database_url=database))
    payout, _ = dead.payouts.open_payout("payroll-1", amount=5000, currency="EUR", destination="tok_1")
    dead.close()
    if gone:
        with HyperswitchOfShop(psp.base_url, psp.token) as client:
            client.create_payout(payout.id, amount=5000, currency="EUR", destination="tok_1")
    assert (await pay_out(shop)).status_code == 202
    assert (await shop.reconcile())["settled"] == [payout.id]
    assert (await pay_out(shop)).json()["status"] == "succeeded"
    assert (keys(psp), went_out(psp)) == ([payout.id], [(payout.id, 5000)])


async def test_a_payout_that_is_refused_is_failed_and_says_so(shop: Running, psp: Psp) -> None:
    """Nothing went out; another one is another row with another key."""
    refused = await pay_out(shop, destination="declined")
    assert refused.json()["status"] == "failed"
    assert went_out(psp) == []
    assert (await pay_out(shop, "payroll-1-again")).json()["status"] == "succeeded"
    assert len(set(keys(psp))) == 2


async def test_a_payout_that_comes_back_is_reversed(shop: Running, psp: Psp) -> None:
    """Told by a webhook, once for all; what is told late of its success changes nothing."""
    payout = (await pay_out(shop)).json()
    for number, status in enumerate(("reversed", "success", "initiated")):
        assert (await shop.deliver(of_payout(f"evt_{number}", payout["id"], status))).status_code == 200
    assert (await shop.http.get(f"/api/v1/payouts/{payout['id']}")).json()["status"] == "reversed"
