"""The shop's tables. Amounts are integers in minor units; what may be there once, a UNIQUE index holds.

`migrations/` makes them, and a test holds the two against each other.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from psp_harness.reference.shop.states import (
    CustomerStatus,
    DisputeStatus,
    OrderStatus,
    PayoutStatus,
    RefundStatus,
    SubscriptionStatus,
)


class Table(DeclarativeBase):
    """What every table is."""

    type_annotation_map = {int: BigInteger, dict[str, Any]: JSON}  # noqa: RUF012 - read once, by SQLAlchemy


class Order(Table):
    """What a customer is to pay once. Its id is the key of its payment, and the PSP's `payment_id`."""

    __tablename__ = "orders"

    id: Mapped[str] = mapped_column(primary_key=True)
    checkout: Mapped[str] = mapped_column(unique=True)
    """What the customer submitted: a form that is submitted twice is one order."""
    amount: Mapped[int]
    currency: Mapped[str]
    customer_id: Mapped[str | None]
    """Whose it is, by a name that says nothing; it stays when the customer is redacted."""
    capture: Mapped[str] = mapped_column(default="automatic")
    """When the money is taken: `automatic` with the authorisation, or `manual`."""
    status: Mapped[str] = mapped_column(default=OrderStatus.CREATED)
    captured: Mapped[int] = mapped_column(default=0)


class Refund(Table):
    """Money that goes back. Its id is its key, and exists before the PSP is asked."""

    __tablename__ = "refunds"
    __table_args__ = (
        UniqueConstraint("order_id", "request", name="refunds_request_once"),
        Index(
            "refunds_psp_id_once",
            "psp_id",
            unique=True,
            sqlite_where=text("psp_id IS NOT NULL"),
            postgresql_where=text("psp_id IS NOT NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), index=True)
    request: Mapped[str]
    """What was submitted: the same button pressed twice is one refund."""
    amount: Mapped[int]
    status: Mapped[str] = mapped_column(default=RefundStatus.PENDING)
    psp_id: Mapped[str | None]
    """What the PSP calls it; missing as long as the PSP has not said so."""


class Payout(Table):
    """Money that goes out to somebody. Its id is its key, and exists before the PSP is asked."""

    __tablename__ = "payouts"

    id: Mapped[str] = mapped_column(primary_key=True)
    request: Mapped[str] = mapped_column(unique=True)
    """What was submitted: the same payroll run twice is one payout."""
    amount: Mapped[int]
    currency: Mapped[str]
    destination: Mapped[str]
    """The PSP's token of where it goes, and no account number."""
    status: Mapped[str] = mapped_column(default=PayoutStatus.PENDING)


class Customer(Table):
    """Somebody who buys. What is personal stands here alone, and is written over when it is to be forgotten."""

    __tablename__ = "customers"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str]
    phone: Mapped[str]
    status: Mapped[str] = mapped_column(default=CustomerStatus.ACTIVE)


class Subscription(Table):
    """What a customer pays for each period: each payment of it is an order."""

    __tablename__ = "subscriptions"

    id: Mapped[str] = mapped_column(primary_key=True)
    request: Mapped[str] = mapped_column(unique=True)
    """What was submitted: the same form twice is one subscription."""
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"), index=True)
    amount: Mapped[int]
    currency: Mapped[str]
    method: Mapped[str]
    """The PSP's token of how it is paid, and no card number."""
    status: Mapped[str] = mapped_column(default=SubscriptionStatus.ACTIVE)


class Dispute(Table):
    """A customer's bank wants the money of an order back. Its id is the PSP's."""

    __tablename__ = "disputes"

    id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), index=True)
    amount: Mapped[int]
    status: Mapped[str] = mapped_column(default=DisputeStatus.OPENED)


class Evidence(Table):
    """A file that answers a dispute: of each kind one. Its bytes stay here until the PSP has them."""

    __tablename__ = "evidence"
    __table_args__ = (UniqueConstraint("dispute_id", "kind", name="evidence_kind_once"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    dispute_id: Mapped[str] = mapped_column(ForeignKey("disputes.id"))
    kind: Mapped[str]
    """As the PSP names it: `receipt`, `shipping_documentation`, …"""
    filename: Mapped[str]
    digest: Mapped[str]
    """SHA-256 of its bytes: the same file twice is one."""
    content: Mapped[bytes | None]
    file_id: Mapped[str | None]
    """What the PSP calls it; missing as long as it has not said that it has it."""


class Received(Table):
    """An event that the PSP told of, before anything was done about it."""

    __tablename__ = "inbox"

    name: Mapped[str] = mapped_column(primary_key=True)
    """The same in every delivery of the event."""
    kind: Mapped[str]
    about: Mapped[str]
    """The payment, refund, … that it is of."""
    facts: Mapped[dict[str, Any]]
    """Amounts, ids and a status, and nothing personal."""
    status: Mapped[str] = mapped_column(index=True)
    """`received`, `applied`, or `ignored`."""
    reason: Mapped[str] = mapped_column(default="")
    """Why it was ignored, or waits."""
