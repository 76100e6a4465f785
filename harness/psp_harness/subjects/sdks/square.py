"""`sdk:square`: the official `squareup` package; the key is an argument that it requires, and a member of the body."""

from __future__ import annotations

import ssl
from typing import Any

import httpx
from square import Square
from square.core.api_error import ApiError

from psp_harness.model import Retries
from psp_harness.subjects.sdks.adapter import Adapter, Made, Params, Setting, Told, by_status

_RETRIES = Retries(2, frozenset({"408", "409", "429", "5xx"}))


def connect(setting: Setting) -> Adapter:
    """A client for one case."""
    trusting: Any = {}
    if setting.ca_file is not None:
        trusted = ssl.create_default_context(cafile=setting.ca_file)
        trusting = {"httpx_client": httpx.Client(verify=trusted, timeout=setting.timeout, follow_redirects=True)}
    client = Square(token=setting.token, base_url=setting.base_url, timeout=setting.timeout, **trusting)

    def pay(params: Params) -> Made:
        how: Any = {"source_id": "psp_harness_token", "autocomplete": True, "reference_id": params["order_id"]}
        payment = client.payments.create(**_money(params), **how).payment
        return Made(_text(payment, "id"), _text(payment, "status"))

    def refund(params: Params) -> Made:
        of: Any = {"payment_id": params["payment_id"], "reason": params["refund_id"]}
        refunded = client.refunds.refund_payment(**_money(params), **of).refund
        return Made(_text(refunded, "id"), _text(refunded, "status"))

    return Adapter(pay, refund, _told, frozenset({"caller-keys"}), _RETRIES)


def _money(params: Params) -> Any:
    key = {"idempotency_key": params["key"]} if "key" in params else {}
    return {"amount_money": {"amount": params["amount"], "currency": params["currency"]}, **key}


def _text(thing: object, name: str) -> str:
    return str(getattr(thing, name))


def _told(error: Exception) -> Told:
    if isinstance(error, ApiError):
        declined = any(each.category == "PAYMENT_METHOD_ERROR" for each in error.errors)
        return "declined" if declined else by_status(error.status_code)
    left_out = isinstance(error, TypeError) and "'idempotency_key'" in str(error)
    return "refused" if left_out else "unknown"
