"""B1: an order is placed, confirmed, and paid or declined; or authorised first, and captured or given up."""

from __future__ import annotations

import asyncio

import pytest

from integration.shops import Running
from psp_harness.pytest_plugin.psp import Psp

pytestmark = [pytest.mark.integration, pytest.mark.psp(profile="hyperswitch")]


async def test_an_order_is_paid_once_under_its_own_id(shop: Running, psp: Psp) -> None:
    """The key on the wire is the order's id, and so is the payment's."""
    answer = await shop.pay()
    order = answer.json()
    assert (answer.status_code, order["status"], order["captured"]) == (201, "paid", 6540)
    psp.assert_key(order["id"])
    psp.assert_one_effect(amount=6540)
    assert [effect.id for effect in psp.effects] == [order["id"]]


async def test_a_declined_order_moves_nothing_and_stays_so(shop: Running, psp: Psp) -> None:
    """Another try of the customer is another order."""
    declined = await shop.pay(payment_token="declined")
    assert declined.status_code == 402
    again = await shop.pay()
    assert again.json()["status"] == "failed"
    psp.assert_no_effect()
    psp.assert_attempts(1)
    assert (await shop.pay("cart-2")).json()["status"] == "paid"


async def test_a_double_click_pays_once(shop: Running, psp: Psp) -> None:
    """Ten of them, on one form."""
    answers = await asyncio.gather(*(shop.pay() for _ in range(10)))
    assert len({answer.json()["id"] for answer in answers}) == 1
    psp.assert_one_effect(amount=6540)
    psp.assert_attempts(1)


async def test_two_checkouts_are_two_payments(shop: Running, psp: Psp) -> None:
    """Of the same amount at the same time."""
    await asyncio.gather(shop.pay("cart-1"), shop.pay("cart-2"))
    psp.assert_keys_unlike()
    assert len(psp.effects) == 2


@pytest.mark.parametrize("lost", ["response-lost", "answer-truncated", "slow-answer"])
async def test_an_answer_that_is_lost_leaves_no_doubt_for_long(lost: str, shop: Running, psp: Psp) -> None:
    """Until it is known the customer hears neither yes nor no; then it is paid, once."""
    psp.strike(lost, "create-payment", **({"seconds": 1.5} if lost == "slow-answer" else {}))
    answer = await shop.pay()
    assert (answer.status_code, (await shop.pay()).json()["status"]) == (202, "confirming")
    (order_id,) = (await shop.reconcile())["settled"]  # type: ignore[misc]
    order = await shop.order(order_id)
    assert (order["status"], order["captured"], order["in_doubt"]) == ("paid", 6540, 0)
    psp.assert_one_effect(amount=6540)
    psp.assert_attempts(1)


async def test_a_request_that_is_lost_is_sent_again_under_the_same_key(shop: Running, psp: Psp) -> None:
    """When the customer asks for it again."""
    psp.lose_request()
    assert (await shop.pay()).status_code == 202
    await shop.reconcile()
    assert (await shop.pay()).json()["status"] == "paid"
    psp.assert_one_key(attempts=2)
    psp.assert_one_effect(amount=6540)


async def test_a_gateway_that_answers_502_after_the_psp_acted_hides_a_payment(shop: Running, psp: Psp) -> None:
    """It is found, and not made again."""
    psp.answer(502, after=True)
    assert (await shop.pay()).status_code == 202
    await shop.reconcile()
    assert (await shop.pay()).json()["status"] == "paid"
    psp.assert_attempts(1)
    psp.assert_one_effect(amount=6540)


async def test_what_was_authorised_is_captured_in_part(shop: Running, psp: Psp) -> None:
    """Once; the rest is given up."""
    order = (await shop.pay(capture="manual")).json()
    assert (order["status"], order["captured"], order["in_doubt"]) == ("authorised", 0, 6540)
    asked = {"order_id": order["id"], "amount": 5000}
    answers = await asyncio.gather(*(shop.http.post("/api/v1/captures", json=asked) for _ in range(5)))
    assert sorted({answer.status_code for answer in answers}) == [200, 409]
    standing = await shop.order(order["id"])
    assert (standing["status"], standing["captured"]) == ("paid", 5000)
    assert [(effect.kind, effect.amount) for effect in psp.effects] == [("capture", 5000)]


async def test_what_was_authorised_is_given_up(shop: Running, psp: Psp) -> None:
    """And cannot be captured then."""
    order = (await shop.pay(capture="manual")).json()
    asked = {"order_id": order["id"]}
    assert (await shop.http.post("/api/v1/voids", json=asked)).json()["status"] == "cancelled"
    assert (await shop.http.post("/api/v1/captures", json=asked)).status_code == 409
    psp.assert_no_effect()


async def test_a_lost_answer_to_a_capture_is_looked_up(shop: Running, psp: Psp) -> None:
    """It is not captured again."""
    order = (await shop.pay(capture="manual")).json()
    psp.lose_answer("capture-payment")
    assert (await shop.http.post("/api/v1/captures", json={"order_id": order["id"]})).status_code == 202
    await shop.reconcile()
    assert (await shop.order(order["id"]))["captured"] == 6540
    psp.assert_one_effect("capture-payment", amount=6540)
