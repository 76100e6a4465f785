"""A correct shop of profile `generic` on SQLite, from which the others are made.

Every decision is a method of `CarefulShop`. What makes it correct: before it asks, the row that says so is committed,
with the key in it; it calls a thing done where the PSP says so, in the transaction that lets the goods go; and what is
in doubt is asked for again with the key of its row.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from psp_harness.miniatures.clients import CarefulClient, Reply, Said, failed, uncertain
from psp_harness.miniatures.declaration import miniature
from psp_harness.miniatures.receivers import PAYS, REFUNDS, CarefulReceiver
from psp_harness.model import Request, Role
from psp_harness.template import decode, encode

TABLES = """
CREATE TABLE IF NOT EXISTS rows (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, order_id TEXT, wish TEXT UNIQUE, amount INTEGER NOT NULL,
  currency TEXT NOT NULL, status TEXT NOT NULL, key TEXT, psp_id TEXT, shipped INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY) STRICT;
"""
ONE_REFUND_ONE_ROW = "CREATE UNIQUE INDEX IF NOT EXISTS refunds_once ON rows (psp_id) WHERE kind = 'refund'"

Row = dict[str, Any]
Params = Mapping[str, Any]
Database = sqlite3.Connection

ROUTE = {"order": "/payments", "subscription": "/payments", "refund": "/refunds"}
LISTS = {"order": "orders", "refund": "refunds", "subscription": "subscriptions"}
DECLINED = 402
SHOWN = ("id", "amount", "currency", "status", "psp_id", "order_id")


@miniature("careful-shop", role=Role.SHOP)
class CarefulShop:
    """Commits a row with its key before it asks, finds out about what is in doubt, and does everything once."""

    features: tuple[str, ...] = (
        "durable",
        "parallel",
        "refund-id-is-key",
        "subscriptions",
        "told-by-webhook",
        "commit-points",
    )
    index = ONE_REFUND_ONE_ROW

    def start(self, *, state_dir: str, secrets: list[str], **members: Any) -> Said:
        """Open what was kept, or an empty database."""
        self.file = Path(state_dir) / "shop.sqlite3"
        self.lock, self.commits, self.end_at = threading.Lock(), 0, members.get("end_at_commit")
        self.waits, self.keys = threading.Event(), dict[str, str]()
        self.psp, self.desk = CarefulClient(), CarefulReceiver()
        self.psp.start(**members)
        self.desk.secrets = secrets
        with self.connected() as db:
            db.executescript(f"{TABLES}{self.index};")
        return {"ok": {"name": type(self).__name__, "language": "python", "features": list(self.features)}}

    def do(self, step: str, params: Params) -> Said:
        """One step, by the method of its name."""
        answer: Said = getattr(self, step.replace("-", "_"))(params)
        return answer

    # --- its database ---------------------------------------------------------------------------------------------

    @contextmanager
    def connected(self) -> Iterator[Database]:
        """A connection of one's own."""
        db = sqlite3.connect(self.file, timeout=10, isolation_level=None)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA synchronous = OFF")  # a process that is killed loses nothing that it wrote
        try:
            yield db
        finally:
            db.close()

    @contextmanager
    def transaction(self) -> Iterator[Database]:
        """One at a time; all of it or nothing."""
        with self.connected() as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            self.commit(db)

    def commit(self, db: Database) -> None:
        """Count it, and end where we were told to."""
        with self.lock:
            self.commits += 1
            number = self.commits
        self.perhaps_end(number, "before")
        db.execute("COMMIT")
        self.perhaps_end(number, "after")

    def perhaps_end(self, number: int, when: str) -> None:
        """As a crash would."""
        if self.end_at == {"number": number, "when": when}:
            os.kill(os.getpid(), signal.SIGKILL)

    def find(self, sql: str, *values: object) -> list[Row]:
        """Rows, read outside of any transaction."""
        with self.connected() as db:
            return found(db, sql, *values)

    # --- what it is asked for -------------------------------------------------------------------------------------

    def place_order(self, params: Params) -> Said:
        """The same order, however often it is placed."""
        with self.transaction() as db:
            self.insert(db, "order", params["order_id"], params, status="open")
        return {"ok": {"order_id": params["order_id"]}}

    def confirm_order(self, params: Params) -> Said:
        """Say that it is being paid, and only then ask."""
        row = self.claim(params["order_id"])
        return self.as_it_is(row) if row["status"] in {"done", "failed"} else self.ask(row)

    def claim(self, row_id: str) -> Row:
        """The order, which from now on may have been charged."""
        with self.transaction() as db:
            db.execute("UPDATE rows SET status = 'in-doubt' WHERE id = ? AND status = 'open'", [row_id])
            return found(db, "id = ?", row_id)[0]

    def refund_order(self, params: Params) -> Said:
        """The pending row first; then the money, with that row's id as key."""
        row = self.pending_refund(params)
        if row is None:
            return {"refused": {"message": "more than is left of this order"}}
        return self.as_it_is(row) if row["status"] in {"done", "failed"} else self.ask(row)

    def pending_refund(self, params: Params) -> Row | None:
        """The row of this wish; None where it asks for too much."""
        with self.transaction() as db:
            order = found(db, "id = ?", params["order_id"])[0]
            others = found(db, "kind = 'refund' AND order_id = ? AND status != 'failed'", order["id"])
            mine = [row for row in others if row["wish"] == params["request_id"]]
            left = order["amount"] - sum(row["amount"] for row in others)
            if not mine and order["status"] == "done" and params["amount"] <= left:
                name = f"ref_{uuid.uuid4().hex}"
                self.insert(db, "refund", name, params, order_id=order["id"], wish=params["request_id"])
                mine = found(db, "wish = ?", params["request_id"])
        return mine[0] if mine else None

    def subscribe(self, params: Params) -> Said:
        """The first period: a payment like any other."""
        with self.transaction() as db:
            self.insert(db, "subscription", params["subscription_id"], params)
            row = found(db, "id = ?", params["subscription_id"])[0]
        return self.as_it_is(row) if row["status"] in {"done", "failed"} else self.ask(row)

    def resume(self, params: Params) -> Said:
        """Ask again for whatever is in doubt, each with its own key."""
        for row in self.find("status = 'in-doubt'"):
            self.ask(row)
        return {"ok": {}}

    def state(self, params: Params) -> Said:
        """All of it."""
        books: dict[str, object] = {"commits": self.commits}
        for kind, name in LISTS.items():
            books[name] = [self.shown(row) for row in self.find("kind = ?", kind)]
        return {"ok": books}

    def shown(self, row: Row) -> Row:
        """A row, as the protocol has it."""
        return {name: row[name] for name in SHOWN} | ({"shipped": row["shipped"]} if row["kind"] == "order" else {})

    # --- asking ---------------------------------------------------------------------------------------------------

    def insert(self, db: Database, kind: str, row_id: str, params: Params, **more: str) -> None:
        """A row that is new, with the key that it will be asked for with; one that is there stays."""
        row = {"id": row_id, "kind": kind, "amount": params["amount"], "currency": params["currency"]}
        row |= {"status": "in-doubt", "wish": row_id, "key": self.key_for(row_id), **more}
        places = ", ".join("?" * len(row))
        db.execute(f"INSERT OR IGNORE INTO rows ({', '.join(row)}) VALUES ({places})", list(row.values()))  # noqa: S608

    def key_for(self, row_id: str) -> str:
        """The row's own id."""
        return row_id

    def ask(self, row: Row) -> Said:
        """Ask the PSP, and write down what it says."""
        return self.settle(row, self.send(row))

    def send(self, row: Row) -> Reply:
        """One request, with the row's key."""
        message = {"amount": row["amount"], "reference": row["id"]}
        if row["kind"] == "refund":
            message["payment_id"] = self.find("id = ?", row["order_id"])[0]["psp_id"]
        else:
            message["currency"] = row["currency"]
        return self.psp.send(ROUTE[row["kind"]], self.psp.key_lines(row["key"], 1), encode(message, "json"))

    def settle(self, row: Row, reply: Reply) -> Said:
        """Done, failed, or still in doubt."""
        made = decode(reply.body, "json") if reply is not None and reply.accepted else None
        if isinstance(made, dict) and made.get("id"):
            with self.transaction() as db:
                self.book(db, row["id"], made["id"])
            return {"ok": {"status": "done", "psp_id": made["id"]}}
        if reply is None or uncertain(reply) or reply.accepted:
            return self.no_answer(row)
        with self.transaction() as db:
            db.execute("UPDATE rows SET status = 'failed' WHERE id = ? AND status = 'in-doubt'", [row["id"]])
        return failed("rejected", f"the PSP answered {reply.status}")

    def no_answer(self, row: Row) -> Said:
        """It stays as it was written."""
        return failed("unknown", f"no answer on {row['kind']} {row['id']}")

    def book(self, db: Database, row_id: str, psp_id: str) -> None:
        """Money moved: once, and the goods of an order leave with it."""
        db.execute(
            "UPDATE rows SET status = 'done', psp_id = ?, shipped = shipped + 1 WHERE id = ? AND status != 'done'",
            [psp_id, row_id],
        )

    def as_it_is(self, row: Row) -> Said:
        """What is already known."""
        if row["status"] == "failed":
            return failed("rejected", "the PSP said no before")
        return {"ok": {"status": row["status"], "psp_id": row["psp_id"]}}

    # --- webhooks -------------------------------------------------------------------------------------------------

    def deliver_webhook(self, params: Params) -> Said:
        """Verify the bytes; then the event's id and what it changes, in one transaction."""
        headers = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in params["headers"])
        request = Request("POST", "/webhooks", headers, params["body"].encode())
        if not self.believes(request):
            return {"ok": {"status": 400}}
        event = json.loads(request.body)
        with self.transaction() as db:
            if self.is_new(db, event):
                self.apply(db, event, event["data"])
        return {"ok": {"status": 200}}

    def believes(self, request: Request) -> bool:
        """A secret of ours signed exactly this, and lately."""
        return self.desk.believes(request)

    def is_new(self, db: Database, event: Mapping[str, Any]) -> bool:
        """Whether its id was not there before; now it is."""
        return db.execute("INSERT OR IGNORE INTO events VALUES (?)", [event["id"]]).rowcount == 1

    def apply(self, db: Database, event: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        """What it changes: nothing goes back, and what does not fit changes nothing."""
        if event["type"] == PAYS:
            for row in found(db, "id = ? AND kind != 'refund'", data["reference"]):
                if self.fits(row, data):
                    self.book(db, row["id"], data["payment_id"])
        elif event["type"] == "payment.failed":
            self.payment_failed(db, data)
        elif event["type"] == REFUNDS:
            self.refunded(db, data)

    def fits(self, row: Row, data: Mapping[str, Any]) -> bool:
        """Amount and currency are those of the order."""
        return (data["amount"], data["currency"]) == (row["amount"], row["currency"])

    def payment_failed(self, db: Database, data: Mapping[str, Any]) -> None:
        """Of one that is in doubt."""
        db.execute("UPDATE rows SET status = 'failed' WHERE id = ? AND status = 'in-doubt'", [data["reference"]])

    def refunded(self, db: Database, data: Mapping[str, Any]) -> None:
        """By the PSP's id, or by ours where the answer was lost; one that somebody made at the PSP gets a row."""
        if found(db, "psp_id = ? AND kind = 'refund'", data["refund_id"]):
            return
        if found(db, "id = ? AND kind = 'refund'", data["reference"]):
            self.book(db, data["reference"], data["refund_id"])
        for order in found(db, "psp_id = ? AND kind = 'order'", data["payment_id"]):
            self.adopt(db, order, data)

    def adopt(self, db: Database, order: Row, data: Mapping[str, Any]) -> None:
        """The row of a refund that the shop did not ask for."""
        if not found(db, "psp_id = ? AND kind = 'refund'", data["refund_id"]):
            more = {"order_id": order["id"], "status": "done", "psp_id": data["refund_id"]}
            self.insert(db, "refund", f"ref_{uuid.uuid4().hex}", data, **more)


def found(db: Database, where: str, *values: object) -> list[Row]:
    """The rows for which this holds."""
    return [dict(row) for row in db.execute(f"SELECT * FROM rows WHERE {where} ORDER BY rowid", values)]  # noqa: S608


@miniature("shop-with-stored-keys", role=Role.SHOP)
class ShopWithStoredKeys(CarefulShop):
    """Makes a random key for each row, and commits it with the row."""

    features = ("durable", "parallel", "subscriptions", "commit-points")

    def key_for(self, row_id: str) -> str:
        return str(uuid.uuid4())


@miniature("shop-that-asks-nothing-twice", role=Role.SHOP)
class ShopThatAsksNothingTwice(CarefulShop):
    """Refuses to pay an order or give a refund again while it is in doubt, and finds out when it resumes."""

    def confirm_order(self, params: Params) -> Said:
        with self.transaction() as db:
            fresh = db.execute(
                "UPDATE rows SET status = 'in-doubt' WHERE id = ? AND status = 'open'", [params["order_id"]]
            )
            row, mine = found(db, "id = ?", params["order_id"])[0], fresh.rowcount == 1
        return self.ask(row) if mine else self.as_it_is(row)

    def as_it_is(self, row: Row) -> Said:
        return failed("unknown", "it is under way") if row["status"] == "in-doubt" else super().as_it_is(row)


@miniature("shop-without-webhooks", role=Role.SHOP)
class ShopWithoutWebhooks(CarefulShop):
    """Says yes to every webhook that is genuine, looks at refunds alone, and asks the PSP about payments."""

    features = ("durable", "parallel", "refund-id-is-key", "subscriptions", "commit-points")

    def apply(self, db: Database, event: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        if event["type"] == REFUNDS:
            super().apply(db, event, data)


@miniature("shop-that-refuses-everything", role=Role.SHOP)
class ShopThatRefusesEverything(CarefulShop):
    """Refuses every step and asks for nothing, which breaks no rule and keeps none."""

    def do(self, step: str, params: Params) -> Said:
        return super().do(step, params) if step in {"state", "resume"} else {"refused": {"message": "not today"}}

    def deliver_webhook(self, params: Params) -> Said:
        return {"ok": {"status": 503}}


@miniature("shop-that-serves-one-at-a-time", role=Role.SHOP)
class ShopThatServesOneAtATime(CarefulShop):
    """Takes one step after the other, sells no subscriptions, and says neither the PSP's ids nor what it shipped."""

    features = ("durable",)

    def shown(self, row: Row) -> Row:
        return {name: row[name] for name in SHOWN if name != "psp_id"}


@miniature("shop-that-starts-anew-after-a-no", role=Role.SHOP)
class ShopThatStartsAnewAfterANo(CarefulShop):
    """Lets a customer pay again whose money was refused, with a new key, and gives back what does not fit its order."""

    features = ("durable", "parallel", "subscriptions", "commit-points")

    def settle(self, row: Row, reply: Reply) -> Said:
        if reply is None or reply.status != DECLINED:
            return super().settle(row, reply)
        with self.transaction() as db:
            db.execute("UPDATE rows SET status = 'open', key = ? WHERE id = ?", [str(uuid.uuid4()), row["id"]])
        return failed("declined", "the bank said no: try another card")

    def apply(self, db: Database, event: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        super().apply(db, event, data)
        orders = found(db, "id = ? AND kind = 'order'", data["reference"]) if event["type"] == PAYS else []
        if orders and not self.fits(orders[0], data):
            name = f"misfit-{data['payment_id']}"
            message = {"payment_id": data["payment_id"], "amount": data["amount"], "reference": name}
            self.psp.send(ROUTE["refund"], self.psp.key_lines(name, 1), encode(message, "json"))
