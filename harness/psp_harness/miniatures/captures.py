"""A correct provider that can also authorise first: captures, voids, declined cards and refunds that come back.

In words of the generic gateway, which has no routes for that; `form_bodies` puts them into a PSP's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from psp_harness.miniatures.providers import NOT_FOUND, Asked, CarefulGateway, answered, refused, resource
from psp_harness.model import Answer, Effect

COMES_BACK_AFTER = 24 * 60 * 60
"""Seconds after which a refund to a card that takes none has failed."""

DECLINED = refused(402, "the bank declined the card", "card_declined")


@dataclass(slots=True)
class Held:
    """A payment that was authorised first."""

    amount: int
    currency: str
    reference: str
    status: str = "requires_capture"
    captured: int = 0


class HoldsMoney(CarefulGateway):
    """Every decision is a method, as in the gateway that it is made from."""

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], Held] = {}
        self.takes_none: set[tuple[str, str]] = set()
        """Payments to whose cards nothing can be given back."""
        self.comes_back: dict[tuple[str, str], float] = {}
        """Refunds, and when each has failed."""

    def refusal(self, asked: Asked) -> Answer | None:
        where = (asked.tenant, asked.of)
        held = self.held.get(where)
        match asked.kind:
            case "payment":
                return None
            case "capture" | "void" if held is None:
                return NOT_FOUND
            case "capture" if held is not None:
                return self.capture_refusal(held, asked)
            case "void" if held is not None:
                return self.void_refusal(held)
        if held is not None:
            return self.refund_refusal(held, where, asked)
        self.forget_what_came_back()
        return super().refusal(asked)

    def capture_refusal(self, held: Held, asked: Asked) -> Answer | None:
        """Only what is still open, and not more than that."""
        if held.status != "requires_capture" or asked.amount > held.amount:
            return refused(400, "this cannot be captured", "payment_intent_unexpected_state")
        return None

    def void_refusal(self, held: Held) -> Answer | None:
        """Only what is still open."""
        open_ = held.status == "requires_capture"
        return None if open_ else refused(400, "this cannot be cancelled", "payment_intent_unexpected_state")

    def refund_refusal(self, held: Held, where: tuple[str, str], asked: Asked) -> Answer | None:
        """Only what was captured, less what was given back."""
        given = sum(e.amount for e in self.moved.values() if (e.kind, e.payment_id) == ("refund", where[1]))
        return refused(400, "more than was captured") if asked.amount > held.captured - given else None

    def book(self, asked: Asked) -> Answer:
        body = json.loads(asked.request.body)
        match asked.kind:
            case "payment" if body.get("card") == "declined":
                return self.decline(asked)
            case "payment" if body.get("capture") == "manual":
                return self.hold(asked)
            case "capture":
                return self.capture(asked)
            case "void":
                return self.void(asked)
            case "refund" if (asked.tenant, asked.of) in self.held:
                return self.give_back(asked, self.held[asked.tenant, asked.of])
        booked = super().book(asked)
        name = json.loads(booked.body)["id"]
        if asked.kind == "payment" and body.get("card") == "refund-fails":
            self.takes_none.add((asked.tenant, name))
        if asked.kind == "refund" and (asked.tenant, asked.of) in self.takes_none:
            self.comes_back[asked.tenant, name] = self.now() + COMES_BACK_AFTER
        return booked

    def keeps(self, answer: Answer | None) -> bool:
        return super().keeps(answer) or answer is DECLINED

    def decline(self, asked: Asked) -> Answer:
        """No money moves, and the answer is kept with the key."""
        return DECLINED

    def hold(self, asked: Asked) -> Answer:
        """Authorised; no money moves."""
        name = f"payment_{uuid4().hex}"
        self.held[asked.tenant, name] = held = Held(asked.amount, asked.of, asked.reference)
        return answered(201, self.shown(name, held))

    def capture(self, asked: Asked) -> Answer:
        """Money moves; what is not captured now is given up."""
        held = self.held[asked.tenant, asked.of]
        held.status, held.captured = "succeeded", held.captured + asked.amount
        effect = Effect("capture", f"capture_{uuid4().hex}", asked.amount, held.currency, asked.of)
        self.moved[asked.tenant, effect.id] = effect
        return answered(201, self.shown(asked.of, held))

    def void(self, asked: Asked) -> Answer:
        """Nothing will move."""
        held = self.held[asked.tenant, asked.of]
        held.status = "canceled"
        return answered(201, self.shown(asked.of, held))

    def give_back(self, asked: Asked, held: Held) -> Answer:
        """Money moves back, of a payment that was authorised first."""
        effect = Effect("refund", f"refund_{uuid4().hex}", asked.amount, held.currency, asked.of, asked.reference)
        self.moved[asked.tenant, effect.id] = effect
        return answered(201, resource(effect))

    def shown(self, name: str, held: Held) -> dict[str, Any]:
        """A payment that was authorised first, as it is answered."""
        about = {"id": name, "amount": held.amount, "currency": held.currency, "reference": held.reference}
        return {**about, "status": held.status, "captured": held.captured}

    def get(self, target: str, tenant: str) -> Answer:
        self.forget_what_came_back()
        route, _, name = target.rpartition("/")
        if route == "/payments" and (tenant, name) in self.held:
            return answered(200, self.shown(name, self.held[tenant, name]))
        if route == "/refunds" and self.comes_back.get((tenant, name), self.now()) < self.now():
            return answered(200, self.failed(tenant, name))
        return super().get(target, tenant)

    def failed(self, tenant: str, name: str) -> dict[str, Any]:
        """A refund that came back, as it is shown."""
        return {"id": name, "amount": 0, "currency": "", "reference": "", "payment_id": "", "status": "failed"}

    def forget_what_came_back(self) -> None:
        """What failed is given back no more."""
        for where, since in self.comes_back.items():
            if since < self.now():
                self.moved.pop(where, None)

    def all_moved(self) -> list[Effect]:
        self.forget_what_came_back()
        return super().all_moved()
