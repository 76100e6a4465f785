"""The reference PSP on a socket, with everything that it has beside its API: a clock, a quota, webhooks, credentials."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from integration.plain import PLAIN
from psp_harness.profile import load
from psp_harness.reference.provider import build
from psp_harness.reference.provider.app import asgi
from psp_harness.subjects import hosting

BOUND = 30.0
"""Seconds that any answer may take."""


@dataclass(frozen=True)
class Provider:
    """It, running."""

    http: httpx.AsyncClient
    base_url: str
    credentials: dict[str, str]
    """By tenant; what is taken out of it is revoked."""

    @property
    def token(self) -> str:
        """The credential of tenant-a."""
        return self.credentials["tenant-a"]

    async def effects(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Every movement of money that happened, or those of a kind."""
        told = (await self.http.get("/psp-harness/effects")).json()["effects"]
        return [effect for effect in told if kind in {None, effect["kind"]}]

    async def advance(self, seconds: float) -> None:
        """Time passes, for the PSP alone."""
        (await self.http.post("/psp-harness/clock", json={"advance": seconds})).raise_for_status()

    async def limit(self, requests: int, seconds: float) -> None:
        """So many requests in so many seconds."""
        told = {"requests": requests, "seconds": seconds}
        (await self.http.post("/psp-harness/quota", json=told)).raise_for_status()

    async def unlimit(self) -> None:
        """As many as anybody likes."""
        (await self.http.delete("/psp-harness/quota")).raise_for_status()

    async def bank(self, *, takes: float, yes: bool = True, refunds_take: float = 0) -> None:
        """From now on the bank answers so many seconds later, and so."""
        told = {"payments": {"takes": takes, "yes": yes}, "refunds": {"takes": refunds_take}}
        (await self.http.post("/psp-harness/bank", json=told)).raise_for_status()

    async def notify(self, url: str, secret: str) -> None:
        """From now on its events go there."""
        told = {"url": url, "secret": secret}
        (await self.http.post("/psp-harness/webhooks", json=told)).raise_for_status()

    async def sent(self) -> list[dict[str, Any]]:
        """The deliveries that were made: event, number, outcome."""
        return list((await self.http.get("/psp-harness/webhooks")).json()["sent"])


@asynccontextmanager
async def providing(profile: str = "hyperswitch") -> AsyncIterator[Provider]:
    """The reference PSP of a profile, with empty books."""
    facts = load(profile)
    credentials = dict(facts.credentials)
    async with (
        hosting.in_thread(asgi(build(facts, credentials=credentials))) as base_url,
        httpx.AsyncClient(base_url=base_url, timeout=BOUND, verify=PLAIN) as http,
    ):
        yield Provider(http, base_url, credentials)
