from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator

import aio_pika
import pytest
import pytest_asyncio

from psp_harness.errors import UsageError
from psp_harness.reference.shop.queue import Queue
from services import address_of

BOUND = 10.0


@pytest.fixture
def broker() -> str:
    """Its address."""
    return address_of("rabbitmq")


@pytest_asyncio.fixture
async def name(broker: str) -> AsyncIterator[str]:
    """Of a queue that only this test has, and that is gone after it."""
    name = f"shop_{secrets.token_hex(6)}"
    yield name
    connection = await aio_pika.connect(broker)
    async with connection:
        await (await connection.channel()).queue_delete(name)


async def test_what_is_published_is_applied(broker: str, name: str) -> None:
    """By its name, once."""
    applied: asyncio.Queue[str] = asyncio.Queue()
    queue = Queue(broker, name)
    await queue.open(applied.put)
    assert await queue.publish("evt_1")
    async with asyncio.timeout(BOUND):
        assert await applied.get() == "evt_1"
    await queue.close()
    assert applied.empty()


async def test_what_cannot_be_applied_does_not_come_for_ever(
    broker: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It waits in the inbox, and the next one is applied."""
    applied: asyncio.Queue[str] = asyncio.Queue()

    async def apply(event: str) -> None:
        if event == "evt_1":
            raise ZeroDivisionError
        await applied.put(event)

    queue = Queue(broker, name)
    await queue.open(apply)
    for event in ("evt_1", "evt_2"):
        await queue.publish(event)
    async with asyncio.timeout(BOUND):
        assert await applied.get() == "evt_2"
    await queue.close()
    assert "could not apply event evt_1" in caplog.text


async def test_what_was_published_outlives_the_worker(broker: str, name: str) -> None:
    """Another one finds it."""
    applied: asyncio.Queue[str] = asyncio.Queue()
    never = asyncio.Event()
    first, second = (Queue(broker, name) for _ in range(2))
    await first.open(lambda _: never.wait())
    await first.publish("evt_1")
    await first.close()
    await second.open(applied.put)
    async with asyncio.timeout(BOUND):
        assert await applied.get() == "evt_1"
    await second.close()


async def test_a_broker_that_is_named_and_away_is_said() -> None:
    """In one sentence, when the shop starts."""
    with pytest.raises(UsageError, match="no RabbitMQ answers"):
        await Queue("amqp://guest:guest@127.0.0.1:1", "shop").open(lambda _: asyncio.sleep(0))
