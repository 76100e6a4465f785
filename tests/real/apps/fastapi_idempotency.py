"""fastapi-idempotency 0.1.1, as its README mounts it, with its defaults: `app`.

`app_with_scope` has a scope by tenant, as the README advises; the answers of `app_with_cookies` set a cookie; the first
answer of `app_that_fails_at_first` to each body is an error that comes after the money moved.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from fastapi_idempotency import ConflictingRequestError, IdempotencyError, IdempotencyMiddleware, InvalidKeyError, store
from starlette.applications import Starlette

from .books import Books
from .clock import Clock
from .gateway import gateway, observed

Next = Callable[[Request], Awaitable[Response]]

clock = Clock()
store.time = clock


def refusal(_: Request, error: IdempotencyError) -> JSONResponse:
    """The refusals of the middleware in the words of profile `generic`, for which it has the hook `on_error`."""
    match error:
        case InvalidKeyError():
            return JSONResponse({"message": str(error)}, 400)
        case ConflictingRequestError():
            return JSONResponse({"code": "idempotency_key_reused", "message": str(error)}, 422)
    return JSONResponse({"message": str(error)}, 409)


def tenant(request: Request) -> str:
    """Who asks."""
    return request.headers.get("Authorization", "")


async def set_cookie(request: Request, call_next: Next) -> Response:
    """What a session does."""
    answer = await call_next(request)
    answer.set_cookie("session", "of-this-caller")
    return answer


def failing_at_first() -> Callable[[Request, Next], Awaitable[Response]]:
    """What a mail server does that cannot be reached once: the handler fails after its work."""
    met: set[bytes] = set()

    async def fail_at_first(request: Request, call_next: Next) -> Response:
        body, answer = await request.body(), await call_next(request)
        known = body in met
        met.add(body)
        return answer if known else JSONResponse({"message": "the receipt could not be sent"}, 500)

    return fail_at_first


def mounted(*inner: Callable[[Request, Next], Awaitable[Response]], **options: object) -> Starlette:
    """With books of its own; `inner` stand between the middleware and the handlers."""
    books = Books()
    plain: FastAPI = gateway(books)
    for each in inner:
        plain.middleware("http")(each)
    plain.add_middleware(IdempotencyMiddleware, on_error=refusal, methods=("POST",), **options)
    return observed(plain, books, clock)


app = mounted()
app_with_scope = mounted(scope=tenant)
app_with_cookies = mounted(set_cookie)
app_that_fails_at_first = mounted(failing_at_first())
