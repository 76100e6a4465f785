"""The PSP that a client is given: a local server that records both directions and strikes the faults of the case."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from types import TracebackType
from typing import Self

from psp_harness.model import Answer, Exchange, Request, Strike
from psp_harness.wire import tls
from psp_harness.wire.connection import Connection, Draft, EndSender

Upstream = Callable[[Request], Awaitable[Answer]]
Classify = Callable[[Request], tuple[int | None, str | None]]
"""Which step a request belongs to, and which operation it asks for."""

Asked = Callable[[], Iterable[int]]
"""The steps that are being asked: what a connection is for that carries no request yet."""

MAX_CONNECTIONS = 256
"""At one time; further ones are closed at once."""

_IN_FLIGHT = Answer(409)


class Server:
    """Serves one case on a free loopback port: `async with Server(…) as server: server.base_url`."""

    def __init__(  # noqa: PLR0913 - what it is, and how it behaves
        self,
        upstream: Upstream,
        classify: Classify,
        strikes: Sequence[Strike],
        *,
        patience: float,
        end_sender: EndSender | None = None,
        in_flight: Answer = _IN_FLIGHT,
        listens: bool = True,
        secure: ssl.SSLContext | None = None,
        asked: Asked = tuple,
    ) -> None:
        """`patience`: seconds that the sender waits; `end_sender` ends its process, where somebody can.

        Unless it `listens`, it has its port and refuses every connection, until `listen` is called. With `secure` it
        speaks TLS, and each connection carries one exchange: the next one begins with a handshake.
        """
        self._listens, self.secure, self._asked = listens, secure, asked
        self._upstream, self._classify, self._strikes = upstream, classify, strikes
        self.patience, self.end_sender, self.in_flight = patience, end_sender, in_flight
        self._started = time.perf_counter()
        self._drafts: list[Draft] = []
        self._attempts: Counter[int] = Counter()
        self._open: set[asyncio.Task[None]] = set()
        self._broken: list[str] = []
        self._over = False
        self._server: asyncio.Server | None = None
        self.base_url = ""
        self._flooded = False

    async def __aenter__(self) -> Self:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        host, port = self._socket.getsockname()
        self.base_url = f"http{'s' if self.secure else ''}://{host}:{port}"
        if self._listens:
            await self.listen()
        return self

    async def listen(self) -> None:
        """Take connections from now on."""
        self._server = await asyncio.start_server(self._connected, sock=self._socket)

    def refused(self, step: int, fault: str) -> None:
        """Write down that no request could come while this step was asked: what was tried leaves no trace."""
        draft = self.begin()
        draft.step, draft.fault, draft.ended = step, fault, self.now()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        if self._server is not None:
            self._server.close()
        self._socket.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Everything that arrived so far, in the order in which it began."""
        return tuple(draft.finished(self.now()) for draft in self._drafts)

    @property
    def broken(self) -> tuple[str, ...]:
        """Why nothing can be told of this case, if so: it was flooded, or our side failed."""
        flood = (f"it opened more than {MAX_CONNECTIONS} connections at once",) if self._flooded else ()
        return (*flood, *self._broken)

    def now(self) -> float:
        """Seconds since the case began."""
        return time.perf_counter() - self._started

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if self._over or len(self._open) >= MAX_CONNECTIONS:
            self._flooded = not self._over
            writer.transport.abort()
            return
        self._open.add(task)
        try:
            if self.secure is None or await self._shake_hands(reader, writer, self.secure):
                await Connection(self, reader, writer).serve()
        except (ConnectionError, TimeoutError, EOFError, ssl.SSLError, asyncio.CancelledError):
            pass  # the sender hung up, or the case ended: what arrived is recorded
        except Exception as error:  # noqa: BLE001 - ours to answer for: the case is errored, the run goes on
            self._broken.append(f"our PSP failed: {error!r}")
        finally:
            self._open.discard(task)
            writer.transport.abort()

    async def _shake_hands(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, secure: ssl.SSLContext
    ) -> bool:
        """Whether a connection may go on, in TLS from here."""
        strike = self._strike_for_handshake()
        if strike is None:
            await writer.start_tls(secure, ssl_handshake_timeout=tls.HANDSHAKE_SECONDS)
            return True
        await tls.break_off(reader, writer, int(strike.options["alert"]) if "alert" in strike.options else None)
        return False

    def _strike_for_handshake(self) -> Strike | None:
        """An attempt that ends here is one of its step, and is counted and written down as such."""
        for step in self._asked():
            attempt = self._attempts[step] + 1
            for strike in self._strikes:
                if strike.fault == tls.FAULT and strike.hits(step, attempt):
                    self._attempts[step] = attempt
                    self.refused(step, tls.FAULT)
                    return strike
        return None

    # what a connection asks of its server

    def begin(self) -> Draft:
        draft = Draft(len(self._drafts) + 1, self.now())
        self._drafts.append(draft)
        return draft

    def strike_for(self, draft: Draft, request: Request) -> Strike | None:
        draft.step, draft.operation = self._classify(request)
        at_number = next((strike for strike in self._strikes if strike.number == draft.number), None)
        if draft.step is None:
            return at_number
        self._attempts[draft.step] += 1
        attempt = self._attempts[draft.step]
        return at_number or next((strike for strike in self._strikes if strike.hits(draft.step, attempt)), None)

    async def forward(self, draft: Draft, request: Request) -> Answer:
        draft.answer = await self._upstream(request)
        return draft.answer
