"""Refunds, in the order in which Hyperswitch looks (crates/router/src/core/refunds.rs:58-151, 1280-1480)."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from psp_harness.model import Answer
from psp_harness.reference.provider.api import Work, World
from psp_harness.reference.provider.hyperswitch.asked import Asked, Door, Route
from psp_harness.reference.provider.hyperswitch.bodies import (
    LIST_LIMIT,
    MOST_LISTED,
    answer,
    kept,
    not_as_expected,
    read,
    unknown,
)
from psp_harness.reference.provider.hyperswitch.payment_bodies import Anything
from psp_harness.reference.provider.hyperswitch.refunds_shown import shown
from psp_harness.reference.provider.ledger import Entry, Ledger, Place, Refusal
from psp_harness.reference.provider.orders import MAX_REFUND_ID, Name, Text
from psp_harness.reference.provider.standing import Fate, PaymentStanding, of_payment
from psp_harness.reference.provider.states import PAYMENT_MOVES, PaymentEvent, move
from psp_harness.reference.provider.stores import Effected

MOST_REFUNDS: Final = 10
"""Of one payment; the look is before the entry, and asks for more than these, so eleven are possible."""
MOST_DAYS: Final = 365
"""Whole days from when the payment was made."""
DAY: Final = 86_400
SCHEDULED: Final = 60.0
"""Seconds until a scheduled refund is executed: this provider's own, Hyperswitch says no time."""

_NO_REFUND = Refusal("not-found", "Refund does not exist in our records.")
"""With a full stop, which no other of these messages has (api_error_response.rs:374-747)."""

_SHOWN = frozenset({"reason", "metadata"})
_OTHERS = frozenset({"merchant_connector_details", "split_refunds", "all_keys_required"})


class RefundBody(msgspec.Struct, forbid_unknown_fields=True):
    """RefundRequest (crates/api_models/src/refunds.rs:19-76)."""

    payment_id: Name
    refund_id: Name | None = None
    merchant_id: Text | None = None
    amount: Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    """Minor units; none is all that was captured, not what is left of it."""
    reason: Text | None = None
    refund_type: Literal["scheduled", "instant"] = "instant"
    metadata: Anything | None = None


class RefundUpdate(msgspec.Struct, forbid_unknown_fields=True):
    """RefundUpdateRequest."""

    reason: Text | None = None
    metadata: Anything | None = None


class RefundList(msgspec.Struct):
    """RefundListRequest."""

    payment_id: str | None = None
    refund_id: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_LISTED)] = LIST_LIMIT
    offset: Annotated[int, msgspec.Meta(ge=0)] = 0


async def create(world: World, asked: Asked) -> Work | Refusal:
    """POST /refunds."""
    body = read(asked.body, RefundBody, others=_OTHERS)
    if isinstance(body, Refusal):
        return body
    place = Place(asked.tenant, "refund", body.refund_id or world.fresh_id("ref_"), f"payment/{body.payment_id}")
    about = {"details": kept(asked.body, _SHOWN), **world.bank.of_refund(Fate.NONE)}
    if body.refund_type == "scheduled":
        about["settles_after"] = SCHEDULED

    def on(ledger: Ledger) -> Effected | Refusal:
        payment, now = ledger.above, world.now()
        if payment is None:
            return unknown("Payment")
        standing = of_payment(payment, ledger.beside, now)
        amount = standing.captured if body.amount is None else body.amount
        if refused := _refused(body, asked.tenant, ledger, standing, amount, now):
            return refused
        entry = Entry(*_where(place), amount, payment.currency, _reference(body), now, about)
        return Effected(entry, answer(shown(world, entry, ())))

    return Work(place, on)


def _refused(  # noqa: PLR0911 - one line for each of Hyperswitch's looks, in its order
    body: RefundBody, tenant: str, ledger: Ledger, standing: PaymentStanding, amount: int, now: float
) -> Refusal | None:
    after = move(PAYMENT_MOVES, standing.status, PaymentEvent.REFUND)
    if isinstance(after, Refusal):
        return Refusal("not-refundable", after.message, after.about)
    if amount <= 0:
        return not_as_expected("amount", "positive integer")
    if body.merchant_id not in {None, tenant}:
        return not_as_expected("merchant_id", "the merchant whose key is used")
    if len((body.refund_id or "").encode()) > MAX_REFUND_ID:
        return not_as_expected("refund_id", f"refund_id length should not be more than {MAX_REFUND_ID}")
    assert ledger.above is not None, "it has a standing"
    if (now - ledger.above.created) // DAY > MOST_DAYS:
        return not_as_expected("created_at", f"created_at not older than {MOST_DAYS} days")
    if amount > standing.left:
        return Refusal("exceeds-captured", f"{amount} is more than the {standing.left} left")
    if sum(entry.kind == "refund" for entry in ledger.beside) > MOST_REFUNDS:
        return Refusal("too-many-refunds", f"there are more than {MOST_REFUNDS}")
    if ledger.existing:
        return Refusal("duplicate-refund-id", "it already exists", {"id": ledger.existing.id})
    return None


async def update(world: World, asked: Asked) -> Work | Refusal:
    """POST /refunds/{refund_id}: nothing but its reason and its metadata can be changed."""
    body = read(asked.body, RefundUpdate)
    if isinstance(body, Refusal):
        return body
    place = Place(asked.tenant, "refund-update", world.fresh_id("upd_"), f"refund/{asked.path['refund_id']}")

    def on(ledger: Ledger) -> Effected | Refusal:
        if ledger.above is None:
            return _NO_REFUND
        entry = Entry(*_where(place), created=world.now(), about={"details": kept(asked.body, _SHOWN)})
        return Effected(entry, answer(shown(world, ledger.above, (*ledger.beside, entry))))

    return Work(place, on)


async def retrieve(world: World, asked: Asked) -> Answer | Refusal:
    """GET /refunds/{refund_id}."""
    id_ = asked.path["refund_id"]
    seen = await world.store.ledger(Place(asked.tenant, "refund", id_, of=f"refund/{id_}"))
    return _NO_REFUND if seen.existing is None else answer(shown(world, seen.existing, seen.beside))


async def list_(world: World, asked: Asked) -> Answer | Refusal:
    """POST /refunds/list: newest first."""
    body = read(asked.body, RefundList)
    if isinstance(body, Refusal):
        return body
    books = [entry for entry in await world.store.entries() if entry.tenant == asked.tenant]
    found = [
        entry
        for entry in reversed(books)
        if entry.kind == "refund"
        and body.payment_id in {None, entry.of.partition("/")[2]}
        and body.refund_id in {None, entry.id}
    ]
    page = found[body.offset : body.offset + body.limit]
    data = [shown(world, entry, [each for each in books if each.of == entry.name]) for entry in page]
    return answer({"count": len(data), "total_count": len(found), "data": data})


def _reference(body: RefundBody) -> str | None:
    """The shop's own word for it, where it has put one into `metadata`; by it effects are attributed."""
    said = body.metadata.get("reference") if isinstance(body.metadata, dict) else None
    return said if isinstance(said, str) and "\0" not in said else None


def _where(place: Place) -> tuple[str, str, str, str]:
    return place.tenant, place.kind, place.id, place.of


ROUTES: Final = (
    Route("create-refund", "POST", "/refunds", Door.SECRET, prepare=create, keyed_as="create-refund"),
    Route("list-refunds", "POST", "/refunds/list", Door.SECRET, show=list_),
    Route("get-refund", "GET", "/refunds/{refund_id}", Door.SECRET, show=retrieve),
    Route("update-refund", "POST", "/refunds/{refund_id}", Door.SECRET, prepare=update),
)
