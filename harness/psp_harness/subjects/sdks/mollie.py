"""`sdk:mollie`: the official `mollie-api-python` package; it makes a key where its caller gives none."""

from __future__ import annotations

from typing import Any

from mollie.api.client import Client
from mollie.api.error import RequestSetupError, ResponseError

from psp_harness.minor_units import as_decimal
from psp_harness.subjects.sdks.adapter import Adapter, Made, Params, Setting, Told, by_status
from psp_harness.subjects.sdks.trust import REQUESTS


def connect(setting: Setting) -> Adapter:
    """A client for one case. That it tries to connect three times more, over TLS alone, shows in no request."""
    REQUESTS.hold(setting.ca_file, setting.until)
    client = Client(api_endpoint=setting.base_url, timeout=setting.timeout)  # type: ignore[arg-type] # any number will do
    client.set_api_key(setting.token)

    def pay(params: Params) -> Made:
        whose = {"sequenceType": "recurring", "customerId": "cst_psp_harness", "mandateId": "psp_harness_token"}
        payment = client.payments.create({**_money(params, params["order_id"]), **whose}, **_key(params))
        return Made(payment.id, payment.status)

    def refund(params: Params) -> Made:
        payment = client.payments.get(params["payment_id"])
        refunded = payment.refunds.create(_money(params, params["refund_id"]), **_key(params))
        return Made(refunded.id, refunded.status)

    return Adapter(pay, refund, _told, frozenset({"caller-keys", "own-keys"}))


def _money(params: Params, reference: str) -> dict[str, Any]:
    value = as_decimal(params["amount"], params["currency"])
    described = {"description": "PSP harness", "metadata": {"reference": reference}}
    return {"amount": {"currency": params["currency"], "value": value}, **described}


def _key(params: Params) -> Any:
    return {"idempotency_key": params["key"]} if "key" in params else {}


def _told(error: Exception) -> Told:
    if isinstance(error, ResponseError):
        return by_status(error.status)
    return "refused" if isinstance(error, RequestSetupError | UnicodeEncodeError) else "unknown"
