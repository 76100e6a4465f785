"""One process at a time, where several share a Redis. It spares work, and protects no money: that is the keys' part.

So a lock ends by itself, and where Redis does not answer everybody goes ahead.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

LEASE_SECONDS = 60.0
"""After so long it is free again, whatever became of its holder."""

_LOG = logging.getLogger(__name__)


class Locks(Protocol):
    """Where they are kept."""

    def held(self, name: str) -> Any:
        """A context: True in it for the one who has the lock, False for whoever came while it was held."""
        ...


class NoLocks:
    """One process alone needs none."""

    @contextmanager
    def held(self, name: str) -> Iterator[bool]:
        """It is always free."""
        yield bool(name)


class RedisLocks:
    """In a Redis, each under a name of this shop's."""

    def __init__(self, url: str, shop: str) -> None:
        import redis

        self._errors = redis.RedisError
        self._redis = redis.Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0)
        self._prefix = f"{shop}:lock:"

    @contextmanager
    def held(self, name: str) -> Iterator[bool]:
        """Free for one at a time."""
        lock = self._redis.lock(self._prefix + name, timeout=LEASE_SECONDS)
        try:
            mine = bool(lock.acquire(blocking=False))
        except self._errors as error:
            _LOG.warning("no lock for %s (%s): going ahead without", name, type(error).__name__)
            yield True
            return
        try:
            yield mine
        finally:
            if mine:
                with suppress(self._errors):  # it ended by itself, or will
                    lock.release()
