"""`sdk:razorpay`: the official `razorpay` package; a refund's key is a header, if its caller writes one."""

from __future__ import annotations

from typing import Any

import razorpay
import requests

from psp_harness.model import Retries
from psp_harness.subjects.sdks.adapter import NEVER, Adapter, Made, Params, Setting, Told

_RETRIES = {"off": NEVER, "on": Retries(4, frozenset({"lost"}))}
_KEYS = {"none": frozenset[str](), "header": frozenset({"caller-keys"})}

razorpay.client.print = lambda *_: None
"""It talks on standard output, which is not its own here; what it says, it also raises."""


def connect(setting: Setting) -> Adapter:
    """A client for one case."""
    key_id, _, secret = setting.token.partition(":")
    client = razorpay.Client(auth=(key_id, secret), base_url=setting.base_url)
    client.cert_path = setting.ca_file or client.cert_path
    client.enable_retry(setting.chosen["retry"] == "on")

    def pay(params: Params) -> Made:
        whose = {"order_id": "order_psp_harness", "customer_id": "cust_psp_harness", "token": "psp_harness_token"}
        money = {"amount": params["amount"], "currency": params["currency"], "recurring": True}
        asked = {**whose, **money, "notes": {"reference": params["order_id"]}}
        paid = client.payment.createRecurring(asked, timeout=setting.timeout)
        return Made(paid["razorpay_payment_id"])

    def refund(params: Params) -> Made:
        asked = {"amount": params["amount"], "notes": {"reference": params["refund_id"]}}
        refunded = client.payment.refund(params["payment_id"], asked, timeout=setting.timeout, **_keyed(params))
        return Made(refunded["id"], refunded["status"])

    return Adapter(pay, refund, _told, _KEYS[setting.chosen["key"]], _RETRIES[setting.chosen["retry"]])


def _keyed(params: Params) -> dict[str, Any]:
    return {"headers": {"X-Refund-Idempotency": params["key"]}} if "key" in params else {}


def _told(error: Exception) -> Told:
    if isinstance(error, razorpay.errors.BadRequestError):
        return "rejected"
    unsendable = isinstance(error, requests.exceptions.InvalidHeader | UnicodeEncodeError)
    return "refused" if unsendable else "unknown"
