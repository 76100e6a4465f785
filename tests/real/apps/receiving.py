"""A careful shop around a verifier: what an event is believed to say is held against the order, and done once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from flask import Flask, Request, jsonify, request


class Refused(Exception):
    """It is not to be believed."""


@dataclass(frozen=True)
class Told:
    """One event, in the shop's words."""

    id: str
    type: str
    """`paid`, `failed`, `refunded`, or something else."""
    reference: str = ""
    amount: int = 0
    currency: str = ""
    account: str | None = None


Read = Callable[[Request], Iterable[Told]]


class Books:
    """Orders, and what was done with them."""

    def __init__(self) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self.effects: list[dict[str, Any]] = []
        self.seen: set[str] = set()
        self.lock = threading.Lock()

    def take(self, told: list[Told]) -> bool:
        """All of these events, or, where one comes too early, none."""
        with self.lock:
            if any(e.type == "refunded" and self.orders.get(e.reference, {}).get("status") == "pending" for e in told):
                return False
            for event in (each for each in told if each.id not in self.seen):
                self.seen.add(event.id)
                self._apply(event)
            return True

    def _apply(self, event: Told) -> None:
        order = self.orders.get(event.reference)
        if order is None or event.currency != order["currency"] or event.account not in {None, order.get("account")}:
            return
        if event.type == "paid" and order["status"] != "paid" and event.amount == order["amount"]:
            order["status"] = "paid"
            self._book("order-paid", order, event)
        elif event.type == "refunded" and event.amount <= order["amount"]:
            self._book("order-refunded", order, event)

    def _book(self, kind: str, order: dict[str, Any], event: Told) -> None:
        self.effects.append({"kind": kind, "id": order["id"], "amount": event.amount, "currency": order["currency"]})


def shop(read: Read) -> Flask:
    """The application; `read` verifies a request and says what it tells."""
    app, books = Flask(__name__), Books()

    @app.post("/webhooks")
    def webhook() -> tuple[str, int]:
        try:
            told = list(read(request))
        except Refused:
            return "not to be believed", 400
        return ("[accepted]", 200) if books.take(told) else ("its payment is not known yet", 409)

    @app.post("/orders")
    def add_orders() -> tuple[str, int]:
        for order in request.get_json()["orders"]:
            books.orders.setdefault(order["id"], order)
        return "", 204

    @app.get("/effects")
    def say_effects() -> Any:
        states = [{"id": order["id"], "status": order["status"]} for order in books.orders.values()]
        return jsonify(effects=books.effects, orders=states)

    return app
