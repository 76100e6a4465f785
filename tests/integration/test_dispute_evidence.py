"""B14: a customer's bank wants the money back; evidence is uploaded, once or again, and submitted once."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from integration.psps import Provider
from integration.shops import Running, serving, until
from psp_harness.reference.shop.settings import Settings

pytestmark = pytest.mark.integration

RECEIPT = b"%PDF-1.7 a receipt \x00\xff"


async def disputed(shop: Running, provider: Provider, amount: int = 2000) -> tuple[str, str]:
    """The ids of an order and of a dispute about some of it, of which the shop was told."""
    order_id = await shop.paid()
    opened = await provider.http.post("/psp-harness/disputes", json={"payment_id": order_id, "amount": amount})
    dispute_id = str(opened.json()["dispute_id"])
    await until(lambda: standing(shop, dispute_id), lambda seen: seen == "opened")
    return order_id, dispute_id


async def standing(shop: Running, dispute_id: str) -> Any:
    """How the shop knows a dispute."""
    return (await shop.http.get(f"/api/v1/disputes/{dispute_id}")).json().get("status")


async def attach(shop: Running, dispute_id: str, content: bytes = RECEIPT, kind: str = "receipt") -> httpx.Response:
    """Somebody uploads a file."""
    path = f"/api/v1/disputes/{dispute_id}/evidence/{kind}"
    return await shop.http.put(path, params={"filename": "receipt.pdf"}, content=content)


async def theirs(provider: Provider, path: str) -> httpx.Response:
    """What the PSP has."""
    return await provider.http.get(path, headers={"api-key": provider.token})


async def test_a_file_reaches_the_psp_as_it_is_and_answers_the_dispute(told: Running, provider: Provider) -> None:
    """Byte for byte; the dispute is challenged, and the bank decides."""
    order_id, dispute_id = await disputed(told, provider)
    attached = await attach(told, dispute_id)
    assert attached.status_code == 201, attached.text
    assert (await theirs(provider, f"/files/{attached.json()['file_id']}")).content == RECEIPT
    answered = await told.http.post("/api/v1/challenges", json={"dispute_id": dispute_id})
    assert answered.json()["status"] == "challenged"
    assert (await theirs(provider, f"/disputes/{dispute_id}")).json()["dispute_status"] == "dispute_challenged"
    decided = {"dispute_id": dispute_id, "outcome": "win"}
    (await provider.http.post("/psp-harness/disputes/close", json=decided)).raise_for_status()
    await until(lambda: standing(told, dispute_id), lambda seen: seen == "won")
    assert (await told.refund(order_id, 6540)).status_code == 201


async def test_what_is_lost_is_not_refunded_as_well(told: Running, provider: Provider) -> None:
    """Together they are never more than was captured."""
    order_id, dispute_id = await disputed(told, provider)
    assert (await told.refund(order_id, 4541)).status_code == 422
    assert (await told.http.post("/api/v1/acceptances", json={"dispute_id": dispute_id})).json()["status"] == "accepted"
    assert (await told.refund(order_id, 4541, "r-2")).status_code == 422
    assert (await told.refund(order_id, 4540, "r-3")).status_code == 201
    order = await told.order(order_id)
    assert (order["captured"], order["refunded"], order["disputed"]) == (6540, 4540, 2000)


async def test_a_file_that_is_uploaded_twice_is_attached_once(told: Running, provider: Provider) -> None:
    """And an answer that is submitted twice is one."""
    _, dispute_id = await disputed(told, provider)
    assert len({(await attach(told, dispute_id)).json()["file_id"] for _ in range(2)}) == 1
    assert (await attach(told, dispute_id, b"%PDF-1.7 another")).status_code == 409
    answers = [await told.http.post("/api/v1/challenges", json={"dispute_id": dispute_id}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 409]
    assert len((await theirs(provider, f"/disputes/evidence/{dispute_id}")).json()) == 1


async def test_an_upload_that_was_cut_off_is_resumed(settings: Settings, provider: Provider) -> None:
    """The shop was turned away and ended; the next one has the bytes, and finishes."""
    async with serving(settings) as shop:
        await provider.notify(shop.webhook_url, settings.webhook_secrets[0])
        _, dispute_id = await disputed(shop, provider)
        await provider.limit(0, 60)
        assert (await attach(shop, dispute_id)).status_code == 503
        await provider.unlimit()
    async with serving(settings) as shop:
        evidence = await until(
            lambda: theirs(provider, f"/disputes/evidence/{dispute_id}"), lambda seen: len(seen.json()) == 1
        )
        file_id = evidence.json()[0]["file_metadata_response"]["file_id"]
        assert (await theirs(provider, f"/files/{file_id}")).content == RECEIPT
        answered = await shop.http.post("/api/v1/challenges", json={"dispute_id": dispute_id})
        assert answered.json()["status"] == "challenged"


async def test_what_the_psp_does_not_take_is_said(told: Running, provider: Provider) -> None:
    """A kind that it does not know; and the dispute is still open."""
    _, dispute_id = await disputed(told, provider)
    assert (await attach(told, dispute_id, kind="a_letter_from_home")).status_code == 502
    assert await standing(told, dispute_id) == "opened"


async def test_a_dispute_that_nobody_answers_is_lost_when_its_time_is_over(told: Running, provider: Provider) -> None:
    """By the bank's clock."""
    order_id, dispute_id = await disputed(told, provider)
    await provider.advance(8 * 86_400)
    await until(lambda: standing(told, dispute_id), lambda seen: seen == "expired")
    assert (await attach(told, dispute_id)).status_code == 409
    assert (await told.order(order_id))["disputed"] == 2000
