"""What a webhook of Hyperswitch says: which event, of what, and the facts in it that the shop goes by.

Of the message only what stands in `FACTS` is kept, for the rest of it is full of personal data. The envelope:
crates/api_models/src/webhooks.rs:444-486, release 2026.06.25.0.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ID_OF: Mapping[str, tuple[str, str]] = {
    "payment_details": ("payment", "payment_id"),
    "refund_details": ("refund", "refund_id"),
    "payout_details": ("payout", "payout_id"),
    "dispute_details": ("dispute", "dispute_id"),
}
"""By the type of the content: what it is of, and the member that names it. All else the shop knows nothing about."""

FACTS = ("payment_id", "amount", "amount_received", "currency", "status", "dispute_status")


@dataclass(frozen=True, slots=True)
class Event:
    """One event."""

    name: str
    """The same in every delivery of it."""
    kind: str
    """`payment`, `refund`, …; empty: of something that the shop does not know."""
    about: str
    facts: Mapping[str, Any]
    account: str = ""
    """The merchant whose event it is."""

    def amount(self) -> object:
        """In minor units; None where it says none. That of a dispute is a text, as no other is."""
        said = self.facts.get("amount")
        return int(said) if self.kind == "dispute" and isinstance(said, str) and said.isdecimal() else said


def read(body: bytes) -> Event | None:
    """The event that a body tells of; None where it tells of none."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    match told:
        case {"content": {"type": str(kind), "object": dict(thing)}}:
            return _event(told, kind, thing, body)
        case {"event_type": str()}:
            return _event(told, "", {}, body)
    return None


def _event(told: Mapping[str, Any], content: str, thing: Mapping[str, Any], body: bytes) -> Event:
    kind, member = ID_OF.get(content, ("", ""))
    name = told.get("event_id")
    about = thing.get(member)
    return Event(
        name=name if isinstance(name, str) and name else hashlib.sha256(body).hexdigest(),
        kind=kind if isinstance(about, str) else "",
        about=about if isinstance(about, str) else "",
        facts={fact: thing[fact] for fact in FACTS if isinstance(thing.get(fact), (str, int))},
        account=str(told.get("merchant_id") or ""),
    )
