"""Connections to PostgreSQL, lent to one transaction at a time: a pool of the size that a store needs.

What must hold here: a connection that comes back was left by a finished transaction. Whatever else happened on it (an
error, a cancelled caller, an answer that was not read), it is closed, and the server rolls back what it had begun. And
no transaction lasts longer than its bound, also where the server is silent without being gone.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import psycopg

Connection = psycopg.AsyncConnection[tuple[Any, ...]]

BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
"""Said each time, and not left to what the server, the database or the role has as its default: `postgresql.py`."""


class Connections:
    """At most so many at once; who finds none waits until a transaction ends."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]], *, most: int, bound: float) -> None:
        """`bound`: seconds for one transaction."""
        self._connect = connect
        self._bound = bound
        self._idle: list[Connection] = []
        self._places = asyncio.Semaphore(most)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One that has begun; it commits at the end of the block, unless that was left by an error."""
        async with self._places:
            connection = await self._begun()
            try:
                with _cut_after(self._bound, connection):
                    yield connection
                    await connection.execute("COMMIT")
            except BaseException:
                await connection.close()
                raise
            self._idle.append(connection)

    async def _begun(self) -> Connection:
        """A server that was restarted left dead connections: BEGIN finds them out, and may safely be said again."""
        while self._idle:
            with suppress(psycopg.OperationalError):
                return await self._begin(self._idle.pop())
        return await self._begin(await self._connect())

    async def _begin(self, connection: Connection) -> Connection:
        try:
            with _cut_after(self._bound, connection):
                await connection.execute(BEGIN)
        except BaseException:
            await connection.close()
            raise
        return connection

    async def close(self) -> None:
        """Close those that are idle."""
        while self._idle:
            await self._idle.pop().close()


@contextmanager
def _cut_after(seconds: float, connection: Connection) -> Iterator[None]:
    """Shut the socket when the time is over: then every wait on it ends, as it would with a server that is gone."""
    alarm = asyncio.get_running_loop().call_later(seconds, _cut, connection)
    try:
        yield
    finally:
        alarm.cancel()


def _cut(connection: Connection) -> None:
    with suppress(OSError, psycopg.OperationalError), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)
