"""Shops of profile `generic` that mistake what they are told: a gateway's no, a silence, what nobody signed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from psp_harness.miniatures.clients import Reply, Said, failed
from psp_harness.miniatures.declaration import miniature
from psp_harness.miniatures.faulty_shops import DOUBLE, PAID_BY_WORDS
from psp_harness.miniatures.shops import CarefulShop, Row
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
