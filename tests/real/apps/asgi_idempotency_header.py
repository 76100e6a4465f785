"""asgi-idempotency-header 0.2.0, as its README mounts it; it has no option that would mend a finding."""

from __future__ import annotations

from idempotency_header_middleware import IdempotencyHeaderMiddleware
from idempotency_header_middleware.backends import MemoryBackend, memory

from .books import Books
from .clock import Clock
from .gateway import gateway, observed

books, clock = Books(), Clock()
memory.time = clock

plain = gateway(books)
plain.add_middleware(IdempotencyHeaderMiddleware, backend=MemoryBackend())
app = observed(plain, books, clock)
