"""Payments and refunds as rows of one table, and back, for stores that speak SQL."""

from __future__ import annotations

from psp_harness.reference.provider.ledger import Entry, Payment, PaymentStatus, Refund, RefundStatus, kind_of

COLUMNS = "tenant, kind, id, payment_id, amount, currency, reference, status, created"


Row = tuple[str, str, str, str, int, str, str | None, str, float]


def row_of(entry: Entry) -> Row:
    """The values of `COLUMNS`. Of a payment, `payment_id` is empty."""
    payment_id = entry.payment_id if isinstance(entry, Refund) else ""
    whose, what = (entry.tenant, kind_of(entry), entry.id, payment_id), (entry.amount, entry.currency, entry.reference)
    return (*whose, *what, entry.status.value, entry.created)


def entry_of(row: Row) -> Entry:
    """The payment or refund that `row_of` made this row from."""
    tenant, kind, id_, payment_id, amount, currency, reference, status, created = row
    if kind == "payment":
        return Payment(tenant, id_, amount, currency, reference, PaymentStatus(status), created)
    return Refund(tenant, id_, payment_id, amount, currency, reference, RefundStatus(status), created)
