"""`sdk:gocardless`: the official `gocardless_pro` package; a key is a header of the caller's, or one that it makes."""

from __future__ import annotations

from typing import Any

import gocardless_pro
import requests
from gocardless_pro.errors import ApiError

from psp_harness.model import Retries
from psp_harness.subjects.sdks.adapter import Adapter, Made, Params, Setting, Told, by_status
from psp_harness.subjects.sdks.trust import REQUESTS

_RETRIES = Retries(2, frozenset({"lost", "malformed"}))
"""Malformed: the body is not what this PSP writes, be it a gateway's page under 502."""

_NAMES = {"header": "Idempotency-Key", "lower-case": "idempotency-key"}


def connect(setting: Setting) -> Adapter:
    """A client for one case."""
    REQUESTS.hold(setting.ca_file, setting.until)
    client = gocardless_pro.Client(
        access_token=setting.token,
        base_url=setting.base_url,
        raise_on_idempotency_conflict=setting.chosen["conflict"] == "raise",
        timeout=setting.timeout,
    )

    def keyed(params: Params) -> dict[str, Any]:
        return {"headers": {_NAMES[setting.chosen["key"]]: params["key"]}} if "key" in params else {}

    def pay(params: Params) -> Made:
        asked = {**_money(params, params["order_id"]), "links": {"mandate": "psp_harness_token"}}
        payment = client.payments.create(params={**asked, "currency": params["currency"]}, **keyed(params))
        return Made(payment.id, payment.status)

    def refund(params: Params) -> Made:
        asked = {**_money(params, params["refund_id"]), "links": {"payment": params["payment_id"]}}
        refunded = client.refunds.create(params=asked, **keyed(params))
        return Made(refunded.id, refunded.status)

    return Adapter(pay, refund, _told, frozenset({"caller-keys", "own-keys"}), _RETRIES)


def _money(params: Params, reference: str) -> dict[str, Any]:
    return {"amount": params["amount"], "metadata": {"reference": reference}}


def _told(error: Exception) -> Told:
    if isinstance(error, ApiError) and isinstance(error.error, dict):
        return by_status(error.code)
    unsendable = isinstance(error, requests.exceptions.InvalidHeader | UnicodeEncodeError)
    return "refused" if unsendable else "unknown"
