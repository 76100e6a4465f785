"""The HTTP front: a request in JSON, one call of the shop in a thread, an answer.

    POST /api/v1/payments {checkout, amount, currency, payment_token, capture}   the order of that checkout, paid once
    POST /api/v1/captures {order_id, amount}                                     what was authorised (`capture: manual`)
    POST /api/v1/voids    {order_id}                                             or gives it up
    POST /api/v1/refunds  {order_id, request, amount}                            the refund of that request, made once
    GET  /api/v1/orders/ID, /api/v1/refunds/ID, /api/v1/state
    POST /api/v1/reconcile                                                       look after what is in doubt, now
    POST /webhooks                                                               of the PSP, signed
    GET  /health, /health/ready

Amounts are integers in minor units. 202 is neither yes nor no: the money may have moved, and the shop finds out.
Who may call it is decided in front of it: this is no server for the internet.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict
from typing import Any

from sqlalchemy import text
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from psp_harness.reference.shop.answers import answered, created, there
from psp_harness.reference.shop.psp import Capture
from psp_harness.reference.shop.refusals import Invalid, WrongState
from psp_harness.reference.shop.shop import Shop
from psp_harness.reference.shop.statement import of_order, of_refund

_LOG = logging.getLogger(__name__)

Body = Mapping[str, Any]
Told = tuple[int, Mapping[str, Any]]
Endpoint = Callable[[Request], Awaitable[Response]]


def front(shop: Shop, *, reconcile_seconds: float) -> Starlette:
    """The application; it reconciles when it starts and every so many seconds, and closes the shop in the end."""

    def post(path: str, act: Callable[[Shop, Body], Told]) -> Route:
        return Route(path, _reading(shop, act), methods=["POST"])

    def get(path: str, act: Callable[[Shop, str], Told]) -> Route:
        return Route(path, _looking(shop, act), methods=["GET"])

    return Starlette(
        routes=[
            post("/api/v1/payments", pay),
            post("/api/v1/captures", capture),
            post("/api/v1/voids", void),
            post("/api/v1/refunds", refund),
            post("/api/v1/reconcile", lambda shop, _: (200, asdict(shop.reconcile()))),
            get("/api/v1/orders/{id}", lambda shop, name: there(_order(shop, name))),
            get("/api/v1/refunds/{id}", lambda shop, name: there(of_refund(shop.refunds.get(name)))),
            get("/api/v1/state", lambda shop, _: (200, shop.state())),
            get("/health/ready", _ready),
            Route("/health", _alive, methods=["GET"]),
            Route("/webhooks", _webhook(shop), methods=["POST"]),
        ],
        lifespan=_lifespan(shop, reconcile_seconds),
    )


def pay(shop: Shop, body: Body) -> Told:
    """The order of a checkout, confirmed: whoever submits it again is told how it stands."""
    order = shop.orders.place_order(
        body.get("checkout", ""),
        amount=body.get("amount", 0),
        currency=_text(body, "currency"),
        capture=_capture(body),
    )
    try:
        shop.orders.confirm_order(order.id, payment_token=body.get("payment_token"))
    except WrongState:
        return there(_order(shop, order.id))
    return created(_order(shop, order.id))


def capture(shop: Shop, body: Body) -> Told:
    """The money of an authorised order, taken."""
    order = shop.captures.capture_order(_text(body, "order_id"), amount=body.get("amount"))
    return there(_order(shop, order.id))


def void(shop: Shop, body: Body) -> Told:
    """An order given up, before its money was taken."""
    return there(_order(shop, shop.captures.cancel_order(_text(body, "order_id")).id))


def refund(shop: Shop, body: Body) -> Told:
    """A refund, made: whoever asks for it again is told how it stands."""
    asked = {"request": _text(body, "request"), "amount": body.get("amount", 0)}
    return created(of_refund(shop.refunds.refund_order(_text(body, "order_id"), **asked)))


def _order(shop: Shop, order_id: str) -> Mapping[str, Any]:
    with shop.books.transaction() as session:
        return of_order(session, shop.orders.get(order_id))


def _capture(body: Body) -> Capture:
    match body.get("capture", "automatic"):
        case "automatic":
            return "automatic"
        case "manual":
            return "manual"
        case other:
            raise Invalid(f"capture {other!r}: expected 'automatic' or 'manual'")


def _text(body: Body, name: str) -> str:
    return str(body.get(name, ""))


def _reading(shop: Shop, act: Callable[[Shop, Body], Told]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        raw = await request.body()
        return await run_in_threadpool(answered, lambda: act(shop, _members(raw)))

    return endpoint


def _looking(shop: Shop, act: Callable[[Shop, str], Told]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(answered, lambda: act(shop, request.path_params.get("id", "")))

    return endpoint


def _webhook(shop: Shop) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        headers, body = tuple(request.headers.raw), await request.body()
        return await run_in_threadpool(answered, lambda: (200, {"status": shop.take(headers, body)}))

    return endpoint


def _members(raw: bytes) -> Body:
    try:
        body = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Invalid("the body: expected a JSON object")
    return body


async def _alive(_: Request) -> Response:
    return PlainTextResponse("shop is good")


def _ready(shop: Shop, _: str) -> Told:
    with shop.books.transaction() as session:
        session.execute(text("SELECT 1"))
    return 200, {"database": True}


def _lifespan(shop: Shop, seconds: float) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        looking = asyncio.create_task(_reconciling(shop, seconds))
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            await run_in_threadpool(shop.close)

    return lifespan


async def _reconciling(shop: Shop, seconds: float) -> None:
    while True:
        try:
            await run_in_threadpool(shop.reconcile)
        except Exception:  # the database may be away: it is said, and the next time may be better
            _LOG.exception("could not reconcile; it is tried again in %g s", seconds)
        await asyncio.sleep(seconds)
