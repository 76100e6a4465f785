"""`sdk:adyen`: the official `Adyen` package, by its Checkout API; a key is an argument, or a header of the caller's."""

from __future__ import annotations

from typing import Any

import Adyen
import requests
from Adyen.exceptions import AdyenAPIResponseError

from psp_harness.subjects.sdks.adapter import Adapter, Made, Params, Setting, Told, by_status
from psp_harness.subjects.sdks.trust import REQUESTS

_IN_FLIGHT = "704"
"""`request already processed or in progress`: docs.adyen.com/development-resources/api-idempotency."""


def connect(setting: Setting) -> Adapter:
    """A client for one case: its two services are pointed at another address, for which it has no option."""
    REQUESTS.hold(setting.ca_file, setting.until)
    checkout = Adyen.Adyen(xapikey=setting.token, platform="test", http_timeout=setting.timeout).checkout
    payments, modifications = checkout.payments_api, checkout.modifications_api
    payments.baseUrl = modifications.baseUrl = f"{setting.base_url}/v72"

    def keyed(params: Params) -> dict[str, Any]:
        if "key" not in params:
            return {}
        if setting.chosen["key"] == "header":
            return {"header_parameters": {"Idempotency-Key": params["key"]}}
        return {"idempotency_key": params["key"]}

    def pay(params: Params) -> Made:
        card = {"type": "scheme", "storedPaymentMethodId": "psp_harness_token"}
        how = {"paymentMethod": card, "shopperInteraction": "ContAuth"}
        result = payments.payments({**_money(params, params["order_id"]), **how}, **keyed(params))
        return Made(result.message["pspReference"], result.message["resultCode"])

    def refund(params: Params) -> Made:
        asked = _money(params, params["refund_id"])
        result = modifications.refund_captured_payment(asked, params["payment_id"], **keyed(params))
        return Made(result.message["pspReference"], result.message["status"])

    return Adapter(pay, refund, _told, frozenset({"caller-keys"}))


def _money(params: Params, reference: str) -> dict[str, Any]:
    amount = {"currency": params["currency"], "value": params["amount"]}
    return {"amount": amount, "reference": reference, "merchantAccount": "PspHarness"}


def _told(error: Exception) -> Told:
    if isinstance(error, AdyenAPIResponseError):
        return "unknown" if error.error_code == _IN_FLIGHT else by_status(error.status_code)
    unsendable = isinstance(error, requests.exceptions.InvalidHeader | UnicodeEncodeError)
    return "refused" if unsendable else "unknown"
