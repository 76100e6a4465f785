"""How much a tenant may ask for: 429 with `Retry-After` beyond it, before anybody looks at the key.

A request that is turned away here was not looked at: its key is neither claimed nor compared, and can be used again,
for this body or another. The count is of this process alone, and by the provider's clock.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass, field

from psp_harness.reference.provider.ledger import Refusal


@dataclass(frozen=True, slots=True)
class Quota:
    """That many requests of a tenant in any so many seconds; none at all where the number is 0."""

    requests: int
    seconds: float


@dataclass(slots=True)
class Meter:
    """Counts the requests that were let in."""

    quota: Quota | None = None
    """None: as many as anybody likes."""
    _let_in: defaultdict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def count(self, tenant: str, now: float) -> Refusal | None:
        """Let a request in, or say when it may come again: whole seconds, as RFC 9110 §10.2.3 has them."""
        if self.quota is None:
            return None
        let_in = self._let_in[tenant]
        while let_in and let_in[0] <= now - self.quota.seconds:
            let_in.popleft()
        if len(let_in) < self.quota.requests:
            let_in.append(now)
            return None
        oldest = let_in[-self.quota.requests] if self.quota.requests else now
        wait = max(1, math.ceil(oldest + self.quota.seconds - now))
        told = f"more than {self.quota.requests} requests in {self.quota.seconds:g} s: come again in {wait} s"
        return Refusal("rate-limited", told, {"retry_after": str(wait)})
