"""A PSP that a test starts: it holds a payment back and lets a minute pass, and says what its webhooks were."""

from __future__ import annotations

import asyncio

import httpx

from psp_harness.profile import load, told_by
from psp_harness.reference.provider import asgi, build
from psp_harness.subjects import hosting

PROFILE = load("generic")


class Shop:
    """As much of a shop as takes webhooks."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def __call__(self, scope, receive, send):  # type: ignore[no-untyped-def]
        """Any ASGI application would do."""
        if scope["type"] == "lifespan":
            while (await receive())["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        body = (await receive())["body"]
        assert PROFILE.webhooks is not None
        self.told += [event.means for event in told_by(PROFILE.webhooks, body)]
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def main() -> None:
    """A payment that is processing, and a minute later paid."""
    shop = Shop()
    async with (
        hosting.in_thread(shop) as shop_url,
        hosting.in_thread(asgi(build(PROFILE))) as psp_url,
        httpx.AsyncClient(base_url=psp_url) as psp,
    ):
        await psp.post("/psp-harness/webhooks", json={"url": f"{shop_url}/webhooks"})
        await psp.post("/psp-harness/bank", json={"payments": {"takes": 60}})
        headers = {"authorization": "Bearer tenant-a", "idempotency-key": "order-1"}
        paid = await psp.post("/payments", json={"amount": 6540, "currency": "EUR"}, headers=headers)
        print(paid.json()["status"])
        await psp.post("/psp-harness/clock", json={"advance": 61})
        print((await psp.get(f"/payments/{paid.json()['id']}", headers=headers)).json()["status"])
        print(shop.told)


asyncio.run(main())
