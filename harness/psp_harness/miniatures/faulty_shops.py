"""Shops of profile `generic` with one fault each: the correct one, with the decision that goes wrong."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from psp_harness.miniatures.clients import Reply, Said, failed
from psp_harness.miniatures.declaration import miniature
from psp_harness.miniatures.shops import CarefulShop, Database, Params, Row, found
from psp_harness.model import Request, Role
from psp_harness.template import decode, encode

DOUBLE = {"a-wish-keeps-its-key", "money-that-moved-has-one-row", "the-books-balance"}
"""What is seen of every double charge: two keys, and money that no row knows."""

BOTH = {"an-order-is-charged-once", "a-refund-is-given-once"} | DOUBLE


# --- keys -----------------------------------------------------------------------------------------------------------


@miniature("makes-a-key-for-each-press", role=Role.SHOP, mode="C30", breaks=BOTH)
class MakesAKeyForEachPress(CarefulShop):
    """Makes a new key each time that it asks, whoever pressed and however often."""

    features = ("durable", "parallel", "subscriptions", "commit-points")

    def send(self, row: Row) -> Reply:
        return super().send({**row, "key": str(uuid.uuid4())})


@miniature("looks-before-it-charges", role=Role.SHOP, mode="C31", breaks={"an-order-is-charged-once"} | DOUBLE)
class LooksBeforeItCharges(CarefulShop):
    """Looks whether the order is still open, and charges it with a key of its own: two at once both find it open."""

    def confirm_order(self, params: Params) -> Said:
        (row,) = self.find("id = ?", params["order_id"])
        if row["status"] == "in-doubt":
            return failed("unknown", "it is under way")
        if row["status"] != "open":
            return self.as_it_is(row)
        self.meet()
        key = str(uuid.uuid4())
        with self.transaction() as db:
            db.execute("UPDATE rows SET status = 'in-doubt', key = ? WHERE id = ?", [key, row["id"]])
        return self.ask({**row, "key": key})

    def meet(self) -> None:
        """Long enough for two to meet, also on a busy machine."""
        self.waits.wait(0.15)


@miniature("asks-before-it-commits", role=Role.SHOP, mode="C13", breaks={"a-refund-is-given-once"} | DOUBLE)
class AsksBeforeItCommits(CarefulShop):
    """Writes the refund's row, asks with its id as key, and commits both in the end: a crash leaves no row."""

    def refund_order(self, params: Params) -> Said:
        (order,) = self.find("id = ?", params["order_id"])
        with self.transaction() as db:
            mine = found(db, "wish = ?", params["request_id"])
            if not mine:
                name = f"ref_{uuid.uuid4().hex}"
                self.insert(db, "refund", name, params, order_id=order["id"], wish=params["request_id"])
                mine = found(db, "id = ?", name)
            reply = self.send(mine[0])
            made = decode(reply.body, "json") if reply is not None and reply.accepted else None
            if isinstance(made, dict):
                self.book(db, mine[0]["id"], made["id"])
        return {"ok": {}} if made else self.no_answer(mine[0])


@miniature("makes-another-key-after-an-error", role=Role.SHOP, mode="C14", breaks=BOTH)
class MakesAnotherKeyAfterAnError(CarefulShop):
    """Takes a key for used up where no answer came, and writes another one into the row."""

    features = ("durable", "parallel", "subscriptions", "commit-points")

    def no_answer(self, row: Row) -> Said:
        with self.transaction() as db:
            db.execute("UPDATE rows SET key = ? WHERE id = ?", [str(uuid.uuid4()), row["id"]])
        return super().no_answer(row)


@miniature("keeps-its-keys-in-memory", role=Role.SHOP, mode="C15", breaks=BOTH)
class KeepsItsKeysInMemory(CarefulShop):
    """Makes a random key for each row, and keeps it where a crash takes it away."""

    features = ("durable", "parallel", "subscriptions", "commit-points")

    def send(self, row: Row) -> Reply:
        with self.lock:
            key = self.keys.setdefault(row["id"], str(uuid.uuid4()))
        return super().send({**row, "key": key})


@miniature("asks-again-for-each-webhook", role=Role.SHOP, mode="W27", breaks=BOTH)
class AsksAgainForEachWebhook(CarefulShop):
    """Takes each webhook as an occasion to ask again for what is in doubt, with a key that it makes there and then."""

    features = ("durable", "parallel", "subscriptions", "commit-points")

    def deliver_webhook(self, params: Params) -> Said:
        for row in self.find("status = 'in-doubt'"):
            self.ask({**row, "key": str(uuid.uuid4())})
        return super().deliver_webhook(params)


@miniature("refunds-with-the-orders-id", role=Role.SHOP, mode="C09", breaks={"another-wish-has-another-key"})
class RefundsWithTheOrdersId(CarefulShop):
    """Sends the order's id as the key of each of its refunds, and the second is taken for the first."""

    features = ("durable", "parallel", "subscriptions", "commit-points")

    def send(self, row: Row) -> Reply:
        return super().send({**row, "key": row["order_id"]} if row["kind"] == "refund" else row)


@miniature("subscribes-without-a-key", role=Role.SHOP, mode="A11", breaks={"whatever-moves-money-carries-a-key"})
class SubscribesWithoutAKey(CarefulShop):
    """Sends the payment of a subscription by a way of its own, on which nobody thought of the key."""

    def send(self, row: Row) -> Reply:
        if row["kind"] != "subscription":
            return super().send(row)
        message = {"amount": row["amount"], "currency": row["currency"], "reference": row["id"]}
        return self.psp.send("/payments", (), encode(message, "json"))


@miniature(
    "charges-a-period-for-each-submit",
    role=Role.SHOP,
    mode="C30",
    breaks={"an-order-is-charged-once", "a-wish-keeps-its-key"},
)
class ChargesAPeriodForEachSubmit(CarefulShop):
    """Guards its orders, and makes a new subscription, with its first period, each time that the form is submitted."""

    def subscribe(self, params: Params) -> Said:
        return super().subscribe({**params, "subscription_id": f"sub-{uuid.uuid4().hex}"})


@miniature("another-key-than-the-refunds-id", role=Role.SHOP, mode="A12", breaks={"a-refund-row-lends-its-id-as-key"})
class AnotherKeyThanTheRefundsId(CarefulShop):
    """Says that the refund's id is the key, and sends what another column has."""

    def key_for(self, row_id: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, row_id))


@miniature(
    "asks-for-whole-euros",
    role=Role.SHOP,
    mode="R06",
    breaks={"the-psp-is-asked-for-what-was-wished", "a-row-that-is-done-is-money-that-moved", "the-books-balance"},
    may={"money-that-moved-has-one-row"},
)
class AsksForWholeEuros(CarefulShop):
    """Rounds what it asks for, and books what was ordered."""

    def send(self, row: Row) -> Reply:
        return super().send({**row, "amount": row["amount"] // 100 * 100} if row["kind"] == "order" else row)


# --- what becomes of a lost answer ----------------------------------------------------------------------------------


@miniature(
    "calls-a-lost-answer-failed",
    role=Role.SHOP,
    mode="C24",
    breaks={"a-lost-answer-is-in-doubt", "money-that-moved-has-one-row", "the-books-balance"},
)
class CallsALostAnswerFailed(CarefulShop):
    """Writes `failed` where no answer came, and tells the customer so."""

    def no_answer(self, row: Row) -> Said:
        with self.transaction() as db:
            db.execute("UPDATE rows SET status = 'failed' WHERE id = ? AND status = 'in-doubt'", [row["id"]])
        return failed("declined", "your payment failed")


@miniature(
    "forgets-a-refund-without-an-answer",
    role=Role.SHOP,
    mode="R07",
    breaks={"a-lost-answer-is-in-doubt", "a-refund-is-given-once"} | DOUBLE,
)
class ForgetsARefundWithoutAnAnswer(CarefulShop):
    """Deletes the refund's row where no answer came, so that the button can be pressed again."""

    def no_answer(self, row: Row) -> Said:
        with self.transaction() as db:
            db.execute("DELETE FROM rows WHERE id = ? AND kind = 'refund'", [row["id"]])
        return super().no_answer(row)


@miniature("never-looks", role=Role.SHOP, mode="W30", breaks={"nothing-stays-in-doubt"})
class NeverLooks(CarefulShop):
    """Leaves what is in doubt to whoever presses again, and to webhooks."""

    def resume(self, params: Params) -> Said:
        return {"ok": {}}


# --- what is booked -------------------------------------------------------------------------------------------------


@miniature("ships-for-each-answer", role=Role.SHOP, mode="C28", breaks={"an-order-is-shipped-once"})
class ShipsForEachAnswer(CarefulShop):
    """Takes each 2xx for news: the answer that the PSP gives again lets the goods go again."""

    def settle(self, row: Row, reply: Reply) -> Said:
        before = self.find("id = ?", row["id"])[0]["status"]
        said = super().settle(row, reply)
        if "ok" in said and before == "done":
            with self.transaction() as db:
                db.execute("UPDATE rows SET shipped = shipped + 1 WHERE id = ?", [row["id"]])
        return said

    def confirm_order(self, params: Params) -> Said:
        return self.ask(self.claim(params["order_id"]))


@miniature("ships-for-answer-and-event", role=Role.SHOP, mode="W23", breaks={"an-order-is-shipped-once"})
class ShipsForAnswerAndEvent(CarefulShop):
    """Ships when the PSP answers, and when its event comes: nobody asks the order whether it was paid before."""

    def apply(self, db: Database, event: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        paid = event["type"] == "payment.succeeded" and found(db, "id = ? AND status = 'done'", data["reference"])
        if paid:
            db.execute("UPDATE rows SET shipped = shipped + 1 WHERE id = ?", [data["reference"]])
        super().apply(db, event, data)


@miniature(
    "knows-the-last-refund-alone",
    role=Role.SHOP,
    mode="R09",
    breaks={"money-that-moved-has-one-row", "the-books-balance"},
)
class KnowsTheLastRefundAlone(CarefulShop):
    """Compares a refund's event with the last refund of the order: one that was before is booked as a new one."""

    index = ""

    def is_new(self, db: Database, event: Mapping[str, Any]) -> bool:
        return True

    def refunded(self, db: Database, data: Mapping[str, Any]) -> None:
        orders = found(db, "psp_id = ? AND kind = 'order'", data["payment_id"])
        if not orders:
            return
        known = found(db, "kind = 'refund' AND order_id = ?", orders[0]["id"])
        if known and known[-1]["psp_id"] is None:
            super().refunded(db, data)
        elif not known or known[-1]["psp_id"] != data["refund_id"]:
            more = {"order_id": orders[0]["id"], "status": "done", "psp_id": data["refund_id"]}
            self.insert(db, "refund", f"ref_{uuid.uuid4().hex}", data, **more)


# --- what it believes -----------------------------------------------------------------------------------------------


@miniature(
    "lets-late-events-overwrite",
    role=Role.SHOP,
    mode="W20",
    breaks={"a-late-event-takes-nothing-back", "money-that-moved-has-one-row", "the-books-balance"},
)
class LetsLateEventsOverwrite(CarefulShop):
    """Writes down what the last event says, whatever the order was."""

    def payment_failed(self, db: Database, data: Mapping[str, Any]) -> None:
        db.execute("UPDATE rows SET status = 'failed' WHERE id = ?", [data["reference"]])


PAID_BY_WORDS = {
    "an-event-that-does-not-fit-pays-nothing",
    "a-row-that-is-done-is-money-that-moved",
    "an-order-is-shipped-once",
}


@miniature("is-paid-by-one-cent", role=Role.SHOP, mode="W25", breaks=PAID_BY_WORDS)
class IsPaidByOneCent(CarefulShop):
    """Does not compare what an event says with what the order costs."""

    def fits(self, row: Row, data: Mapping[str, Any]) -> bool:
        return True


@miniature(
    "is-paid-by-anybodys-word",
    role=Role.SHOP,
    mode="W01",
    breaks=PAID_BY_WORDS | {"money-that-moved-has-one-row", "the-books-balance"},
)
class IsPaidByAnybodysWord(CarefulShop):
    """Verifies no signature: anybody pays its orders, calls them failed, and gives them back."""

    def believes(self, request: Request) -> bool:
        return True


@miniature("ignores-what-it-did-not-ask-for", role=Role.SHOP, mode="R09", breaks={"a-refund-made-at-the-psp-is-booked"})
class IgnoresWhatItDidNotAskFor(CarefulShop):
    """Does nothing about a refund that it does not know."""

    def adopt(self, db: Database, order: Row, data: Mapping[str, Any]) -> None:
        """Nothing."""


@miniature("one-event-for-each-thing", role=Role.SHOP, mode="W17", breaks={"what-an-event-tells-is-booked"})
class OneEventForEachThing(CarefulShop):
    """Keeps the id of what an event is about instead of the event's: of a payment only the first event counts."""

    def is_new(self, db: Database, event: Mapping[str, Any]) -> bool:
        return super().is_new(db, {**event, "id": event["data"].get("refund_id") or event["data"]["payment_id"]})


@miniature(
    "an-order-for-each-submit", role=Role.SHOP, mode="A7", breaks={"an-order-is-charged-once", "a-wish-keeps-its-key"}
)
class AnOrderForEachSubmit(CarefulShop):
    """Makes a new order each time that the form is submitted, and charges each."""

    def place_order(self, params: Params) -> Said:
        return super().place_order({**params, "order_id": f"ord-{uuid.uuid4().hex}"})
