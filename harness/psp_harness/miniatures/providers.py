"""A correct provider in profile `generic`, from which the others are made.

Every decision is a method of `CarefulGateway`, so that another provider is that one with a decision of its own. What
makes it correct: between looking at a key and claiming it, and between looking at what is left to refund and booking
the refund, there is no `await`.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import uuid4

from psp_harness.miniatures.asgi import Receive, Scope, Send, lifespan, request_of, send_answer
from psp_harness.miniatures.declaration import miniature
from psp_harness.model import Answer, Effect, Request, Role
from psp_harness.template import decode

TENANTS = {b"Bearer tenant-a": "tenant-a", b"Bearer tenant-a-refreshed": "tenant-a", b"Bearer tenant-b": "tenant-b"}
KIND = {"/payments": "payment", "/refunds": "refund"}
TTL = 24 * 60 * 60
"""Seconds that a key lives from its first request."""
_KEY = re.compile(rb"[\x21-\x2b\x2d-\x7e]{1,255}")

Slot = tuple[object, ...]
"""What a stored answer belongs to."""


def answered(status: int, body: object) -> Answer:
    """An answer in JSON."""
    return Answer(status, body=json.dumps(body).encode())


def refused(status: int, message: str, code: str = "refused") -> Answer:
    """A refusal in the words of profile `generic`."""
    return answered(status, {"code": code, "message": message})


NOT_FOUND = refused(404, "there is no such thing here")


@dataclass(frozen=True, slots=True)
class Asked:
    """A well-formed request to move money; `amount` is in minor units."""

    kind: str
    tenant: str
    key: bytes
    amount: int
    of: str
    """The currency of a payment, or the id of the payment that a refund gives back."""
    reference: str
    fingerprint: str
    request: Request


@dataclass(slots=True)
class Kept:
    """What is stored under a key; without an answer the first request is in flight."""

    fingerprint: str
    since: float
    answer: Answer | None = None


def checked(kind: str, body: object) -> dict[str, Any] | str:
    """The members of a body, or what is wrong with it, but for its amount."""
    if not isinstance(body, dict):
        return "the body must be a JSON object"
    texts = {("currency" if kind == "payment" else "payment_id"): None, "reference": ""}
    wrong = [name for name, default in texts.items() if not isinstance(body.get(name, default), str)]
    return f"{wrong[0]} must be a string" if wrong else body


def resource(effect: Effect) -> dict[str, object]:
    """A payment or refund as it is answered and listed."""
    shown = {
        name: member for name, member in asdict(effect).items() if name != "kind" and (name != "payment_id" or member)
    }
    return {**shown, "status": "succeeded"}


@miniature("careful-gateway", role=Role.PROVIDER)
class CarefulGateway:
    """Keeps every promise of the profile, and answers 409 to a duplicate while the first request is in flight."""

    slow = 0.01
    """Seconds of work between a claimed key and its effect."""
    lives = TTL
    reused = refused(422, "this key was used with another body", "idempotency_key_reused")
    in_flight = refused(409, "the first request with this key is still in flight")

    def __init__(self) -> None:
        self.moved: dict[tuple[str, str], Effect] = {}
        self.kept: dict[Slot, Kept] = {}
        self.advanced = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
        elif request := await request_of(scope, receive):
            await send_answer(send, await self.answer(request))

    async def answer(self, request: Request) -> Answer:
        """The routes, of which `/effects` and `/clock` are the harness's own and belong to no tenant."""
        match request.method, request.target:
            case "GET", "/effects":
                return answered(200, {"effects": [asdict(effect) for effect in self.all_moved()]})
            case "POST", "/clock":
                self.advanced += json.loads(request.body)["advance"]
                return answered(200, {})
        authorization = request.lines("Authorization")
        if len(authorization) != 1 or authorization[0] not in TENANTS:
            return refused(401, "Authorization must be 'Bearer tenant-a' or 'Bearer tenant-b'")
        tenant = TENANTS[authorization[0]]
        if request.method == "POST" and request.target in KIND:
            return await self.post(request, KIND[request.target], tenant)
        return self.get(request.target, tenant) if request.method == "GET" else NOT_FOUND

    def all_moved(self) -> list[Effect]:
        """Every movement of money that happened, of all tenants."""
        return list(self.moved.values())

    def get(self, target: str, tenant: str) -> Answer:
        """One payment or refund of this tenant, or all of them."""
        mine = [effect for (owner, _), effect in self.moved.items() if owner == tenant]
        if target in KIND:
            return answered(200, {"data": [resource(effect) for effect in mine if effect.kind == KIND[target]]})
        route, _, name = target.rpartition("/")
        found = [effect for effect in mine if (effect.kind, effect.id) == (KIND.get(route), name)]
        return answered(200, resource(found[0])) if found else NOT_FOUND

    async def post(self, request: Request, kind: str, tenant: str) -> Answer:
        """A request to move money: checked, then claimed, then done."""
        key = self.key_of(request.lines("Idempotency-Key"))
        if isinstance(key, Answer):
            return key
        body = checked(kind, decode(request.body, "json"))
        if isinstance(body, str):
            return refused(400, body)
        amount = self.amount(body.get("amount"))
        if amount is None:
            return refused(400, "amount must be a positive integer in minor units")
        about, reference = body["currency" if kind == "payment" else "payment_id"], body.get("reference", "")
        asked = Asked(kind, tenant, key, amount, about, reference, self.fingerprint(request, body), request)
        return await self.create(asked)

    def amount(self, given: object) -> int | None:
        """What is asked for, in minor units; None where it is no positive integer, and `true` is none."""
        return given if type(given) is int and given > 0 else None

    def key_of(self, lines: list[bytes]) -> bytes | Answer:
        """The key, or the refusal: exactly one line, and spaces around the key are not part of it."""
        if not lines:
            return refused(400, "Idempotency-Key is required", "key_missing")
        key = lines[0].strip(b" \t")
        if len(lines) > 1 or not _KEY.fullmatch(key):
            return refused(
                400, "Idempotency-Key must be one line of 1 to 255 visible ASCII characters", "key_malformed"
            )
        return key

    def fingerprint(self, request: Request, body: Mapping[str, Any]) -> str:
        """Equal for bodies that are equal as JSON."""
        return json.dumps(body, sort_keys=True)

    def slot(self, asked: Asked) -> Slot:
        """A key belongs to tenant and route."""
        return asked.tenant, asked.kind, asked.key

    async def create(self, asked: Asked) -> Answer:
        """The answer of a duplicate, or of the request itself, which is kept if money moved; else the key is free."""
        if duplicate := await self.claim(asked):
            return duplicate
        answer = None
        try:
            answer = await self.execute(asked)
        finally:
            self.complete(asked, answer)
        return answer

    async def claim(self, asked: Asked) -> Answer | None:
        """What a duplicate is answered; None: the key was free, and now belongs to this request."""
        kept = self.living(asked)
        if kept is None:
            self.kept[self.slot(asked)] = Kept(asked.fingerprint, self.now())
            return None
        if kept.fingerprint != asked.fingerprint:
            return self.reused
        return self.replay(kept.answer) if kept.answer else self.in_flight

    def living(self, asked: Asked) -> Kept | None:
        """What is kept under this key, unless its time is over."""
        kept = self.kept.get(self.slot(asked))
        return None if kept is None or (kept.answer and self.now() - kept.since >= self.lives) else kept

    def now(self) -> float:
        """Seconds, with what the clock was advanced."""
        return time.monotonic() + self.advanced

    def complete(self, asked: Asked, answer: Answer | None) -> None:
        """Keep the answer if money moved, or free the key."""
        if self.keeps(answer):
            self.kept[self.slot(asked)].answer = answer
        else:
            self.kept.pop(self.slot(asked), None)

    def keeps(self, answer: Answer | None) -> bool:
        """Whether a duplicate gets this answer again."""
        return answer is not None and answer.accepted

    def replay(self, first: Answer) -> Answer:
        """The first answer again: equal as JSON, its members in the order in which a database gives them back."""
        body = json.dumps(json.loads(first.body), sort_keys=True).encode()
        return Answer(first.status, ((b"idempotent-replayed", b"true"),), body)

    async def execute(self, asked: Asked) -> Answer:
        """The slow part, and then the check and the effect in one go."""
        await asyncio.sleep(self.slow)
        return self.refusal(asked) or self.book(asked)

    def refusal(self, asked: Asked) -> Answer | None:
        """Why a refund cannot be made, if so."""
        if asked.kind == "payment":
            return None
        payment = self.moved.get((asked.tenant, asked.of))
        if payment is None or payment.kind != "payment":
            return NOT_FOUND
        if asked.amount > self.left(payment):
            return refused(422, "the amount is more than is left to refund", "amount_exceeds_captured")
        return None

    def left(self, payment: Effect) -> int:
        """What can still be refunded of a payment, in minor units."""
        return payment.amount - sum(
            effect.amount
            for effect in self.moved.values()
            if (effect.kind, effect.payment_id) == ("refund", payment.id)
        )

    def book(self, asked: Asked) -> Answer:
        """Money moves."""
        name = f"{asked.kind}_{uuid4().hex}"
        paid = self.moved[asked.tenant, asked.of] if asked.kind == "refund" else None
        currency, payment_id = (paid.currency, paid.id) if paid else (asked.of, "")
        effect = Effect(asked.kind, name, asked.amount, currency, payment_id, asked.reference)
        self.moved[asked.tenant, name] = effect
        return answered(201, resource(effect))
