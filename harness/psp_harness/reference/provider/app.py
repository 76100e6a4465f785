"""The provider as a bare ASGI application: bytes in, bytes out, and three routes that no PSP has.

`GET /psp-harness/effects` says which money moved, `POST /psp-harness/clock {"advance": seconds}` lets time pass, and
`GET /health`, `GET /health/ready` say that it lives. None of them asks who is asking: this is no
server for the internet.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import asdict
from typing import Annotated, Any, Final
from urllib.parse import quote

import msgspec

from psp_harness.model import Answer, Request
from psp_harness.reference.provider.service import Provider
from psp_harness.reference.provider.stores import StoreUnavailable

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
_Own = Callable[[Provider, bytes], Awaitable[Answer]]

MAX_BODY: Final = 1 << 20
"""Bytes."""

TOO_LARGE: Final = Answer(
    413, ((b"content-type", b"application/json"),), b'{"message":"the body is larger than 1 MiB"}'
)


class _Advance(msgspec.Struct, forbid_unknown_fields=True):
    advance: Annotated[float, msgspec.Meta(ge=0, le=1e9)]
    """Seconds; more than thirty years is a mistake."""


def asgi(provider: Provider) -> Asgi:
    """The application; it closes the provider when its server shuts down."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(provider, receive, send)
        elif scope["type"] == "http":
            await _http(provider, scope, receive, send)

    return application


async def _lifespan(provider: Provider, receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            await provider.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send({"type": "lifespan.startup.complete"})


async def _http(provider: Provider, scope: Scope, receive: Receive, send: Send) -> None:
    try:
        body = await _body(receive)
    except ConnectionError:
        return  # half a request asks for nothing, and nobody is there to answer
    own = _OWN.get((scope["method"], scope["path"]))
    if isinstance(body, Answer):
        answer = body
    elif own is not None:
        answer = await _of_our_own(own, provider, body)
    else:
        answer = await provider.handle(_request(scope, body))
    length = (b"content-length", str(len(answer.body)).encode())
    await send({"type": "http.response.start", "status": answer.status, "headers": [*answer.headers, length]})
    await send({"type": "http.response.body", "body": answer.body})


async def _of_our_own(route: _Own, provider: Provider, body: bytes) -> Answer:
    try:
        return await route(provider, body)
    except StoreUnavailable as error:
        return _json(503, {"message": str(error)})


async def _body(receive: Receive) -> bytes | Answer:
    """The whole body, or the answer to one that is too large; raises `ConnectionError` where the sender went away."""
    body = bytearray()
    while len(body) <= MAX_BODY:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError
        body += message.get("body", b"")
        if not message.get("more_body", False) and len(body) <= MAX_BODY:
            return bytes(body)
    return TOO_LARGE


def _request(scope: Scope, body: bytes) -> Request:
    path = scope.get("raw_path") or quote(scope["path"]).encode()
    query = b"?" + scope["query_string"] if scope["query_string"] else b""
    headers = tuple((bytes(name), bytes(value)) for name, value in scope["headers"])
    return Request(scope["method"], (path + query).decode("latin-1"), headers, body)


def _json(status: int, message: object) -> Answer:
    return Answer(status, ((b"content-type", b"application/json"),), json.dumps(message).encode())


async def _effects(provider: Provider, _: bytes) -> Answer:
    return _json(200, {"effects": [asdict(effect) for effect in await provider.effects()]})


async def _clock(provider: Provider, body: bytes) -> Answer:
    try:
        asked = msgspec.json.decode(body, type=_Advance)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _json(400, {"message": f'expected {{"advance": seconds}}: {error}'})
    await provider.advance(asked.advance)
    return Answer(204)


async def _alive(_: Provider, __: bytes) -> Answer:
    return Answer(200, ((b"content-type", b"text/plain"),), b"health is good")


async def _ready(provider: Provider, _: bytes) -> Answer:
    await provider.ready()
    return _json(200, {"database": True})


_OWN: Final[dict[tuple[str, str], _Own]] = {
    ("GET", "/psp-harness/effects"): _effects,
    ("POST", "/psp-harness/clock"): _clock,
    ("GET", "/health"): _alive,
    ("GET", "/health/ready"): _ready,
}
