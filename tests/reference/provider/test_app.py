from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, MutableMapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn

from psp_harness.errors import UsageError
from psp_harness.profile import load
from psp_harness.reference.asgi import MAX_BODY
from psp_harness.reference.provider import Provider, asgi, build

AUTH = {"authorization": "Bearer tenant-a"}
PAYMENT = {"amount": 1000, "currency": "EUR", "reference": "order-1"}


@pytest_asyncio.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, in this process."""
    transport = httpx.ASGITransport(asgi(build(load("generic"))))
    async with httpx.AsyncClient(transport=transport, base_url="http://provider") as client:
        yield client


async def pay(http: httpx.AsyncClient, key: str = "k") -> httpx.Response:
    """Ask for a payment."""
    return await http.post("/payments", json=PAYMENT, headers={**AUTH, "idempotency-key": key})


async def test_effects(http: httpx.AsyncClient) -> None:
    """Effects of all tenants are read without a credential."""
    payment = (await pay(http)).json()
    assert (await http.get("/psp-harness/effects")).json() == {
        "effects": [
            {
                "kind": "payment",
                "id": payment["id"],
                "amount": 1000,
                "currency": "EUR",
                "payment_id": "",
                "reference": "order-1",
            }
        ]
    }


async def test_clock(http: httpx.AsyncClient) -> None:
    """A clock that is advanced by 25 hours forgets the key."""
    first = await pay(http)
    assert (await http.post("/psp-harness/clock", json={"advance": 90_000})).status_code == 204
    assert (await pay(http)).json()["id"] != first.json()["id"]


@pytest.mark.parametrize(
    "wrong", ["", "{}", '{"advance": -1}', '{"advance": "1"}', '{"advance": 1e300}', "[1]", "\ud800"]
)
async def test_clocks_go_forward(http: httpx.AsyncClient, wrong: str) -> None:
    """A clock that would go back, or nowhere, is refused with 400."""
    answer = await http.post("/psp-harness/clock", content=wrong.encode("utf-8", "surrogatepass"))
    assert answer.status_code == 400


async def test_health(http: httpx.AsyncClient) -> None:
    """Liveness is a plain sentence, readiness is JSON, and neither asks for a credential."""
    alive, ready = await http.get("/health"), await http.get("/health/ready")
    assert (alive.status_code, alive.text) == (200, "health is good")
    assert (ready.status_code, ready.json()) == (200, {"database": True})


async def test_large_bodies(http: httpx.AsyncClient) -> None:
    """A body of 1 MiB is read; one byte more is 413 and moves nothing."""
    for size, status in ((MAX_BODY, 400), (MAX_BODY + 1, 413)):
        answer = await http.post("/payments", content=b" " * size, headers={**AUTH, "idempotency-key": "k"})
        assert answer.status_code == status
    assert (await http.get("/psp-harness/effects")).json() == {"effects": []}


async def test_half_a_request_asks_for_nothing() -> None:
    """When its sender goes away before the body is complete, nothing executes and nothing is answered."""
    provider = build(load("generic"))
    sent: list[MutableMapping[str, Any]] = []
    body = json.dumps(PAYMENT).encode()
    half: MutableMapping[str, Any] = {"type": "http.request", "body": body, "more_body": True}
    messages = iter([half, {"type": "http.disconnect"}])
    headers = [(b"authorization", b"Bearer tenant-a"), (b"idempotency-key", b"k")]
    scope = {"type": "http", "method": "POST", "path": "/payments", "query_string": b"", "headers": headers}

    async def receive() -> MutableMapping[str, Any]:
        return next(messages)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await asgi(provider)(scope, receive, send)
    assert (sent, await provider.effects()) == ([], ())


async def test_a_store_is_named_by_its_address(tmp_path: Path) -> None:
    """The books of a provider stand where its address says, and an address that names nothing is refused."""
    path = tmp_path / "provider.db"
    await build(load("generic"), f"sqlite:{path}").close()
    assert path.exists()
    with pytest.raises(UsageError, match="unknown store"):
        build(load("generic"), "memory:x")


async def raw(port: int, *lines: str, body: bytes = b"") -> bytes:
    """Bytes as they are written, and the whole answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (*lines, "host: x", "connection: close", f"content-length: {len(body)}", "", "")
    writer.write("\r\n".join(head).encode() + body)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    return answer


@pytest_asyncio.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    """The port of the application behind a real server, over a file."""
    provider: Provider = build(load("generic"), f"sqlite:{tmp_path / 'provider.db'}")
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(asgi(provider), log_level="error", ws="none", lifespan="on"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield listening.getsockname()[1]
    server.should_exit = True
    await asyncio.wait_for(serving, 10)


async def test_over_real_sockets(port: int) -> None:
    """Behind a real server two key lines stay two, an empty one is no missing one, and duplicates have one effect."""
    post, body = ("POST /payments HTTP/1.1", "authorization: Bearer tenant-a"), json.dumps(PAYMENT).encode()
    two = await raw(port, *post, "idempotency-key: a", "idempotency-key: b", body=body)
    empty = await raw(port, *post, "idempotency-key:", body=body)
    assert (two[:12], b"expected one line" in two) == (b"HTTP/1.1 400", True)
    assert (empty[:12], b"at least one" in empty) == (b"HTTP/1.1 400", True)
    answers = await asyncio.gather(*(raw(port, *post, "idempotency-key: k", body=body) for _ in range(20)))
    assert {answer[:12] for answer in answers} <= {b"HTTP/1.1 201", b"HTTP/1.1 409"}
    effects = await raw(port, "GET /psp-harness/effects HTTP/1.1")
    assert effects.count(b'"kind"') == 1
