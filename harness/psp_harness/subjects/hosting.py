"""Applications that are started for the run: ours in a thread, others in a process of their own."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn

from psp_harness.errors import NotStarted, SubjectError

READY_SECONDS = 20.0
_POLL_SECONDS = 0.01
_END_SECONDS = 2.0


@asynccontextmanager
async def in_thread(app: Any) -> AsyncIterator[str]:
    """An ASGI application of ours on a free loopback port; gives its base URL."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, log_config=None, log_level="critical", lifespan="on", http="h11", ws="none", access_log=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        await _until(lambda: server.started, lambda: not thread.is_alive(), "the application did not start")
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        with suppress(SubjectError):
            await _until(lambda: not thread.is_alive(), lambda: False, "", seconds=5.0)
        listening.close()


Command = Callable[[str, int], Sequence[str]]
"""What starts `module:attribute` on a port of 127.0.0.1, the working directory importable."""


def uvicorn_command(target: str, port: int) -> Sequence[str]:
    """An ASGI application, its lifespan run where it has one."""
    options = ("--port", str(port), "--log-level", "error", "--lifespan", "auto", "--app-dir", str(Path.cwd()))
    return (sys.executable, "-m", "uvicorn", target, *options)


def waitress_command(target: str, port: int) -> Sequence[str]:
    """A WSGI application, in as many threads as any case needs."""
    return (sys.executable, "-m", "psp_harness.subjects.wsgi_server", target, str(port))


@asynccontextmanager
async def in_process(
    target: str, command: Command = uvicorn_command, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Hosted]:
    """`module:attribute` in a process of its own; `environment` is beside ours."""
    port = _free_port()
    hosted = Hosted(port, command(target, port), {**os.environ, **(environment or {})})
    try:
        await hosted.start()
        yield hosted
    finally:
        await hosted.end()


_PORTS = range(20_000, 32_000)
"""Below those that systems hand out by themselves: what is killed and started again finds its port still free, and
nobody else's server behind it."""


def _free_port() -> int:
    """One of them that nobody listens on now; raises `SubjectError` where a hundred are taken."""
    for port in random.sample(_PORTS, 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise SubjectError("no free port between 20000 and 32000", do="end what listens on them")


class Hosted:
    """An application in a process of its own, which may be killed and started again at the same place."""

    def __init__(self, port: int, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.base_url = f"http://127.0.0.1:{port}"
        self._port, self._command, self._environment = port, command, environment
        self._process: asyncio.subprocess.Process | None = None
        self._words: _LastWords | None = None

    async def start(self) -> None:
        """Return when it accepts connections; raises `NotStarted` where it ended, `SubjectError` where it is silent."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE, start_new_session=True, env=self._environment,
        )  # fmt: skip
        assert self._process.stderr is not None
        self._words = _LastWords(self._process.stderr)
        await _accepting(self._port, self._process, self._words)

    def last_words(self) -> str:
        """The last line that it wrote on its standard error."""
        return self._words.text if self._words is not None else ""

    async def restart(self) -> None:
        """Kill it without a warning, and start it again."""
        await self.end(signal.SIGKILL)
        await self.start()

    async def end(self, *how: signal.Signals) -> None:
        """End it and its children: asked first, unless `how` says otherwise."""
        if self._process is not None and self._words is not None:
            await end(self._process, how or _ASKED_FIRST)
            await self._words.end()


_ASKED_FIRST = (signal.SIGTERM, signal.SIGKILL)


async def end(process: asyncio.subprocess.Process, how: Sequence[signal.Signals] = _ASKED_FIRST) -> None:
    """End it and all of its group; whoever holds its output after that is not waited for."""
    for sent in how:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sent)
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_SECONDS):
                await process.wait()
    process._transport.close()  # type: ignore[attr-defined] # noqa: SLF001 - its pipe may be held by a child


class _LastWords:
    """Reads a process's standard error to its end, and keeps the last line that says something."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self.text = ""
        self._task = asyncio.create_task(self._read(stream))

    async def _read(self, stream: asyncio.StreamReader) -> None:
        said = ""
        while chunk := await stream.read(65_536):
            said = (said + chunk.decode("utf-8", "backslashreplace"))[-2_000:]
            lines = [line for line in said.splitlines() if line.strip()]
            self.text = lines[-1][-300:] if lines else ""

    async def end(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def all(self) -> str:
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self._task
        return self.text


async def _accepting(port: int, process: asyncio.subprocess.Process, words: _LastWords) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.returncode is not None:
            raise NotStarted(
                f"the application ended with status {process.returncode} before it accepted: {await words.all()!r}",
                do="import it by hand from this directory",
            )
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(_POLL_SECONDS)
    raise SubjectError(
        f"the application did not accept connections within {READY_SECONDS:g} s", do="see what it does at import"
    )


async def _until(done: Any, failed: Any, problem: str, *, seconds: float = READY_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        if failed():
            raise SubjectError(problem)
        if time.monotonic() > deadline:
            raise SubjectError(f"{problem} within {seconds:g} s")
        await asyncio.sleep(_POLL_SECONDS)
