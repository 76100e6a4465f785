"""B4: the PSP tells more than once, together, late and out of order; the shop acts once, and never goes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import aio_pika
import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from integration.plain import PLAIN
from integration.psps import Provider
from integration.shops import Running, serving, until
from psp_harness.reference.shop.settings import Settings
from psp_harness.subjects import hosting
from reference.shop.selling import SECRET, of_payment, of_refund

pytestmark = pytest.mark.integration


@dataclass
class Broken:
    """What stands before a shop, and answers 503 until the shop is there."""

    base_url: str = ""
    forwards_to: str | None = None
    seen: list[bytes] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        """A webhook arrives."""
        self.seen.append(await request.body())
        if self.forwards_to is None:
            return Response(status_code=503)
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        async with httpx.AsyncClient(verify=PLAIN) as http:
            answer = await http.post(self.forwards_to, headers=headers, content=self.seen[-1])
        return Response(answer.content, answer.status_code)


@pytest_asyncio.fixture
async def broken() -> AsyncIterator[Broken]:
    """It, running."""
    gate = Broken()
    async with hosting.in_thread(Starlette(routes=[Route("/webhooks", gate.take, methods=["POST"])])) as gate.base_url:
        yield gate


async def as_if_the_answer_were_lost(shop: Running, provider: Provider) -> str:
    """An order that the PSP has charged, and of which the shop knows nothing."""
    await provider.limit(0, 1)
    refused = await shop.pay()
    assert refused.status_code == 503
    (order,) = (await shop.state())["orders"]
    await provider.unlimit()
    charged = {"payment_id": order["id"], "amount": 6540, "currency": "EUR", "confirm": True, "payment_token": "tok_1"}
    answer = await provider.http.post("/payments", json=charged, headers={"api-key": provider.token})
    assert answer.json()["status"] == "succeeded", answer.text
    return str(order["id"])


async def test_the_psp_tells_what_the_shop_did_not_hear(told: Running, provider: Provider) -> None:
    """The order is paid by the webhook alone."""
    order_id = await as_if_the_answer_were_lost(told, provider)
    order = await until(lambda: told.order(order_id), lambda seen: seen["status"] == "paid")
    assert order["captured"] == 6540
    sent = await until(provider.sent, lambda seen: [each["outcome"] for each in seen] == ["200"])
    assert sent[0]["event"] == "payment-succeeded"


async def test_what_both_the_answer_and_the_webhook_tell_happens_once(told: Running, provider: Provider) -> None:
    """A payment and a refund, each told twice."""
    order_id = await told.paid()
    await told.refund(order_id, 1000)
    await until(provider.sent, lambda seen: [each["outcome"] for each in seen] == ["200", "200"])
    order = await told.order(order_id)
    assert (order["captured"], order["refunded"]) == (6540, 1000)
    assert len((await told.state())["refunds"]) == 1


async def test_a_shop_that_was_down_is_told_by_the_psp_s_schedule(
    settings: Settings, provider: Provider, broken: Broken
) -> None:
    """After a minute of the PSP's clock, and with the same bytes."""
    await provider.notify(f"{broken.base_url}/webhooks", SECRET)
    async with serving(settings) as shop:
        order_id = await as_if_the_answer_were_lost(shop, provider)
        await until(provider.sent, lambda seen: [each["outcome"] for each in seen] == ["503"])
        assert (await shop.order(order_id))["status"] == "created"
        broken.forwards_to = shop.webhook_url
        await provider.advance(60)
        await until(lambda: shop.order(order_id), lambda seen: seen["status"] == "paid")
        await until(provider.sent, lambda seen: [each["outcome"] for each in seen] == ["503", "200"])
    assert len(set(broken.seen)) == 1


@pytest.mark.parametrize("count", [2, 20])
async def test_an_event_that_comes_together_with_itself_is_applied_once(count: int, told: Running) -> None:
    """Every delivery is taken."""
    order_id = await told.paid()
    event = of_refund("evt_1", "ref_of_the_dashboard", order_id)
    answers = await asyncio.gather(*(told.deliver(event) for _ in range(count)))
    assert {answer.status_code for answer in answers} == {200}
    assert (await told.order(order_id))["refunded"] == 1000


async def test_an_event_that_comes_again_after_days_does_nothing(told: Running) -> None:
    """What was applied is never forgotten: a merchant may send it again by hand, whenever he likes."""
    order_id = await told.paid()
    event = of_refund("evt_1", "ref_of_the_dashboard", order_id)
    for _ in range(3):
        await told.deliver(event)
        await told.deliver(of_refund("evt_2", "ref_of_the_dashboard", order_id, "failed"))
    order = await told.order(order_id)
    assert (order["refunded"], order["in_doubt"]) == (0, 0)


async def test_what_comes_out_of_order_ends_the_same(told: Running, provider: Provider) -> None:
    """A refund before its payment, and the first steps of the payment last."""
    order_id = await as_if_the_answer_were_lost(told, provider)
    shuffled = [
        of_refund("evt_4", "ref_of_the_dashboard", order_id),
        of_payment("evt_3", order_id, "succeeded"),
        of_payment("evt_2", order_id, "requires_capture"),
        of_payment("evt_1", order_id, "processing"),
    ]
    for event in shuffled:
        assert (await told.deliver(event)).status_code == 200
    order = await told.order(order_id)
    assert (order["status"], order["captured"], order["refunded"]) == ("paid", 6540, 1000)


# --- with a queue between -------------------------------------------------------------------------------------------


@pytest_asyncio.fixture
async def queued(rabbitmq: str, settings: Settings, provider: Provider, name: str) -> AsyncIterator[Running]:
    """A shop whose webhooks go through RabbitMQ."""
    async with serving(replace(settings, rabbitmq_url=rabbitmq)) as running:
        await provider.notify(running.webhook_url, SECRET)
        yield running
    async with await aio_pika.connect(rabbitmq) as connection:
        await (await connection.channel()).queue_delete(f"{name}.events")


async def test_through_the_queue_an_event_is_applied_once_too(queued: Running, provider: Provider) -> None:
    """Whatever is told twice."""
    order_id = await as_if_the_answer_were_lost(queued, provider)
    await until(lambda: queued.order(order_id), lambda seen: seen["status"] == "paid")
    event = of_refund("evt_1", "ref_of_the_dashboard", order_id)
    answers = await asyncio.gather(*(queued.deliver(event) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    await until(lambda: queued.order(order_id), lambda seen: seen["refunded"] == 1000)
    await queued.reconcile()
    assert (await queued.order(order_id))["refunded"] == 1000


async def test_two_shops_on_one_queue_and_one_database_apply_once(
    queued: Running, rabbitmq: str, settings: Settings, provider: Provider
) -> None:
    """Whoever takes it from the queue."""
    order_id = await as_if_the_answer_were_lost(queued, provider)
    async with serving(replace(settings, rabbitmq_url=rabbitmq)) as other:
        events = [of_refund(f"evt_{number}", f"ref_{number}", order_id) for number in range(4)]
        answers = await asyncio.gather(*(each.deliver(event) for event in events for each in (queued, other)))
        assert {answer.status_code for answer in answers} == {200}

        async def looked_after() -> dict[str, object]:
            await other.reconcile()  # what came before its payment waits for somebody who looks
            return await other.order(order_id)

        await until(looked_after, lambda seen: seen["refunded"] == 4000)
    assert len((await queued.state())["refunds"]) == 4


async def test_an_answer_says_that_it_is_written_and_not_that_it_is_applied(queued: Running) -> None:
    """The PSP does not wait for the worker."""
    answer: httpx.Response = await queued.deliver(of_payment("evt_1", "ord_0", "succeeded"))
    assert (answer.status_code, answer.json()) == (200, {"event": "evt_1"})
