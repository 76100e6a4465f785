"""Connector accounts of a merchant: which acquirers it has. What opens an acquirer is neither kept nor shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from psp_harness.model import Answer
from psp_harness.reference.provider.api import Work, World
from psp_harness.reference.provider.hyperswitch.accounts import is_merchant
from psp_harness.reference.provider.hyperswitch.asked import Asked, Door, Route
from psp_harness.reference.provider.hyperswitch.bodies import answer, kept, read, unknown
from psp_harness.reference.provider.hyperswitch.payment_bodies import Anything
from psp_harness.reference.provider.ledger import Entry, Ledger, Place, Refusal
from psp_harness.reference.provider.orders import Text
from psp_harness.reference.provider.stores import Effected
from psp_harness.template import Json

_SHOWN = frozenset(
    {"connector_type", "connector_name", "connector_label", "profile_id", "payment_methods_enabled", "metadata"}
    | {"test_mode", "disabled", "business_country", "business_label"}
)

_NO_CONNECTOR = unknown("Merchant connector account")


class ConnectorBody(msgspec.Struct):
    """MerchantConnectorCreate, as far as it is understood here."""

    connector_type: Literal["payment_processor", "payout_processor", "billing_processor", "authentication_processor"]
    connector_name: Text
    connector_label: Text | None = None
    profile_id: Text | None = None
    payment_methods_enabled: list[dict[str, object]] | None = None
    metadata: Anything | None = None
    test_mode: bool | None = None
    disabled: bool | None = None


async def create(world: World, asked: Asked) -> Work | Refusal:
    """POST /account/{merchant_id}/connectors."""
    body = read(asked.body, ConnectorBody)
    if isinstance(body, Refusal):
        return body
    if not await is_merchant(world, asked.tenant):
        return unknown("Merchant account")
    place = Place(asked.tenant, "connector", world.fresh_id("mca_"))
    entry = Entry(place.tenant, place.kind, place.id, created=world.now(), about={"details": kept(asked.body, _SHOWN)})
    return Work(place, lambda _: Effected(entry, answer(shown(entry))))


async def retrieve(world: World, asked: Asked) -> Answer | Refusal:
    """GET /account/{merchant_id}/connectors/{merchant_connector_id}."""
    seen = await world.store.ledger(_place(asked))
    if seen.existing is None or _is_gone(seen.beside):
        return _NO_CONNECTOR
    return answer(shown(seen.existing))


async def delete(world: World, asked: Asked) -> Work | Refusal:
    """DELETE /account/{merchant_id}/connectors/{merchant_connector_id}."""
    place = Place(asked.tenant, "connector-deletion", world.fresh_id("del_"), _place(asked).of)

    def on(ledger: Ledger) -> Effected | Refusal:
        if ledger.above is None or _is_gone(ledger.beside):
            return _NO_CONNECTOR
        entry = Entry(place.tenant, place.kind, place.id, place.of, created=world.now())
        which = {"merchant_id": asked.tenant, "merchant_connector_id": ledger.above.id}
        return Effected(entry, answer({**which, "deleted": True}))

    return Work(place, on)


async def list_(world: World, asked: Asked) -> Answer | Refusal:
    """GET /account/{merchant_id}/connectors."""
    books = [entry for entry in await world.store.entries() if entry.tenant == asked.tenant]
    gone = {entry.of for entry in books if entry.kind == "connector-deletion"}
    return answer([shown(entry) for entry in books if entry.kind == "connector" and entry.name not in gone])


def shown(connector: Entry) -> dict[str, Json]:
    """MerchantConnectorResponse."""
    details = connector.about["details"]
    assert isinstance(details, dict), "it was written as one"
    disabled = bool(details.get("disabled"))
    return {
        "merchant_connector_id": connector.id,
        **dict.fromkeys(sorted(_SHOWN)),
        "profile_id": "pro_default",
        **details,
        "disabled": disabled,
        "connector_account_details": None,
        "status": "inactive" if disabled else "active",
    }


def _is_gone(later: Iterable[Entry]) -> bool:
    return any(entry.kind == "connector-deletion" for entry in later)


def _place(asked: Asked) -> Place:
    id_ = asked.path["merchant_connector_id"]
    return Place(asked.tenant, "connector", id_, of=f"connector/{id_}")


_AT: Final = "/account/{merchant_id}/connectors"

ROUTES: Final = (
    Route("create-connector", "POST", _AT, Door.MERCHANT, prepare=create),
    Route("list-connectors", "GET", _AT, Door.MERCHANT, show=list_),
    Route("get-connector", "GET", _AT + "/{merchant_connector_id}", Door.MERCHANT, show=retrieve),
    Route("delete-connector", "DELETE", _AT + "/{merchant_connector_id}", Door.MERCHANT, prepare=delete),
)
