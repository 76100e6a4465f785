"""`sdk:stripe`: the official `stripe` package, with its retries on, as its documentation shows it."""

from __future__ import annotations

from typing import Any

import stripe

_MAX_RETRIES = 2


class StripeSubject:
    """One StripeClient for one case; it speaks the profile `stripe`."""

    def start(self, base_url: str, credentials: dict[str, str], answer_timeout: float) -> dict[str, Any]:
        http = stripe.RequestsClient(timeout=answer_timeout)
        self._client = stripe.StripeClient(
            credentials["token"], base_addresses={"api": base_url}, max_network_retries=_MAX_RETRIES, http_client=http
        )
        claims = {
            "name": "stripe-python",
            "version": stripe.VERSION,
            "language": "python",
            "features": ["caller-keys", "own-keys", "retries", "refunds", "parallel"],
            "retries": {"max": _MAX_RETRIES, "on": ["lost", "5xx", "409"]},
        }
        return {"ok": claims}

    def do(self, step: str, params: dict[str, Any]) -> dict[str, Any]:
        options: Any = {"idempotency_key": params["key"]} if "key" in params else {}
        try:
            return {"ok": self._pay(params, options) if step == "create-payment" else self._refund(params, options)}
        except stripe.CardError as error:
            return _failed("declined", error)
        except (
            stripe.InvalidRequestError,
            stripe.IdempotencyError,
            stripe.AuthenticationError,
            stripe.PermissionError,
        ) as error:
            return _failed("rejected", error)
        except stripe.StripeError as error:
            return _failed("unknown", error)

    def _pay(self, params: dict[str, Any], options: Any) -> dict[str, Any]:
        intent = self._client.v1.payment_intents.create(
            {
                "amount": params["amount"],
                "currency": params["currency"].lower(),
                "confirm": True,
                "payment_method": "pm_card_visa",
                "metadata": {"reference": params["order_id"]},
            },
            options,
        )
        return {"payment_id": intent.id, "status": intent.status}

    def _refund(self, params: dict[str, Any], options: Any) -> dict[str, Any]:
        refund = self._client.v1.refunds.create(
            {
                "payment_intent": params["payment_id"],
                "amount": params["amount"],
                "metadata": {"reference": params["refund_id"]},
            },
            options,
        )
        return {"refund_id": refund.id, "status": refund.status}

    def stop(self) -> dict[str, Any]:
        return {"ok": {}}


def _failed(kind: str, error: Exception) -> dict[str, Any]:
    return {"failed": {"kind": kind, "message": f"{type(error).__name__}: {error}"[:300]}}
