"""A shop that runs on a socket, and what customers and tests do with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

import httpx

from integration.plain import PLAIN
from psp_harness.model import Headers
from psp_harness.reference.shop.running import front_of
from psp_harness.reference.shop.settings import Settings
from psp_harness.subjects import hosting

T = TypeVar("T")

NEVER = 3_600.0
"""Seconds; what is in doubt is looked after when the test says so."""

BOUND = 30.0
"""Seconds that any answer may take."""


@dataclass(frozen=True)
class Running:
    """It, as customers and its PSP reach it."""

    http: httpx.AsyncClient
    base_url: str

    @property
    def webhook_url(self) -> str:
        """Where the PSP delivers."""
        return f"{self.base_url}/webhooks"

    async def pay(self, checkout: str = "cart-1", amount: int = 6540, **more: object) -> httpx.Response:
        """A customer submits a checkout."""
        body = {"checkout": checkout, "amount": amount, "currency": "EUR", "payment_token": "tok_1", **more}
        return await self.http.post("/api/v1/payments", json=body)

    async def paid(self, checkout: str = "cart-1", amount: int = 6540) -> str:
        """The id of an order that is paid."""
        answer = await self.pay(checkout, amount)
        assert answer.json()["status"] == "paid", answer.text
        return str(answer.json()["id"])

    async def refund(self, order_id: str, amount: int, request: str = "r-1") -> httpx.Response:
        """Somebody gives money back."""
        body = {"order_id": order_id, "request": request, "amount": amount}
        return await self.http.post("/api/v1/refunds", json=body)

    async def deliver(self, told: tuple[Headers, bytes]) -> httpx.Response:
        """A webhook arrives."""
        headers, body = told
        return await self.http.post("/webhooks", headers=list(headers), content=body)

    async def reconcile(self) -> dict[str, object]:
        """Somebody looks after what is in doubt."""
        return dict((await self.http.post("/api/v1/reconcile")).json())

    async def state(self) -> dict[str, list[dict[str, object]]]:
        """Everything that is in its books."""
        return dict((await self.http.get("/api/v1/state")).json())

    async def order(self, order_id: str) -> dict[str, object]:
        """How an order stands."""
        return dict((await self.http.get(f"/api/v1/orders/{order_id}")).json())


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Running]:
    """A shop behind its front, on a socket; it looks after what is in doubt when it is told to."""
    app = front_of(replace(settings, reconcile_seconds=NEVER))
    async with (
        hosting.in_thread(app) as base_url,
        httpx.AsyncClient(base_url=base_url, timeout=BOUND, verify=PLAIN) as http,
    ):
        running = Running(http, base_url)
        await running.reconcile()  # after the one that it began with
        yield running


async def until(look: Callable[[], Awaitable[T]], decided: Callable[[T], object]) -> T:
    """What somebody sees who looks until it is as it should be; a test that waits too long fails, and says what it saw."""
    end = asyncio.get_running_loop().time() + BOUND
    while not decided(seen := await look()):
        assert asyncio.get_running_loop().time() < end, f"after {BOUND:g} s it is still {seen!r}"
        await asyncio.sleep(0.01)
    return seen
