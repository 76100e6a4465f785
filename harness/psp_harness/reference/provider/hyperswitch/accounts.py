"""Merchant accounts, as far as the set-up of a client needs them: made, read and changed by the admin."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Final

import msgspec

from psp_harness.model import Answer
from psp_harness.reference.provider.api import Work, World
from psp_harness.reference.provider.hyperswitch.asked import Asked, Door, Route
from psp_harness.reference.provider.hyperswitch.bodies import answer, kept, read, unknown
from psp_harness.reference.provider.hyperswitch.payment_bodies import Anything
from psp_harness.reference.provider.ledger import Entry, Ledger, Place, Refusal
from psp_harness.reference.provider.orders import Text
from psp_harness.reference.provider.stores import Effected
from psp_harness.template import Json

_PLATFORM: Final = ""
_PUBLISHABLE = re.compile(rb"pk_dev_([A-Za-z0-9_-]{1,64})_[0-9a-zA-Z]{20}")
_SHOWN = frozenset(
    {"merchant_name", "return_url", "webhook_details", "merchant_details", "metadata", "primary_business_details"}
)

_NO_MERCHANT = unknown("Merchant account")


class AccountBody(msgspec.Struct):
    """MerchantAccountCreate, and, where nothing is required, MerchantAccountUpdate."""

    merchant_id: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}\Z")] | None = None
    merchant_name: Text | None = None
    return_url: Text | None = None
    webhook_details: dict[str, object] | None = None
    merchant_details: dict[str, object] | None = None
    metadata: Anything | None = None
    primary_business_details: list[dict[str, object]] | None = None


async def create(world: World, asked: Asked) -> Work | Refusal:
    """POST /accounts."""
    body = read(asked.body, AccountBody)
    if isinstance(body, Refusal):
        return body
    if body.merchant_id is None:
        return Refusal("invalid", "Json deserialize error: missing field `merchant_id`")
    place = _place(body.merchant_id)
    about = {
        "details": kept(asked.body, _SHOWN),
        "publishable_key": world.fresh_id(f"pk_dev_{place.id}_"),
        "hash_key": world.fresh_id(world.fresh_id(world.fresh_id(""))),
        "organization_id": world.fresh_id("org_"),
        "default_profile": world.fresh_id("pro_"),
    }
    entry = Entry(place.tenant, place.kind, place.id, created=world.now(), about=about)

    def on(ledger: Ledger) -> Effected | Refusal:
        if ledger.existing or place.id in world.credentials:
            return Refusal("merchant-exists", "The merchant account already exists")
        return Effected(entry, answer(shown(entry, ())))

    return Work(place, on)


async def update(world: World, asked: Asked) -> Work | Refusal:
    """POST /accounts/{merchant_id}."""
    body = read(asked.body, AccountBody)
    if isinstance(body, Refusal):
        return body
    place = Place(_PLATFORM, "merchant-update", world.fresh_id("upd_"), _place(asked.path["merchant_id"]).of)

    def on(ledger: Ledger) -> Effected | Refusal:
        if ledger.above is None:
            return _NO_MERCHANT
        about = {"details": kept(asked.body, _SHOWN)}
        entry = Entry(place.tenant, place.kind, place.id, place.of, created=world.now(), about=about)
        return Effected(entry, answer(shown(ledger.above, (*ledger.beside, entry))))

    return Work(place, on)


async def retrieve(world: World, asked: Asked) -> Answer | Refusal:
    """GET /accounts/{merchant_id}."""
    seen = await world.store.ledger(_place(asked.path["merchant_id"]))
    return _NO_MERCHANT if seen.existing is None else answer(shown(seen.existing, seen.beside))


async def is_merchant(world: World, id_: str) -> bool:
    """Whether there is such a merchant: one that was made, or one that this provider was started with."""
    return id_ in world.credentials or (await world.store.ledger(_place(id_))).existing is not None


async def merchant_of_publishable_key(world: World, shown_key: bytes) -> str | None:
    """Whose it is; everybody may see these keys, so nothing is hidden in how long this takes."""
    named = _PUBLISHABLE.fullmatch(shown_key)
    seen = await world.store.ledger(_place(named[1].decode())) if named else Ledger()
    known = seen.existing is not None and seen.existing.about["publishable_key"] == shown_key.decode()
    return seen.existing.id if seen.existing and known else None


def shown(account: Entry, later: Iterable[Entry]) -> dict[str, Json]:
    """MerchantAccountResponse."""
    details: dict[str, Json] = {}
    for entry in (account, *later):
        said = entry.about.get("details")
        details |= said if isinstance(said, Mapping) and entry.kind != "api-key" else {}
    return {
        "merchant_id": account.id,
        **dict.fromkeys(sorted(_SHOWN)),
        "primary_business_details": [],
        **details,
        "enable_payment_response_hash": True,
        "payment_response_hash_key": account.about["hash_key"],
        "redirect_to_merchant_with_http_post": False,
        "publishable_key": account.about["publishable_key"],
        "organization_id": account.about["organization_id"],
        "default_profile": account.about["default_profile"],
        "is_recon_enabled": False,
        "recon_status": "not_requested",
        "merchant_account_type": "standard",
    }


def _place(id_: str) -> Place:
    return Place(_PLATFORM, "merchant", id_, of=f"merchant/{id_}")


ROUTES: Final = (
    Route("create-account", "POST", "/accounts", Door.ADMIN, prepare=create),
    Route("get-account", "GET", "/accounts/{merchant_id}", Door.MERCHANT, show=retrieve),
    Route("update-account", "POST", "/accounts/{merchant_id}", Door.ADMIN, prepare=update),
)
