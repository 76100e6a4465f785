"""Customers, and what deleting one is: redaction, of the books too (crates/router/src/core/customers.rs:906-1126).

What is personal is written over in every entry of the customer, in the step that says so; the id stays, and metadata
with it, as in Hyperswitch. Copies on payments are not touched: payments stay as they were. A customer whose name is
`Redacted` counts as redacted; Hyperswitch knows it by nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Final

import msgspec

from psp_harness.model import Answer
from psp_harness.reference.provider.api import Work, World
from psp_harness.reference.provider.hyperswitch.asked import Asked, Door, Route
from psp_harness.reference.provider.hyperswitch.bodies import answer, kept, limit_of, read, unknown, when
from psp_harness.reference.provider.hyperswitch.mandates import has_active
from psp_harness.reference.provider.hyperswitch.payment_bodies import Anything
from psp_harness.reference.provider.ledger import Entry, Ledger, Place, Refusal
from psp_harness.reference.provider.orders import Text
from psp_harness.reference.provider.stores import Effected
from psp_harness.template import Json

REDACTED: Final = "Redacted"

PERSONAL: Final = frozenset({"name", "email", "phone", "description", "phone_country_code", "tax_registration_id"})
ADDRESS: Final = frozenset(
    {"city", "line1", "line2", "line3", "state", "zip", "first_name", "last_name", "origin_zip", "phone", "email"}
)
"""Members of an address that are written over; its country stays."""

_NO_CUSTOMER = unknown("Customer")
_GONE = Refusal("customer-redacted", "Customer has already been redacted")


class CustomerBody(msgspec.Struct):
    """CustomerRequest, and CustomerUpdateRequest, which has no id."""

    customer_id: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}\Z")] | None = None
    name: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    description: Text | None = None
    phone_country_code: Text | None = None
    tax_registration_id: Text | None = None
    address: dict[str, object] | None = None
    metadata: Anything | None = None


_SHOWN: Final = PERSONAL | {"address", "metadata"}


async def create(world: World, asked: Asked) -> Work | Refusal:
    """POST /customers."""
    body = read(asked.body, CustomerBody)
    if isinstance(body, Refusal):
        return body
    place = _place(asked, body.customer_id or world.fresh_id("cus_"))
    entry = Entry(place.tenant, "customer", place.id, created=world.now(), about={"details": kept(asked.body, _SHOWN)})

    def on(ledger: Ledger) -> Effected | Refusal:
        if ledger.existing:
            exists = Refusal("customer-exists", "Customer with the given `customer_id` already exists")
            return _GONE if is_redacted(ledger.existing, ledger.beside) else exists
        return Effected(entry, answer(shown(entry, ())))

    return Work(place, on)


async def update(world: World, asked: Asked) -> Work | Refusal:
    """POST /customers/{customer_id}."""
    body = read(asked.body, CustomerBody)
    if isinstance(body, Refusal):
        return body
    of = _place(asked, asked.path["customer_id"]).of
    place = Place(asked.tenant, "customer-update", world.fresh_id("upd_"), of)

    def on(ledger: Ledger) -> Effected | Refusal:
        customer = _found(ledger.above, ledger.beside)
        if isinstance(customer, Refusal):
            return customer
        details = {"details": kept(asked.body, _SHOWN)}
        entry = Entry(place.tenant, place.kind, place.id, place.of, created=world.now(), about=details)
        return Effected(entry, answer(shown(customer, (*ledger.beside, entry))))

    return Work(place, on)


async def delete(world: World, asked: Asked) -> Work | Refusal:
    """DELETE /customers/{customer_id}: what it says is deleted is always said, also where there was nothing of it."""
    if await has_active(world, asked.tenant, asked.path["customer_id"]):
        return Refusal("mandate-active", "Customer has active mandate/subsciption")
    of = _place(asked, asked.path["customer_id"]).of
    place = Place(asked.tenant, "customer-deletion", world.fresh_id("del_"), of)

    def on(ledger: Ledger) -> Effected | Refusal:
        customer = _found(ledger.above, ledger.beside)
        if isinstance(customer, Refusal):
            return customer
        about = {"details": _redacted(_details(customer, ledger.beside), over=True)}
        entry = Entry(place.tenant, place.kind, place.id, place.of, created=world.now(), about=about)
        said = dict.fromkeys(("customer_deleted", "address_deleted", "payment_methods_deleted"), True)
        less = tuple(_without_personal_data(each) for each in (customer, *ledger.beside))
        return Effected(entry, answer({"customer_id": customer.id, **said}), redacted=less)

    return Work(place, on)


async def retrieve(world: World, asked: Asked) -> Answer | Refusal:
    """GET /customers/{customer_id}."""
    seen = await world.store.ledger(_place(asked, asked.path["customer_id"]))
    customer = _found(seen.existing, seen.beside)
    return customer if isinstance(customer, Refusal) else answer(shown(customer, seen.beside))


async def list_(world: World, asked: Asked) -> Answer | Refusal:
    """GET /customers/list: newest first; those that were redacted show that."""
    limit = limit_of(asked.query)
    if isinstance(limit, Refusal):
        return limit
    books = [entry for entry in await world.store.entries() if entry.tenant == asked.tenant]
    found = [entry for entry in reversed(books) if entry.kind == "customer"][:limit]
    return answer([shown(entry, [each for each in books if each.of == entry.name]) for entry in found])


async def refused_for_its_customer(world: World, tenant: str, customer_id: str | None) -> Refusal | None:
    """A payment of a customer who was redacted is not taken; one of a customer whom nobody made is."""
    if customer_id is None:
        return None
    seen = await world.store.ledger(Place(tenant, "customer", customer_id, of=f"customer/{customer_id}"))
    return _GONE if seen.existing and is_redacted(seen.existing, seen.beside) else None


def is_redacted(customer: Entry, later: Iterable[Entry]) -> bool:
    """As Hyperswitch tells (crates/storage_impl/src/customers.rs:85,149)."""
    return _details(customer, later).get("name") == REDACTED


def shown(customer: Entry, later: Iterable[Entry]) -> dict[str, Json]:
    """CustomerResponse."""
    return {
        "customer_id": customer.id,
        **dict.fromkeys(sorted(_SHOWN)),
        **_details(customer, later),
        "created_at": when(customer.created),
        "default_payment_method_id": None,
    }


def _found(customer: Entry | None, later: Iterable[Entry]) -> Entry | Refusal:
    if customer is None:
        return _NO_CUSTOMER
    return _GONE if is_redacted(customer, later) else customer


def _details(customer: Entry, later: Iterable[Entry]) -> dict[str, Json]:
    details: dict[str, Json] = {}
    for entry in (customer, *later):
        said = entry.about.get("details")
        details |= said if isinstance(said, Mapping) else {}
    return details


def _without_personal_data(entry: Entry) -> Entry:
    said = entry.about.get("details")
    details = _redacted(said if isinstance(said, Mapping) else {}, over=False)
    return replace(entry, about={**entry.about, "details": details})


def _redacted(details: Mapping[str, Json], *, over: bool) -> dict[str, Json]:
    """`over`: the word stands in the place of everything personal, whether or not it was ever told."""
    named = PERSONAL if over else PERSONAL & details.keys()
    kept_ = {name: member for name, member in details.items() if name not in PERSONAL | {"address"}}
    address = details.get("address")
    where = {"address": _redacted_address(address)} if isinstance(address, Mapping) else {}
    return {**kept_, **dict.fromkeys(sorted(named), REDACTED), **where}


def _redacted_address(address: Mapping[str, Json]) -> dict[str, Json]:
    return {name: REDACTED if name in ADDRESS else member for name, member in address.items()}


def _place(asked: Asked, id_: str) -> Place:
    return Place(asked.tenant, "customer", id_, of=f"customer/{id_}")


ROUTES: Final = (
    Route("create-customer", "POST", "/customers", Door.SECRET, prepare=create),
    Route("list-customers", "GET", "/customers/list", Door.SECRET, show=list_),
    Route("get-customer", "GET", "/customers/{customer_id}", Door.SECRET, show=retrieve),
    Route("update-customer", "POST", "/customers/{customer_id}", Door.SECRET, prepare=update),
    Route("delete-customer", "DELETE", "/customers/{customer_id}", Door.SECRET, prepare=delete),
)
