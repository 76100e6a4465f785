"""A PSP of which every answer can be lost, and webhooks signed as its are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from psp_harness.model import Headers
from psp_harness.reference.client_answers import Payment, Refund
from psp_harness.reference.client_errors import Duplicate, OutcomeUnknown, PaymentError, Rejected
from psp_harness.reference.shop.psp import PayoutTold
from psp_harness.signing import SCHEMES, Draft, sign

SECRET = "whsec_planted"
NOT_FOUND = Rejected(404, "HE_02", "does not exist in our records")
LOST = OutcomeUnknown("the answer was lost")


@dataclass
class Psp:
    """Payments and refunds by the ids that they are given; a second one with an id is refused."""

    payments: dict[str, Payment] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    payouts: dict[str, PayoutTold] = field(default_factory=dict)
    customers: dict[str, str] = field(default_factory=dict)
    files: list[bytes] = field(default_factory=list)
    disputes: dict[str, str] = field(default_factory=dict)
    says: str = "succeeded"
    before: PaymentError | None = None
    """Raised by the next call that moves money, which then did nothing."""
    after: PaymentError | None = None
    """Raised by the next call that moves money, which then was done."""
    calls: list[tuple[str, str]] = field(default_factory=list)
    """The name of each call, and its key or id."""

    def create_payment(
        self,
        idempotency_key: str,
        *,
        amount: int,
        currency: str,
        payment_token: str | None = None,
        capture: str = "automatic",
    ) -> Payment:
        self.calls.append(("create_payment", idempotency_key))
        self._raise("before")
        if idempotency_key in self.payments:
            raise Duplicate(400, "HE_01", "already exists")
        says = "requires_capture" if capture == "manual" else self.says
        self.payments[idempotency_key] = Payment(idempotency_key, says, amount, currency)
        self._raise("after")
        return self.payments[idempotency_key]

    def create_subscription_payment(
        self, idempotency_key: str, *, amount: int, currency: str, customer_id: str, method: str
    ) -> Payment:
        assert customer_id in self.customers
        return self.create_payment(idempotency_key, amount=amount, currency=currency, payment_token=method)

    def create_customer(self, customer_id: str, *, name: str, email: str, phone: str) -> None:
        self.calls.append(("create_customer", customer_id))
        self.customers[customer_id] = name

    def delete_customer(self, customer_id: str) -> None:
        self.calls.append(("delete_customer", customer_id))
        self._raise("before")
        self.customers.pop(customer_id, None)
        self._raise("after")

    def upload_evidence(self, dispute_id: str, *, kind: str, filename: str, content: bytes) -> str:
        self.calls.append(("upload_evidence", dispute_id))
        self._raise("before")
        self.files.append(content)
        self._raise("after")
        return f"file_{len(self.files)}"

    def submit_evidence(self, dispute_id: str, files: Mapping[str, str]) -> str:
        return self._answer("submit_evidence", dispute_id, "dispute_challenged")

    def accept_dispute(self, dispute_id: str) -> str:
        return self._answer("accept_dispute", dispute_id, "dispute_accepted")

    def get_dispute(self, dispute_id: str) -> str:
        self.calls.append(("get_dispute", dispute_id))
        return self.disputes.get(dispute_id, "dispute_opened")

    def _answer(self, call: str, dispute_id: str, status: str) -> str:
        self.calls.append((call, dispute_id))
        self._raise("before")
        if dispute_id in self.disputes:
            raise Rejected(400, "HE_03", "Dispute status validation failed")
        self.disputes[dispute_id] = status
        self._raise("after")
        return status

    def capture_payment(self, idempotency_key: str, *, payment_id: str, amount: int) -> Payment:
        return self._step("capture_payment", idempotency_key, payment_id, "succeeded", amount)

    def cancel_payment(self, idempotency_key: str, *, payment_id: str) -> Payment:
        return self._step("cancel_payment", idempotency_key, payment_id, "cancelled", 0)

    def get_payment(self, payment_id: str) -> Payment:
        self.calls.append(("get_payment", payment_id))
        if payment_id not in self.payments:
            raise NOT_FOUND
        return self.payments[payment_id]

    def create_refund(self, idempotency_key: str, *, payment_id: str, amount: int) -> tuple[str, str]:
        self.calls.append(("create_refund", idempotency_key))
        self._raise("before")
        if idempotency_key in self.refunds:
            raise Duplicate(400, "HE_01", "already exists")
        self.refunds[idempotency_key] = Refund(idempotency_key, payment_id, self.says, amount)
        self._raise("after")
        return idempotency_key, self.says

    def get_refund(self, refund_id: str) -> Refund:
        self.calls.append(("get_refund", refund_id))
        if refund_id not in self.refunds:
            raise NOT_FOUND
        return self.refunds[refund_id]

    def create_payout(self, idempotency_key: str, *, amount: int, currency: str, destination: str) -> PayoutTold:
        self.calls.append(("create_payout", idempotency_key))
        self._raise("before")
        if idempotency_key in self.payouts:
            raise Duplicate(400, "HE_01", "already exists")
        says = "success" if self.says == "succeeded" else self.says
        self.payouts[idempotency_key] = PayoutTold(idempotency_key, says, amount, currency)
        self._raise("after")
        return self.payouts[idempotency_key]

    def get_payout(self, payout_id: str) -> PayoutTold:
        self.calls.append(("get_payout", payout_id))
        if payout_id not in self.payouts:
            raise NOT_FOUND
        return self.payouts[payout_id]

    def count(self, name: str) -> int:
        """How often it was called."""
        return [called for called, _ in self.calls].count(name)

    def _step(self, call: str, key: str, payment_id: str, status: str, received: int) -> Payment:
        self.calls.append((call, key))
        self._raise("before")
        payment = self.payments[payment_id]
        if payment.status != "requires_capture":
            raise Rejected(400, "IR_14", "wrong state")
        self.payments[payment_id] = replace(payment, status=status, received=received)
        self._raise("after")
        return self.payments[payment_id]

    def _raise(self, when: str) -> None:
        error: PaymentError | None = getattr(self, when)
        setattr(self, when, None)
        if error is not None:
            raise error


def webhook(
    event_id: str, content: str, thing: Mapping[str, object], *, secret: str = SECRET, merchant: str = "merchant_1"
) -> tuple[Headers, bytes]:
    """A webhook of Hyperswitch: its headers, and its body."""
    told = {
        "merchant_id": merchant,
        "event_id": event_id,
        "event_type": "told",
        "content": {"type": content, "object": {"email": "ada@example.org", **thing}},
        "timestamp": "2026-11-26T10:00:00.000Z",
    }
    signed = sign(SCHEMES["hyperswitch"], Draft(json.dumps(told).encode()), [secret])
    return signed.headers, signed.body


def of_payment(
    event_id: str, order_id: str, status: str, amount: object = 6540, currency: str = "EUR"
) -> tuple[Headers, bytes]:
    """A payment's event."""
    thing = {"payment_id": order_id, "status": status, "amount": amount, "currency": currency}
    return webhook(event_id, "payment_details", thing)


def of_refund(
    event_id: str, refund_id: str, order_id: str, status: str = "succeeded", amount: int = 1000
) -> tuple[Headers, bytes]:
    """A refund's event."""
    thing = {"refund_id": refund_id, "payment_id": order_id, "status": status, "amount": amount, "currency": "EUR"}
    return webhook(event_id, "refund_details", thing)


def of_payout(event_id: str, payout_id: str, status: str, amount: int = 5000) -> tuple[Headers, bytes]:
    """A payout's event."""
    thing = {"payout_id": payout_id, "status": status, "amount": amount, "currency": "EUR"}
    return webhook(event_id, "payout_details", thing)


def of_dispute(
    event_id: str, dispute_id: str, order_id: str, status: str = "opened", amount: str = "2000"
) -> tuple[Headers, bytes]:
    """A dispute's event; its amount is a text."""
    thing = {
        "dispute_id": dispute_id,
        "payment_id": order_id,
        "amount": amount,
        "currency": "EUR",
        "dispute_status": f"dispute_{status}",
    }
    return webhook(event_id, "dispute_details", thing)
