"""A whole shop in one file, for psp-harness run --role shop --subject 'exec:python shop.py' --profile generic.

Copy what stands below the second line, and put your own shop in the place of what stands above it.
"""

import base64
import hashlib
import hmac
import http.client
import json
import sqlite3
import sys
import time
import uuid
from urllib.parse import urlsplit

TABLES = """
CREATE TABLE IF NOT EXISTS money (id TEXT PRIMARY KEY, kind TEXT, order_id TEXT, wish TEXT UNIQUE, amount INTEGER,
  currency TEXT, status TEXT, psp_id TEXT, shipped INTEGER DEFAULT 0);
CREATE UNIQUE INDEX IF NOT EXISTS refunds_once ON money (psp_id) WHERE kind = 'refund';
CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY);
"""


class Shop:
    def __init__(self, file, psp, token, secrets, timeout):
        self.db = sqlite3.connect(file)
        self.db.row_factory = sqlite3.Row
        self.db.executescript(TABLES)
        self.psp, self.token, self.secrets, self.timeout = urlsplit(psp), token, secrets, timeout

    def rows(self, where, *values):
        return self.db.execute(f"SELECT * FROM money WHERE {where}", values).fetchall()

    def place(self, order_id, amount, currency):
        with self.db:  # one transaction
            self.db.execute(
                "INSERT OR IGNORE INTO money (id, kind, wish, amount, currency, status) "
                "VALUES (?, 'order', ?, ?, ?, 'open')",
                (order_id, order_id, amount, currency),
            )

    def confirm(self, order_id):
        with self.db:  # committed before the PSP is asked: from now on it may have been charged
            self.db.execute("UPDATE money SET status = 'in-doubt' WHERE id = ? AND status = 'open'", (order_id,))
        return self.ask(self.rows("id = ?", order_id)[0])

    def refund(self, order_id, wish, amount):
        with self.db:
            (order,) = self.rows("id = ?", order_id)
            given = sum(row["amount"] for row in self.rows("order_id = ? AND status != 'failed'", order_id))
            if not self.rows("wish = ?", wish) and order["status"] == "done" and amount <= order["amount"] - given:
                self.db.execute(  # the pending row, whose id is the key
                    "INSERT INTO money (id, kind, order_id, wish, amount, currency, status) "
                    "VALUES (?, 'refund', ?, ?, ?, ?, 'in-doubt')",
                    (str(uuid.uuid4()), order_id, wish, amount, order["currency"]),
                )
        rows = self.rows("wish = ?", wish)
        return self.ask(rows[0]) if rows else "refused"

    def ask(self, row):
        """What became of it: whoever asks again, also after a crash, asks with the same key."""
        if row["status"] != "in-doubt":
            return row["status"]
        body = {"amount": row["amount"], "reference": row["id"]}
        if row["kind"] == "refund":
            body["payment_id"] = self.rows("id = ?", row["order_id"])[0]["psp_id"]
        else:
            body["currency"] = row["currency"]
        try:
            status, made = self.post("/refunds" if row["kind"] == "refund" else "/payments", body, key=row["id"])
        except (OSError, http.client.HTTPException, ValueError):
            return "in-doubt"  # and not failed: money may have moved
        if status >= 500 or status in {409, 429}:
            return "in-doubt"
        with self.db:
            if status < 300:
                self.done(row["id"], made["id"])
            else:
                self.db.execute("UPDATE money SET status = 'failed' WHERE id = ? AND status = 'in-doubt'", (row["id"],))
        return self.rows("id = ?", row["id"])[0]["status"]

    def post(self, path, body, key):
        connection = http.client.HTTPConnection(self.psp.netloc, timeout=self.timeout)
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key, "Content-Type": "application/json"}
        try:
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def done(self, row_id, psp_id):
        """The goods leave in the same transaction, and only with the first who says so."""
        self.db.execute(
            "UPDATE money SET status = 'done', psp_id = ?, shipped = shipped + 1 WHERE id = ? AND status != 'done'",
            (psp_id, row_id),
        )

    def reconcile(self):
        for row in self.rows("status = 'in-doubt'"):
            self.ask(row)

    def webhook(self, headers, body):
        if not self.is_genuine({name.lower(): value for name, value in headers}, body):
            return 400
        event = json.loads(body)
        data = event["data"]
        with self.db:  # the event's id and what comes of it, together
            if self.db.execute("INSERT OR IGNORE INTO events VALUES (?)", (event["id"],)).rowcount:
                self.apply(event["type"], data)
        return 200

    def apply(self, told, data):
        rows = self.rows("id = ?", data.get("reference"))
        for row in rows:
            fits = (row["amount"], row["currency"]) == (data["amount"], data["currency"])
            if fits and told in {"payment.succeeded", "refund.succeeded"}:
                self.done(row["id"], data.get("refund_id") or data["payment_id"])
        if told == "refund.succeeded" and not rows:  # somebody made it in the PSP's dashboard
            self.db.execute(
                "INSERT OR IGNORE INTO money (id, kind, order_id, wish, amount, currency, status, psp_id) "
                "SELECT ?1, 'refund', id, ?1, ?2, currency, 'done', ?1 FROM money WHERE psp_id = ?3",
                (data["refund_id"], data["amount"], data["payment_id"]),
            )

    def is_genuine(self, headers, body):
        """As Standard Webhooks has it; better: the library of your PSP."""
        name, at, given = (headers.get(f"webhook-{part}", "") for part in ("id", "timestamp", "signature"))
        if not at.isdigit() or abs(time.time() - int(at)) > 300:
            return False
        for secret in filter(None, self.secrets):
            key = base64.b64decode(secret.removeprefix("whsec_"))
            mac = base64.b64encode(hmac.new(key, f"{name}.{at}.{body}".encode(), hashlib.sha256).digest()).decode()
            if any(hmac.compare_digest(each, f"v1,{mac}") for each in given.split(" ")):
                return True
        return False


# --- the adapter: the harness's words on one side, the shop's on the other --------------------------------------------


def start(command):
    file, token = f"{command['state_dir']}/shop.sqlite3", command["credentials"]["token"]
    shop = Shop(file, command["base_url"], token, command["secrets"], command["answer_timeout"])
    return shop, {"ok": {"name": "example shop", "features": ["durable", "refund-id-is-key", "told-by-webhook"]}}


def do(shop, step, params):
    match step:
        case "place-order":
            shop.place(params["order_id"], params["amount"], params["currency"])
            answer = {"ok": {"order_id": params["order_id"]}}
        case "confirm-order":
            answer = said(shop.confirm(params["order_id"]))
        case "refund-order":
            answer = said(shop.refund(params["order_id"], params["request_id"], params["amount"]))
        case "resume":
            shop.reconcile()
            answer = {"ok": {}}
        case "deliver-webhook":
            answer = {"ok": {"status": shop.webhook(params["headers"], params["body"])}}
        case "state":
            answer = {"ok": {"orders": believed(shop, "order"), "refunds": believed(shop, "refund")}}
        case _:
            answer = {"errored": {"message": f"what is {step}?"}}
    return answer


def believed(shop, kind):
    names = ["id", "amount", "currency", "status", "psp_id", "order_id"] + ["shipped"] * (kind == "order")
    return [{name: row[name] for name in names} for row in shop.rows("kind = ?", kind)]


def said(status):
    if status == "refused":
        return {"refused": {"message": "more than is left"}}
    if status == "done":
        return {"ok": {"status": status}}
    return {"failed": {"kind": "unknown" if status == "in-doubt" else "rejected", "message": status}}


def main():
    shop = None
    for line in sys.stdin:
        command = json.loads(line)
        if command["cmd"] == "start":
            shop, answer = start(command)
        else:
            answer = do(shop, command["step"], command["params"]) if command["cmd"] == "do" else {"ok": {}}
        print(json.dumps({"id": command["id"], **answer}), flush=True)


if __name__ == "__main__":
    main()
