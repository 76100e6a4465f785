"""Payments and refunds as values, what a decision about them gets to see, and the word for no."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class PaymentStatus(StrEnum):
    """The states of a payment."""

    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class RefundStatus(StrEnum):
    """The states of a refund."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Payment:
    """A charge. The amount is in minor units, `created` in seconds since 1970."""

    tenant: str
    id: str
    amount: int
    currency: str
    reference: str | None
    status: PaymentStatus
    created: float


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back: of one payment, in its currency."""

    tenant: str
    id: str
    payment_id: str
    amount: int
    currency: str
    reference: str | None
    status: RefundStatus
    created: float


Entry = Payment | Refund


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands, or would stand: an id belongs to a tenant and a kind, `payment` or `refund`."""

    tenant: str
    kind: str
    id: str
    payment_id: str = ""
    """Of a refund: the payment that it is of."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a decision about one place has to see, as it stood at one moment."""

    existing: Entry | None = None
    """What has that id already."""
    payment: Payment | None = None
    """The payment that a refund names; the tenant's own or none."""
    refunds: tuple[Refund, ...] = ()
    """Those of that payment."""

    @property
    def left(self) -> int:
        """What may still be given back: the captured amount less every refund that did not fail."""
        given = sum(refund.amount for refund in self.refunds if refund.status is not RefundStatus.FAILED)
        return self.payment.amount - given if self.payment else 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing happened, and why: one of the profile's reasons, and a sentence for people."""

    reason: str
    message: str
    about: Mapping[str, str] = field(default_factory=dict)
    """What the PSP's own words may want to name: `id`, `status`, `key`."""


def kind_of(entry: Entry) -> str:
    """`payment` or `refund`."""
    return "payment" if isinstance(entry, Payment) else "refund"


def moved_money(entry: Entry) -> bool:
    """Whether an entry is an effect: a declined payment and a failed refund are none."""
    if isinstance(entry, Payment):
        return entry.status is PaymentStatus.SUCCEEDED
    return entry.status is not RefundStatus.FAILED
