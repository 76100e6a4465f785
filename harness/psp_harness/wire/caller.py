"""The client that a provider is given: sends exactly these bytes, keeps exactly those that come back."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

from psp_harness.errors import NoAnswer, SubjectError
from psp_harness.faults import FAULTS, Forward
from psp_harness.model import Answer, Exchange, Request, Strike

MAX_ANSWER = 8 * 2**20
"""Bytes; a provider that sends more cannot be judged."""

_CHUNK = 65_536
_SECOND_ADDRESS = {"127.0.0.1": "127.0.0.2", "localhost": "127.0.0.2"}
"""Where the whole of 127.0.0.0/8 is loopback, as on Linux."""

_HEAD_START = 0.2
"""Seconds that a provider is given to read, and to begin its work, before its sender is gone."""

_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a provider listens."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    prefix: str = ""
    """A path that stands before every route."""

    @property
    def authority(self) -> str:
        """As the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def target_of(base_url: str, ca_file: str | None = None) -> Target:
    """The target behind a URL. `ca_file` is a PEM file that is trusted beside the system's."""
    parts = urlsplit(base_url)
    tls = ssl.create_default_context(cafile=ca_file) if parts.scheme == "https" else None
    return Target(parts.hostname or "", parts.port or (443 if tls else 80), tls, parts.path.rstrip("/"))


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request, ready to be sent, and the step that it belongs to."""

    step: int
    operation: str
    request: Request
    raw: bytes
    strike: Strike | None = None
    after: float = 0.0
    """Seconds after those that are sent with it."""
    elsewhere: bool = False
    """From another local address; where the system has none, from the usual one."""


def raw_bytes(request: Request) -> bytes:
    """A request as it goes onto the socket, exactly as it is given: the harness sends malformed ones on purpose."""
    lines = [
        f"{request.method} {request.target} HTTP/1.1".encode(),
        *(name + b": " + value for name, value in request.headers),
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + request.body


class Caller:
    """Sends the requests of one case, and keeps the exchanges."""

    def __init__(self, target: Target, *, step_timeout: float) -> None:
        self._target, self._step_timeout = target, step_timeout
        self._started = time.perf_counter()
        self._exchanges: list[Exchange] = []
        self._count = 0

    def move(self, target: Target) -> None:
        """From now on, send there: what was asked has been started anew."""
        self._target = target

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Everything that was sent so far, by number."""
        return tuple(sorted(self._exchanges, key=lambda exchange: exchange.number))

    def now(self) -> float:
        """Seconds since the case began."""
        return time.perf_counter() - self._started

    async def together(self, outgoing: Sequence[Outgoing]) -> None:
        """Send several requests that are in flight together: all but the last byte of each, and then the last bytes.

        Raises `SubjectError` where one of them cannot be answered; the others are recorded all the same.
        """
        held = asyncio.Barrier(max(1, len(outgoing)))
        done = await asyncio.gather(*(self._one(each, held) for each in outgoing), return_exceptions=True)
        for error in done:
            if isinstance(error, BaseException):
                raise error

    async def _one(self, outgoing: Outgoing, held: asyncio.Barrier) -> None:
        self._count += 1
        line = _ProviderLine(self._count, outgoing, self)
        try:
            async with asyncio.timeout(self._step_timeout):
                if outgoing.strike is None:
                    await line.answer(await line.forward(held))
                else:
                    await FAULTS[outgoing.strike.fault].strike(
                        line, lambda: line.forward(held), outgoing.strike.options
                    )
                    line.struck = outgoing.strike.fault
        except TimeoutError:
            raise SubjectError(
                f"no answer to {outgoing.request.method} {outgoing.request.target} within {self._step_timeout:g} s",
                do="is it running, and is it the right port? --step-timeout changes the bound",
            ) from None
        except ConnectionResetError:
            raise NoAnswer(
                f"{outgoing.request.method} {outgoing.request.target}: the connection was reset before an answer came",
                do="see what it logged",
            ) from None
        except (OSError, UnicodeError) as error:
            raise SubjectError(
                f"{outgoing.request.method} {outgoing.request.target} at {self._target.authority}: {_reason(error)}",
                do="start it, or correct the address",
            ) from None
        finally:
            if not line.released:
                await held.abort()  # the others of this moment do not wait for one that never comes
            self._exchanges.append(line.finished())

    async def connect(self, *, elsewhere: bool = False) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A new connection: one for each request, so that nothing of one reaches another."""
        target = self._target
        if elsewhere and target.host in _SECOND_ADDRESS:
            with suppress(OSError):
                local = (_SECOND_ADDRESS[target.host], 0)
                return await asyncio.open_connection(target.host, target.port, ssl=target.tls, local_addr=local)
        return await asyncio.open_connection(target.host, target.port, ssl=target.tls)


def _reason(error: OSError | UnicodeError) -> str:
    if isinstance(error, UnicodeError):
        return f"no such host ({error})"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}"
    return error.strerror or str(error) or "the connection was closed before an answer came"


class _ProviderLine:
    """The line to a provider: the harness is the sender, so what a fault does is what the harness then did not see."""

    patience = 2.0
    in_flight = Answer(409)

    def __init__(self, number: int, outgoing: Outgoing, caller: Caller) -> None:
        self._number, self._outgoing, self._caller = number, outgoing, caller
        self._began = self._ended = caller.now()
        self._sent, self._received = b"", b""
        self._answer: Answer | None = None
        self._seen: Answer | None = None
        self._hung_up = False
        self.struck: str | None = None
        self.released = False

    @property
    def asked(self) -> str:
        return self._outgoing.request.target

    async def forward(self, held: asyncio.Barrier | None = None) -> Answer:
        """The whole exchange; raises `SubjectError` for an answer that is none."""
        reader, writer = await self._caller.connect(elsewhere=self._outgoing.elsewhere)
        try:
            await self._send(writer, held)
            self._answer = await self._read(reader)
            return self._answer
        finally:
            self._ended = self._caller.now()
            writer.transport.abort()

    async def _send(self, writer: asyncio.StreamWriter, held: asyncio.Barrier | None) -> None:
        """All but the last byte, then wait for those that are sent with it, then the last byte.

        Nothing at all of a request that comes later than the others: some providers look at the key when they have the
        head, and would have met it before it began.
        """
        raw = self._outgoing.raw
        early = b"" if self._outgoing.after else raw[:-1]
        writer.write(early)
        await writer.drain()
        if held is not None:
            await _meet(held)
        self.released = True
        await asyncio.sleep(self._outgoing.after)
        self._began = self._caller.now()
        writer.write(raw[len(early) :])
        self._sent = raw
        await writer.drain()

    async def leave(self, forward: Forward) -> None:  # noqa: ARG002 - the answer is not waited for
        """The whole request, and then the end of the connection: what a provider sees of a sender that is gone."""
        _, writer = await self._caller.connect(elsewhere=self._outgoing.elsewhere)
        await self._send(writer, None)
        await asyncio.sleep(_HEAD_START)
        writer.close()
        self._ended = self._caller.now()

    async def _read(self, reader: asyncio.StreamReader) -> Answer:
        http = _expecting_an_answer(self._outgoing.request.method)
        head: h11.Response | None = None
        body = bytearray()
        while True:
            try:
                event = http.next_event()
            except h11.RemoteProtocolError as error:
                raise self._unreadable(error, closed=http.trailing_data[1]) from None
            if event is h11.NEED_DATA:
                chunk = await reader.read(_CHUNK)
                self._received += chunk
                if len(self._received) > MAX_ANSWER:
                    raise SubjectError(
                        f"the answer is longer than {MAX_ANSWER} bytes; reading stopped", do="is this the right port?"
                    )
                http.receive_data(chunk)  # nothing: the connection was closed, which ends an answer without a length
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return Answer(
                    head.status_code, tuple((bytes(n), bytes(v)) for n, v in head.headers.raw_items()), bytes(body)
                )

    def _unreadable(self, error: h11.RemoteProtocolError, *, closed: bool) -> SubjectError:
        shown = self._received[:60]
        if closed:
            what = f"after {len(self._received)} bytes of it: {shown!r}" if shown else "before an answer came"
            return NoAnswer(f"the connection was closed {what}", do="see what the provider logged")
        return SubjectError(f"the answer is not HTTP ({error}): {shown!r}", do="is this the right port?")

    async def answer(self, answer: Answer) -> None:
        self._seen = None if self._hung_up else answer

    async def truncate(self, answer: Answer) -> None:
        self._received = self._received[: len(self._received) - max(1, len(answer.body) // 2)]

    async def reset(self) -> None:
        self._received = b""
        if not self.released:
            await self._send_half()

    async def end_sender(self) -> None:
        """The sender is this harness: its connection breaks."""
        await self.reset()

    async def _send_half(self) -> None:
        """The head and half of the body, and then a reset: the provider has the key, and never the whole request."""
        _, writer = await self._caller.connect()
        raw_request, body = self._outgoing.raw, self._outgoing.request.body
        self._began, self._sent = self._caller.now(), raw_request[: len(raw_request) - max(1, len(body) // 2)]
        writer.write(self._sent)
        await writer.drain()
        await asyncio.sleep(_HEAD_START)  # a reset takes with it what was not read yet
        raw: socket.socket | None = writer.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
        self._ended = self._caller.now()

    async def wait(self, seconds: float) -> None:
        self._hung_up = seconds > self.patience
        await asyncio.sleep(min(seconds, self.patience))
        self._received = b"" if self._hung_up else self._received

    def finished(self) -> Exchange:
        out = self._outgoing
        return Exchange(
            self._number, out.step, out.operation, out.request, self._sent, self._answer, self._received, self._seen,
            self.struck, self._began, max(self._began, self._ended),
        )  # fmt: skip


async def _meet(held: asyncio.Barrier) -> None:
    """Wait until every request of this moment is ready; go on alone if one of them never will be."""
    try:
        await held.wait()
    except asyncio.BrokenBarrierError:
        return


def _expecting_an_answer(method: str) -> h11.Connection:
    """A parser for the answer to a request that it has not seen: ours may be malformed on purpose."""
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_CHUNK)
    http.send(h11.Request(method=method, target="/", headers=[("Host", "psp")]))
    http.send(h11.EndOfMessage())
    return http
