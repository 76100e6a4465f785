"""What a shop asks of Hyperswitch beside payments and refunds; each call that moves money has its key first.

A payout has an id of the shop's own, and a second one under it is refused (400 HE_01, payouts/validator.rs:117-133,
release 2026.06.25.0). Captures and voids have none: there the state of the payment refuses (400 IR_14 and IR_16,
payments/helpers.rs:3845-3913 and payment_cancel.rs:73-84 in crates/router/src/core/payments).
"""

from __future__ import annotations

from collections.abc import Mapping

from psp_harness.reference import client_answers as answers
from psp_harness.reference.client import HyperswitchClient, expect_amount, expect_id, expect_key
from psp_harness.reference.client_errors import OutcomeUnknown, Rejected
from psp_harness.reference.shop.psp import PayoutTold


class HyperswitchOfShop(HyperswitchClient):
    """The client, and what else a shop needs."""

    def capture_payment(self, idempotency_key: str, *, payment_id: str, amount: int) -> answers.Payment:
        """Take `amount` minor units of what was authorised; on what is left then the customer has no claim."""
        path = f"/payments/{expect_id(payment_id)}/capture"
        told = self._post(path, expect_key(idempotency_key), {"amount_to_capture": expect_amount(amount)})
        return _of(answers.payment(told), payment_id)

    def cancel_payment(self, idempotency_key: str, *, payment_id: str) -> answers.Payment:
        """Give up what was authorised."""
        told = self._post(f"/payments/{expect_id(payment_id)}/cancel", expect_key(idempotency_key), {})
        return _of(answers.payment(told), payment_id)

    def create_subscription_payment(
        self, idempotency_key: str, *, amount: int, currency: str, customer_id: str, method: str
    ) -> answers.Payment:
        """Charge `amount` minor units by a saved payment method; the key, the order's id, becomes the `payment_id`."""
        key = expect_key(idempotency_key)
        told = self._post(
            "/payments",
            key,
            {
                "payment_id": key,
                "amount": expect_amount(amount),
                "currency": currency,
                "confirm": True,
                "capture_method": "automatic",
                "off_session": True,
                "customer_id": expect_id(customer_id),
                "recurring_details": {"type": "payment_method_id", "data": method},
            },
        )
        payment = answers.payment(told)
        answers.expect((payment.payment_id, payment.amount, payment.currency), (key, amount, currency))
        answers.expect_no_decline(payment.status, told)
        return payment

    def create_customer(self, customer_id: str, *, name: str, email: str, phone: str) -> None:
        """Let Hyperswitch know a customer; one whom it knows (IR_12) stays as it is."""
        known = {"name": name, "email": email, **({"phone": phone} if phone else {})}
        try:
            self._send("POST", "/customers", {}, {"customer_id": expect_id(customer_id), **known})
        except Rejected as error:
            if error.code != "IR_12":
                raise

    def delete_customer(self, customer_id: str) -> None:
        """Let Hyperswitch redact a customer; one whom it has redacted (IR_11) or never known (404) is forgotten."""
        try:
            self._send("DELETE", f"/customers/{expect_id(customer_id)}", {}, None)
        except Rejected as error:
            if error.code != "IR_11" and error.status != 404:
                raise

    def create_payout(self, idempotency_key: str, *, amount: int, currency: str, destination: str) -> PayoutTold:
        """Send `amount` minor units to what the token `destination` stands for; the key becomes the `payout_id`."""
        key = expect_key(idempotency_key)
        told = self._post(
            "/payouts/create",
            key,
            {
                "payout_id": key,  # which the OpenAPI document leaves out, and the router takes
                "amount": expect_amount(amount),
                "currency": currency,
                "payout_token": destination,
                "confirm": True,
                "auto_fulfill": True,
            },
        )
        payout = _payout(told)
        answers.expect((payout.payout_id, payout.amount, payout.currency), (key, amount, currency))
        return payout

    def get_payout(self, payout_id: str) -> PayoutTold:
        """Read a payout: `Rejected` with status 404 if there is none."""
        payout = _payout(self._get(f"/payouts/{expect_id(payout_id)}"))
        answers.expect(payout.payout_id, payout_id)
        return payout

    def upload_evidence(self, dispute_id: str, *, kind: str, filename: str, content: bytes) -> str:
        """Attach a file to a dispute, by what kind of evidence it is: its `file_id`."""
        form: dict[str, tuple[str | None, str | bytes]] = {
            "dispute_id": (None, expect_id(dispute_id)),
            "evidence_type": (None, kind),
            "file": (filename, content),
        }
        return _member(self._send("PUT", "/disputes/evidence", {}, None, form), "file_id")

    def submit_evidence(self, dispute_id: str, files: Mapping[str, str]) -> str:
        """Answer a dispute, once: its `dispute_status`. A second answer is refused (400 HE_03)."""
        return self._dispute("POST", "/disputes/evidence", {"dispute_id": expect_id(dispute_id), **files})

    def accept_dispute(self, dispute_id: str) -> str:
        """Accept a dispute, once: its `dispute_status`."""
        return self._dispute("POST", f"/disputes/accept/{expect_id(dispute_id)}", {})

    def get_dispute(self, dispute_id: str) -> str:
        """Read a dispute's `dispute_status`: `Rejected` with status 404 if there is none."""
        return self._dispute("GET", f"/disputes/{expect_id(dispute_id)}", None)

    def _dispute(self, method: str, path: str, body: Mapping[str, object] | None) -> str:
        return _member(self._send(method, path, {}, body), "dispute_status")


def _member(told: Mapping[str, object], name: str) -> str:
    found = told.get(name)
    if not isinstance(found, str):
        raise OutcomeUnknown(f"the PSP's yes lacks {name}")
    return found


def _payout(told: Mapping[str, object]) -> PayoutTold:
    match told:
        case {"payout_id": str(name), "status": str(status), "amount": int(amount), "currency": str(currency)}:
            return PayoutTold(name, status, amount, currency)
    raise OutcomeUnknown("the PSP's yes lacks payout_id, status, amount or currency")


def _of(payment: answers.Payment, payment_id: str) -> answers.Payment:
    answers.expect(payment.payment_id, payment_id)
    return payment
