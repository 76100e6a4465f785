"""B10: an API key is revoked. It is refused, replays nothing, and what was in doubt is settled under the next one."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from integration.psps import Provider
from integration.shops import Running, serving
from psp_harness.reference.shop.settings import Settings

pytestmark = pytest.mark.integration

NEXT = "dev_psp_harness_the_next_key"


async def test_a_revoked_key_moves_nothing_and_is_said(told: Running, provider: Provider) -> None:
    """The order can still be paid."""
    del provider.credentials["tenant-a"]
    answer = await told.pay()
    assert (answer.status_code, "401" in answer.json()["message"]) == (502, True)
    (order,) = (await told.state())["orders"]
    assert order["in_doubt"] == 6540, "nobody could ask, so nobody knows"
    assert await provider.effects() == []


async def test_the_keys_of_a_revoked_credential_replay_nothing(provider: Provider) -> None:
    """Whoever has it does not even learn what was paid."""
    payment = {"amount": 6540, "currency": "EUR", "confirm": True, "payment_token": "tok_1", "payment_id": "order-1"}
    shown = {"api-key": provider.token, "Idempotency-Key": "order-1"}
    first = await provider.http.post("/payments", json=payment, headers=shown)
    assert first.json()["status"] == "succeeded"
    del provider.credentials["tenant-a"]
    again: list[httpx.Response] = [
        await provider.http.post("/payments", json=payment, headers=shown),
        await provider.http.get("/payments/order-1", headers=shown),
    ]
    assert [answer.status_code for answer in again] == [401, 401]
    assert all("order-1" not in answer.text for answer in again)
    assert len(await provider.effects()) == 1


async def test_what_was_in_doubt_is_settled_under_the_next_key(settings: Settings, provider: Provider) -> None:
    """A refund that was turned away keeps its own idempotency key, whatever the API key is."""
    async with serving(settings) as shop:
        order_id = await shop.paid()
        del provider.credentials["tenant-a"]
        assert (await shop.refund(order_id, 6540)).status_code == 502
        (refund,) = (await shop.state())["refunds"]
        assert (refund["status"], (await shop.reconcile())["settled"]) == ("pending", [])
    provider.credentials["tenant-a"] = NEXT
    async with serving(replace(settings, psp_api_key=NEXT)) as shop:
        await shop.reconcile()
        assert (await shop.order(order_id))["refunded"] == 6540
    (effect,) = await provider.effects("refund")
    assert effect["id"] == refund["id"]


async def test_another_tenant_s_key_does_not_find_the_payment(settings: Settings, provider: Provider) -> None:
    """Its ids are its own."""
    async with serving(settings) as shop:
        order_id = await shop.paid()
    other = {"api-key": provider.credentials["tenant-b"]}
    assert (await provider.http.get(f"/payments/{order_id}", headers=other)).status_code == 404
