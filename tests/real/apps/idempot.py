"""idempot 1.0.0, as its README mounts it, on the two POSTs: `app`; `app_that_stores_201` stores what it answers."""

from __future__ import annotations

from idempot.backends import memory
from idempot.contrib.fastapi import idempotent
from starlette.applications import Starlette

from .books import Books
from .clock import Clock
from .gateway import gateway, observed

clock = Clock()
memory.time = clock


def mounted(cache_on_status: list[int] | None = None) -> Starlette:
    """With books of its own; None: the package's default."""
    books = Books()
    return observed(gateway(books, idempotent(required=True, cache_on_status=cache_on_status)), books, clock)


app = mounted()
app_that_stores_201 = mounted([200, 201])
