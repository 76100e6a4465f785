"""B2: refunds, full, partial, several, refused, lost, and submitted twice; the key of each is its row's id."""

from __future__ import annotations

import asyncio

import pytest

from integration.shops import Running
from psp_harness.pytest_plugin.psp import Psp

pytestmark = [pytest.mark.integration, pytest.mark.psp(profile="hyperswitch")]

REFUND = "create-refund"


def given_back(psp: Psp) -> list[int]:
    """The amounts of the refunds that happened."""
    return sorted(effect.amount for effect in psp.effects if effect.kind == "refund")


async def test_a_full_refund_leaves_nothing(shop: Running, psp: Psp) -> None:
    """Its key is the id of its row, and so is the PSP's id of it."""
    order_id = await shop.paid()
    refund = (await shop.refund(order_id, 6540)).json()
    assert (refund["status"], refund["psp_id"]) == ("succeeded", refund["id"])
    psp.assert_key(refund["id"], REFUND)
    assert (await shop.order(order_id))["refunded"] == 6540
    assert (await shop.refund(order_id, 1, "r-2")).status_code == 422


async def test_partial_refunds_are_each_a_refund(shop: Running, psp: Psp) -> None:
    """Also of the same amount: each its row, each its key."""
    order_id = await shop.paid()
    for number in range(3):
        assert (await shop.refund(order_id, 2180, f"r-{number}")).status_code == 201
    assert given_back(psp) == [2180, 2180, 2180]
    psp.assert_keys_unlike(REFUND)


async def test_a_refund_that_is_submitted_twice_is_one(shop: Running, psp: Psp) -> None:
    """Ten times, together."""
    order_id = await shop.paid()
    answers = await asyncio.gather(*(shop.refund(order_id, 1000) for _ in range(10)))
    assert len({answer.json()["id"] for answer in answers}) == 1
    psp.assert_attempts(1, REFUND)
    assert given_back(psp) == [1000]


async def test_refunds_together_never_exceed_what_was_captured(shop: Running, psp: Psp) -> None:
    """Though the PSP would let them: its race is known (#13182)."""
    order_id = await shop.paid()
    answers = await asyncio.gather(*(shop.refund(order_id, 3000, f"r-{number}") for number in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 422, 422, 422, 422]
    assert given_back(psp) == [3000, 3000]


@pytest.mark.parametrize("amount", [6540, 3000])
@pytest.mark.parametrize("lost", ["response-lost", "request-lost"])
async def test_a_refund_in_doubt_is_picked_up_with_its_own_key(lost: str, amount: int, shop: Running, psp: Psp) -> None:
    """The PSP refuses the repeat of a full one as too much (IR_13), of a partial one as a duplicate (HE_01)."""
    order_id = await shop.paid()
    psp.strike(lost, REFUND)
    assert (await shop.refund(order_id, amount)).status_code == 202
    assert (await shop.order(order_id))["in_doubt"] == amount
    await shop.reconcile()
    order = await shop.order(order_id)
    assert (order["refunded"], order["in_doubt"]) == (amount, 0)
    assert given_back(psp) == [amount]
    assert len(set(psp.keys(REFUND))) == 1


async def test_a_refund_in_doubt_is_not_given_out_again(shop: Running, psp: Psp) -> None:
    """Who asks for another one meanwhile is refused what may be gone."""
    order_id = await shop.paid()
    psp.lose_answer(REFUND)
    await shop.refund(order_id, 6540)
    assert (await shop.refund(order_id, 6540, "r-2")).status_code == 422
    assert (await shop.refund(order_id, 6540)).status_code == 202
    psp.assert_attempts(1, REFUND)


async def test_a_refund_that_the_psp_refuses_is_over(shop: Running, psp: Psp) -> None:
    """The amount is free again, for another row with another key."""
    order_id = await shop.paid()
    psp.answer(400, REFUND)
    assert (await shop.refund(order_id, 6540)).status_code == 502
    assert (await shop.refund(order_id, 6540, "r-2")).status_code == 201
    psp.assert_keys_unlike(REFUND)
    assert given_back(psp) == [6540]


async def test_an_order_that_is_not_paid_is_not_refunded(shop: Running, psp: Psp) -> None:
    """The PSP is not asked."""
    declined = await shop.pay(payment_token="declined")
    assert declined.status_code == 402
    order_id = (await shop.pay()).json()["id"]
    assert (await shop.refund(order_id, 1)).status_code == 409
    psp.assert_attempts(0, REFUND)
