"""Plain sockets for both ends of the wire: nothing here parses HTTP."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

BOUND = 10.0
"""Seconds after which a test gives up; nothing waits that long."""


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that another task is about to do."""
    async with asyncio.timeout(BOUND):
        while not condition():
            await asyncio.sleep(0.001)


@asynccontextmanager
async def connected(base_url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to the server at a URL."""
    parts = urlsplit(base_url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        async with asyncio.timeout(BOUND):
            yield reader, writer
    finally:
        writer.transport.abort()


async def said_to(base_url: str, *pieces: bytes) -> bytes:
    """Everything that comes back, up to the end of the connection, for pieces that are sent one after the other."""
    async with connected(base_url) as (reader, writer):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return await reader.read()


def reset(writer: asyncio.StreamWriter) -> None:
    """Break a connection off with RST."""
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@asynccontextmanager
async def listening(handler: Handler) -> AsyncIterator[str]:
    """A server that does with each connection what it is told; gives its URL."""
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def post(body: bytes = b"{}", *lines: bytes, target: bytes = b"/payments") -> bytes:
    """A POST that asks for the connection to be closed after it."""
    head = [
        b"POST " + target + b" HTTP/1.1",
        b"Host: psp",
        b"Connection: close",
        b"Content-Length: %d" % len(body),
        *lines,
    ]
    return b"\r\n".join(head) + b"\r\n\r\n" + body
