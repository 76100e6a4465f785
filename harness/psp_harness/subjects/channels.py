"""How protocol messages reach a subject: as lines to a process, or as calls of an object's methods.

A channel asks one command and gives its answer, bounded in time; it knows nothing of what the messages mean.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import re
import signal
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

from psp_harness.errors import SubjectError
from psp_harness.subjects.protocol import Message
from psp_harness.subjects.threads import OwnLoop, OwnThreads

MAX_LINE = 2**20
"""Bytes; interfaces: at most 1 MiB a line."""

_END_SECONDS = 1.0
_STDERR = "stderr: "
_FRAME = re.compile(r"(stderr: )?\s+at \S|(stderr: )?  File \"|(stderr: )?Traceback \(most recent")
"""Where something was called from, as V8, the JVM and Python print it: that says little of why."""
_LAST_LINES = 6
_LAST = 200
"""Characters of each that are shown."""
_LAST_TOGETHER = 600
_TELLS = re.compile(r"\w")
_MAX_NOTES = 200
_TAIL = 2_000


class Channel(Protocol):
    """The way to one subject, for one case."""

    async def ask(self, command: str, members: Mapping[str, object], *, timeout: float) -> Message:
        """Ask, and wait at most `timeout` seconds; raises `SubjectError` where no usable answer comes."""

    async def close(self) -> None:
        """End the subject, if it does not end by itself; never raises."""

    async def kill(self) -> None:
        """End the subject as a crash does: an object is let go, with whatever it is at."""

    def notes(self) -> tuple[str, ...]:
        """What the subject printed beside the protocol."""


# --- a process --------------------------------------------------------------------------------------------------------


class ProcessChannel:
    """`exec:`: JSON lines on standard input and output of one process, in a process group of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._waiting: dict[str, asyncio.Future[Message]] = {}
        self._notes: list[str] = []
        self._last_words: deque[str] = deque(maxlen=_LAST_LINES)
        self._count = 0
        self._broken: SubjectError | None = None
        self._errors = asyncio.create_task(self._read_errors())
        self._readers = [asyncio.create_task(self._read_answers()), self._errors]

    @classmethod
    async def open(cls, command: str, env: Mapping[str, str]) -> ProcessChannel:
        """Start the command; raises `SubjectError` where the shell cannot."""
        process = await asyncio.create_subprocess_shell(
            command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **env},
            limit=MAX_LINE,
            start_new_session=True,
        )
        return cls(process)

    async def ask(self, command: str, members: Mapping[str, object], *, timeout: float) -> Message:
        if self._broken is not None:
            raise self._broken
        number = str(self._count)
        self._count += 1
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        line = json.dumps({"id": number, "cmd": command, **members})
        try:
            assert self._process.stdin is not None
            async with asyncio.timeout(timeout):
                self._process.stdin.write(line.encode() + b"\n")
                await self._process.stdin.drain()
                answer: Message = await future
                return answer
        except TimeoutError:
            raise SubjectError(
                f"no answer to {command!r} within {timeout:g} s{self._tail()}", do="see --step-timeout"
            ) from None
        except OSError:
            raise self._broken or await self._died() from None
        finally:
            self._waiting.pop(number, None)
            if future.done() and not future.cancelled():
                future.exception()  # told already, where another error came first

    async def close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._ended()
        self._kill()
        await self._ended()
        self._process._transport.close()  # type: ignore[attr-defined] # noqa: SLF001 - whoever holds the pipes now
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)

    def notes(self) -> tuple[str, ...]:
        return tuple(self._notes)

    async def _ended(self) -> None:
        """Wait for the end of the process and its output; not for long: a child that left its group may hold that."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_SECONDS):
                await self._process.wait()

    @property
    def is_over(self) -> bool:
        """The process ended."""
        return self._process.returncode is not None

    async def kill(self) -> None:
        """End the process as a crash does: at once, and its children with it."""
        self._kill()
        await self.close()
        self._fail(SubjectError("the subject's process was ended"))

    def _kill(self) -> None:
        with suppress(ProcessLookupError):  # it ended by itself, and so did its children
            os.killpg(self._process.pid, signal.SIGKILL)

    async def _read_answers(self) -> None:
        assert self._process.stdout is not None
        while True:
            try:
                line = await self._process.stdout.readline()
            except ValueError:
                self._fail(
                    SubjectError(f"printed a line longer than {MAX_LINE} bytes", do="write one JSON object a line")
                )
                return
            if not line:
                self._fail(await self._died())
                return
            self._take(line)

    def _take(self, line: bytes) -> None:
        text = line.decode("utf-8", "backslashreplace").rstrip("\r\n")
        if not text.startswith("{"):
            self._note(text)
            return
        try:
            message = json.loads(text)
        except (ValueError, RecursionError) as error:
            self._fail(
                SubjectError(
                    f"printed a line that begins as JSON and is none ({error}): {text[:120]!r}",
                    do="write one JSON object a line, and begin no other line with {",
                )
            )
            return
        waiting = self._waiting.get(str(message.get("id")))
        if waiting is None:
            self._fail(
                SubjectError(
                    f"answered id {message.get('id')!r}, which nobody asked: {text[:120]!r}",
                    do="repeat the command's id",
                )
            )
        elif not waiting.done():
            waiting.set_result({name: member for name, member in message.items() if name != "id"})

    async def _read_errors(self) -> None:
        assert self._process.stderr is not None
        rest = ""
        while chunk := await self._process.stderr.read(MAX_LINE):
            *lines, rest = (rest[-_TAIL:] + chunk.decode("utf-8", "backslashreplace")).split("\n")
            for line in lines:
                self._note(f"stderr: {line}")
        if rest:
            self._note(f"stderr: {rest}")

    def _note(self, text: str) -> None:
        if _TELLS.search(text.removeprefix(_STDERR)) and not _FRAME.match(text):
            self._last_words.append(text[:_LAST])
        if len(self._notes) < _MAX_NOTES:
            self._notes.append(text[:_TAIL])

    def _fail(self, error: SubjectError) -> None:
        self._broken = self._broken or error
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(self._broken)

    async def _died(self) -> SubjectError:
        await asyncio.wait({self._errors}, timeout=_END_SECONDS)  # what it said of its end
        await self._ended()
        status = self._process.returncode
        how = f"exited with status {status}" if status is not None else "closed its input or output"
        how = f"was killed by signal {-status}" if status is not None and status < 0 else how
        return SubjectError(f"the subject {how} before it answered{self._tail()}", do="run the command by hand")

    def _tail(self) -> str:
        """What it said last, from both of its outputs: the line that tells is seldom the very last one."""
        lines, before = [], ""
        for text in self._last_words:
            lines.append(text.removeprefix(_STDERR).strip() if before.startswith(_STDERR) else text.rstrip())
            before = text
        while len(" / ".join(lines)) > _LAST_TOGETHER:
            del lines[0]
        return f"; its last words: {' / '.join(lines)!r}" if lines else ""


# --- an object --------------------------------------------------------------------------------------------------------


class ObjectChannel:
    """`python:` and what the project brings: the protocol's verbs as methods, synchronous or not.

    A method is called with the members of its command by name; those that it does not take are left out. One after the
    other they are called in one thread, so that what `start` opened serves `do` as well.
    """

    def __init__(
        self, subject: object, *, threads: OwnThreads | None = None, free: Callable[[], None] = lambda: None
    ) -> None:
        """`threads`: in which the subject was made, or works in several cases; whoever gives them ends them."""
        self._subject, self._free = subject, free
        self._loop, self._threads = OwnLoop(), threads or OwnThreads()
        self._owns_threads = threads is None

    async def ask(self, command: str, members: Mapping[str, object], *, timeout: float) -> Message:
        method = getattr(self._subject, command, None)
        if method is None:
            if command in {"effects", "stop"}:
                return {"ok": {}}
            raise SubjectError(
                f"{type(self._subject).__name__} has no method {command!r}", do="see docs/subject-protocol.md"
            )
        try:
            async with asyncio.timeout(timeout) as bound:
                answer = await self._call(method, members)
        except SubjectError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a subject raises is its adapter's error, said as such
            if isinstance(error, TimeoutError) and bound.expired():
                raise SubjectError(f"no answer to {command!r} within {timeout:g} s", do="see --step-timeout") from None
            raise SubjectError(
                f"{command!r} raised {type(error).__name__}: {error}", do="answer failed, refused or errored"
            ) from None
        if not isinstance(answer, Mapping):
            raise SubjectError(
                f"{command!r} returned {_shown(answer)}; expected a mapping such as {{'ok': {{…}}}}",
                do="see docs/subject-protocol.md",
            )
        return answer

    async def _call(self, method: Callable[..., Any], members: Mapping[str, object]) -> object:
        taken = _taken(method, members)
        answer = await self._threads.run(lambda: method(**taken))
        return await self._loop.run(answer) if inspect.isawaitable(answer) else answer

    async def close(self) -> None:
        self._loop.end()
        if self._owns_threads:
            self._threads.end()
        free, self._free = self._free, lambda: None
        free()

    async def kill(self) -> None:
        await self.close()

    def notes(self) -> tuple[str, ...]:
        return ()


def _shown(answer: object) -> str:
    try:
        return repr(answer)[:200]
    except Exception:  # noqa: BLE001 - it is a subject's
        return f"a {type(answer).__name__}"


def _taken(method: Callable[..., Any], members: Mapping[str, object]) -> dict[str, object]:
    parameters = inspect.signature(method).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return dict(members)
    return {name: member for name, member in members.items() if name in parameters}
