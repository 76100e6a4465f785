"""The inbox: what an event does to an order, in one transaction of SQLite.

What must hold here: the event's id, the order's new state and its effect are written together or not at all, before
anybody is told that the event was taken; an event is applied once; an order never goes back to a state before its own;
what does not fit the order (amount, currency, account, mode) is taken, and changes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psp_harness.profile import Told

_TABLES = """
CREATE TABLE IF NOT EXISTS orders (
  id TEXT PRIMARY KEY, amount INTEGER NOT NULL, currency TEXT NOT NULL, account TEXT, payment_id TEXT,
  status TEXT NOT NULL, refunded INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS effects (
  kind TEXT NOT NULL, order_id TEXT NOT NULL REFERENCES orders, amount INTEGER NOT NULL, currency TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS paid_once ON effects (order_id) WHERE kind = 'order-paid';
"""

TRANSITIONS: Mapping[tuple[str, str], tuple[str, str | None]] = {
    ("pending", "payment-succeeded"): ("paid", "order-paid"),
    ("failed", "payment-succeeded"): ("paid", "order-paid"),
    ("pending", "payment-failed"): ("failed", None),
    ("paid", "refund-succeeded"): ("paid", "order-refunded"),
}
"""State and event -> the next state, and what is done. Everything else changes nothing: nothing goes back."""

AHEAD_OF_ITS_PAYMENT = frozenset({("pending", "refund-succeeded"), ("failed", "refund-succeeded")})
"""Events that come too early: the PSP is asked to come again."""


class TooEarly(Exception):
    """What must come first has not: nothing was written."""


@dataclass(frozen=True, slots=True)
class Inbox:
    """Orders, events and effects, in a file of a folder, or in memory."""

    connection: sqlite3.Connection

    @classmethod
    def open(cls, folder: str | None) -> Inbox:
        """What was kept in the folder, or nothing."""
        path = ":memory:" if folder is None else str(Path(folder) / "inbox.sqlite3")
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; {_TABLES}")
        return cls(connection)

    def close(self) -> None:
        """Nothing is under way."""
        self.connection.close()

    def add_orders(self, orders: list[dict[str, Any]]) -> None:
        """New ones; those that are known keep their state."""
        rows = [{"account": None, "payment_id": None, **order} for order in orders]
        with self._at_once() as run:
            run.executemany(
                "INSERT OR IGNORE INTO orders (id, amount, currency, account, payment_id, status)"
                " VALUES (:id, :amount, :currency, :account, :payment_id, :status)",
                rows,
            )

    def take(self, events: list[tuple[str, Told]]) -> None:
        """All of these events, each with its id, or none of them. Raises `TooEarly`."""
        with self._at_once() as run:
            for name, told in events:
                if run.execute("INSERT OR IGNORE INTO events VALUES (?)", (name,)).rowcount:
                    _apply(run, told)

    def effects(self) -> list[dict[str, Any]]:
        """What was done, in order."""
        rows = self.connection.execute("SELECT kind, order_id AS id, amount, currency FROM effects ORDER BY rowid")
        return [dict(row) for row in rows]

    def states(self) -> list[dict[str, Any]]:
        """What every order is."""
        return [dict(row) for row in self.connection.execute("SELECT id, status FROM orders")]

    @contextmanager
    def _at_once(self) -> Iterator[sqlite3.Connection]:
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")


def _apply(run: sqlite3.Connection, told: Told) -> None:
    order = _order_of(run, told.values)
    if order is None or not _fits(order, told):
        return
    if (order["status"], told.means) in AHEAD_OF_ITS_PAYMENT:
        message = f"a refund of order {order['id']!r} came before its payment"
        raise TooEarly(message)
    status, effect = TRANSITIONS.get((order["status"], told.means), (order["status"], None))
    amount = told.values.get("amount", order["amount"])
    run.execute("UPDATE orders SET status = ? WHERE id = ?", (status, order["id"]))
    if effect is not None:
        run.execute("INSERT INTO effects VALUES (?, ?, ?, ?)", (effect, order["id"], amount, order["currency"]))
    if effect == "order-refunded":
        run.execute("UPDATE orders SET refunded = refunded + ? WHERE id = ?", (amount, order["id"]))


def _order_of(run: sqlite3.Connection, values: Mapping[str, Any]) -> sqlite3.Row | None:
    """By the shop's own reference, or by what the PSP calls the payment, where the event says no reference."""
    if "reference" in values:
        found = run.execute("SELECT * FROM orders WHERE id = ?", (values["reference"],))
    else:
        name = values.get("payment_id", values.get("id"))
        found = run.execute("SELECT * FROM orders WHERE payment_id = ?", (name,))
    row: sqlite3.Row | None = found.fetchone()
    return row


def _fits(order: sqlite3.Row, told: Told) -> bool:
    """Account, currency and amount are the order's, as far as the event says them."""
    says, refund = told.values, told.means.startswith("refund")
    amount = says.get("amount", order["amount"])
    if type(amount) is not int:
        return False
    enough = 0 < amount <= order["amount"] - order["refunded"] if refund else amount == order["amount"]
    return enough and all(says.get(name, order[name]) == order[name] for name in ("currency", "account"))
