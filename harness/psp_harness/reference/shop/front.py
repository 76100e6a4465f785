"""The HTTP front: a request in JSON, one call of the shop in a thread, an answer.

    POST /api/v1/payments {checkout, amount, currency, payment_token, capture}   the order of that checkout, paid once
    POST /api/v1/captures {order_id, amount}                                     what was authorised (`capture: manual`)
    POST /api/v1/voids    {order_id}                                             or gives it up
    POST /api/v1/refunds  {order_id, request, amount}                            the refund of that request, made once
    POST /api/v1/payouts  {request, amount, currency, destination}               the payout of that request, made once
    POST /api/v1/customers {name, email, phone}          DELETE /api/v1/customers/ID        redacts them
    POST /api/v1/subscriptions {request, customer_id, amount, currency, method}          DELETE /api/v1/subscriptions/ID
    POST /api/v1/charges  {subscription_id, period}                              the payment of that period, made once
    PUT  /api/v1/disputes/ID/evidence/KIND?filename=NAME                         the bytes of a file, for the answer
    POST /api/v1/challenges {dispute_id}, /api/v1/acceptances {dispute_id}       a dispute, answered or accepted
    GET  /api/v1/orders/ID?wait=SECONDS                                          until it is decided, so long at most
    GET  /api/v1/refunds/ID, /api/v1/payouts/ID, /api/v1/disputes/ID, /api/v1/state
    POST /api/v1/reconcile                                                       look after what is in doubt, now
    POST /webhooks                                                               of the PSP, signed
    GET  /health, /health/ready

Amounts are integers in minor units. 202 is neither yes nor no: the money may have moved, and the shop finds out.
Who may call it is decided in front of it: this is no server for the internet.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from psp_harness.reference.shop import calls
from psp_harness.reference.shop.answers import again_in, answered
from psp_harness.reference.shop.calls import Body, Told
from psp_harness.reference.shop.limits import Limit
from psp_harness.reference.shop.queue import Queue
from psp_harness.reference.shop.refusals import Invalid
from psp_harness.reference.shop.shop import Shop
from psp_harness.reference.shop.working import Worker

LARGEST_BODY = 1 << 20
"""Bytes."""

LONGEST_WAIT_SECONDS = 30.0
"""For which `?wait=SECONDS` is heard."""

Endpoint = Callable[[Request], Awaitable[Response]]


def front(shop: Shop, *, reconcile_seconds: float, queue: Queue | None = None, limit: Limit | None = None) -> Starlette:
    """The application; it reconciles when it starts and every so many seconds, and closes the shop in the end.

    With a `queue` webhooks are applied by whoever reads that; `limit` is for those who ask for payments.
    """
    worker = Worker(shop, reconcile_seconds=reconcile_seconds, queue=queue)

    def post(path: str, act: Callable[[Shop, Body], Told]) -> Route:
        return Route(path, _reading(shop, act), methods=["POST"])

    def get(path: str, act: Callable[[Shop, str], Told]) -> Route:
        return Route(path, _naming(shop, act), methods=["GET"])

    def delete(path: str, act: Callable[[Shop, str], Told]) -> Route:
        return Route(path, _naming(shop, act), methods=["DELETE"])

    return Starlette(
        routes=[
            Route("/api/v1/payments", _limited(_reading(shop, calls.pay), limit), methods=["POST"]),
            post("/api/v1/captures", calls.capture),
            post("/api/v1/voids", calls.void),
            post("/api/v1/refunds", calls.refund),
            post("/api/v1/payouts", calls.pay_out),
            post("/api/v1/customers", calls.register),
            delete("/api/v1/customers/{id}", calls.redact),
            post("/api/v1/subscriptions", calls.subscribe),
            delete("/api/v1/subscriptions/{id}", calls.end),
            post("/api/v1/charges", calls.charge),
            Route("/api/v1/disputes/{id}/evidence/{kind}", _attaching(shop), methods=["PUT"]),
            post("/api/v1/challenges", calls.challenge),
            post("/api/v1/acceptances", calls.accept),
            get("/api/v1/disputes/{id}", calls.dispute_of),
            post("/api/v1/reconcile", calls.reconcile),
            Route("/api/v1/orders/{id}", _waiting(shop), methods=["GET"]),
            get("/api/v1/refunds/{id}", calls.refund_of),
            get("/api/v1/payouts/{id}", calls.payout_of),
            get("/api/v1/state", lambda shop, _: (200, shop.state())),
            get("/health/ready", calls.ready),
            Route("/health", _alive, methods=["GET"]),
            Route("/webhooks", _webhook(shop, worker), methods=["POST"]),
        ],
        lifespan=lambda _: worker.running(),
    )


def _reading(shop: Shop, act: Callable[[Shop, Body], Told]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        raw = await _body(request)
        return await run_in_threadpool(answered, lambda: act(shop, _members(raw)))

    return endpoint


def _naming(shop: Shop, act: Callable[[Shop, str], Told]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(answered, lambda: act(shop, request.path_params.get("id", "")))

    return endpoint


def _attaching(shop: Shop) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        dispute_id, kind = request.path_params["id"], request.path_params["kind"]
        name, content = request.query_params.get("filename", kind), await _body(request)

        def act() -> Told:
            evidence = shop.disputes.attach(dispute_id, kind=kind, filename=name, content=content)
            return 201, {"id": evidence.id, "kind": evidence.kind, "file_id": evidence.file_id}

        return await run_in_threadpool(answered, act)

    return endpoint


def _waiting(shop: Shop) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        order_id = request.path_params["id"]
        try:
            seconds = min(max(float(request.query_params.get("wait", 0)), 0.0), LONGEST_WAIT_SECONDS)
        except ValueError:
            seconds = 0.0
        return await run_in_threadpool(answered, lambda: calls.decided(shop, order_id, seconds))

    return endpoint


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
