"""How often one caller may ask for a payment: so many in a minute, counted together by all processes on one Redis.

A window is a whole minute of the clock, and a count in it: simple, and twice the limit at the worst, over its edge.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

WINDOW_SECONDS = 60

_LOG = logging.getLogger(__name__)


class Counts(Protocol):
    """Where it is counted."""

    def count(self, who: str, window: int) -> int:
        """One more of this caller in this window: how many there are."""
        ...


class OwnCounts:
    """In this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._window, self._counts = 0, dict[str, int]()

    def count(self, who: str, window: int) -> int:
        with self._lock:
            if window != self._window:
                self._window, self._counts = window, {}
            self._counts[who] = self._counts.get(who, 0) + 1
            return self._counts[who]


class RedisCounts:
    """In a Redis, which forgets them by itself. Where it does not answer nobody is held up."""

    def __init__(self, url: str, shop: str) -> None:
        import redis

        self._errors = redis.RedisError
        self._redis = redis.Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0)
        self._prefix = f"{shop}:rate:"

    def count(self, who: str, window: int) -> int:
        name = f"{self._prefix}{who}:{window}"
        try:
            with self._redis.pipeline() as both:
                both.incr(name)
                both.expire(name, 2 * WINDOW_SECONDS)
                counted, _ = both.execute()
        except self._errors as error:
            _LOG.warning("nobody is counted (%s)", type(error).__name__)
            return 0
        return int(counted)


class Limit:
    """So many in a minute for each caller; 0: as many as they like."""

    def __init__(self, each_minute: int, counts: Counts, clock: Callable[[], float] = time.time) -> None:
        self._each_minute, self._counts, self._clock = each_minute, counts, clock

    def wait_seconds(self, who: str) -> int:
        """Whole seconds until this caller may ask again; 0: now, and it is counted."""
        now = self._clock()
        if not self._each_minute or self._counts.count(who, int(now // WINDOW_SECONDS)) <= self._each_minute:
            return 0
        return WINDOW_SECONDS - int(now % WINDOW_SECONDS)
