"""Threads for a subject's code: whatever it does there, the run goes on, its server answers, and it ends."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress

from psp_harness.errors import SubjectError


class OwnThreads:
    """The threads of one subject: what is asked one after the other is done in one thread, as in a program of its own.

    What comes while that one is at work gets another. A thread that never returns does not keep the run from ending.
    """

    def __init__(self) -> None:
        self._workers: list[_Worker] = []
        """The first one is asked first."""

    async def run(self, work: Callable[[], object]) -> object:
        """What the work gives, done beside the event loop."""
        free = next((worker for worker in self._workers if not worker.is_busy), None)
        if free is None:
            free = _Worker()
            self._workers.append(free)
        return await free.do(work)

    def end(self) -> None:
        """Each thread ends as soon as it can."""
        for worker in self._workers:
            worker.end()
        self._workers = []


class _Worker:
    """One thread, which does one thing after the other."""

    def __init__(self) -> None:
        self.is_busy = False
        self._given: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        threading.Thread(target=self._serve, daemon=True).start()

    async def do(self, work: Callable[[], object]) -> object:
        """It is busy until the work is done, whoever waits for that."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[object] = loop.create_future()
        self.is_busy = True

        def settle(result: object, error: Exception | None) -> None:
            self.is_busy = False
            if future.done():
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        def run() -> None:
            result: object = None
            problem: Exception | None = None
            try:
                result = work()
            except BaseException as error:  # noqa: BLE001 - handed to whoever awaits
                problem = _told(error)
            with suppress(RuntimeError):  # the run is over
                loop.call_soon_threadsafe(settle, result, problem)

        self._given.put(run)
        return await future

    def end(self) -> None:
        self._given.put(None)

    def _serve(self) -> None:
        while (run := self._given.get()) is not None:
            run()


class OwnLoop:
    """The event loop of one subject: a coroutine that blocks it blocks nothing of ours."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self, work: Awaitable[object]) -> object:
        """What the coroutine gives; the loop is started for the first one."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=_serve, args=(self._loop,), daemon=True).start()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_guarded(work), self._loop))

    def end(self) -> None:
        """Cancel what still runs there, and end the thread as soon as it can be."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
        loop.run_until_complete(_wound_up())
    finally:
        loop.close()


async def _wound_up() -> None:
    """What a subject left running is cancelled."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()


async def _guarded(work: Awaitable[object]) -> object:
    task = asyncio.current_task()
    try:
        return await work
    except BaseException as error:
        if task is not None and task.cancelling():
            raise  # by us, who wait no longer
        raise _told(error) from None


def _told(error: BaseException) -> Exception:
    """The error, as one that can be handed on: a subject that calls `sys.exit` ends itself, and not the run."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    return SubjectError(f"it raised {error!r}", do="answer failed, refused or errored")
