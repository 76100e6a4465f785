"""A client for any ASGI provider, and a PSP on a real socket whose answers are lost or replaced as a test says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from psp_harness.miniatures.asgi import Receive, Scope, Send, lifespan, request_of, send_answer
from psp_harness.miniatures.providers import CarefulGateway
from psp_harness.model import Answer, Request


@dataclass(frozen=True)
class Till:
    """Asks a provider, in this process, for payments and refunds."""

    app: Any

    async def send(self, method: str, path: str, *, tenant: str = "tenant-a", **options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app, client=options.pop("client", ("127.0.0.1", 123)))
        headers = [("Authorization", f"Bearer {tenant}"), *options.pop("headers", [])]
        async with httpx.AsyncClient(transport=transport, base_url="http://psp") as client:
            return await client.request(method, path, headers=headers, **options)

    async def post(self, path: str, body: object, key: str, **options: Any) -> httpx.Response:
        return await self.send("POST", path, json=body, headers=[("Idempotency-Key", key)], **options)

    async def pay(self, key: str = "key-1", amount: int = 1000, **options: Any) -> httpx.Response:
        return await self.post(
            "/payments", {"amount": amount, "currency": "EUR", "reference": "order-1"}, key, **options
        )

    async def refund(self, payment_id: str, key: str, amount: int, **options: Any) -> httpx.Response:
        return await self.post("/refunds", {"payment_id": payment_id, "amount": amount}, key, **options)

    async def effects(self) -> list[dict[str, Any]]:
        return list((await self.send("GET", "/effects")).json()["effects"])


@pytest.fixture
def till() -> type[Till]:
    """Wraps an ASGI provider."""
    return Till


@dataclass
class Psp:
    """A careful gateway behind a line on which the n-th POST meets the n-th fate: `""`, `lost` or a status."""

    gateway: CarefulGateway = field(default_factory=CarefulGateway)
    fates: list[str] = field(default_factory=list)
    seen: list[Request] = field(default_factory=list)
    base_url: str = ""

    @property
    def key_lines(self) -> list[list[bytes]]:
        return [request.lines("Idempotency-Key") for request in self.seen]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
        elif request := await request_of(scope, receive):
            self.seen.append(request)
            fate = self.fates.pop(0) if self.fates else ""
            answer = await self.gateway.answer(request)
            if fate == "lost":
                await lose(send)
            else:
                await send_answer(send, Answer(int(fate), body=b"{}") if fate else answer)


async def lose(send: Send) -> None:
    """Promise a body and never send it: the server then closes the connection."""
    await send({"type": "http.response.start", "status": 201, "headers": [(b"content-length", b"100")]})
    await send({"type": "http.response.body", "body": b"{", "more_body": True})


@dataclass
class Stage:
    """One server for all tests: it passes requests to the PSP of the test that runs."""

    psp: Psp = field(default_factory=Psp)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.psp(scope, receive, send)


@pytest.fixture(scope="session")
def stage() -> Iterator[tuple[Stage, str]]:
    """The server and its URL."""
    app = Stage()
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level=60, http="h11", ws="none", lifespan="on"))
    thread = threading.Thread(target=server.run)
    thread.start()
    give_up = time.monotonic() + 10
    while not server.started and time.monotonic() < give_up:
        time.sleep(0.005)
    yield app, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def psp(stage: tuple[Stage, str]) -> Psp:
    """A fresh PSP for this test."""
    app, base_url = stage
    app.psp = Psp(base_url=base_url)
    return app.psp


Said = dict[str, dict[str, Any]]
NOW = 1_795_000_000
"""Seconds since 1970, for clients that go by the time."""


@pytest.fixture
def started(psp: Psp, tmp_path: Path) -> Callable[[Any], Any]:
    """Starts a client against the PSP, as the harness does."""

    def start(client: Any) -> Any:
        client.start(
            base_url=psp.base_url,
            profile="generic",
            credentials={"token": "tenant-a"},
            answer_timeout=2.0,
            state_dir=str(tmp_path),
            ca_file=None,
            role="client",
            protocol=1,
        )
        return client

    return start


@pytest.fixture
def pay() -> Callable[..., Said]:
    """Asks a client for a payment; `key=None` gives none."""

    def do(client: Any, key: str | None = "key-1", order: str = "order-1", amount: int = 1000) -> Said:
        given = {} if key is None else {"key": key}
        said: Said = client.do(
            "create-payment", {"order_id": order, "amount": amount, "currency": "EUR", "now": NOW, **given}
        )
        return said

    return do


@pytest.fixture
def refund() -> Callable[..., Said]:
    """Asks a client for a refund; `key=None` gives none."""

    def do(
        client: Any, payment_id: str, key: str | None = "key-2", refund: str = "refund-1", amount: int = 400
    ) -> Said:
        given = {} if key is None else {"key": key}
        params = {"payment_id": payment_id, "refund_id": refund, "amount": amount, "currency": "EUR", "now": NOW}
        said: Said = client.do("create-refund", {**params, **given})
        return said

    return do
