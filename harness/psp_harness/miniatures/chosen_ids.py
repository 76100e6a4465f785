"""Providers in profile `hyperswitch`: what protects there is the id that the caller chooses in the body."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any
from uuid import uuid4

from psp_harness.miniatures.asgi import Receive, Scope, Send, lifespan, request_of, send_answer
from psp_harness.miniatures.declaration import miniature
from psp_harness.miniatures.providers import answered
from psp_harness.model import Answer, Effect, Request, Role
from psp_harness.template import decode

TENANTS = {
    b"dev_psp_harness_tenant_a": "tenant-a",
    b"dev_psp_harness_tenant_a-refreshed": "tenant-a",
    b"dev_psp_harness_tenant_b": "tenant-b",
}
DECLINED = "4000000000000002"
"""The test card that the bank declines."""
OF_A_PAYMENT = re.compile("/payments/([^/]+)/(capture|cancel)")


def refused(status: int, code: str, message: str) -> Answer:
    """A refusal in Hyperswitch's envelope."""
    return answered(status, {"error": {"type": "invalid_request", "message": message, "code": code}})


@miniature("ids-are-primary-keys", role=Role.PROVIDER, profile="hyperswitch")
class IdsArePrimaryKeys:
    """Does not read the key, as its profile says, and refuses a second payment or refund with an id that was used."""

    def __init__(self) -> None:
        self.moved: list[tuple[str, Effect]] = []
        self.held: dict[tuple[str, str], dict[str, Any]] = {}
        """What moved nothing by itself, as it is answered: what was authorised first, or declined."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
        elif request := await request_of(scope, receive):
            await send_answer(send, self.answer(request))

    def answer(self, request: Request) -> Answer:
        """The routes that a run needs; none of them waits, so nothing happens between a check and its effect."""
        if request.target in {"/effects", "/health", "/health/ready"}:
            return self.told(request)
        tenant = TENANTS.get(next(iter(request.lines("api-key")), b""))
        body = decode(request.body, "json")
        if tenant is None:
            return refused(401, "IR_01", "API key not provided or invalid API key used")
        if request.method == "GET":
            return self.get(tenant, request.target.removeprefix("/payments/"))
        if (change := OF_A_PAYMENT.fullmatch(request.target)) and isinstance(body, dict):
            return self.change(tenant, change[1], change[2], body)
        if not isinstance(body, dict) or type(body.get("amount")) is not int or body["amount"] <= 0:
            return refused(400, "IR_06", "amount must be a positive integer in minor units")
        make = {"/refunds": self.refund, "/payouts/create": self.pay_out}.get(request.target, self.pay)
        return make(tenant, body)

    def told(self, request: Request) -> Answer:
        """What nobody needs a key for."""
        if request.target == "/effects":
            return answered(200, {"effects": [asdict(effect) for _, effect in self.moved]})
        return self.health(request)

    def health(self, request: Request) -> Answer:
        """It lives, and there is nothing that it would have to wait for."""
        if request.target == "/health":
            return Answer(200, ((b"content-type", b"text/plain"),), b"health is good")
        return answered(200, {"database": True, "redis": True})

    def get(self, tenant: str, name: str) -> Answer:
        """One payment of this tenant."""
        if (tenant, name) in self.held:
            return answered(200, self.held[tenant, name])
        found = [e for owner, e in self.moved if (owner, e.kind, e.id) == (tenant, "payment", name)]
        if not found:
            return refused(404, "HE_02", "Payment does not exist in our records")
        return answered(200, {"payment_id": name, "status": "succeeded", "amount": found[0].amount})

    def change(self, tenant: str, name: str, what: str, body: dict[str, Any]) -> Answer:
        """A capture, in one go, or a void."""
        held = self.held.get((tenant, name))
        amount = body.get("amount_to_capture", 0)
        if held is None:
            return refused(404, "HE_02", "Payment does not exist in our records")
        if held["status"] != "requires_capture":
            return refused(400, "IR_14" if what == "capture" else "IR_16", f"the payment is {held['status']}")
        if amount > held["amount"]:
            return refused(422, "IR_06", "amount_to_capture is greater than amount")
        held["status"] = "succeeded" if what == "capture" else "cancelled"
        if what == "capture":
            self.moved.append((tenant, Effect("capture", f"cap_{uuid4().hex}", amount, held["currency"], name)))
        return answered(200, held)

    def pay(self, tenant: str, body: dict[str, Any]) -> Answer:
        """A payment, captured at once or authorised alone."""
        name = body.get("payment_id") or f"pay_{uuid4().hex}"
        if self.taken(tenant, name):
            return refused(400, "HE_01", "The payment with the specified payment_id already exists in our records")
        shown = {"payment_id": name, "status": "succeeded", "amount": body["amount"], "currency": body["currency"]}
        if DECLINED in str(body.get("payment_method_data")):
            self.held[tenant, name] = {**shown, "status": "failed"}
            return answered(200, self.held[tenant, name])
        if body.get("capture_method") == "manual":
            self.held[tenant, name] = {**shown, "status": "requires_capture"}
            return answered(200, self.held[tenant, name])
        self.moved.append((tenant, Effect("payment", name, body["amount"], body["currency"])))
        return answered(200, shown)

    def refund(self, tenant: str, body: dict[str, Any]) -> Answer:
        """A refund; the amount is looked at before the id, as Hyperswitch does."""
        mine = [e for owner, e in self.moved if owner == tenant and body["payment_id"] in {e.id, e.payment_id}]
        paid = sum(e.amount for e in mine if e.kind != "refund")
        gone = sum(e.amount for e in mine if e.kind == "refund")
        if body["amount"] > paid - gone:
            return refused(400, "IR_13", "The refund amount exceeds the amount captured")
        name = body.get("refund_id") or f"ref_{uuid4().hex}"
        if self.taken(tenant, name):
            return refused(400, "HE_01", "Duplicate refund request. Refund already attempted with the refund ID")
        self.moved.append((tenant, Effect("refund", name, body["amount"], "EUR", body["payment_id"])))
        return answered(200, {"refund_id": name, "payment_id": body["payment_id"], "status": "succeeded"})

    def pay_out(self, tenant: str, body: dict[str, Any]) -> Answer:
        """Money that is sent to somebody."""
        name = body.get("payout_id") or f"payout_{uuid4().hex}"
        if self.taken(tenant, name):
            return refused(400, "HE_01", "The payout with the specified payout_id already exists in our records")
        return self.send_out(tenant, name, body)

    def send_out(self, tenant: str, name: str, body: dict[str, Any]) -> Answer:
        """It goes."""
        self.moved.append((tenant, Effect("payout", name, body["amount"], body["currency"])))
        return answered(200, {"payout_id": name, "status": "success", "amount": body["amount"]})

    def taken(self, tenant: str, name: str) -> bool:
        """Whether something of this tenant has that id."""
        return (tenant, name) in self.held or any((owner, effect.id) == (tenant, name) for owner, effect in self.moved)


@miniature(
    "accepts-an-id-twice",
    role=Role.PROVIDER,
    mode="P01",
    breaks={"one-chosen-id-has-one-effect"},
    profile="hyperswitch",
)
class AcceptsAnIdTwice(IdsArePrimaryKeys):
    """Takes the id that the caller chooses for a name like any other: a second payment or refund with it executes."""

    def taken(self, tenant: str, name: str) -> bool:
        return False


@miniature(
    "pays-out-twice",
    role=Role.PROVIDER,
    mode="P01",
    breaks={"one-chosen-id-has-one-effect"},
    profile="hyperswitch",
)
class PaysOutTwice(IdsArePrimaryKeys):
    """Guards its payments and refunds, and nobody thought of payouts: a second one with an id that was used is sent."""

    def pay_out(self, tenant: str, body: dict[str, Any]) -> Answer:
        return self.send_out(tenant, body.get("payout_id") or f"payout_{uuid4().hex}", body)
