"""A clock that `--clock` moves: it takes the place of `time` in the one module of a middleware that looks at it."""

from __future__ import annotations

import time


class Clock:
    """The machine's time, and what it was advanced, in seconds."""

    def __init__(self) -> None:
        self._advanced = 0.0

    def advance(self, seconds: float) -> None:
        """Jump forward."""
        self._advanced += seconds

    def time(self) -> float:
        """As `time.time`."""
        return time.time() + self._advanced

    def monotonic(self) -> float:
        """As `time.monotonic`."""
        return time.monotonic() + self._advanced
