"""A shop that runs on a socket, and what customers and tests do with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from psp_harness.model import Headers
from psp_harness.reference.shop.front import front
from psp_harness.reference.shop.shop import Shop
from psp_harness.subjects import hosting

NEVER = 3_600.0
"""Seconds; what is in doubt is looked after when the test says so."""

BOUND = 30.0
"""Seconds that any answer may take."""


@dataclass(frozen=True)
class Running:
    """What customers reach, and what is behind it."""

    http: httpx.AsyncClient
    shop: Shop

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

    async def order(self, order_id: str) -> dict[str, object]:
        """How an order stands."""
        return dict((await self.http.get(f"/api/v1/orders/{order_id}")).json())


@asynccontextmanager
async def serving(shop: Shop) -> AsyncIterator[Running]:
    """The shop behind its front, on a socket; closed in the end."""
    async with (
        hosting.in_thread(front(shop, reconcile_seconds=NEVER)) as base_url,
        httpx.AsyncClient(base_url=base_url, timeout=BOUND) as http,
    ):
        yield Running(http, shop)
