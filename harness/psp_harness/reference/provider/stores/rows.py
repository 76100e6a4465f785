"""Payments and refunds as rows of one table, and back, for stores that keep rows."""

from __future__ import annotations

from collections.abc import Iterable

from psp_harness.reference.provider.ledger import (
    Entry,
    Ledger,
    Payment,
    PaymentStatus,
    Place,
    Refund,
    RefundStatus,
    kind_of,
)

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


def ledger_of(place: Place, rows: Iterable[Row]) -> Ledger:
    """What a decision about a place has to see, out of rows among which all of it is."""
    entries = {(row[1], row[2]): entry_of(row) for row in rows}
    payment = entries.get(("payment", place.payment_id))
    refunds = (entry for entry in entries.values() if isinstance(entry, Refund))
    return Ledger(
        existing=entries.get((place.kind, place.id)),
        payment=payment if isinstance(payment, Payment) else None,
        refunds=tuple(refund for refund in refunds if refund.payment_id == place.payment_id),
    )
