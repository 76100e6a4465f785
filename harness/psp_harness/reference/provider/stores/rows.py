"""Entries as rows of one table, and back, for stores that keep rows."""

from __future__ import annotations

import json
from collections.abc import Iterable

from psp_harness.reference.provider.ledger import Entry, Ledger, Place, ledger_of

COLUMNS = "tenant, kind, id, of, amount, currency, reference, created, about"


Row = tuple[str, str, str, str, int, str, str | None, float, str]


def row_of(entry: Entry) -> Row:
    """The values of `COLUMNS`."""
    where, money = (entry.tenant, entry.kind, entry.id, entry.of), (entry.amount, entry.currency)
    return (*where, *money, entry.reference, entry.created, json.dumps(entry.about))


def redaction_of(entry: Entry) -> tuple[str | None, str, str, str, str]:
    """What is written over an entry that must be forgotten in part: `reference` and `about`; and whose it is."""
    return entry.reference, json.dumps(entry.about), entry.tenant, entry.kind, entry.id


def entry_of(row: Row) -> Entry:
    """The entry that `row_of` made this row from."""
    tenant, kind, id_, of, amount, currency, reference, created, about = row
    return Entry(tenant, kind, id_, of, amount, currency, reference, created, json.loads(about))


def ledger_of_rows(place: Place, rows: Iterable[Row]) -> Ledger:
    """What a decision about a place has to see, out of rows among which all of it is, in order."""
    return ledger_of(place, {(row[1], row[2]): entry_of(row) for row in rows})


def parameters(place: Place) -> dict[str, str]:
    """What the statements that look at a place are given."""
    kind, id_ = place.above
    return {"tenant": place.tenant, "kind": place.kind, "id": place.id, "of": place.of, "k_above": kind, "i_above": id_}
