"""One local PSP in a thread of its own, for a whole session: its address stays, its books are new for each test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import TypeVar

from psp_harness import faults
from psp_harness.drive.local import LocalPsp, strike_on
from psp_harness.drive.upstreams import OurPsp
from psp_harness.model import Answer, Effect, Exchange, Request, Strike
from psp_harness.profile import Profile

T = TypeVar("T")

BOUND = 30.0
"""Seconds that anything asked of the thread may take."""


class Server:
    """Started when it is made; `close` ends it."""

    def __init__(self, profile: Profile) -> None:
        faults.load()
        self.profile = profile
        self._strikes: list[Strike] = []
        self._behind = OurPsp(profile, None)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="psp-harness", daemon=True)
        self._thread.start()
        self._psp = LocalPsp(profile, self._handle, self._strikes)
        self._asked(self._psp.__aenter__())

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return self._psp.base_url

    def renew(self) -> int:
        """Empty books, no faults; how many exchanges there were before."""
        self._strikes.clear()
        old, self._behind = self._behind, OurPsp(self.profile, None)
        self._asked(old.close())
        return len(self.exchanges())

    def strike(
        self, fault: str, operation: str, numbers: tuple[int, ...], options: dict[str, int | float | str | bool]
    ) -> None:
        """Let a fault strike requests of an operation, by their numbers since the server was started."""
        self._strikes.append(strike_on(operation, fault, numbers, options))

    def exchanges(self) -> tuple[Exchange, ...]:
        """Everything that arrived since the server was started."""
        return self._asked(_soon(lambda: self._psp.exchanges))

    def effects(self) -> tuple[Effect, ...]:
        """Every movement of money since the books were new."""
        return self._asked(self._behind.effects())

    def close(self) -> None:
        """End it."""
        self._asked(self._psp.__aexit__(None, None, None))
        self._asked(self._behind.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(BOUND)
        self._loop.close()

    async def _handle(self, request: Request) -> Answer:
        return await self._behind.handle(request)

    def _asked(self, work: Coroutine[object, object, T]) -> T:
        """What a coroutine gives, in the thread of the server: after everything that it had under way."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(BOUND)


async def _soon(read: Callable[[], T]) -> T:
    return read()
