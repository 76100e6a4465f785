"""ASGI messages in and out, so that a provider is a function from a request to an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from psp_harness.model import Answer, Request

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def request_of(scope: Scope, receive: Receive) -> Request | None:
    """The whole request; None where its sender left before its end."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return Request(scope["method"], scope["path"], tuple(scope["headers"]), body)


async def until_gone(receive: Receive) -> None:
    """Ends when the sender of a whole request has closed its connection, or has its answer."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def send_answer(send: Send, answer: Answer) -> None:
    """The whole answer, as JSON."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer.body)), *answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def lifespan(receive: Receive, send: Send) -> None:
    """Nothing to start, nothing to stop."""
    for expected in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{expected}.complete"})
