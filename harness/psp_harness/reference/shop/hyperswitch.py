"""What a shop asks of Hyperswitch beside payments and refunds; each call that moves money has its key first.

Captures and voids have no id of their own that Hyperswitch would refuse twice: the state of the payment does (400 IR_14
and IR_16, crates/router/src/core/payments/helpers.rs:3845-3913 and payment_cancel.rs:73-84, release 2026.06.25.0).
"""

from __future__ import annotations

from psp_harness.reference import client_answers as answers
from psp_harness.reference.client import HyperswitchClient, expect_amount, expect_id, expect_key


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


def _of(payment: answers.Payment, payment_id: str) -> answers.Payment:
    answers.expect(payment.payment_id, payment_id)
    return payment
