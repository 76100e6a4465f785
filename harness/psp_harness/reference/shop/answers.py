"""What the shop answers over HTTP: which status each outcome has, and that what nobody knows is told as such."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import JSONResponse

from psp_harness.reference.client_errors import (
    Declined,
    NotSent,
    OutcomeUnknown,
    PaymentError,
    RateLimited,
    Rejected,
)
from psp_harness.reference.shop.inbox import NotBelieved
from psp_harness.reference.shop.refusals import Conflict, Invalid, NotFound, Refused, TooMuch, WrongState
from psp_harness.reference.shop.shop import OPEN

STATUS: Mapping[type[Exception], int] = {
    Invalid: 400,
    NotBelieved: 400,
    NotFound: 404,
    Conflict: 409,
    WrongState: 409,
    TooMuch: 422,
    Refused: 422,
    Declined: 402,
    OutcomeUnknown: 202,
    RateLimited: 503,
    NotSent: 503,
    Rejected: 502,
    PaymentError: 502,
}
"""By what was raised: the first class of it that stands here. 503: nothing happened, and it may be asked for again."""


def answered(act: Callable[[], tuple[int, Mapping[str, Any]]]) -> JSONResponse:
    """The answer to what `act` returns or raises."""
    try:
        status, body = act()
    except (Refused, PaymentError, NotBelieved) as error:
        status, body = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), {"message": str(error)}
        if isinstance(error, RateLimited):
            return again_in(error.retry_after_seconds or 1, status, str(error))
    return JSONResponse(body, status)


def again_in(seconds: int, status: int, message: str) -> JSONResponse:
    """The answer to somebody who is to ask again later."""
    return JSONResponse({"message": message}, status, headers={"Retry-After": str(seconds)})


def created(thing: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
    """201; or 202 for a thing that may or may not come to be."""
    return (202 if thing["status"] in OPEN else 201), thing


def there(thing: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
    """200; or 202 for a thing that may or may not come to be."""
    return (202 if thing["status"] in OPEN else 200), thing
