"""What this process is asking the PSP right now: it is not in doubt yet, so nobody looks after it meanwhile."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager


class Asking:
    """Names of what is on its way; of this process alone, for another one asks under the same keys."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: Counter[Hashable] = Counter()

    @contextmanager
    def about(self, name: Hashable) -> Iterator[None]:
        """It is on its way; begun before anything of it can be seen in the database."""
        with self._lock:
            self._names[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._names[name] -= 1

    def __contains__(self, name: Hashable) -> bool:
        with self._lock:
            return self._names[name] > 0
