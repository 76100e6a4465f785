"""The HTTP front: a request in JSON, one call of the shop in a thread, an answer.

    POST /api/v1/payments {checkout, amount, currency, payment_token, capture}   the order of that checkout, paid once
    POST /api/v1/captures {order_id, amount}                                     what was authorised (`capture: manual`)
    POST /api/v1/voids    {order_id}                                             or gives it up
    POST /api/v1/refunds  {order_id, request, amount}                            the refund of that request, made once
    POST /api/v1/payouts  {request, amount, currency, destination}               the payout of that request, made once
    GET  /api/v1/orders/ID?wait=SECONDS                                          until it is decided, so long at most
    GET  /api/v1/refunds/ID, /api/v1/payouts/ID, /api/v1/state
    POST /api/v1/reconcile                                                       look after what is in doubt, now
    POST /webhooks                                                               of the PSP, signed
    GET  /health, /health/ready

Amounts are integers in minor units. 202 is neither yes nor no: the money may have moved, and the shop finds out.
Who may call it is decided in front of it: this is no server for the internet.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from psp_harness.reference.shop.answers import again_in, answered, created, there
from psp_harness.reference.shop.limits import Limit
from psp_harness.reference.shop.polling import poll
from psp_harness.reference.shop.psp import Capture
from psp_harness.reference.shop.queue import Queue
from psp_harness.reference.shop.refusals import Invalid, NotFound, WrongState
from psp_harness.reference.shop.shop import OPEN, Shop
from psp_harness.reference.shop.statement import of_order, of_payout, of_refund
from psp_harness.reference.shop.tables import Order
from psp_harness.reference.shop.working import Worker

LARGEST_BODY = 1 << 20
"""Bytes."""

LONGEST_WAIT_SECONDS = 30.0
"""For which `?wait=SECONDS` is heard."""

Body = Mapping[str, Any]
Told = tuple[int, Mapping[str, Any]]
Endpoint = Callable[[Request], Awaitable[Response]]


def front(shop: Shop, *, reconcile_seconds: float, queue: Queue | None = None, limit: Limit | None = None) -> Starlette:
    """The application; it reconciles when it starts and every so many seconds, and closes the shop in the end.

    With a `queue` webhooks are applied by whoever reads that; `limit` is for those who ask for payments.
    """
    worker = Worker(shop, reconcile_seconds=reconcile_seconds, queue=queue)

    def post(path: str, act: Callable[[Shop, Body], Told]) -> Route:
        return Route(path, _reading(shop, act), methods=["POST"])

    def get(path: str, act: Callable[[Shop, str], Told]) -> Route:
        return Route(path, _looking(shop, act), methods=["GET"])

    return Starlette(
        routes=[
            Route("/api/v1/payments", _limited(_reading(shop, pay), limit), methods=["POST"]),
            post("/api/v1/captures", capture),
            post("/api/v1/voids", void),
            post("/api/v1/refunds", refund),
            post("/api/v1/payouts", pay_out),
            post("/api/v1/reconcile", lambda shop, _: (200, asdict(shop.reconcile()))),
            Route("/api/v1/orders/{id}", _waiting(shop), methods=["GET"]),
            get("/api/v1/refunds/{id}", lambda shop, name: there(of_refund(shop.refunds.get(name)))),
            get("/api/v1/payouts/{id}", lambda shop, name: there(of_payout(shop.payouts.get(name)))),
            get("/api/v1/state", lambda shop, _: (200, shop.state())),
            get("/health/ready", _ready),
            Route("/health", _alive, methods=["GET"]),
            Route("/webhooks", _webhook(shop, worker), methods=["POST"]),
        ],
        lifespan=lambda _: worker.running(),
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


def pay_out(shop: Shop, body: Body) -> Told:
    """A payout, made: whoever asks for it again is told how it stands."""
    asked = {"amount": body.get("amount", 0), **{name: _text(body, name) for name in ("currency", "destination")}}
    return created(of_payout(shop.payouts.pay_out(_text(body, "request"), **asked)))


def _order(shop: Shop, order_id: str) -> Mapping[str, Any]:
    with shop.books.snapshot() as session:
        order = session.get(Order, order_id)
        if order is None:
            raise NotFound(f"there is no order {order_id!r}")
        return of_order(session, order)


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
        raw = await _body(request)
        return await run_in_threadpool(answered, lambda: act(shop, _members(raw)))

    return endpoint


def _looking(shop: Shop, act: Callable[[Shop, str], Told]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(answered, lambda: act(shop, request.path_params.get("id", "")))

    return endpoint


def _waiting(shop: Shop) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        order_id = request.path_params["id"]
        try:
            seconds = min(max(float(request.query_params.get("wait", 0)), 0.0), LONGEST_WAIT_SECONDS)
        except ValueError:
            seconds = 0.0
        return await run_in_threadpool(answered, lambda: there(_decided(shop, order_id, seconds)))

    return endpoint


def _decided(shop: Shop, order_id: str, seconds: float) -> Mapping[str, Any]:
    """An order; while its end is open, the PSP is asked again, for so long."""
    if seconds and _order(shop, order_id)["status"] in OPEN:
        poll(lambda: shop.orders.settle(order_id), lambda order: order.status not in OPEN, within_seconds=seconds)
    return _order(shop, order_id)


def _limited(endpoint: Endpoint, limit: Limit | None) -> Endpoint:
    async def limited(request: Request) -> Response:
        who = request.client.host if request.client else ""
        if limit and (seconds := await run_in_threadpool(limit.wait_seconds, who)):
            return again_in(seconds, 429, "too many payments were asked for from there")
        return await endpoint(request)

    return limited


def _webhook(shop: Shop, worker: Worker) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        headers, body = tuple(request.headers.raw), await _body(request)
        taken = await run_in_threadpool(answered, lambda: (200, {"event": shop.inbox.receive(headers, body)}))
        if taken.status_code == 200:
            await worker.dispatch(json.loads(bytes(taken.body))["event"])
        return taken

    return endpoint


def _members(raw: bytes) -> Body:
    try:
        body = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Invalid("the body: expected a JSON object")
    return body


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise HTTPException(413, f"a body has {LARGEST_BODY} bytes at most")
    return bytes(body)


async def _alive(_: Request) -> Response:
    return PlainTextResponse("shop is good")


def _ready(shop: Shop, _: str) -> Told:
    try:
        with shop.books.transaction() as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        return 503, {"database": False, "message": type(error).__name__}
    return 200, {"database": True}
