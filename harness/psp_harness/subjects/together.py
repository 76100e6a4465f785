"""One answer for all who ask at once: a slow question is not put again for each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Together(Generic[T]):
    """Asks on behalf of everybody who waits.

    Whoever comes while it asks waits for the next answer, not for this one: no answer is older than its question.
    """

    def __init__(self) -> None:
        self._asking = asyncio.Lock()
        self._next: asyncio.Task[T] | None = None

    async def ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """The answer to a question that was put after this call began; raises what it raises, to everybody."""
        if self._next is None:
            self._next = asyncio.create_task(self._in_turn(question))
        return await asyncio.shield(self._next)

    async def _in_turn(self, question: Callable[[], Awaitable[T]]) -> T:
        async with self._asking:
            self._next = None  # who comes from now on asks again
            return await question()
