"""A shop as its team might write it: Flask, sqlite3, and Stripe's own library for requests and for webhooks.

Below the line is its adapter for `psp-harness run --role shop --subject python:tests.real.apps.flask_stripe_shop:Adapter`,
which talks to it as browsers and Stripe do: by HTTP requests to the application.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Mapping
from typing import Any

import stripe
from flask import Flask, Response, jsonify, request

TABLES = """
CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, amount INTEGER, currency TEXT, status TEXT DEFAULT 'new',
  intent TEXT, mails INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS refunds (id TEXT PRIMARY KEY, order_id TEXT, form TEXT UNIQUE, amount INTEGER,
  status TEXT DEFAULT 'pending', stripe_id TEXT UNIQUE);
CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY);
"""
UNKNOWN = (stripe.APIConnectionError, stripe.APIError, stripe.IdempotencyError, stripe.RateLimitError)
"""After these money may have moved."""


def shop(config: Mapping[str, Any]) -> Flask:  # noqa: C901, PLR0915 - one function, as such applications are written
    """The application."""
    app = Flask(__name__)
    client = stripe.StripeClient(config["api_key"], base_addresses={"api": config["api_base"]}, max_network_retries=0)

    def keyed(key: str) -> Any:
        return {"idempotency_key": key} if config.get("keys", True) else {}

    def database() -> sqlite3.Connection:
        connection = sqlite3.connect(config["database"], timeout=10)
        connection.row_factory = sqlite3.Row
        return connection

    with database() as db:
        db.executescript(TABLES)

    def one(table: str, name: str) -> sqlite3.Row:
        with database() as db:
            row: sqlite3.Row = db.execute(f"SELECT * FROM {table} WHERE id = ?", [name]).fetchone()  # noqa: S608
            return row

    @app.post("/checkout")
    def checkout() -> Response:
        form = request.get_json()
        with database() as db:
            db.execute("INSERT OR IGNORE INTO orders (id, amount, currency) VALUES (:cart, :amount, :currency)", form)
        return jsonify(order=form["cart"])

    @app.post("/orders/<name>/pay")
    def pay(name: str) -> tuple[Response, int]:
        with database() as db:
            db.execute("UPDATE orders SET status = 'paying' WHERE id = ? AND status = 'new'", [name])
        return settle(name)

    def settle(name: str) -> tuple[Response, int]:
        order = one("orders", name)
        if order["status"] != "paying":
            return jsonify(status=order["status"]), 200
        wanted: Any = {
            "amount": order["amount"],
            "currency": order["currency"].lower(),
            "confirm": True,
            "payment_method": "pm_card_visa",
            "metadata": {"reference": name},
        }
        try:
            intent = client.v1.payment_intents.create(wanted, keyed(f"order-{name}"))
        except stripe.CardError:
            with database() as db:
                db.execute("UPDATE orders SET status = 'declined' WHERE id = ? AND status = 'paying'", [name])
            return jsonify(status="declined"), 402
        except UNKNOWN:
            return jsonify(status="paying"), 202
        if intent.status == "succeeded":
            with database() as db:
                paid(db, name, intent.id)
        return jsonify(status=one("orders", name)["status"]), 200

    def paid(db: sqlite3.Connection, name: str, intent: str) -> None:
        db.execute(
            "UPDATE orders SET status = 'paid', intent = ?, mails = mails + 1 WHERE id = ? AND status != 'paid'",
            [intent, name],
        )

    @app.post("/orders/<name>/refund")
    def refund(name: str) -> tuple[Response, int]:
        form = request.get_json()
        with database() as db:
            db.execute("BEGIN IMMEDIATE")
            db.execute(
                "INSERT OR IGNORE INTO refunds (id, order_id, form, amount) SELECT ?, id, ?, ? FROM orders WHERE id = ? "
                "AND status = 'paid' AND amount - ? >= "
                "(SELECT coalesce(sum(amount), 0) FROM refunds WHERE order_id = ? AND status != 'failed')",
                [f"refund-{uuid.uuid4()}", form["form"], form["amount"], name, form["amount"], name],
            )
            row = db.execute("SELECT id FROM refunds WHERE form = ?", [form["form"]]).fetchone()
        return give_back(row["id"]) if row else (jsonify(status="refused"), 409)

    def give_back(name: str) -> tuple[Response, int]:
        row = one("refunds", name)
        if row["status"] != "pending":
            return jsonify(status=row["status"]), 200
        wanted: Any = {
            "payment_intent": one("orders", row["order_id"])["intent"],
            "amount": row["amount"],
            "metadata": {"reference": name},
        }
        try:
            made = client.v1.refunds.create(wanted, keyed(name))
        except UNKNOWN:
            return jsonify(status="pending"), 202
        except stripe.InvalidRequestError:
            with database() as db:
                db.execute("UPDATE refunds SET status = 'failed' WHERE id = ? AND status = 'pending'", [name])
            return jsonify(status="failed"), 400
        with database() as db:
            db.execute("UPDATE refunds SET status = 'succeeded', stripe_id = ? WHERE id = ?", [made.id, name])
        return jsonify(status="succeeded"), 200

    @app.post("/stripe")
    def webhook() -> tuple[str, int]:
        try:
            signature = request.headers.get("Stripe-Signature", "")
            event = stripe.Webhook.construct_event(request.get_data(), signature, config["secret"]).to_dict()
        except (ValueError, stripe.SignatureVerificationError):
            return "not from Stripe", 400
        about = event["data"]["object"]
        with database() as db:
            if db.execute("INSERT OR IGNORE INTO events VALUES (?)", [event["id"]]).rowcount:
                apply(db, event["type"], about, str(about.get("metadata", {}).get("reference")))
        return "", 200

    def apply(db: sqlite3.Connection, told: str, about: Mapping[str, Any], reference: str) -> None:
        order = db.execute("SELECT * FROM orders WHERE id = ?", [reference]).fetchone()
        if told == "payment_intent.succeeded" and order:
            if (about["amount_received"], about["currency"]) == (order["amount"], order["currency"].lower()):
                paid(db, reference, about["id"])
        elif told == "charge.refund.updated" and about["status"] == "succeeded":
            db.execute("UPDATE refunds SET status = 'succeeded', stripe_id = ? WHERE id = ?", [about["id"], reference])
            db.execute(  # one that was made in Stripe's dashboard; one that is known is there already
                "INSERT OR IGNORE INTO refunds (id, order_id, form, amount, status, stripe_id) "
                "SELECT ?, id, ?, ?, 'succeeded', ? FROM orders WHERE intent = ?",
                [f"dashboard-{about['id']}", about["id"], about["amount"], about["id"], about["payment_intent"]],
            )

    @app.cli.command("reconcile")
    def reconcile() -> None:
        with database() as db:
            open_ = [row["id"] for row in db.execute("SELECT id FROM orders WHERE status = 'paying'")]
            pending = [row["id"] for row in db.execute("SELECT id FROM refunds WHERE status = 'pending'")]
        with app.app_context():
            for name in open_:
                settle(name)
            for name in pending:
                give_back(name)

    return app


# --- its adapter ------------------------------------------------------------------------------------------------------

STATUS = {
    "new": "open", "paying": "in-doubt", "paid": "done", "declined": "failed",
    "pending": "in-doubt", "succeeded": "done", "failed": "failed",
}  # fmt: skip


class Adapter:
    """What the harness asks, as requests to the application."""

    keys = True

    def start(
        self, *, state_dir: str, base_url: str, credentials: Mapping[str, str], secrets: list[str]
    ) -> dict[str, Any]:
        """Open it on its database."""
        self.database = f"{state_dir}/shop.sqlite3"
        known = {"api_key": credentials["token"], "api_base": base_url, "secret": secrets[0], "keys": self.keys}
        self.app = shop({**known, "database": self.database})
        return {
            "ok": {"name": "flask shop", "features": ["durable", "parallel", "refund-id-is-key", "told-by-webhook"]}
        }

    def do(self, step: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """One step."""
        order = params.get("order_id")
        match step:
            case "place-order":
                money = {"amount": params["amount"], "currency": params["currency"]}
                return {"ok": {"order_id": self.post("/checkout", {"cart": order, **money})["order"]}}
            case "confirm-order":
                return said(self.post(f"/orders/{order}/pay", {})["status"])
            case "refund-order":
                form = {"form": params["request_id"], "amount": params["amount"]}
                return said(self.post(f"/orders/{order}/refund", form)["status"])
            case "deliver-webhook":
                answer = self.app.test_client().post("/stripe", headers=params["headers"], data=params["body"].encode())
                return {"ok": {"status": answer.status_code}}
            case "resume":
                ended = self.app.test_cli_runner().invoke(args=["reconcile"])
                return {"ok": {}} if ended.exit_code == 0 else {"errored": {"message": repr(ended.exception)}}
            case _:
                return {"ok": self.books()}

    def post(self, path: str, form: Mapping[str, Any]) -> dict[str, Any]:
        """What a browser is answered."""
        answer: dict[str, Any] = self.app.test_client().post(path, json=form).get_json()
        return answer

    def books(self) -> dict[str, Any]:
        """Read off its database."""
        db = sqlite3.connect(self.database, timeout=10)
        db.row_factory = sqlite3.Row
        orders = [
            {"id": o["id"], "amount": o["amount"], "currency": o["currency"], "status": STATUS[o["status"]], "psp_id": o["intent"],
             "shipped": o["mails"]}
            for o in db.execute("SELECT * FROM orders")
        ]  # fmt: skip
        refunds = [
            {"id": r["id"], "order_id": r["order_id"], "amount": r["amount"], "status": STATUS[r["status"]],
             "psp_id": r["stripe_id"]}
            for r in db.execute("SELECT * FROM refunds")
        ]  # fmt: skip
        db.close()
        return {"orders": orders, "refunds": refunds}


def said(status: str) -> dict[str, Any]:
    """A status, in the protocol's words."""
    if status == "refused":
        return {"refused": {"message": "not paid, or more than is left"}}
    means = STATUS[status]
    if means == "done":
        return {"ok": {"status": status}}
    return {"failed": {"kind": {"failed": "declined"}.get(means, "unknown"), "message": status}}


class WithoutKeys(Adapter):
    """The same shop, which leaves the keys to the library: that makes a random one for each call."""

    keys = False
