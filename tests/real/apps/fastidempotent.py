"""fastidempotent 0.1.0, as its README mounts it: `app`; `app_with_fingerprint` compares the tenant, too."""

from __future__ import annotations

from fastidempotent import IdempotencyConfig, IdempotencyMiddleware, MemoryBackend
from fastidempotent.backends import memory
from starlette.applications import Starlette

from .books import Books
from .clock import Clock
from .gateway import gateway, observed

DAY = 24 * 60 * 60

clock = Clock()
memory.time = clock


def mounted(config: IdempotencyConfig) -> Starlette:
    """With books of its own, and told that keys live for a day."""
    books = Books()
    plain = gateway(books)
    plain.add_middleware(IdempotencyMiddleware, backend=MemoryBackend(), config=config, ttl=DAY, methods=["POST"])
    return observed(plain, books, clock)


app = mounted(IdempotencyConfig(key_max_length=255))
app_with_fingerprint = mounted(IdempotencyConfig(key_max_length=255, fingerprint_headers=["Authorization"]))
