"""The queue between inbox and worker, on RabbitMQ: it carries the names of events, and the events stay in the inbox.

So nothing is lost with a message, and one that comes twice is harmless: an event is applied once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import aio_pika
from aio_pika.abc import AbstractIncomingMessage, AbstractRobustChannel, AbstractRobustConnection

from psp_harness.errors import UsageError

PUBLISH_SECONDS = 5.0

_LOG = logging.getLogger(__name__)

Apply = Callable[[str], Awaitable[object]]


class Queue:
    """One queue of a broker; `open` before it is used."""

    def __init__(self, url: str, name: str) -> None:
        self._url, self._name = url, name
        self._connection: AbstractRobustConnection | None = None
        self._channel: AbstractRobustChannel | None = None

    async def open(self, apply: Apply) -> None:
        """Connect, and let a worker apply whatever is or comes into the queue. Raises `UsageError`."""
        try:
            self._connection = await aio_pika.connect_robust(self._url, timeout=PUBLISH_SECONDS)
        except (OSError, aio_pika.exceptions.AMQPError, TimeoutError) as error:
            do = "start it, or leave RABBITMQ_URL away: the shop works without"
            raise UsageError(f"no RabbitMQ answers ({type(error).__name__})", do=do) from None
        self._channel = await self._connection.channel()
        assert self._channel is not None
        await self._channel.set_qos(prefetch_count=1)
        queue = await self._channel.declare_queue(self._name, durable=True)
        await queue.consume(partial(_applied, apply))

    async def publish(self, name: str) -> bool:
        """Put the name of an event into the queue; whether the broker says that it has it."""
        assert self._channel is not None, "open it first"
        message = aio_pika.Message(name.encode(), delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                await self._channel.default_exchange.publish(message, routing_key=self._name)
        except (OSError, aio_pika.exceptions.AMQPError, TimeoutError) as error:
            _LOG.warning("event %s is not in the queue (%s): it waits in the inbox", name, type(error).__name__)
            return False
        return True

    async def close(self) -> None:
        """Disconnect; what is in the queue stays there."""
        if self._connection is not None:
            with suppress(OSError, aio_pika.exceptions.AMQPError):
                await self._connection.close()


async def _applied(apply: Apply, message: AbstractIncomingMessage) -> None:
    async with message.process():
        name = message.body.decode("utf-8", "replace")
        try:
            await apply(name)
        except Exception:
            _LOG.exception("could not apply event %s: it waits in the inbox", name)
