"""The role receiver: something that takes webhooks. One runs for all cases, or is started for a case of its own."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

from psp_harness.model import Claims, Effect, Order
from psp_harness.subjects.delivering import Sender
from psp_harness.wire.caller import Caller, Target, target_of


@dataclass(frozen=True, slots=True)
class Said:
    """What a receiver says that it did."""

    effects: tuple[Effect, ...]
    states: Mapping[str, str] | None
    """By order; None where it does not say."""


@dataclass(slots=True)
class Clock:
    """The time of one receiver: ours, and what it was advanced by."""

    ahead: float = 0.0
    """Seconds."""

    def now(self) -> float:
        """Unix time, seconds."""
        return time.time() + self.ahead


@dataclass(frozen=True, slots=True)
class Routes:
    """What a receiver can be asked beside its webhooks, by path on its own host."""

    effects: str | None = None
    orders: str | None = None
    clock: str | None = None
    secrets: str | None = None
    """Of ours alone: it is told there what it verifies with, and where it may ask."""


class Receiver(Protocol):
    """One receiver, running."""

    @property
    def url(self) -> str:
        """Where it takes webhooks."""

    @property
    def clock(self) -> Clock:
        """What time it is there."""

    async def tell(self, orders: tuple[Order, ...]) -> None:
        """Which orders there are, where it can be told."""

    async def said(self) -> Said | None:
        """What it did; None where it cannot say."""

    async def advance(self, seconds: float) -> None:
        """Let its clock jump."""

    async def crash(self) -> None:
        """End it without a warning, and start it again with what it kept."""


class Fresh(Protocol):
    """Starts a receiver for one case."""

    def __call__(self, secret: str, orders: tuple[Order, ...], *, ends: bool) -> AbstractAsyncContextManager[Receiver]:
        """With the secret and the orders that it knows; `ends`: the case will end it without a warning."""


@dataclass(frozen=True, slots=True)
class ReceiverSubject:
    """A receiver to be judged."""

    address: str
    claims: Claims
    sender: Sender
    step_timeout: float
    features: frozenset[str]
    """What this run can do with it: `effects`, `clock`, `known-orders`, `configurable`."""
    standing: Receiver | None = None
    """The one that all cases meet."""
    fresh: Fresh | None = None
    """One for a single case."""
    ca_file: str | None = None

    def caller(self, url: str) -> Caller:
        """A caller for one case."""
        return Caller(self.target(url), step_timeout=self.step_timeout)

    def target(self, url: str) -> Target:
        """Where it listens."""
        return target_of(origin(url), self.ca_file)

    @asynccontextmanager
    async def receiver(self, orders: tuple[Order, ...], secret: str | None, *, ends: bool) -> AsyncIterator[Receiver]:
        """The receiver of one case, which knows the secret, None for the right one; `ends`: the case will end it.

        Raises `SubjectError` where it cannot be started.
        """
        if self.standing is not None and secret is None and not ends:
            await self.standing.tell(orders)
            yield self.standing
            return
        assert self.fresh is not None
        known = self.sender.own.proves if secret is None else secret
        async with self.fresh(known, orders, ends=ends) as receiver:
            yield receiver


def origin(url: str) -> str:
    """Scheme and authority of a URL."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, "", "", ""))
