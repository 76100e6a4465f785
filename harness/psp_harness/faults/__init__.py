"""Faults: what happens on the wire, one file each. A fault is named by a case and strikes the attempts that it names.

A fault is one coroutine: it is given the sender's end of the line, and a way to pass the request on. The fault that
does nothing is the whole interface:

    @fault("nothing-happens")
    async def nothing_happens(line: Line, forward: Forward, options: Options) -> None:
        '''The request arrives, and so does its answer.'''
        await line.answer(await forward())

Whoever writes the next one decides two things: whether the PSP sees the request (`forward`), and what its sender sees.
The line is a real socket on both sides of the harness: in front of a client, and behind a provider.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from psp_harness.model import Answer
from psp_harness.registry import Registry

Forward = Callable[[], Awaitable[Answer]]
"""Passes the request on to the PSP, once, and gives its answer."""


class Line(Protocol):
    """The sender's end of one exchange."""

    @property
    def patience(self) -> float:
        """Seconds that the sender was asked to wait for an answer."""

    @property
    def asked(self) -> str:
        """The address that the request was sent to."""

    @property
    def in_flight(self) -> Answer:
        """What this PSP says while the first request with a key is still being processed."""

    async def answer(self, answer: Answer) -> None:
        """Give the sender a complete answer."""

    async def truncate(self, answer: Answer) -> None:
        """Give the sender the head and half of the body, and then close the connection."""

    async def reset(self) -> None:
        """Break the connection: the sender gets nothing more. Before `forward`, the PSP never has the whole request."""

    async def leave(self, forward: Forward) -> None:
        """Break the connection while the PSP, which has the whole request, is still at work on it."""

    async def end_sender(self) -> None:
        """End the process that sent the request; of one that cannot be ended, break the connection."""

    async def wait(self, seconds: float) -> None:
        """Let time pass, or less of it if the sender hangs up."""


Options = Mapping[str, int | float | str | bool]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong on the wire."""

    id: str
    says: str
    strike: Callable[[Line, Forward, Options], Awaitable[None]]
    options: Mapping[str, type]
    """What a case may say beside it, and of which type: `float` takes whole numbers too."""


_BETWEEN: Mapping[str, tuple[float, float]] = {
    "status": (200, 599),
    "seconds": (0, 3600),
    "retry_after": (0, 86_400),
    "alert": (0, 255),
}
"""Of options that are numbers: the least and the most; a status is that of a final answer."""
_WORDS: Mapping[str, tuple[str, ...]] = {"when": ("before", "acted", "answered")}


def expected_of(name: str, value: float | str | bool) -> str:
    """What an option takes, where this value is none of that; empty where it is."""
    if name in _BETWEEN:
        least, most = _BETWEEN[name]
        return "" if least <= float(value) <= most else f"a number from {least:g} to {most:g}"
    return f"one of {', '.join(_WORDS[name])}" if name in _WORDS and value not in _WORDS[name] else ""


FAULTS: Registry[Fault] = Registry("fault")


def fault(name: str, **options: type) -> Callable[[Callable[[Line, Forward, Options], Awaitable[None]]], None]:
    """Register a fault under the words for what happens on the wire; its docstring is what people read."""

    def register(strike: Callable[[Line, Forward, Options], Awaitable[None]]) -> None:
        FAULTS.add(name, Fault(name, " ".join((inspect.getdoc(strike) or "").split()), strike, options))

    return register


def load() -> Registry[Fault]:
    """Every fault that there is: importing its file registers it."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return FAULTS
