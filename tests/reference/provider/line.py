"""The line between a store and its server, which can be cut, and can lose the answer to what was sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit


class Line:
    """Passes bytes on, as long as it is whole."""

    def __init__(self, address: str) -> None:
        self._address = urlsplit(address)
        self._whole = True
        self._silent = False
        self._losing: bytes | None = None
        self._dropping = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.address = ""
        """Of the store, by way of this line."""
        self.lost = 0
        """How often an answer was lost."""

    async def cut(self) -> None:
        """End every connection, and take no other; returns when both ends can see it."""
        self._whole = False
        await self.drop()

    async def drop(self) -> None:
        """End every connection, and take others."""
        for writer in self._writers:
            writer.close()
        for writer in self._writers:
            with suppress(OSError):
                await writer.wait_closed()
        for _ in range(10):
            await asyncio.sleep(0)  # the loop has to hear of it, too

    def mend(self) -> None:
        """Take connections again, and lose no answer."""
        self._whole, self._silent, self._losing = True, False, None

    def hush(self) -> None:
        """Bring no answer any more, and no end of a connection either."""
        self._silent = True

    def lose_answer_to(self, sent: bytes) -> None:
        """Deliver each message that contains this, and drop everything when the server has answered it."""
        self._losing = sent

    async def end(self) -> None:
        """Cut it, and wait for whoever still passes something on."""
        await self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        if task := asyncio.current_task():
            self._tasks.add(task)
        if not self._whole:
            writer.close()
            return
        there, back = await self._connect()
        self._writers |= {writer, back}
        answering = asyncio.create_task(self._pass_back(there, writer))
        with suppress(OSError):
            while data := await reader.read(65_536):
                self._dropping = self._dropping or (self._losing is not None and self._losing in data)
                back.write(data)
        back.close()
        writer.close()
        await answering

    async def _pass_back(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await there.read(65_536):
                if self._dropping:
                    self._dropping, self.lost = False, self.lost + 1
                    await self.drop()
                elif not self._silent:
                    writer.write(data)
        if not self._silent:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        folder = parse_qs(self._address.query).get("host", [""])[0]
        if self._address.scheme == "unix":
            return await asyncio.open_unix_connection(self._address.path)
        if folder:
            return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.5432")
        standard = 6379 if self._address.scheme == "redis" else 5432
        return await asyncio.open_connection(self._address.hostname, self._address.port or standard)

    def through(self, port: int) -> str:
        """The store's address, with this end of the line in the server's place."""
        user = self._address.netloc.rpartition("@")
        name = f"#{self._address.fragment}"
        if self._address.scheme == "unix":
            return f"redis://127.0.0.1:{port}{name}"
        return f"{self._address.scheme}://{user[0]}{user[1]}127.0.0.1:{port}{self._address.path}{name}"


@asynccontextmanager
async def laid(address: str) -> AsyncIterator[Line]:
    """A line to the server of this store."""
    line = Line(address)
    server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    line.address = line.through(server.sockets[0].getsockname()[1])
    yield line
    server.close()
    await line.end()
