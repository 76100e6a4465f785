"""B13: a shop is killed in the middle; the next one picks up what is in doubt, each with its own key."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import pytest

from integration.plain import PLAIN
from integration.shops import BOUND, Running, serving, until
from psp_harness.pytest_plugin.psp import Psp
from psp_harness.reference.shop import open_shop
from psp_harness.reference.shop.settings import Settings
from reference.shop.selling import SECRET, of_payment

pytestmark = [pytest.mark.integration, pytest.mark.psp(profile="hyperswitch")]


@asynccontextmanager
async def process(database: str, psp: Psp) -> AsyncIterator[tuple[Running, asyncio.subprocess.Process]]:
    """A shop in a process of its own, killed in the end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    told = {"PSP_BASE_URL": psp.base_url, "PSP_API_KEY": psp.token, "DATABASE_URL": database}
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PSP_WEBHOOK_SECRET": SECRET, **told}
    command = (sys.executable, "-m", "psp_harness.reference.shop", "--port", str(port))
    started = await asyncio.create_subprocess_exec(*command, env=environment)
    base_url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(base_url=base_url, timeout=BOUND, verify=PLAIN) as http:
            await until(lambda: lives(http), bool)
            yield Running(http, base_url), started
    finally:
        with suppress(ProcessLookupError):
            started.send_signal(signal.SIGKILL)
        await started.wait()


async def lives(http: httpx.AsyncClient) -> bool:
    """Whether it answers."""
    try:
        return (await http.get("/health")).is_success
    except httpx.TransportError:
        return False


async def test_what_a_killed_shop_had_begun_is_finished_by_the_next(database: str, psp: Psp) -> None:
    """A payment and a refund, both done at the PSP, and both of unknown outcome when the shop was killed."""
    async with process(database, psp) as (shop, killed):
        order_id = await shop.paid("cart-1")
        for operation in ("create-payment", "create-refund"):
            psp.delay_answer(operation, seconds=BOUND)
        begun = [asyncio.create_task(shop.pay("cart-2", 2000)), asyncio.create_task(shop.refund(order_id, 1000))]
        await until(lambda: asyncio.to_thread(lambda: psp.effects), lambda seen: len(seen) == 3)
        killed.send_signal(signal.SIGKILL)
        broken = await asyncio.gather(*begun, return_exceptions=True)
        assert all(isinstance(each, httpx.TransportError) for each in broken)
    async with process(database, psp) as (shop, _):
        state = await until(
            shop.state,
            lambda seen: {each["status"] for each in seen["orders"] + seen["refunds"]} == {"paid", "succeeded"},
        )
    assert sorted((each["captured"], each["refunded"], each["in_doubt"]) for each in state["orders"]) == [
        (2000, 0, 0),
        (6540, 1000, 0),
    ]
    psp.assert_attempts(1, "create-refund")
    psp.assert_attempts(2, "create-payment")
    assert len(psp.effects) == 3


async def test_a_pending_row_that_was_never_sent_is_sent_with_its_own_key(
    shop: Running, database: str, psp: Psp
) -> None:
    """The shop died between the two phases."""
    order_id = await shop.paid()
    settings = Settings(psp.base_url, psp.token, database_url=database)
    dead = open_shop(settings)
    refund, _ = dead.refunds.open_refund(order_id, request="r-1", amount=1000)
    dead.close()
    psp.assert_attempts(0, "create-refund")
    await shop.reconcile()
    psp.assert_key(refund.id, "create-refund")
    assert (await shop.order(order_id))["refunded"] == 1000


async def test_an_order_that_was_claimed_and_never_sent_may_be_paid(database: str, psp: Psp) -> None:
    """The shop died before it asked; the next one finds that out when it starts."""
    settings = Settings(psp.base_url, psp.token, database_url=database)
    dead = open_shop(settings)
    order = dead.orders.place_order("cart-1", amount=6540, currency="EUR")
    dead.orders.claim(order.id)
    dead.close()
    async with serving(settings) as shop:
        await until(lambda: shop.order(order.id), lambda seen: seen["status"] == "created")
        assert await shop.paid() == order.id
    psp.assert_one_effect(amount=6540)


async def test_an_event_that_was_received_and_not_applied_is_applied(database: str, psp: Psp) -> None:
    """The PSP was told that it was taken, and does not send it again."""
    settings = Settings(psp.base_url, psp.token, (SECRET,), database_url=database)
    dead = open_shop(settings)
    order = dead.orders.place_order("cart-1", amount=6540, currency="EUR")
    dead.inbox.receive(*of_payment("evt_1", order.id, "succeeded"))
    dead.close()
    async with serving(settings) as shop:
        await until(lambda: shop.order(order.id), lambda seen: seen["status"] == "paid")


async def test_two_shops_that_start_together_settle_once(database: str, psp: Psp) -> None:
    """Both pick up the same refund, with the same key."""
    settings = Settings(psp.base_url, psp.token, database_url=database)
    async with serving(settings) as one, serving(settings) as other:
        order_id = await one.paid()
        psp.lose_request("create-refund")
        assert (await one.refund(order_id, 6540)).status_code == 202
        await asyncio.gather(*(each.reconcile() for each in (one, other, one, other)))
        assert (await other.order(order_id))["refunded"] == 6540
    assert len(set(psp.keys("create-refund"))) == 1
    assert [effect.amount for effect in psp.effects if effect.kind == "refund"] == [6540]
