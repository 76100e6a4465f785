"""Refunds, against crates/router/src/core/refunds.rs:58-151 and 1280-1480, release 2026.06.25.0."""

from __future__ import annotations

import pytest

from psp_harness.reference.provider.hyperswitch.refunds import DAY, MOST_REFUNDS, SCHEDULED
from reference.provider.asking import Clock
from reference.provider.hyperswitch.shop import Shop


async def test_without_an_amount_it_is_all_that_was_captured(shop: Shop) -> None:
    """Not what is left: after a partial refund such a request asks for too much."""
    paid, other = await shop.paid(), await shop.paid()
    assert (await shop.yes("POST /refunds", {"payment_id": paid["payment_id"]}))["amount"] == 1000
    await shop.yes("POST /refunds", {"payment_id": other["payment_id"], "amount": 1})
    said = await shop.no("POST /refunds", {"payment_id": other["payment_id"]})
    assert said == (400, "IR_13", "The refund amount exceeds the amount captured")


async def test_reason_and_metadata_can_be_changed(shop: Shop) -> None:
    """And nothing else of a refund; what it shows later is what was said last."""
    paid = await shop.paid()
    made = await shop.yes("POST /refunds", {"payment_id": paid["payment_id"], "amount": 5, "reason": "a"})
    one = f"/refunds/{made['refund_id']}"
    changed = await shop.yes(f"POST {one}", {"reason": "b", "metadata": {"row": 1}})
    assert (changed["reason"], changed["metadata"], changed["amount"]) == ("b", {"row": 1}, 5)
    assert await shop.yes(f"GET {one}") == changed
    assert (await shop.no(f"POST {one}", {"amount": 6}))[:2] == (400, "IR_06")
    assert (await shop.no("POST /refunds/none", {}))[:2] == (404, "HE_02")
    shown = (await shop.yes(f"GET /payments/{paid['payment_id']}"))["refunds"]
    assert [each["refund_id"] for each in shown] == [made["refund_id"]]


async def test_a_scheduled_refund_is_pending_until_it_is_executed(shop: Shop, clock: Clock) -> None:
    """Its amount is taken at once all the same."""
    paid = await shop.paid()
    asked = {"payment_id": paid["payment_id"], "amount": 600, "refund_type": "scheduled"}
    made = await shop.yes("POST /refunds", asked)
    assert made["status"] == "pending"
    assert len(await shop.provider.effects()) == 1
    assert (await shop.no("POST /refunds", asked))[:2] == (400, "IR_13")
    clock.now += SCHEDULED
    assert (await shop.yes(f"GET /refunds/{made['refund_id']}"))["status"] == "succeeded"
    assert len(await shop.provider.effects()) == 2


@pytest.mark.parametrize("amount", [0, -1])
async def test_refunds_are_of_something(shop: Shop, amount: int) -> None:
    """IR_05, in the shape of a business rule: the amount could be read."""
    paid = await shop.paid()
    said = await shop.no("POST /refunds", {"payment_id": paid["payment_id"], "amount": amount})
    assert said == (422, "IR_05", "amount contains invalid data. Expected format is positive integer")


async def test_the_count_is_off_by_one(shop: Shop) -> None:
    """At most ten, says the setting; the look comes before the entry and asks for more than ten, so there are eleven."""
    asked = {"payment_id": (await shop.paid())["payment_id"], "amount": 1}
    for _ in range(MOST_REFUNDS + 1):
        await shop.yes("POST /refunds", asked)
    assert await shop.no("POST /refunds", asked) == (400, "IR_12", "Reached maximum refund attempts")


async def test_an_old_payment_is_not_given_back(shop: Shop, clock: Clock) -> None:
    """365 whole days after it was made it still is, a day later not."""
    asked = {"payment_id": (await shop.paid())["payment_id"], "amount": 1}
    clock.now += 366 * DAY - 1
    await shop.yes("POST /refunds", asked)
    clock.now += 1
    assert (await shop.no("POST /refunds", asked))[:2] == (422, "IR_05")


async def test_refunds_are_listed(shop: Shop) -> None:
    """Newest first, of one payment where that is asked, and how many there are in all."""
    first, second = await shop.paid(), await shop.paid()
    made = [
        (await shop.yes("POST /refunds", {"payment_id": of["payment_id"], "amount": 1}))["refund_id"]
        for of in (first, second, second)
    ]
    listed = await shop.yes("POST /refunds/list", {"payment_id": second["payment_id"], "limit": 1})
    assert ([each["refund_id"] for each in listed["data"]], listed["total_count"]) == ([made[2]], 2)
    rest = await shop.yes("POST /refunds/list", {"offset": 1})
    assert [each["refund_id"] for each in rest["data"]] == [made[1], made[0]]
    assert (await shop.no("POST /refunds/list", {"limit": 101}))[:2] == (400, "IR_06")
