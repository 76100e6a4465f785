"""`sdk:stripe`: the official `stripe` package, by its `StripeClient`."""

from __future__ import annotations

from typing import Any

import stripe

from psp_harness.model import Retries
from psp_harness.subjects.sdks.adapter import NEVER, Adapter, Made, Params, Setting, Told, by_status
from psp_harness.subjects.sdks.trust import ProcessWide

_TRUSTED = ProcessWide(lambda: stripe.ca_bundle_path, lambda file: setattr(stripe, "ca_bundle_path", file))
_RETRIES = {"off": NEVER, "on": Retries(2, frozenset({"lost", "5xx", "409"}))}


def connect(setting: Setting) -> Adapter:
    """A client for one case."""
    retries = _RETRIES[setting.chosen["retry"]]
    _TRUSTED.hold(setting.ca_file, setting.until)
    client = stripe.StripeClient(
        setting.token,
        base_addresses={"api": setting.base_url},
        max_network_retries=retries.max or None,
        http_client=stripe.RequestsClient(timeout=setting.timeout),
    )

    def pay(params: Params) -> Made:
        intent = client.v1.payment_intents.create(
            {
                "amount": params["amount"],
                "currency": params["currency"].lower(),
                "confirm": True,
                "payment_method": "pm_card_visa",
                "metadata": {"reference": params["order_id"]},
            },
            _options(params),
        )
        return Made(intent.id, intent.status)

    def refund(params: Params) -> Made:
        refunded = client.v1.refunds.create(
            {
                "payment_intent": params["payment_id"],
                "amount": params["amount"],
                "metadata": {"reference": params["refund_id"]},
            },
            _options(params),
        )
        return Made(refunded.id, refunded.status or "")

    return Adapter(pay, refund, _told, frozenset({"caller-keys", "own-keys"}), retries)


def _options(params: Params) -> Any:
    return {"idempotency_key": params["key"]} if "key" in params else {}


def _told(error: Exception) -> Told:
    return by_status(error.http_status) if isinstance(error, stripe.StripeError) else "unknown"
