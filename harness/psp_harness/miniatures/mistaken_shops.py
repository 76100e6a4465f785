"""Shops of profile `generic` that mistake what they are told: a gateway's no, a silence, what nobody signed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from psp_harness.miniatures.clients import Reply, Said, failed
from psp_harness.miniatures.declaration import miniature
from psp_harness.miniatures.faulty_shops import DOUBLE, PAID_BY_WORDS
from psp_harness.miniatures.receivers import PAYS
from psp_harness.miniatures.shops import CarefulShop, Database, Params, Row
from psp_harness.model import Request, Role

DONE_UNPAID = {"a-row-that-is-done-is-money-that-moved", "the-books-balance"}
"""What is seen of money that moved in the books alone."""


# --- answers ----------------------------------------------------------------------------------------------------------


class TakesAGatewaysWord(CarefulShop):
    """Takes any answer for the PSP's."""

    features = ("durable", "parallel", "subscriptions", "commit-points")
    mistaken = ""
    """Of which rows."""

    def settle(self, row: Row, reply: Reply) -> Said:
        if row["kind"] != self.mistaken or reply is None or reply.status < 500:
            return super().settle(row, reply)
        self.forget(row)
        return failed("rejected", f"the PSP answered {reply.status}")

    def forget(self, row: Row) -> None:
        """So that it can be asked for anew."""


@miniature(
    "gives-back-anew-after-a-gateways-no",
    role=Role.SHOP,
    mode="R07",
    breaks={"a-lost-answer-is-in-doubt", "a-refund-is-given-once"} | DOUBLE,
)
class GivesBackAnewAfterAGatewaysNo(TakesAGatewaysWord):
    """Takes a gateway's 502 on a refund for the PSP's no, and makes another row when the button is pressed again."""

    mistaken = "refund"

    def forget(self, row: Row) -> None:
        with self.transaction() as db:
            more = [f"{row['wish']}-failed", row["id"]]
            db.execute("UPDATE rows SET status = 'failed', wish = ? WHERE id = ?", more)


@miniature(
    "charges-a-period-anew-after-a-gateways-no",
    role=Role.SHOP,
    mode="C14",
    breaks={"a-lost-answer-is-in-doubt", "an-order-is-charged-once"} | DOUBLE,
)
class ChargesAPeriodAnewAfterAGatewaysNo(TakesAGatewaysWord):
    """Forgets a subscription on whose first period a gateway answered 502, and charges it with a fresh key."""

    mistaken = "subscription"

    def key_for(self, row_id: str) -> str:
        return str(uuid.uuid4())

    def forget(self, row: Row) -> None:
        with self.transaction() as db:
            db.execute("DELETE FROM rows WHERE id = ?", [row["id"]])


@miniature("calls-a-silent-refund-done", role=Role.SHOP, mode="R11", breaks=DONE_UNPAID)
class CallsASilentRefundDone(CarefulShop):
    """Takes it that a refund without an answer was given, also where it never arrived."""

    features = ("parallel", "subscriptions")

    def no_answer(self, row: Row) -> Said:
        if row["kind"] != "refund":
            return super().no_answer(row)
        with self.transaction() as db:
            db.execute("UPDATE rows SET status = 'done' WHERE id = ?", [row["id"]])
        return {"ok": {}}


@miniature("takes-a-no-for-a-yes", role=Role.SHOP, mode="R12", breaks=DONE_UNPAID | {"an-order-is-shipped-once"})
class TakesANoForAYes(CarefulShop):
    """Takes each complete answer that is no server's error for a yes."""

    def settle(self, row: Row, reply: Reply) -> Said:
        if row["kind"] != "order" or reply is None or reply.accepted or reply.status >= 500:
            return super().settle(row, reply)
        with self.transaction() as db:
            self.book(db, row["id"], "unknown")
        return {"ok": {}}


# --- keys -------------------------------------------------------------------------------------------------------------


@miniature("numbers-the-refunds-of-each-order", role=Role.SHOP, mode="C08", breaks={"another-wish-has-another-key"})
class NumbersTheRefundsOfEachOrder(CarefulShop):
    """Sends `refund-1` as the key of each order's first refund: the second order's is taken for the first one's."""

    features = ("durable", "parallel", "subscriptions", "commit-points")

    def send(self, row: Row) -> Reply:
        if row["kind"] != "refund":
            return super().send(row)
        of_order = [each["id"] for each in self.find("kind = 'refund' AND order_id = ?", row["order_id"])]
        return super().send({**row, "key": f"refund-{of_order.index(row['id']) + 1}"})


# --- whose money it is, and what it is called ------------------------------------------------------------------------


@miniature("gives-back-the-newest-payment", role=Role.SHOP, mode="R08", breaks={"a-refund-goes-back-to-who-paid"})
class GivesBackTheNewestPayment(CarefulShop):
    """Gives money back from the order that was paid last, and books it there: another customer gets it."""

    def pending_refund(self, params: Params) -> Row | None:
        paid = self.find("kind = 'order' AND status = 'done'")
        return super().pending_refund({**params, "order_id": paid[-1]["id"]} if paid else params)


@miniature("books-in-dollars", role=Role.SHOP, mode="R06", breaks={"a-row-that-is-done-is-money-that-moved"})
class BooksInDollars(CarefulShop):
    """Asks for euros, and has dollars in its books."""

    def shown(self, row: Row) -> Row:
        return {**super().shown(row), "currency": "USD"}


# --- what customers are told, and what they get ----------------------------------------------------------------------


@miniature("calls-a-paid-order-declined", role=Role.SHOP, mode="C24", breaks={"a-no-means-that-nothing-happened"})
class CallsAPaidOrderDeclined(CarefulShop):
    """Charges, books and ships, and tells the customer that the card was declined."""

    def confirm_order(self, params: Params) -> Said:
        super().confirm_order(params)
        (row,) = self.find("id = ?", params["order_id"])
        if row["status"] == "done":
            return failed("declined", "your card was declined")
        return failed("rejected" if row["status"] == "failed" else "unknown", "try again")


@miniature("says-yes-to-a-second-period", role=Role.SHOP, mode="C11", breaks={"a-yes-means-that-something-was-done"})
class SaysYesToASecondPeriod(CarefulShop):
    """Takes the second subscription for the first one that comes again, says yes, and does nothing."""

    def subscribe(self, params: Params) -> Said:
        others = self.find("kind = 'subscription' AND id != ?", params["subscription_id"])
        return {"ok": {}} if others else super().subscribe(params)


@miniature("ships-when-the-button-is-pressed", role=Role.SHOP, mode="R12", breaks={"an-order-is-shipped-once"})
class ShipsWhenTheButtonIsPressed(CarefulShop):
    """Lets the goods go when the customer presses the button, before the PSP has answered."""

    def claim(self, row_id: str) -> Row:
        with self.transaction() as db:
            db.execute("UPDATE rows SET shipped = 1 WHERE id = ?", [row_id])
        return super().claim(row_id)

    def book(self, db: Database, row_id: str, psp_id: str) -> None:
        super().book(db, row_id, psp_id)
        db.execute("UPDATE rows SET shipped = min(shipped, 1) WHERE id = ?", [row_id])


@miniature("ships-in-another-transaction", role=Role.SHOP, mode="W17", breaks={"what-is-paid-is-shipped"})
class ShipsInAnotherTransaction(CarefulShop):
    """Says in one transaction that an order is paid, and ships in the next: what a crash parts is never shipped."""

    def book(self, db: Database, row_id: str, psp_id: str) -> None:
        fresh = "UPDATE rows SET status = 'done', psp_id = ? WHERE id = ? AND status != 'done'"
        db.execute(fresh, [psp_id, row_id])

    def settle(self, row: Row, reply: Reply) -> Said:
        said = super().settle(row, reply)
        return self.shipped(row["id"], said) if "ok" in said else said

    def deliver_webhook(self, params: Params) -> Said:
        before = self.find("kind = 'order' AND status != 'done'")
        said = super().deliver_webhook(params)
        for row in before:
            if self.find("id = ? AND status = 'done'", row["id"]):
                self.shipped(row["id"], said)
        return said

    def shipped(self, row_id: str, said: Said) -> Said:
        """Once; who comes later finds it gone."""
        with self.transaction() as db:
            db.execute("UPDATE rows SET shipped = 1 WHERE id = ?", [row_id])
        return said


# --- events -----------------------------------------------------------------------------------------------------------


@miniature("is-paid-in-any-currency", role=Role.SHOP, mode="W25", breaks=PAID_BY_WORDS)
class IsPaidInAnyCurrency(CarefulShop):
    """Does not ask in which currency an event says that the order was paid."""

    def fits(self, row: Row, data: Mapping[str, Any]) -> bool:
        return bool(data["amount"] == row["amount"])


@miniature("verifies-payments-alone", role=Role.SHOP, mode="W01", breaks=DONE_UNPAID)
class VerifiesPaymentsAlone(CarefulShop):
    """Believes anybody who says that money was given back."""

    def believes(self, request: Request) -> bool:
        return super().believes(request) or str(json.loads(request.body)["type"]).startswith("refund")


@miniature(
    "verifies-what-pays-alone",
    role=Role.SHOP,
    mode="W01",
    breaks={"money-that-moved-has-one-row", "the-books-balance"},
)
class VerifiesWhatPaysAlone(CarefulShop):
    """Believes anybody who says that a payment failed."""

    def believes(self, request: Request) -> bool:
        return super().believes(request) or bool(json.loads(request.body)["type"] == "payment.failed")


@miniature("is-paid-by-what-is-under-way", role=Role.SHOP, mode="W22", breaks={"a-payment-under-way-pays-nothing"})
class IsPaidByWhatIsUnderWay(CarefulShop):
    """Takes the news that a payment is under way for the news that it came."""

    def apply(self, db: Database, event: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        super().apply(db, {**event, "type": PAYS} if event["type"] == "payment.processing" else event, data)
