"""`reference:client`: the Hyperswitch client, called as a shop calls it: a refund's key is its row's id."""

from __future__ import annotations

from typing import Any

from psp_harness import __version__
from psp_harness.reference.client import HyperswitchClient
from psp_harness.reference.client_errors import Declined, NotSent, PaymentError

PROFILES = ("hyperswitch", "hyperswitch-docs")
"""What it speaks."""


class ReferenceClientSubject:
    """One client for one case."""

    def start(
        self,
        base_url: str,
        profile: str,
        credentials: dict[str, str],
        answer_timeout: float,
        ca_file: str | None = None,
    ) -> dict[str, Any]:
        if profile not in PROFILES:
            message = f"the reference client speaks Hyperswitch, not {profile}: use --profile {' or '.join(PROFILES)}"
            return {"errored": {"message": message}}
        self._client = HyperswitchClient(
            base_url, credentials["token"], timeout_seconds=answer_timeout, ca_file=ca_file
        )
        claims = {
            "name": "psp-harness reference client",
            "version": __version__,
            "language": "python",
            "features": ["caller-keys", "refund-id-is-key", "refunds", "parallel", "tls"],
        }
        return {"ok": claims}

    def do(self, step: str, params: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"ok": self._pay(params) if step == "create-payment" else self._refund(params)}
        except NotSent as error:
            return {"refused": {"message": str(error)}}
        except PaymentError as error:
            known = "declined" if isinstance(error, Declined) else "rejected"
            return {"failed": {"kind": known if error.outcome_known else "unknown", "message": str(error)}}

    def _pay(self, params: dict[str, Any]) -> dict[str, Any]:
        payment = self._client.create_payment(
            params.get("key", ""),
            amount=params["amount"],
            currency=params["currency"],
            payment_token="psp_harness_token",  # noqa: S106 - a token of nobody
            reference=params["order_id"],
        )
        return {"payment_id": payment.payment_id, "status": payment.status}

    def _refund(self, params: dict[str, Any]) -> dict[str, Any]:
        refund_id, status = self._client.create_refund(
            params.get("key", params["refund_id"]),
            payment_id=params["payment_id"],
            amount=params["amount"],
            reference=params["refund_id"],
        )
        return {"refund_id": refund_id, "status": status}

    def stop(self) -> dict[str, Any]:
        self._client.close()
        return {"ok": {}}
