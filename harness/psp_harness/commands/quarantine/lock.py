"""One writer at a time: whoever comes second waits, and then sees what the first one wrote."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from psp_harness import private

FILE = private.FOLDER / "quarantine.lock"

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)


@contextmanager
def locked() -> Iterator[None]:
    """Hold the project's lock; the system lets go of it when the process ends, however it does."""
    private.made()
    with FILE.open("a+b") as file:
        _lock(file.fileno())
        yield
