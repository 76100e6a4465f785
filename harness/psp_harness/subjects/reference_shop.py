"""`reference:shop?database=URL`: the shop that the project brings, as a subject that can be ended at every commit.

Without a database it is SQLite, in the folder of the case. On PostgreSQL each case has a schema of its own, which is
removed when the shop is told to stop.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import signal
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from psp_harness import __version__
from psp_harness.errors import UsageError
from psp_harness.reference.shop import loaded, open_shop

Said = dict[str, Any]
Params = Mapping[str, Any]

KNOWN = "reference:shop?database=postgresql://127.0.0.1/shop"
TOKEN = "psp_harness_token"  # noqa: S105 - it stands for a card, and opens nothing
PERIOD = "2026-11"  # the first, and in a case the only one
FEATURES = (
    "durable",
    "parallel",
    "refund-id-is-key",
    "subscriptions",
    "told-by-webhook",
    "pays-out",
    "commit-points",
)

_DATABASE = re.compile(r"\Ashop(\?database=(?P<url>.+))?\Z")
_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE)", re.IGNORECASE)

ORDERS: Mapping[str, str] = {
    "created": "open",
    "confirming": "in-doubt",
    "processing": "in-doubt",
    "authorised": "in-doubt",
    "paid": "done",
    "failed": "failed",
    "cancelled": "failed",
}
REFUNDS: Mapping[str, str] = {"pending": "in-doubt", "succeeded": "done", "failed": "failed"}
PAYOUTS: Mapping[str, str] = {**REFUNDS, "reversed": "failed"}


def database_of(name: str) -> str:
    """The database that `shop` or `shop?database=URL` asks for; empty: SQLite. Raises `UsageError` for another name."""
    found = _DATABASE.match(name)
    if found is None:
        raise UsageError(
            f"unknown reference {name.partition('?')[0]!r} in this role", do=f"use reference:shop, or {KNOWN}"
        )
    url = found["url"] or ""
    if url and urlsplit(url).scheme not in {"postgresql", "postgres"}:
        raise UsageError("the shop's database is not PostgreSQL", do=f"as in {KNOWN}; without one it is SQLite")
    return url


@functools.cache
def migrated() -> bytes:
    """A SQLite database with nothing in it but tables: made once, and there in every process that is forked later.

    Raises `UsageError` where a package that the shop needs is not installed.
    """
    loaded()  # what it imports is what takes long
    from psp_harness.reference.shop.books import Books

    with tempfile.TemporaryDirectory(prefix="psp-harness-") as folder:
        books = Books(f"sqlite:///{folder}/shop.sqlite3")
        books.prepare()
        books.close()
        return (Path(folder) / "shop.sqlite3").read_bytes()


class ReferenceShop:
    """The protocol's verbs on one side, the shop's own words on the other."""

    def __init__(self, database: str = "", parts: Any = None) -> None:
        self._database, self._parts = database, parts
        self._schema = ""
        self._signing_up = threading.Lock()

    def start(
        self, *, state_dir: str, base_url: str, credentials: Params, answer_timeout: float, **members: Any
    ) -> Said:
        """Open it on what was kept; it looks after what is in doubt when it is told to resume."""
        from psp_harness.reference.shop.settings import Settings

        secrets = tuple(members.get("secrets", ()))
        url = self._own_database(Path(state_dir))
        settings = Settings(base_url, credentials["token"], secrets, "", url, psp_timeout_seconds=answer_timeout)
        self.shop = open_shop(settings, self._parts)
        self.commits = Commits(members.get("end_at_commit"))
        self.commits.count_those_of(self.shop.books.engine)
        return {"ok": {"name": "psp-harness reference shop", "version": __version__, "features": list(FEATURES)}}

    def do(self, step: str, params: Params) -> Said:
        """One step, by the method of its name."""
        act: Callable[[Params], Said] = getattr(self, step.replace("-", "_"))
        return answered(lambda: act(params))

    def stop(self) -> Said:
        """Close it, and remove what it kept in a database that others use, too."""
        self.shop.close()
        if self._schema:
            self._in_postgresql(f"DROP SCHEMA IF EXISTS {self._schema} CASCADE")
        return {"ok": {}}

    # --- the steps ------------------------------------------------------------------------------------------------

    def place_order(self, params: Params) -> Said:
        """The order of a checkout."""
        order = self.shop.orders.place_order(params["order_id"], amount=params["amount"], currency=params["currency"])
        return {"ok": {"order_id": order.id}}

    def confirm_order(self, params: Params) -> Said:
        """Pay it."""
        return _said(ORDERS, self.shop.orders.confirm_order(params["order_id"], payment_token=TOKEN).status)

    def refund_order(self, params: Params) -> Said:
        """Give a part back; the request is what was submitted."""
        refund = self.shop.refunds.refund_order(
            params["order_id"], request=params["request_id"], amount=params["amount"]
        )
        return _said(REFUNDS, refund.status)

    def subscribe(self, params: Params) -> Said:
        """Subscribe, and charge the first period, as somebody does who submits both forms again."""
        request = params["subscription_id"]
        money = {"amount": params["amount"], "currency": params["currency"]}
        made = self.shop.subscriptions.subscribe(request, customer_id=self._customer(request), method=TOKEN, **money)
        return _said(ORDERS, self.shop.subscriptions.charge(made.id, PERIOD).status)

    def payout(self, params: Params) -> Said:
        """Send money to somebody; the request is what was submitted."""
        money = {"amount": params["amount"], "currency": params["currency"]}
        return _said(PAYOUTS, self.shop.payouts.pay_out(params["request_id"], destination=TOKEN, **money).status)

    def deliver_webhook(self, params: Params) -> Said:
        """Take it, as its front does."""
        from psp_harness.reference.shop.inbox import NotBelieved

        headers = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in params["headers"])
        try:
            self.shop.take(headers, params["body"].encode())
        except NotBelieved:
            return {"ok": {"status": 401}}
        return {"ok": {"status": 200}}

    def resume(self, params: Params) -> Said:  # noqa: ARG002 - it takes none
        """Look after what is in doubt."""
        self.shop.reconcile()
        return {"ok": {}}

    def state(self, params: Params) -> Said:  # noqa: ARG002 - it takes none
        """Its statement, in the protocol's words."""
        told = self.shop.state()
        return {
            "ok": {
                "orders": [_order(row) for row in told["orders"] if row["subscription_id"] is None],
                "subscriptions": [_order(row) for row in told["orders"] if row["subscription_id"] is not None],
                "refunds": [{**row, "status": REFUNDS[row["status"]]} for row in told["refunds"]],
                "payouts": [_payout(row) for row in told["payouts"]],
                "commits": self.commits.count,
            }
        }

    def _customer(self, request: str) -> str:
        """Who submits this: somebody who has an account, or makes one; the same after a crash."""
        from psp_harness.reference.shop.tables import Customer

        email = f"{request}@example.com"
        with self._signing_up:  # one person, in one browser
            with self.shop.books.snapshot() as session:
                known: str | None = session.query(Customer.id).where(Customer.email == email).scalar()
            return known or self.shop.customers.register(name="Somebody", email=email).id

    # --- its database ---------------------------------------------------------------------------------------------

    def _own_database(self, folder: Path) -> str:
        if not self._database:
            file = folder / "shop.sqlite3"
            if not file.exists():
                file.write_bytes(migrated())
            return f"sqlite:///{file}"
        self._schema = f"psp_harness_{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"
        self._in_postgresql(f"CREATE SCHEMA IF NOT EXISTS {self._schema}")
        parts = urlsplit(self._database)
        options = f"options=-csearch_path%3D{self._schema}"
        return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, options)))))

    def _in_postgresql(self, statement: str) -> None:
        import psycopg

        try:
            with psycopg.connect(self._database, connect_timeout=10, autocommit=True) as connection:
                connection.execute(statement.encode())
        except psycopg.Error as error:
            raise UsageError(
                f"the shop's database does not answer: {type(error).__name__}", do=f"as in {KNOWN}"
            ) from None


def _order(row: Params) -> Said:
    """An order; the PSP's id of its payment is the order's own."""
    status = ORDERS[row["status"]]
    return {
        **{name: row[name] for name in ("id", "amount", "currency")},
        "status": status,
        "psp_id": row["id"] if status == "done" else None,
    }


def _payout(row: Params) -> Said:
    """A payout; the PSP's id of it is the row's own."""
    status = PAYOUTS[row["status"]]
    money = {name: row[name] for name in ("id", "amount", "currency")}
    return {**money, "status": status, "psp_id": row["id"] if status == "done" else None}


def _said(words: Mapping[str, str], status: str) -> Said:
    means = words[status]
    if means == "done":
        return {"ok": {"status": status}}
    return {"failed": {"kind": "rejected" if means == "failed" else "unknown", "message": f"it is {status}"}}


def answered(act: Callable[[], Said]) -> Said:
    """What came of it, in the protocol's words."""
    from psp_harness.reference.client_errors import Declined, PaymentError
    from psp_harness.reference.shop.refusals import Refused, WrongState

    try:
        return act()
    except WrongState as error:
        return _said({**ORDERS, **REFUNDS}, error.status)
    except Refused as error:
        return {"refused": {"message": str(error)}}
    except Declined as error:
        return {"failed": {"kind": "declined", "message": str(error)}}
    except PaymentError as error:
        return {"failed": {"kind": "rejected" if error.outcome_known else "unknown", "message": str(error)}}


@dataclass(slots=True)
class Commits:
    """Counts the transactions that wrote something, and ends the process at the one that it is told."""

    end_at: Params | None
    count: int = 0

    def count_those_of(self, engine: Any) -> None:
        """From now on; transactions that only read are none."""
        from sqlalchemy import event

        wrote, lock, commit = threading.local(), threading.Lock(), engine.dialect.do_commit

        def executing(_c: object, _cursor: object, statement: str, *_: object) -> None:
            wrote.anything = getattr(wrote, "anything", False) or bool(_WRITES.match(statement))

        def begun(_: object) -> None:
            wrote.anything = False

        def committing(connection: Any) -> None:
            if not getattr(wrote, "anything", False):
                commit(connection)
                return
            with lock:
                self.count += 1
                number = self.count
            self._perhaps_end(number, "before")
            commit(connection)
            self._perhaps_end(number, "after")

        event.listen(engine, "begin", begun)
        event.listen(engine, "before_cursor_execute", executing)
        engine.dialect.do_commit = committing

    def _perhaps_end(self, number: int, when: str) -> None:
        if self.end_at == {"number": number, "when": when}:
            os.kill(os.getpid(), signal.SIGKILL)
