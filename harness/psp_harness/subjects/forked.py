"""The way to a subject that was forked from a warm process: the protocol's lines on a socket."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from psp_harness.errors import SubjectError, UsageError
from psp_harness.subjects.channels import MAX_LINE
from psp_harness.subjects.protocol import Message
from psp_harness.subjects.warm import TARGET

START_SECONDS = 20.0
"""How long importing the subject may take."""

END_SECONDS = 5.0
"""How long the kernel may take to end a process: asyncio also waits for whoever else holds its pipes."""

LAST_LINES = 20
"""Of what it printed."""


@dataclass(slots=True)
class Warm:
    """A warm process, and what its children print."""

    socket: Path
    printed: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))
    _opened: list[ForkedChannel] = field(default_factory=list)

    async def open(self) -> ForkedChannel:
        """A fresh subject, in a process of its own."""
        async with AsyncExitStack() as unless_opened:
            try:
                reader, writer = await asyncio.open_unix_connection(str(self.socket), limit=MAX_LINE)
                unless_opened.callback(writer.close)  # that ends a child of which nobody knows the id
                pid = json.loads(await reader.readline())["pid"]
            except (OSError, ValueError) as error:
                do = "see what it does when imported"
                raise SubjectError(f"no process could be forked: {error!r}", do=do) from None
            unless_opened.pop_all()
        channel = ForkedChannel(pid, reader, writer, self.printed)
        self._opened = [each for each in self._opened if not each.is_over] + [channel]
        return channel

    def end_all(self) -> None:
        """End the children that nobody has closed: while one lives, it holds the pipe of the warm process open."""
        for channel in self._opened:
            channel.end()


class ForkedChannel:
    """One subject that was forked."""

    def __init__(
        self, pid: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, printed: deque[str]
    ) -> None:
        self._pid, self._reader, self._writer, self._printed = pid, reader, writer, printed
        self._waiting: dict[str, asyncio.Future[Message]] = {}
        self._count = 0
        self._over = False
        self._reading = asyncio.create_task(self._read())

    async def ask(self, command: str, members: Mapping[str, object], *, timeout: float) -> Message:
        """Ask, and wait at most `timeout` seconds; raises `SubjectError` where no answer comes."""
        if self._over:
            raise self._died()
        number = str(self._count)
        self._count += 1
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout):
                self._writer.write(json.dumps({"id": number, "cmd": command, **members}).encode() + b"\n")
                answer: Message = await future
                return answer
        except TimeoutError:
            raise SubjectError(f"no answer to {command!r} within {timeout:g} s", do="see --step-timeout") from None
        finally:
            self._waiting.pop(number, None)

    @property
    def is_over(self) -> bool:
        """The kernel has closed its socket."""
        return self._over

    async def kill(self) -> None:
        """End it as a crash does: at once, with all that it started."""
        self.end()
        await self._reading
        self._writer.close()

    def end(self) -> None:
        """Let the kernel end it, and wait for nothing."""
        if not self._over:
            with suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGKILL)

    async def close(self) -> None:
        """End it; never raises."""
        await self.kill()

    def notes(self) -> tuple[str, ...]:
        """What it printed is told apart from that of others by nobody."""
        return ()

    async def _read(self) -> None:
        """Until the process is gone: the kernel closes its socket."""
        with suppress(ConnectionError):
            while line := await self._reader.readline():
                message: dict[str, Any] = json.loads(line)
                waiting = self._waiting.get(str(message.pop("id")))
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
        self._over = True
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(self._died())

    def _died(self) -> SubjectError:
        last = f"; its last words: {self._printed[-1][-200:]!r}" if self._printed else ""
        return SubjectError(f"the subject's process ended before it answered{last}", do="run it by hand")


@asynccontextmanager
async def warm(target: str) -> AsyncIterator[Warm]:
    """The warm process of a target. Raises `UsageError` where that cannot be imported."""
    with tempfile.TemporaryDirectory(prefix="psp-harness-", ignore_cleanup_errors=True) as folder:
        found = Warm(Path(folder) / "warm")
        path = os.pathsep.join(filter(None, sys.path))  # what is found here is found there
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "psp_harness.subjects.warm", str(found.socket)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": path, TARGET: target},
            start_new_session=True,
        )
        reading = asyncio.create_task(_read_printed(process, found))
        try:
            await _until_ready(process, found)
            yield found
        finally:
            found.end_all()
            with suppress(ProcessLookupError):
                process.kill()
            with suppress(TimeoutError):
                async with asyncio.timeout(END_SECONDS):
                    await process.wait()
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _until_ready(process: asyncio.subprocess.Process, found: Warm) -> None:
    deadline = asyncio.get_running_loop().time() + START_SECONDS
    while not found.socket.exists() or "ready" not in found.printed:
        if process.returncode is not None or asyncio.get_running_loop().time() > deadline:
            await asyncio.sleep(0)
            raise _unready(found.printed)
        await asyncio.sleep(0.01)


def _unready(printed: Iterable[str]) -> UsageError:
    """Why the target cannot be imported, as the warm process says it; else what it printed last."""
    last = f"did not start within {START_SECONDS:g} s"
    for last in printed:
        with suppress(ValueError, KeyError, TypeError):
            told = json.loads(last)
            return UsageError(told["problem"], do=told["do"])
    return UsageError(f"the subject could not be imported: {last}", do="see what it does when imported")


async def _read_printed(process: asyncio.subprocess.Process, found: Warm) -> None:
    assert process.stdout is not None
    while chunk := await process.stdout.read(MAX_LINE):
        found.printed.extend(chunk.decode("utf-8", "backslashreplace").splitlines())
