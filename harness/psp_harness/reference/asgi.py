"""ASGI in and out, so that what answers requests is a function from a request to an answer."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import quote

from psp_harness.model import Answer, Request

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
Handle = Callable[[Request], Awaitable[Answer]]
Close = Callable[[], Awaitable[None]]

MAX_BODY: Final = 1 << 20
"""Bytes."""

TOO_LARGE: Final = Answer(
    413, ((b"content-type", b"application/json"),), b'{"message":"the body is larger than 1 MiB"}'
)


async def at_once() -> None:
    """Nothing has to be begun."""


def serving(handle: Handle, close: Close, start: Close = at_once) -> Asgi:
    """The application; `start` is called before its server accepts anything, `close` when it shuts down."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(start, close, receive, send)
        elif scope["type"] == "http":
            await _http(handle, scope, receive, send)

    return application


async def _lifespan(start: Close, close: Close, receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            await close()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await start()
        await send({"type": "lifespan.startup.complete"})


async def _http(handle: Handle, scope: Scope, receive: Receive, send: Send) -> None:
    try:
        body = await _body(receive)
    except ConnectionError:
        return  # half a request asks for nothing, and nobody is there to answer
    answer = body if isinstance(body, Answer) else await handle(_request(scope, body))
    length = (b"content-length", str(len(answer.body)).encode())
    await send({"type": "http.response.start", "status": answer.status, "headers": [*answer.headers, length]})
    await send({"type": "http.response.body", "body": answer.body})


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


def as_json(status: int, message: object) -> Answer:
    """An answer in JSON."""
    return Answer(status, ((b"content-type", b"application/json"),), json.dumps(message).encode())
