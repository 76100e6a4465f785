"""A PSP on a free loopback port that anybody may talk to: what arrives is recorded, and faults strike by operation.

Nobody says here what is wanted, so a request is told by what it asks for: the n-th request of an operation, in the
order of arrival.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from psp_harness.model import Exchange, Intent, Request, Strike
from psp_harness.profile import Profile, in_flight_answer, operation_of
from psp_harness.vocabulary import OPERATIONS
from psp_harness.wire.server import Server, Upstream

PATIENCE = 20.0
"""Seconds that a sender is taken to wait for an answer, where it was not asked to wait for any time."""

_NUMBER = {operation: number for number, operation in enumerate(OPERATIONS, 1)}


def strike_on(
    operation: str, fault: str, attempts: tuple[int, ...], options: dict[str, int | float | str | bool]
) -> Strike:
    """A fault on the requests of an operation, by their numbers in the order of arrival; none means all of them."""
    return Strike(fault, _NUMBER[operation], attempts, options)


class LocalPsp:
    """`async with LocalPsp(…) as psp: psp.base_url`; what is behind it is `upstream`. With `secure` it speaks TLS."""

    def __init__(
        self, profile: Profile, upstream: Upstream, strikes: Sequence[Strike], *, secure: ssl.SSLContext | None = None
    ) -> None:
        self._profile, says = profile, in_flight_answer(profile)
        self._server = Server(upstream, self._classify, strikes, patience=PATIENCE, in_flight=says, secure=secure)

    async def __aenter__(self) -> Self:
        await self._server.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.__aexit__(kind, error, trace)

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return self._server.base_url

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Everything that arrived so far, in the order in which it began."""
        return self._server.exchanges

    @property
    def broken(self) -> tuple[str, ...]:
        """Why nothing can be told, if so."""
        return self._server.broken

    def _classify(self, request: Request) -> tuple[int | None, str | None]:
        found = operation_of(self._profile, request)
        return (_NUMBER[found[0]], found[0]) if found else (None, None)


def as_steps() -> tuple[Intent, ...]:
    """The operations in the place of steps: what a fault can be made to strike."""
    return tuple(Intent(number, operation, operation, 0) for operation, number in _NUMBER.items())
