"""A command of somebody's, run to its end within a bound: it and all that it started is ended then."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress

from psp_harness.errors import UsageError
from psp_harness.subjects.hosting import end


async def run_to_its_end(command: Sequence[str], env: Mapping[str, str], timeout: float) -> str:
    """Run it with our standard streams; why it did not end well, or nothing. Raises `UsageError` if it cannot start."""
    interrupted = asyncio.Event()
    async with _started(command, env) as process:
        with _told_of_interrupts(interrupted):
            over, stop = asyncio.create_task(process.wait()), asyncio.create_task(interrupted.wait())
            await asyncio.wait({over, stop}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
            if over.done():
                return _said(over.result())
            over.cancel()
            if interrupted.is_set():
                return "the command was interrupted before its end, and ended"
            return f"the command did not end within {timeout:g} s, and was ended; --timeout changes the bound"


def _said(status: int) -> str:
    if status < 0:
        return f"the command was killed by signal {-status}; run it by hand"
    return f"the command ended with status {status}; see what it printed" if status else ""


@asynccontextmanager
async def _started(command: Sequence[str], env: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """In a process group of its own, so that nothing of it is left behind."""
    try:
        process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **env}, start_new_session=True)
    except OSError as error:
        raise UsageError(
            f"cannot run {command[0]!r}: {error.strerror}", do="name a program that is on the PATH, or its path"
        ) from None
    except ValueError as error:
        raise UsageError(f"cannot run {command[0]!r}: {error}", do="see the names and values of --env") from None
    try:
        yield process
    finally:
        await end(process)


@contextmanager
def _told_of_interrupts(interrupted: asyncio.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the command, and not us: what was recorded is judged."""
    loop = asyncio.get_running_loop()
    caught = []
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(ValueError, RuntimeError, NotImplementedError):  # only the main thread may
            loop.add_signal_handler(number, interrupted.set)
            caught.append(number)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)
