"""One connection of a client: its requests, what it is answered, and what a fault does to its socket."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import h11

from psp_harness.faults import FAULTS, Forward
from psp_harness.model import Answer, Exchange, Request, Strike

EndSender = Callable[[], Awaitable[None]]

MAX_BODY = 8 * 2**20
"""Bytes; a longer request is answered 413 and its connection closed."""

_CHUNK = 65_536
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time to linger: closing sends RST


@dataclass(slots=True)
class Draft:
    """An exchange while it happens."""

    number: int
    began: float
    sent: bytes = b""
    request: Request | None = None
    step: int | None = None
    operation: str | None = None
    answer: Answer | None = None
    received: bytearray = field(default_factory=bytearray)
    seen: Answer | None = None
    fault: str | None = None
    ended: float | None = None
    broken_off: bool = False

    def finished(self, now: float) -> Exchange:
        return Exchange(
            self.number,
            self.step,
            self.operation,
            self.request,
            self.sent,
            self.answer,
            bytes(self.received),
            self.seen,
            self.fault,
            self.began,
            self.ended if self.ended is not None else now,
            self.broken_off,
        )


class Host(Protocol):
    """What a connection asks of the server that took it."""

    base_url: str
    patience: float
    """Seconds that the sender waits."""
    in_flight: Answer
    """What a request is answered while another one with its key is at work."""
    end_sender: EndSender | None
    secure: ssl.SSLContext | None
    """With it, the connection speaks TLS, and carries one exchange."""

    def now(self) -> float:
        """Seconds since the case began."""

    def begin(self) -> Draft:
        """The record of one exchange more."""

    def strike_for(self, draft: Draft, request: Request) -> Strike | None:
        """The fault that this request meets, if any."""

    async def forward(self, draft: Draft, request: Request) -> Answer:
        """What the PSP answers."""


class Connection:
    """One connection of a client, kept alive as HTTP/1.1 has it; h11 does all the parsing and writing."""

    def __init__(self, server: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_CHUNK)

    async def serve(self) -> None:
        last: Draft | None = None
        while True:
            try:
                draft, request = await self._next_request()
            except ConnectionError:
                if last is not None:
                    last.broken_off = True
                raise
            if draft is None:
                return
            if request is None:
                draft.ended = self._server.now()
                return
            await self._exchange(draft, request)
            last = draft
            if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                self._take_leave()
                return
            self._http.start_next_cycle()

    def _take_leave(self) -> None:
        """Over TLS a connection that ends without saying so may have been cut (RFC 8446 section 6.1)."""
        if self._server.secure is not None:
            self._writer.close()

    async def _exchange(self, draft: Draft, request: Request) -> None:
        line = _Line(self._http, self._reader, self._writer, draft, self._server)
        strike = self._server.strike_for(draft, request)
        try:
            if strike is None:
                await line.answer(await self._server.forward(draft, request))
            else:
                await FAULTS[strike.fault].strike(line, lambda: self._server.forward(draft, request), strike.options)
                draft.fault = strike.fault
        except asyncio.CancelledError:  # the case is over, and its fault was still at it
            draft.fault = strike.fault if strike is not None else None
            raise
        finally:
            draft.ended = self._server.now()

    async def _next_request(self) -> tuple[Draft | None, Request | None]:
        """The next request with its raw bytes; a draft without a request where what arrived is none."""
        draft: Draft | None = None
        raw, body = bytearray(self._http.trailing_data[0]), bytearray()
        head: h11.Request | None = None
        while True:
            if raw and draft is None:
                draft = self._server.begin()
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                return await self._refuse(draft, raw, error.error_status_hint)
            if event is h11.NEED_DATA:
                self._tell_to_go_on(draft)
                chunk = await self._reader.read(_CHUNK)
                self._http.receive_data(chunk)
                raw += chunk
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > MAX_BODY:
                    return await self._refuse(draft, raw, 413)
            elif isinstance(event, h11.EndOfMessage) and head is not None and draft is not None:
                left = len(self._http.trailing_data[0])
                draft.sent = bytes(raw[: len(raw) - left])
                headers = tuple((bytes(name), bytes(value)) for name, value in head.headers.raw_items())
                draft.request = Request(head.method.decode(), head.target.decode("latin-1"), headers, bytes(body))
                return draft, draft.request
            else:  # the sender closed the connection, perhaps in the middle of a request
                if draft is not None:
                    draft.sent = bytes(raw)
                return draft, None

    def _tell_to_go_on(self, draft: Draft | None) -> None:
        """Where the sender waits for 100 (RFC 9110 §10.1.1); that is a part of what it was given."""
        if draft is not None and self._http.they_are_waiting_for_100_continue:
            told = self._http.send(h11.InformationalResponse(status_code=100, headers=[])) or b""
            draft.received += told
            self._writer.write(told)

    async def _refuse(self, draft: Draft | None, raw: bytearray, status: int) -> tuple[Draft | None, None]:
        if draft is not None:
            draft.sent = bytes(raw)
            draft.answer = Answer(status, ((b"Connection", b"close"),))
            if self._http.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
                await _Line(self._http, self._reader, self._writer, draft, self._server).answer(draft.answer)
        return draft, None


class _Line:
    """The line to a client: what a fault does to it happens on its socket."""

    def __init__(
        self,
        http: h11.Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        draft: Draft,
        server: Host,
    ) -> None:
        self._http, self._reader, self._writer, self._draft = http, reader, writer, draft
        self._server, self.patience, self.in_flight = server, server.patience, server.in_flight

    @property
    def asked(self) -> str:
        target = self._draft.request.target if self._draft.request is not None else "/"
        return target if "://" in target else f"{self._server.base_url}{target}"

    async def answer(self, answer: Answer) -> None:
        if self._hung_up():
            return  # while it waited: it sees nothing
        await self._give(self._rendered(answer))
        self._draft.seen = answer

    async def truncate(self, answer: Answer) -> None:
        whole = self._rendered(answer)
        await self._give(whole[: len(whole) - max(1, len(answer.body) // 2)])
        self._writer.close()

    async def reset(self) -> None:
        raw: socket.socket | None = self._writer.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._writer.transport.abort()

    async def end_sender(self) -> None:
        if self._server.end_sender is not None:
            await self._server.end_sender()
        self._writer.transport.abort()  # what was at the other end is gone

    async def leave(self, forward: Forward) -> None:
        at_work = asyncio.ensure_future(forward())
        await self.reset()
        await at_work

    async def wait(self, seconds: float) -> None:
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(seconds):
                while not self._hung_up():
                    self._http.receive_data(await self._reader.read(_CHUNK))

    def _hung_up(self) -> bool:
        """The sender closed its connection, or reset it: also where our own loop was too busy to be told yet."""
        return self._reader.at_eof() or self._reader.exception() is not None or self._has_closed()

    def _has_closed(self) -> bool:
        raw: socket.socket | None = self._writer.get_extra_info("socket")
        if raw is None or raw.fileno() < 0:
            return True
        with socket.fromfd(raw.fileno(), raw.family, raw.type) as line:
            line.setblocking(False)
            try:
                return line.recv(1, socket.MSG_PEEK) == b""
            except BlockingIOError:
                return False
            except OSError:
                return True

    async def _give(self, data: bytes) -> None:
        self._draft.received += data
        self._writer.write(data)
        await self._writer.drain()

    def _rendered(self, answer: Answer) -> bytes:
        length = [] if answer.lines("content-length") else [(b"Content-Length", str(len(answer.body)).encode())]
        once = [(b"Connection", b"close")] if self._server.secure is not None else []
        head = h11.Response(status_code=answer.status, headers=[*answer.headers, *length, *once])
        body = [] if self._to_head() else [h11.Data(data=answer.body)]
        return b"".join(self._http.send(part) or b"" for part in (head, *body, h11.EndOfMessage()))

    def _to_head(self) -> bool:
        """An answer to HEAD has no body (RFC 9110 §9.3.2)."""
        return self._draft.request is not None and self._draft.request.method == "HEAD"
