"""Mandates: a customer agrees once, and is charged again without being there, as for each period of a subscription.

A payment that is confirmed with `setup_future_usage: off_session` and `customer_acceptance` makes one; payments with
`off_session` and its id are charged under it. It is no entry of its own but a part of that payment's: it is active once
the payment has gone through (crates/router/src/core/mandate.rs, core/payments/helpers.rs: validate_recurring_mandate,
get_token_for_recurring_mandate, verify_mandate_details). What is left of its amount is read before the payment is
entered, and nothing is locked in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from psp_harness.model import Answer
from psp_harness.reference.provider.api import Work, World
from psp_harness.reference.provider.hyperswitch.asked import Asked, Door, Route
from psp_harness.reference.provider.hyperswitch.bodies import answer, missing, unknown
from psp_harness.reference.provider.hyperswitch.payment_bodies import PaymentBody
from psp_harness.reference.provider.ledger import Entry, Ledger, Place, Refusal
from psp_harness.reference.provider.standing import of_payment
from psp_harness.reference.provider.states import PaymentStatus
from psp_harness.reference.provider.stores import Effected
from psp_harness.template import Json

_STATUS: Final[Mapping[PaymentStatus, str]] = {
    PaymentStatus.SUCCEEDED: "active",
    PaymentStatus.AUTHORIZED: "active",
    PaymentStatus.PARTIALLY_CAPTURED: "active",
    PaymentStatus.CAPTURABLE: "active",
    PaymentStatus.PROCESSING: "pending",
}
"""What a mandate is while its payment stands so; of any other it is inactive."""

_UNKNOWN: Final = unknown("Mandate")


@dataclass(frozen=True, slots=True)
class Mandate:
    """One, as it stands."""

    id: str
    customer: str
    status: str
    made: Entry
    """The payment, or its confirmation."""
    charged: int
    """Under it, so far; minor units."""

    @property
    def terms(self) -> Mapping[str, Json]:
        """What was agreed: `single`, `amount`, `currency`."""
        terms = self.made.about["mandate"]
        assert isinstance(terms, Mapping), "agreed() made it"
        return terms


def agreed(world: World, asked: Asked, body: PaymentBody) -> dict[str, object]:
    """What goes into the entry of a payment that is confirmed, where the customer agrees to be charged again."""
    members = asked.body if isinstance(asked.body, Mapping) else {}
    if body.setup_future_usage != "off_session" or members.get("customer_acceptance") is None:
        return {}
    data = members.get("mandate_data")
    types = data.get("mandate_type") if isinstance(data, Mapping) else None
    single, multi = (types.get(name) if isinstance(types, Mapping) else None for name in ("single_use", "multi_use"))
    limit = single if isinstance(single, Mapping) else multi if isinstance(multi, Mapping) else {}
    terms = {"single": single is not None, "amount": limit.get("amount"), "currency": limit.get("currency")}
    return {"mandate": {"id": world.fresh_id("man_"), **terms}}


def under(body: PaymentBody) -> dict[str, object]:
    """What goes into the entry of a payment that is charged under a mandate."""
    id_ = id_of(body)
    return {} if id_ is None else {"under": id_}


def id_of(body: PaymentBody) -> str | None:
    """The mandate that a payment is to be charged under."""
    recurring = body.recurring_details
    if isinstance(recurring, dict) and recurring.get("type") == "mandate_id":
        return str(recurring.get("data"))
    return body.mandate_id


async def refused(world: World, tenant: str, body: PaymentBody) -> Refusal | None:
    """Why a payment is not charged under the mandate that it names, if it names one."""
    id_ = id_of(body)
    if id_ is None:
        return None
    if not body.confirm:
        return Refusal("precondition", "`confirm` must be `true` for mandates")
    if body.off_session is None:
        return missing("off_session")
    if not body.off_session:
        return Refusal("precondition", "`off_session` should be `true` for mandates")
    found = await find(world, tenant, id_)
    return _UNKNOWN if found is None else _not_under(found, body)


def _not_under(mandate: Mandate, body: PaymentBody) -> Refusal | None:
    if body.customer_id is None:
        return missing("customer_id")
    if body.customer_id != mandate.customer:
        return Refusal("precondition", "customer_id must match mandate customer_id")
    if mandate.status != "active":
        return Refusal("precondition", "mandate is not active")
    most, currency = mandate.terms["amount"], mandate.terms["currency"]
    before = 0 if mandate.terms["single"] else mandate.charged
    if isinstance(most, int) and before + (body.amount or 0) > most:
        return Refusal("mandate-validation", "request amount is greater than mandate amount")
    if currency is not None and currency != body.currency:
        return Refusal("mandate-validation", "cross currency mandates not supported")
    return None


async def find(world: World, tenant: str, id_: str) -> Mandate | None:
    """The tenant's mandate of that id."""
    return next((each for each in await _all(world, tenant) if each.id == id_), None)


async def _all(world: World, tenant: str) -> list[Mandate]:
    books = [entry for entry in await world.store.entries() if entry.tenant == tenant]
    return list(_read(books, world.now()))


def _read(books: list[Entry], now: float) -> Iterator[Mandate]:
    revoked = {entry.of.partition("/")[2] for entry in books if entry.kind == "mandate-revocation"}
    for entry in books:
        terms = entry.about.get("mandate")
        if not isinstance(terms, Mapping):
            continue
        payment = entry if entry.kind == "payment" else next(each for each in books if each.name == entry.of)
        id_, standing = str(terms["id"]), of_payment(payment, [each for each in books if each.of == payment.name], now)
        used = [each for each in books if each.about.get("under") == id_]
        charged = [of_payment(each, [e for e in books if e.of == each.name], now) for each in used]
        over = id_ in revoked or (terms["single"] and any(each.status in _STATUS for each in charged))
        status = "revoked" if over else _STATUS.get(standing.status, "inactive")
        customer = _detail(entry, "customer_id") or _detail(payment, "customer_id")
        yield Mandate(id_, str(customer), status, entry, sum(each.captured for each in charged))


def _detail(entry: Entry, name: str) -> Json:
    details = entry.about.get("details")
    return details.get(name) if isinstance(details, Mapping) else None


async def has_active(world: World, tenant: str, customer: str) -> bool:
    """Whether a customer can be charged under one."""
    return any(each.customer == customer and each.status == "active" for each in await _all(world, tenant))


def shown(mandate: Mandate) -> dict[str, Json]:
    """MandateResponse."""
    method = _detail(mandate.made, "payment_method_data")
    card = method.get("card") if isinstance(method, Mapping) else None
    return {
        "mandate_id": mandate.id,
        "status": mandate.status,
        "payment_method_id": f"pm_{mandate.id.partition('_')[2]}",
        "payment_method": _detail(mandate.made, "payment_method") or "card",
        "payment_method_type": _detail(mandate.made, "payment_method_type"),
        "card": _card(card) if isinstance(card, Mapping) else None,
        "customer_acceptance": None,
    }


def _card(card: Mapping[str, Json]) -> dict[str, Json]:
    """MandateCardDetails: another name for the same four digits."""
    others = {name: member for name, member in card.items() if name != "last4"}
    return {"last4_digits": card.get("last4"), **others}


async def retrieve(world: World, asked: Asked) -> Answer | Refusal:
    """GET /mandates/{mandate_id}."""
    found = await find(world, asked.tenant, asked.path["mandate_id"])
    return _UNKNOWN if found is None else answer(shown(found))


async def of_customer(world: World, asked: Asked) -> Answer | Refusal:
    """GET /customers/{customer_id}/mandates."""
    customer = asked.path["customer_id"]
    return answer([shown(each) for each in await _all(world, asked.tenant) if each.customer == customer])


async def revoke(world: World, asked: Asked) -> Work | Refusal:
    """POST /mandates/revoke/{mandate_id}: once."""
    id_ = asked.path["mandate_id"]
    found = await find(world, asked.tenant, id_)
    if found is None:
        return _UNKNOWN
    place = Place(asked.tenant, "mandate-revocation", id_, f"mandate/{id_}")

    def on(ledger: Ledger) -> Effected | Refusal:
        if ledger.existing or found.status == "revoked":
            return Refusal("mandate-validation", "Mandate has already been revoked")
        entry = Entry(place.tenant, place.kind, place.id, place.of, created=world.now())
        told = {"mandate_id": id_, "status": "revoked", "error_code": None, "error_message": None}
        return Effected(entry, answer(told))

    return Work(place, on)


ROUTES: Final = (
    Route("get-mandate", "GET", "/mandates/{mandate_id}", Door.SECRET, show=retrieve),
    Route("revoke-mandate", "POST", "/mandates/revoke/{mandate_id}", Door.SECRET, prepare=revoke),
    Route("list-mandates", "GET", "/customers/{customer_id}/mandates", Door.SECRET, show=of_customer),
)
