"""What a small shop's gateway has right without any idempotency: tenants, amounts, refunds, lists. Profile `generic`.

Each application beside this one is these books, a framework, and one published middleware that is to make the POSTs
idempotent. Nothing here looks at `Idempotency-Key`, so whatever is said about keys is said about the middleware.
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass
from uuid import uuid4

WORK_SECONDS = 0.1
"""What a card network takes, so that requests which are sent together are handled together."""

KIND = {"/payments": "payment", "/refunds": "refund"}
TENANTS = {"Bearer tenant-a": "tenant-a", "Bearer tenant-b": "tenant-b"}
_CURRENCY = re.compile("[A-Z]{3}")

Members = dict[str, object]


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and the members of a JSON object."""

    status: int
    body: Members


@dataclass(frozen=True, slots=True)
class Asked:
    """A well-formed request to move money; `amount` is in minor units."""

    kind: str
    tenant: str
    amount: int
    of: str
    """The currency of a payment, or the id of the payment that a refund gives back."""
    reference: str


@dataclass(frozen=True, slots=True)
class Moved:
    """Money that moved."""

    kind: str
    tenant: str
    id: str
    amount: int
    currency: str
    reference: str
    payment_id: str = ""

    @property
    def members(self) -> Members:
        """As it is answered and listed."""
        shown: Members = {"id": self.id, "amount": self.amount, "currency": self.currency, "reference": self.reference}
        return {**shown, "status": "succeeded", **({"payment_id": self.payment_id} if self.payment_id else {})}


class Books:
    """Who paid what, and what of it was given back; may be used by several threads."""

    def __init__(self) -> None:
        self._moved: list[Moved] = []
        self._lock = threading.Lock()

    def effects(self) -> Answer:
        """Every movement of money, of all tenants: what `--effects` reads."""
        with self._lock:
            return Answer(200, {"effects": [{"kind": each.kind, **each.members} for each in self._moved]})

    def asked(self, path: str, authorization: str | None, body: bytes) -> Asked | Answer:
        """What a POST asks for, or why it is refused; who asks is looked at first."""
        tenant = TENANTS.get(authorization or "")
        if tenant is None:
            return Answer(401, {"message": "Authorization must be 'Bearer tenant-a' or 'Bearer tenant-b'"})
        try:
            members = json.loads(body)
        except (ValueError, RecursionError):
            members = None
        if not isinstance(members, dict):
            return Answer(400, {"message": "the body must be a JSON object"})
        return _read(KIND[path], tenant, members)

    def book(self, asked: Asked) -> Answer:
        """Money moves; the comparison with what is left to refund and the write are one."""
        with self._lock:
            return self._refund(asked) if asked.kind == "refund" else self._book(asked, asked.of)

    def shown(self, path: str, authorization: str | None) -> Answer:
        """One payment or refund of a tenant, or all of one kind."""
        tenant = TENANTS.get(authorization or "")
        if tenant is None:
            return Answer(401, {"message": "who asks?"})
        route, _, name = path.rpartition("/")
        with self._lock:
            mine = [each for each in self._moved if each.tenant == tenant]
        if path in KIND:
            return Answer(200, {"data": [each.members for each in mine if each.kind == KIND[path]]})
        found = [each.members for each in mine if (each.kind, each.id) == (KIND.get(route), name)]
        return Answer(200, found[0]) if found else Answer(404, {"message": "there is no such thing here"})

    def _refund(self, asked: Asked) -> Answer:
        mine = [each for each in self._moved if each.tenant == asked.tenant]
        paid = [each for each in mine if (each.kind, each.id) == ("payment", asked.of)]
        if not paid:
            return Answer(404, {"message": "there is no such payment"})
        left = paid[0].amount - sum(each.amount for each in mine if each.payment_id == asked.of)
        if asked.amount > left:
            return Answer(
                422, {"code": "amount_exceeds_captured", "message": f"{left} of {asked.of} are left to refund"}
            )
        return self._book(asked, paid[0].currency, payment_id=asked.of)

    def _book(self, asked: Asked, currency: str, payment_id: str = "") -> Answer:
        name = f"{asked.kind}_{uuid4().hex}"
        moved = Moved(asked.kind, asked.tenant, name, asked.amount, currency, asked.reference, payment_id)
        self._moved.append(moved)
        return Answer(201, moved.members)


def _read(kind: str, tenant: str, members: Members) -> Asked | Answer:
    amount, reference = members.get("amount"), members.get("reference", "")
    of = members.get("currency" if kind == "payment" else "payment_id")
    if type(amount) is not int or amount <= 0:  # a bool is an int, and no amount
        return Answer(400, {"message": "amount must be a positive integer in minor units"})
    if not isinstance(of, str) or not isinstance(reference, str):
        return Answer(400, {"message": "currency, payment_id and reference must be strings"})
    if kind == "payment" and not _CURRENCY.fullmatch(of):
        return Answer(400, {"message": "currency must be an ISO 4217 code"})
    return Asked(kind, tenant, amount, of, reference)
