"""Looking again until something is decided, with a bound: what is not decided by then is given as it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

FIRST_SECONDS = 0.05
LONGEST_SECONDS = 2.0
"""The pauses double from the one to the other."""


def poll(
    look: Callable[[], T],
    decided: Callable[[T], bool],
    *,
    within_seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """What `look` gives when it is decided, or when the time is over; it looks once at least."""
    end, pause = clock() + within_seconds, FIRST_SECONDS
    while True:
        seen = look()
        left = end - clock()
        if decided(seen) or left <= 0:
            return seen
        sleep(min(pause, left))
        pause = min(2 * pause, LONGEST_SECONDS)
