"""Shops that go wrong in ways that are no fault of money: they die, keep quiet, or say what the protocol does not know."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

from psp_harness.miniatures.clients import failed
from psp_harness.miniatures.shops import CarefulShop, Database, Params, Reply, Said, found
from psp_harness.template import encode


class Dies(CarefulShop):
    """Ends by itself when it is asked for a refund."""

    def refund_order(self, params: Params) -> Said:
        os.kill(os.getpid(), signal.SIGKILL)
        return {}


class SaysWhatIsNoState(CarefulShop):
    """Has a word of its own for what is in doubt."""

    def state(self, params: Params) -> Said:
        books = super().state(params)
        for row in books["ok"]["orders"]:  # type: ignore[attr-defined]
            row["status"] = "perhaps"
        return books


class NeverEnds(CarefulShop):
    """Counts its commits, and does not end itself where it is told to."""

    def perhaps_end(self, number: int, when: str) -> None:
        """It goes on."""


class NumbersItsOrders(CarefulShop):
    """Has ids of its own for orders."""

    def place_order(self, params: Params) -> Said:
        return super().place_order({**params, "order_id": f"own-{params['order_id']}"})


class Raises(CarefulShop):
    """Its adapter is wrong."""

    def confirm_order(self, params: Params) -> Said:
        return {"ok": {}, **self.nothing_there}  # type: ignore[attr-defined]


class Sleeps(CarefulShop):
    """Never answers."""

    def confirm_order(self, params: Params) -> Said:
        self.waits.wait(60)
        return {}


def shop_that_is_lent() -> Any:
    """What makes one may be a function."""
    return CarefulShop()


class DoesItLater(CarefulShop):
    """Says that it cannot tell, and has a worker ask."""

    def confirm_order(self, params: Params) -> Said:
        row = self.claim(params["order_id"])
        threading.Timer(0.1, self.ask, [row]).start()
        return failed("unknown", "it is under way")


class ShipsAgainAfterARestart(CarefulShop):
    """Finds an event's order by the payment's id, and remembers in memory alone for which payments goods left."""

    def start(self, **members: Any) -> Said:
        self.left = set[str]()
        return super().start(**members)

    def book(self, db: Database, row_id: str, psp_id: str) -> None:
        super().book(db, row_id, psp_id)
        self.left.add(psp_id)

    def apply(self, db: Database, event: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        paid = found(db, "psp_id = ? AND kind = 'order'", data["payment_id"])
        for row in paid if event["type"] == "payment.succeeded" and data["payment_id"] not in self.left else ():
            db.execute("UPDATE rows SET shipped = shipped + 1 WHERE id = ?", [row["id"]])
            self.left.add(data["payment_id"])
        super().apply(db, event, data)


class HasAnOutbox(CarefulShop):
    """Writes down what it wants, says that it cannot tell, and a worker asks; to resume is to wake the worker."""

    features = ("durable", "parallel", "refund-id-is-key", "subscriptions")

    def ask(self, row: dict[str, Any]) -> Said:
        threading.Timer(0.2, super().ask, [row]).start()
        return failed("unknown", "it is in the outbox")


class SendsRefundsWhenItResumes(CarefulShop):
    """Gives back in one go, and calls open until then what nobody asked the PSP for."""

    def refund_order(self, params: Params) -> Said:
        row = self.pending_refund(params)
        if row is None:
            return {"refused": {"message": "more than is left of this order"}}
        return failed("unknown", "tonight") if row["status"] in {"open", "in-doubt"} else self.as_it_is(row)

    def insert(self, db: Database, kind: str, row_id: str, params: Params, **more: str) -> None:
        super().insert(db, kind, row_id, params, **({"status": "open"} if kind == "refund" else {}) | more)

    def resume(self, params: Params) -> Said:
        with self.transaction() as db:
            db.execute("UPDATE rows SET status = 'in-doubt' WHERE status = 'open' AND kind = 'refund'")
        return super().resume(params)


class GivesUpWhatThePspNeverHeardOf(CarefulShop):
    """When it resumes, it looks into the PSP's lists: what they do not have has failed, for good."""

    def resume(self, params: Params) -> Said:
        for row in self.find("status = 'in-doubt'"):
            made = self.listed("refunds" if row["kind"] == "refund" else "payments").get(row["id"])
            with self.transaction() as db:
                if made is not None:
                    self.book(db, row["id"], made)
                else:
                    db.execute("UPDATE rows SET status = 'failed' WHERE id = ?", [row["id"]])
        return {"ok": {}}

    def listed(self, what: str) -> dict[str, str]:
        """The PSP's ids, by the shop's own."""
        with closing(HTTPConnection(self.psp.url.netloc, timeout=5)) as connection:
            connection.request("GET", f"/{what}", headers={"Authorization": f"Bearer {self.psp.token}"})
            return {each["reference"]: each["id"] for each in json.load(connection.getresponse())["data"]}


class RefusesASecondForm(CarefulShop):
    """A cart is ordered once; and what was not ordered is not paid."""

    features = ("durable", "parallel", "refund-id-is-key", "subscriptions", "commit-points")

    def place_order(self, params: Params) -> Said:
        if self.find("id = ?", params["order_id"]):
            return {"refused": {"message": "this cart was ordered already"}}
        return super().place_order(params)


class NumbersItsOrdersAndRefusesASecondForm(RefusesASecondForm):
    """Has ids of its own for them, and tells them once."""

    def place_order(self, params: Params) -> Said:
        return super().place_order({**params, "order_id": f"own-{params['order_id']}"})


class SaysDeclinedWhenPaid(CarefulShop):
    """Charges, books, ships, and tells the customer that the card was declined."""

    def confirm_order(self, params: Params) -> Said:
        super().confirm_order(params)
        return failed("declined", "your card was declined")


class SaysNothingWasDoneWhenPaid(CarefulShop):
    """Charges, books, ships, and says that it did nothing."""

    def confirm_order(self, params: Params) -> Said:
        super().confirm_order(params)
        return {"refused": {"message": "come back later"}}


class GivesAllBackWithoutAnAmount(CarefulShop):
    """Names no amount where all that is left of an order goes back: the PSP knows it."""

    def send(self, row: dict[str, Any]) -> Reply:
        return self.send_whole(row) if row["kind"] == "refund" and self.is_the_rest(row) else super().send(row)

    def is_the_rest(self, row: dict[str, Any]) -> bool:
        """It and those before it come to the whole order."""
        before = self.find("kind = 'refund' AND order_id = ? AND status != 'failed'", row["order_id"])
        return sum(r["amount"] for r in before) == self.find("id = ?", row["order_id"])[0]["amount"]

    def send_whole(self, row: dict[str, Any]) -> Reply:
        """As much as is left."""
        message = {"payment_id": self.find("id = ?", row["order_id"])[0]["psp_id"], "reference": row["id"]}
        return self.psp.send("/refunds", self.psp.key_lines(row["key"], 1), encode(message, "json"))


class GivesAllBackForAPart(GivesAllBackWithoutAnAmount):
    """Never names an amount."""

    def is_the_rest(self, row: dict[str, Any]) -> bool:
        return True
