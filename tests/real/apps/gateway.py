"""The books behind FastAPI, and the two routes that are the harness's own, where no middleware stands before them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from .books import WORK_SECONDS, Answer, Asked, Books
from .clock import Clock

Handler = Callable[[Request], Awaitable[Response]]


def gateway(books: Books, protected: Callable[[Handler], Handler] = lambda handler: handler) -> FastAPI:
    """Profile `generic`, but for all that it says of keys; `protected` decorates the two POSTs."""
    app = FastAPI()

    async def move(request: Request) -> Response:
        asked = books.asked(request.url.path, request.headers.get("Authorization"), await request.body())
        if isinstance(asked, Asked):
            await asyncio.sleep(WORK_SECONDS)
            asked = books.book(asked)
        return _json(asked)

    async def show(request: Request) -> Response:
        return _json(books.shown(request.url.path, request.headers.get("Authorization")))

    for path in ("/payments", "/refunds"):
        app.post(path)(protected(move))
        app.get(path)(show)
        app.get(f"{path}/{{name}}")(show)
    return app


def observed(app: FastAPI, books: Books, clock: Clock) -> Starlette:
    """The application with `--effects /effects` and `--clock /clock` beside it."""

    async def effects(_: Request) -> Response:
        return _json(books.effects())

    async def advance(request: Request) -> Response:
        clock.advance((await request.json())["advance"])
        return JSONResponse({})

    own = [Route("/effects", effects), Route("/clock", advance, methods=["POST"])]
    return Starlette(routes=[*own, Mount("", app)])


def _json(answer: Answer) -> Response:
    return JSONResponse(answer.body, answer.status)
