"""A correct receiver in profile `generic`, from which the others are made.

Every decision is a method of `CarefulReceiver`. What makes it correct: it verifies the bytes as they came; between
looking at an event's id and booking what it says there is no `await`; and it answers 2xx when it has booked.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

from psp_harness.miniatures.asgi import Receive, Scope, Send, lifespan, request_of, send_answer
from psp_harness.miniatures.declaration import miniature
from psp_harness.model import Answer, Request, Role

TOLERANCE = 300
"""Seconds."""

Event = Mapping[str, Any]
Order = dict[str, Any]

TAKEN = Answer(200, (), b'{"taken":true}')
REFUSED = Answer(400, (), b'{"message":"this is not to be believed"}')
NOT_YET = Answer(409, (), b'{"message":"what must come first has not: come again"}')

PAYS, REFUNDS = "payment.succeeded", "refund.succeeded"


@miniature("careful-receiver", role=Role.RECEIVER)
class CarefulReceiver:
    """Verifies first, does everything once, and asks for what comes too early to come again."""

    def __init__(self) -> None:
        self.secrets: list[str] = []
        self.psp = ""
        self.ahead = 0.0
        self.orders: dict[str, Order] = {}
        self.seen: dict[str, float] = {}
        """Event ids, and when each was taken."""
        self.effects: list[dict[str, Any]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        request = await request_of(scope, receive)
        if request is not None:
            await send_answer(send, await self.route(request))

    async def route(self, request: Request) -> Answer:
        """A webhook; or what the harness asks and says."""
        body = request.body or b"{}"
        match request.method, request.target:
            case "POST", "/webhooks":
                return await self.webhook(request)
            case "POST", "/psp-harness/secrets":
                told = json.loads(body)
                self.secrets, self.psp = [secret for secret in told["secrets"] if secret], told["base_url"]
                self.configure(told)
            case "POST", "/psp-harness/orders":
                for order in json.loads(body)["orders"]:
                    self.orders.setdefault(order["id"], {"refunds": [], "early": [], **order})
            case "POST", "/psp-harness/clock":
                self.ahead += json.loads(body)["advance"]
            case "GET", "/psp-harness/effects":
                states = [{"id": order["id"], "status": self.state_of(order)} for order in self.orders.values()]
                return Answer(200, (), json.dumps({"effects": self.effects, "orders": states}).encode())
            case _:
                return Answer(404, (), b"{}")
        return Answer(200, (), b"{}")

    def state_of(self, order: Order) -> str:
        """What it says that an order is."""
        return str(order["status"])

    def configure(self, told: Mapping[str, Any]) -> None:
        """What else it was told of its PSP."""

    async def webhook(self, request: Request) -> Answer:
        """Believe it or not, read it, and take it."""
        if not self.believes(request):
            return REFUSED
        event = self.read(request.body)
        return REFUSED if event is None else await self.take(event, request)

    # --- believing ------------------------------------------------------------------------------------------------

    def believes(self, request: Request) -> bool:
        """A secret of ours signed exactly this, and lately."""
        signed = self.signed_text(request)
        if signed is None or not self.is_of_now(request):
            return False
        given = self.signatures(request)
        return any(hmac.compare_digest(one, self.mac(secret, signed)) for secret in self.secrets for one in given)

    def signed_text(self, request: Request) -> bytes | None:
        """Id, time and body; None where one of the headers is missing, or comes twice."""
        lines = [request.lines(name) for name in ("webhook-id", "webhook-timestamp")]
        if any(len(each) != 1 for each in lines) or not lines[1][0].isdigit():
            return None
        return b".".join((lines[0][0], lines[1][0], self.signed_body(request.body)))

    def signed_body(self, body: bytes) -> bytes:
        """What is signed of the body."""
        return body

    def signatures(self, request: Request) -> list[bytes]:
        """Those of version v1."""
        elements = b" ".join(request.lines("webhook-signature")).split(b" ")
        return [element[3:] for element in elements if element.startswith(b"v1,")]

    def mac(self, secret: str, signed: bytes) -> bytes:
        """HMAC-SHA256 in base64."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())

    def is_of_now(self, request: Request) -> bool:
        """Neither stale nor of the future."""
        return abs(self.now() - self.sent_at(request)) <= TOLERANCE

    def sent_at(self, request: Request) -> float:
        """The time that is signed."""
        return float(request.lines("webhook-timestamp")[0])

    def now(self) -> float:
        """Unix time, with what the clock was advanced."""
        return time.time() + self.ahead

    # --- taking ---------------------------------------------------------------------------------------------------

    def read(self, body: bytes) -> Event | None:
        """The event, if it is one."""
        try:
            event = json.loads(body)
        except (ValueError, RecursionError):
            return None
        whole = isinstance(event, dict) and isinstance(event.get("data"), dict) and isinstance(event.get("id"), str)
        return event if whole else None

    async def take(self, event: Event, request: Request) -> Answer:
        """Once: who has the id has it for good."""
        if self.name(event, request) in self.seen:
            return TAKEN
        order = self.order_of(event)
        if order is not None and self.fits(order, event):
            if self.is_early(order, event):
                return self.too_early(order, event)
            self.apply(order, event)
        self.seen[self.name(event, request)] = self.now()
        return TAKEN

    def name(self, event: Event, request: Request) -> str:
        """What is the same in every delivery of the event."""
        return str(event["id"])

    def order_of(self, event: Event) -> Order | None:
        """By the shop's own reference."""
        return self.orders.get(str(event["data"].get("reference")))

    def fits(self, order: Order, event: Event) -> bool:
        """Of this account and this mode, and of this much."""
        ours = event.get("account") == order.get("account") and event.get("mode") == "test"
        return ours and self.is_enough(order, event)

    def is_enough(self, order: Order, event: Event) -> bool:
        """Amount and currency are those of the order; a refund's are at most."""
        data = event["data"]
        amount = data.get("amount")
        if type(amount) is not int or data.get("currency") != order["currency"]:
            return False
        whole: bool = amount == order["amount"]
        return whole or (event["type"].startswith("refund") and 0 < amount < int(order["amount"]))

    def is_early(self, order: Order, event: Event) -> bool:
        """What must come first has not."""
        return bool(event["type"] == REFUNDS and order["status"] != "paid")

    def too_early(self, order: Order, event: Event) -> Answer:
        """The PSP will come again."""
        return NOT_YET

    def apply(self, order: Order, event: Event) -> None:
        """What the event changes, in one go: nothing goes back."""
        if event["type"] == PAYS and order["status"] != "paid":
            order["status"] = "paid"
            self.book("order-paid", order, event)
        elif event["type"] == REFUNDS and event["data"]["refund_id"] not in order["refunds"]:
            order["refunds"].append(event["data"]["refund_id"])
            self.book("order-refunded", order, event)
        elif event["type"] == "payment.failed" and order["status"] == "pending":
            order["status"] = "failed"

    def book(self, kind: str, order: Order, event: Event) -> None:
        """It is shipped, or the customer is told that money comes back."""
        amount = event["data"]["amount"]
        self.effects.append({"kind": kind, "id": order["id"], "amount": amount, "currency": order["currency"]})
