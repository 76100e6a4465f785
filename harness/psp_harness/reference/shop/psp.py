"""What the shop asks of a PSP. The key comes first in every call that moves money, and is never made on the way.

What the calls raise is `client_errors`: whether the outcome is known is what the shop acts on.
`hyperswitch.HyperswitchOfShop` is one that fits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from psp_harness.reference.client_answers import Payment, Refund

Capture = Literal["automatic", "manual"]


class PaymentProvider(Protocol):
    """Takes money."""

    def create_payment(
        self,
        idempotency_key: str,
        *,
        amount: int,
        currency: str,
        payment_token: str | None = None,
        capture: Capture = "automatic",
    ) -> Payment:
        """Charge `amount` minor units, at once or as far as the authorisation; the key is the order's id."""
        ...

    def create_subscription_payment(
        self, idempotency_key: str, *, amount: int, currency: str, customer_id: str, method: str
    ) -> Payment:
        """Charge `amount` minor units while the customer is away, by what they left; the key is the order's id."""
        ...

    def capture_payment(self, idempotency_key: str, *, payment_id: str, amount: int) -> Payment:
        """Take `amount` minor units of what was authorised."""
        ...

    def cancel_payment(self, idempotency_key: str, *, payment_id: str) -> Payment:
        """Give up what was authorised."""
        ...

    def get_payment(self, payment_id: str) -> Payment:
        """Read it: `Rejected` with status 404 where there is none."""
        ...


class RefundProvider(Protocol):
    """Gives money back."""

    def create_refund(self, idempotency_key: str, *, payment_id: str, amount: int) -> tuple[str, str]:
        """Give back `amount` minor units: `(refund_id, status)`; the key is the id of the pending row."""
        ...

    def get_refund(self, refund_id: str) -> Refund:
        """Read it: `Rejected` with status 404 where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class PayoutTold:
    """A payout as the PSP tells of it; its amount in minor units."""

    payout_id: str
    status: str
    amount: int
    currency: str


class PayoutProvider(Protocol):
    """Sends money to somebody."""

    def create_payout(self, idempotency_key: str, *, amount: int, currency: str, destination: str) -> PayoutTold:
        """Send `amount` minor units; the key is the id of the pending row."""
        ...

    def get_payout(self, payout_id: str) -> PayoutTold:
        """Read it: `Rejected` with status 404 where there is none."""
        ...


class CustomerProvider(Protocol):
    """Knows customers. Moves no money: what is made under an id of the shop's is there once."""

    def create_customer(self, customer_id: str, *, name: str, email: str, phone: str) -> None:
        """Let it know a customer; again is no error."""
        ...

    def delete_customer(self, customer_id: str) -> None:
        """Let it forget one; again is no error, nor of one whom it does not know."""
        ...


class DisputeProvider(Protocol):
    """Carries disputes to the banks and back. Moves no money by itself."""

    def upload_evidence(self, dispute_id: str, *, kind: str, filename: str, content: bytes) -> str:
        """Let it have a file: what it calls it."""
        ...

    def submit_evidence(self, dispute_id: str, files: Mapping[str, str]) -> str:
        """Answer the dispute with files, by their kinds: the status that it has then."""
        ...

    def accept_dispute(self, dispute_id: str) -> str:
        """Let the customer have the money: the status that it has then."""
        ...

    def get_dispute(self, dispute_id: str) -> str:
        """Read its status: `Rejected` with status 404 where there is none."""
        ...


class Psp(PaymentProvider, RefundProvider, PayoutProvider, CustomerProvider, DisputeProvider, Protocol):
    """Everything that the shop needs of one."""
