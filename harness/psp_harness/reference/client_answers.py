"""What an answer of Hyperswitch says: a payment, a refund, or one of the errors of `client_errors`.

A status alone says too little: a blocked payment is a 200 with an `error` in it
(crates/api_models/src/errors/actix.rs, release 2026.06.25.0), a declined one a 200 with status `failed`. What is not
read for certain as a yes or a no is an outcome that nobody knows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from psp_harness.reference.client_errors import Declined, Duplicate, OutcomeUnknown, RateLimited, Rejected

_UNTOLD = frozenset({408, 409, 425})
"""4xx that do not say whether the request, or its twin that is still in flight, was or will be executed."""

_BUSY = "HE_00"
"""With 422 the payment is locked by a request that is still in flight (api_error_response.rs:405-407)."""


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment; its amounts in minor units. Of its statuses only `succeeded` means that all the money moved."""

    payment_id: str
    status: str
    amount: int
    currency: str
    received: int | None = None
    """What was captured of it; None where the PSP does not say."""


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund; its amount in minor units, its status `succeeded`, `failed`, `pending` or `review`."""

    refund_id: str
    payment_id: str
    status: str
    amount: int


def members(answer: httpx.Response) -> Mapping[str, object]:
    """Give the members of a yes; raise what the answer says otherwise."""
    status, body = answer.status_code, _decode(answer.content)
    error = body.get("error")
    if answer.is_success and error is None:
        return body
    code, message = _text(error, "code"), _text(error, "message")
    if answer.is_success and "blocked" in {_text(error, "type"), _text(error, "error_type")}:
        raise Declined(code, message)
    if not answer.is_client_error or status in _UNTOLD or code == _BUSY:
        raise OutcomeUnknown(f"the PSP answered {status} {code}".rstrip() + (f" {message!r}" if message else ""))
    if status == httpx.codes.TOO_MANY_REQUESTS:
        raise RateLimited(status, code, message, _seconds(answer.headers.get("retry-after", "")))
    raise (Duplicate if code == "HE_01" else Rejected)(status, code, message)


def payment(told: Mapping[str, object]) -> Payment:
    """Read a payment out of a yes."""
    match told:
        case {"payment_id": str(name), "status": str(status), "amount": int(amount), "currency": str(currency)}:
            received = told.get("amount_received")
            return Payment(name, status, amount, currency, received if isinstance(received, int) else None)
    raise OutcomeUnknown("the PSP's yes lacks payment_id, status, amount or currency")


def refund(told: Mapping[str, object]) -> Refund:
    """Read a refund out of a yes."""
    match told:
        case {"refund_id": str(name), "payment_id": str(paid), "status": str(status), "amount": int(amount)}:
            return Refund(name, paid, status, amount)
    raise OutcomeUnknown("the PSP's yes lacks refund_id, payment_id, status or amount")


def expect(told: object, asked: object) -> None:
    """Refuse a yes to something else: a replay under a key that was reused, or the answer to another request."""
    if told != asked:
        raise OutcomeUnknown(f"the PSP's yes is about {told!r}, asked was {asked!r}")


def expect_no_decline(status: str, told: Mapping[str, object]) -> None:
    """Refuse a yes to a request whose money did not move."""
    if status == "failed":
        raise Declined(_text(told, "error_code"), _text(told, "error_message"))


def _decode(content: bytes) -> Mapping[str, object]:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _text(node: object, name: str) -> str:
    found = node.get(name) if isinstance(node, Mapping) else None
    return found if isinstance(found, str) else ""


def _seconds(text: str) -> int | None:
    """Read a Retry-After in seconds; None where it is a date or missing (RFC 9110 §10.2.3)."""
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None
