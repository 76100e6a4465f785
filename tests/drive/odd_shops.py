"""Shops that go wrong in ways that are no fault of money: they die, keep quiet, or say what the protocol does not know."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping
from typing import Any

from psp_harness.miniatures.clients import failed
from psp_harness.miniatures.shops import CarefulShop, Database, Params, Said, found


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
