"""Payouts: made, changed, confirmed, fulfilled and given up (crates/router/src/core/payouts.rs:352-830)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from psp_harness.model import Answer
from psp_harness.reference.provider.api import Work, World
from psp_harness.reference.provider.hyperswitch import cards
from psp_harness.reference.provider.hyperswitch.asked import Asked, Door, Route
from psp_harness.reference.provider.hyperswitch.bodies import (
    answer,
    kept,
    limit_of,
    missing,
    not_as_expected,
    read,
    unknown,
    when,
)
from psp_harness.reference.provider.hyperswitch.customers import refused_for_its_customer
from psp_harness.reference.provider.hyperswitch.payout_bodies import OTHERS, SHOWN, PayoutBody
from psp_harness.reference.provider.hyperswitch.payout_standing import PayoutStanding, as_sent, of_payout, told
from psp_harness.reference.provider.hyperswitch.payout_states import PAYOUT_MOVES, PayoutEvent, PayoutStatus
from psp_harness.reference.provider.ledger import Entry, Ledger, Place, Refusal
from psp_harness.reference.provider.states import move
from psp_harness.reference.provider.stores import Effected
from psp_harness.template import Json

_NO_PAYOUT = unknown("Payout")

_UNSAID: Final = frozenset(
    {"merchant_order_reference_id", "payout_type", "payout_method_data", "billing", "customer_id", "return_url"}
    | {"business_country", "business_label", "description", "metadata", "profile_id", "priority", "email", "name"}
    | {"phone", "phone_country_code", "payout_method_id", "attempts", "payout_link", "merchant_connector_id"}
)
"""Members that are null until something is known of them."""


async def create(world: World, asked: Asked) -> Work | Refusal:
    """POST /payouts/create; the id is looked at before anything else (payouts/validator.rs:117-133)."""
    body = read(asked.body, PayoutBody, others=OTHERS)
    if isinstance(body, Refusal):
        return body
    place = Place(asked.tenant, "payout", body.payout_id or world.fresh_id("payout_"))
    gone = await refused_for_its_customer(world, asked.tenant, body.customer_id)

    def on(ledger: Ledger) -> Effected | Refusal:
        if ledger.existing:
            return Refusal("duplicate-payout-id", f"payout {place.id!r} already exists", {"id": place.id})
        if refused := gone or _wrong_create(body, world.now()):
            return refused
        secret = {"client_secret": world.fresh_id(f"{place.id}_secret_")}
        entry = _entry(world, place, body, asked, (body.amount or 0, body.currency or ""), secret)
        return _answered(world, _paid(world, entry, as_sent(entry, ())), ())

    return Work(place, on)


async def update(world: World, asked: Asked) -> Work | Refusal:
    """PUT /payouts/{payout_id}, which the OpenAPI document has as POST."""
    return _change(world, asked, confirms=False)


async def confirm(world: World, asked: Asked) -> Work | Refusal:
    """POST /payouts/{payout_id}/confirm."""
    return _change(world, asked, confirms=True)


def _change(world: World, asked: Asked, *, confirms: bool) -> Work | Refusal:
    body = read(asked.body, PayoutBody, others=OTHERS)
    if isinstance(body, Refusal):
        return body
    body.confirm = body.confirm or confirms
    if wrong := _wrong(body, world.now()):
        return wrong
    place = Place(asked.tenant, "payout-update", world.fresh_id("upd_"), _of(asked))

    def on(ledger: Ledger) -> Effected | Refusal:
        payout = ledger.above
        if payout is None:
            return _NO_PAYOUT
        standing = of_payout(payout, ledger.beside, world.now())
        if refused := _not_now(payout, standing, body, confirms=confirms):
            return refused
        money = (standing.amount if body.amount is None else body.amount, body.currency or standing.currency)
        entry = _entry(world, place, body, asked, money, {})
        return _answered(world, payout, (*ledger.beside, _paid(world, entry, told(standing, entry))))

    return Work(place, on)


def _not_now(payout: Entry, standing: PayoutStanding, body: PayoutBody, *, confirms: bool) -> Refusal | None:
    """The guards of confirm and update; a payout with the connector is neither confirmed nor changed."""
    if standing.status not in {PayoutStatus.REQUIRES_METHOD, PayoutStatus.REQUIRES_CONFIRMATION}:
        if confirms:
            return Refusal("payout-not-confirmable", "not now", {"status": standing.status.value})
        return Refusal("unprocessable", f"Payout {payout.id} cannot be updated for status {standing.status}")
    if body.confirm and standing.status is PayoutStatus.REQUIRES_METHOD and not body.names_method:
        return missing("payout_method_data")
    return None


async def fulfill(world: World, asked: Asked) -> Work | Refusal:
    """POST /payouts/{payout_id}/fulfill."""
    place = Place(asked.tenant, "payout-fulfilment", world.fresh_id("ful_"), _of(asked))
    return _step(world, place, PayoutEvent.PAY, "fulfilled")


async def cancel(world: World, asked: Asked) -> Work | Refusal:
    """POST /payouts/{payout_id}/cancel."""
    place = Place(asked.tenant, "payout-cancellation", world.fresh_id("can_"), _of(asked))
    return _step(world, place, PayoutEvent.CANCEL, "cancelled")


def _step(world: World, place: Place, event: PayoutEvent, done: str) -> Work:
    def on(ledger: Ledger) -> Effected | Refusal:
        payout = ledger.above
        if payout is None:
            return _NO_PAYOUT
        standing = of_payout(payout, ledger.beside, world.now())
        if isinstance(move(PAYOUT_MOVES, standing.status, event), Refusal):
            return Refusal("unprocessable", f"Payout {payout.id} cannot be {done} for status {standing.status}")
        about = {"paid": True, **world.bank.of_payout()} if event is PayoutEvent.PAY else {"paid": False}
        where = (place.tenant, place.kind, place.id, place.of)
        entry = Entry(*where, standing.amount, standing.currency, payout.reference, world.now(), about)
        return _answered(world, payout, (*ledger.beside, entry))

    return Work(place, on)


async def retrieve(world: World, asked: Asked) -> Answer | Refusal:
    """GET /payouts/{payout_id}."""
    id_ = asked.path["payout_id"]
    seen = await world.store.ledger(Place(asked.tenant, "payout", id_, of=f"payout/{id_}"))
    return _NO_PAYOUT if seen.existing is None else answer(shown(world, seen.existing, seen.beside))


async def list_(world: World, asked: Asked) -> Answer | Refusal:
    """GET /payouts/list: newest first."""
    limit = limit_of(asked.query)
    if isinstance(limit, Refusal):
        return limit
    books = [entry for entry in await world.store.entries() if entry.tenant == asked.tenant]
    found = [entry for entry in reversed(books) if entry.kind == "payout"]
    data = [shown(world, entry, [each for each in books if each.of == entry.name]) for entry in found[:limit]]
    return answer({"size": len(data), "data": data, "total_count": len(found)})


def shown(world: World, payout: Entry, later: Iterable[Entry]) -> dict[str, Json]:
    """PayoutCreateResponse, as far as this provider has something to say."""
    standing = of_payout(payout, later, world.now())
    failed = standing.status is PayoutStatus.FAILED
    return {
        "payout_id": payout.id,
        "merchant_id": payout.tenant,
        "amount": standing.amount,
        "currency": standing.currency,
        "connector": "psp_harness" if standing.status not in _BEFORE else None,
        **dict.fromkeys(sorted(_UNSAID)),
        "auto_fulfill": False,
        "entity_type": "Individual",
        "recurring": False,
        **standing.details,
        "client_secret": payout.about["client_secret"],
        "status": standing.status.value,
        "error_code": "payout_failed" if failed else None,
        "error_message": cards.DECLINED["declined"] if failed else None,
        "created": when(payout.created),
        "connector_transaction_id": f"{payout.id}_1" if standing.status is PayoutStatus.SUCCESS else None,
    }


_BEFORE = {PayoutStatus.REQUIRES_METHOD, PayoutStatus.REQUIRES_CONFIRMATION, PayoutStatus.CANCELLED}


def _wrong_create(body: PayoutBody, now: float) -> Refusal | None:
    for name in ("amount", "currency"):
        if getattr(body, name) is None:
            return missing(name)
    if body.confirm and not body.names_method:
        return missing("payout_method_data")
    return _wrong(body, now)


def _wrong(body: PayoutBody, now: float) -> Refusal | None:
    if body.amount == 0:
        return not_as_expected("amount", "positive integer")
    card = body.payout_method_data.card if body.payout_method_data else None
    return cards.wrong(card, now) if card else None


def _entry(
    world: World, place: Place, body: PayoutBody, asked: Asked, money: tuple[int, str], more: Mapping[str, object]
) -> Entry:
    details = kept(asked.body, SHOWN)
    card = body.payout_method_data.card if body.payout_method_data else None
    if card:
        details["payout_method_data"] = {"card": cards.shown(card)}
    fate = cards.fate_of(card.card_number if card else body.payout_token)
    said = {"details": details, "method": body.names_method, "confirm": body.confirm, "fate": fate.value}
    where = (place.tenant, place.kind, place.id, place.of)
    return Entry(*where, *money, body.merchant_order_reference_id, world.now(), {**said, **more})


def _paid(world: World, entry: Entry, standing: PayoutStanding) -> Entry:
    """The entry with which the money goes says so, and what banks make of it: by it movements are told."""
    paid = standing.status is PayoutStatus.SUCCESS
    return replace(entry, about={**entry.about, "paid": paid, **(world.bank.of_payout() if paid else {})})


def _answered(world: World, payout: Entry, later: tuple[Entry, ...]) -> Effected:
    return Effected(later[-1] if later else payout, answer(shown(world, payout, later)))


def _of(asked: Asked) -> str:
    return f"payout/{asked.path['payout_id']}"


_ONE: Final = "/payouts/{payout_id}"

ROUTES: Final = (
    Route("create-payout", "POST", "/payouts/create", Door.SECRET, prepare=create, keyed_as="create-payment"),
    Route("list-payouts", "GET", "/payouts/list", Door.SECRET, show=list_),
    Route("get-payout", "GET", _ONE, Door.SECRET, show=retrieve),
    Route("update-payout", "PUT", _ONE, Door.SECRET, prepare=update, keyed_as="create-payment"),
    Route("confirm-payout", "POST", f"{_ONE}/confirm", Door.SECRET, prepare=confirm, keyed_as="create-payment"),
    Route("fulfill-payout", "POST", f"{_ONE}/fulfill", Door.SECRET, prepare=fulfill, keyed_as="create-payment"),
    Route("cancel-payout", "POST", f"{_ONE}/cancel", Door.SECRET, prepare=cancel, keyed_as="create-payment"),
)
