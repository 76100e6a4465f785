"""An endpoint on a real socket: it keeps what arrives, and answers as it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from psp_harness.model import Answer, Request
from psp_harness.profile import Profile, told_by
from psp_harness.reference.asgi import serving
from psp_harness.signing import Genuine, Verified, Webhook, verify
from psp_harness.subjects import hosting


@dataclass
class Endpoint:
    """What a merchant has."""

    url: str = ""
    arrived: list[Request] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    """What it answers first, one after the other; then 200."""
    always: int = 200
    location: str = ""
    hangs: bool = False
    """It takes the request, and answers when nobody waits any more."""

    async def handle(self, request: Request) -> Answer:
        """Keep it."""
        self.arrived.append(request)
        if self.hangs:
            await asyncio.sleep(2)
        headers = ((b"location", self.location.encode()),) if self.location else ()
        return Answer(self.statuses.pop(0) if self.statuses else self.always, headers)

    async def close(self) -> None:
        """Nothing is held."""

    def told(self, profile: Profile) -> list[tuple[str, Mapping[str, Any]]]:
        """What each of them tells: meaning and values."""
        assert profile.webhooks is not None
        return [
            (each.means, each.values) for request in self.arrived for each in told_by(profile.webhooks, request.body)
        ]

    def means(self, profile: Profile) -> list[str]:
        """What each of them means."""
        return [means for means, _ in self.told(profile)]

    def proved(self, profile: Profile, now: float, number: int = 0) -> Verified:
        """Whether the PSP sent exactly that, by what a merchant knows."""
        assert profile.webhooks is not None
        request = self.arrived[number]
        secrets = [profile.secrets["tenant-a"]] if profile.webhooks.signature.signed else []
        tolerance = profile.webhooks.tolerance_seconds
        return verify(
            profile.webhooks.signature, self._webhook(profile, request), secrets, now=now, tolerance=tolerance
        )

    def proved_by(self, profile: Profile, secret: str) -> bool:
        """Whether the first of them is proved by that, whenever it was sent."""
        assert profile.webhooks is not None
        webhook = self._webhook(profile, self.arrived[0])
        return isinstance(verify(profile.webhooks.signature, webhook, [secret], now=0, tolerance=None), Genuine)

    def _webhook(self, profile: Profile, request: Request) -> Webhook:
        return Webhook(request.headers, request.body, self.url, profile.accounts.get("tenant-a", ""))


@asynccontextmanager
async def listening(**how: Any) -> AsyncIterator[Endpoint]:
    """It, on a free port of loopback."""
    endpoint = Endpoint(**how)
    async with hosting.in_thread(serving(endpoint.handle, endpoint.close)) as base_url:
        endpoint.url = f"{base_url}/webhooks"
        yield endpoint
