"""What the shop does beside answering: it looks after what is in doubt, and applies what is in the queue."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.concurrency import run_in_threadpool

from psp_harness.reference.shop.inbox import RECEIVED
from psp_harness.reference.shop.queue import Queue
from psp_harness.reference.shop.shop import Shop

_LOG = logging.getLogger(__name__)


class Worker:
    """The background of one process."""

    def __init__(self, shop: Shop, *, reconcile_seconds: float, queue: Queue | None) -> None:
        self._shop, self._seconds, self._queue = shop, reconcile_seconds, queue

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """At work; in the end the shop is closed."""
        if self._queue is not None:
            await self._queue.open(lambda name: run_in_threadpool(self._shop.apply, name))
        looking = asyncio.create_task(self._reconciling())
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            if self._queue is not None:
                await self._queue.close()
            await run_in_threadpool(self._shop.close)

    async def dispatch(self, name: str) -> str:
        """See to it that a received event is applied: by the queue, or at once. Its status now."""
        if self._queue is None:
            return await run_in_threadpool(self._shop.apply, name)
        await self._queue.publish(name)
        return RECEIVED

    async def _reconciling(self) -> None:
        while True:
            pause = self._seconds
            try:
                found = await run_in_threadpool(self._shop.reconcile)
                pause = max(pause, found.retry_after_seconds)
            except Exception:  # the database may be away: it is said, and the next time may be better
                _LOG.exception("could not reconcile; it is tried again in %g s", pause)
            await asyncio.sleep(pause)
