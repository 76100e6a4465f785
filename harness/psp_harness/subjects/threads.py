"""Threads for a subject's code: whatever it does there, the run goes on, its server answers, and it ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress

from psp_harness.errors import SubjectError


async def in_daemon_thread(work: Callable[[], object]) -> object:
    """Run blocking work beside the event loop. A thread that never returns does not keep the run from ending."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[object] = loop.create_future()

    def settle(result: object, error: Exception | None) -> None:
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

    threading.Thread(target=run, daemon=True).start()
    return await future


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
