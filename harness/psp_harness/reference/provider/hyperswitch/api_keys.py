"""Secret keys of a merchant: made, read, changed and revoked by the admin; the plain text is told once, and not kept.

A key says in its beginning which one it is, so that it is looked up by that and then compared by its digest, in the
same time whether it is right or wrong. Revoked, it is as if it had never been; what was remembered under idempotency
keys belongs to the merchant, and is out of its reach as well.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Final, TypeVar

import msgspec

from psp_harness.model import Answer
from psp_harness.reference.provider.api import Work, World
from psp_harness.reference.provider.hyperswitch.accounts import is_merchant
from psp_harness.reference.provider.hyperswitch.asked import Asked, Door, Route
from psp_harness.reference.provider.hyperswitch.bodies import answer, kept, read, unknown, when
from psp_harness.reference.provider.ledger import Entry, Ledger, Place, Refusal
from psp_harness.reference.provider.orders import Text
from psp_harness.reference.provider.stores import Effected
from psp_harness.template import Json

NEVER: Final = "never"

PREFIX: Final = "dev_"
"""Of the environment; `snd_` and `prod_` are those of the hosted ones."""

_KEY = re.compile(rb"(dev_[0-9a-zA-Z]{20})_[0-9a-zA-Z]{40}")
_SHOWN = frozenset({"name", "description", "expiration"})
_PLATFORM: Final = ""
"""Whose entries these are: no merchant's, for a key is looked up before it is known whose it is."""

_NO_KEY = unknown("API Key")


class KeyBody(msgspec.Struct, forbid_unknown_fields=True):
    """CreateApiKeyRequest."""

    name: Annotated[Text, msgspec.Meta(min_length=1, max_length=64)]
    expiration: str
    """`never`, or a time."""
    description: Text | None = None


class KeyUpdate(msgspec.Struct, forbid_unknown_fields=True):
    """UpdateApiKeyRequest."""

    name: Annotated[Text, msgspec.Meta(min_length=1, max_length=64)] | None = None
    expiration: str = NEVER
    description: Text | None = None


T = TypeVar("T", KeyBody, KeyUpdate)


async def create(world: World, asked: Asked) -> Work | Refusal:
    """POST /api_keys/{merchant_id}: the only answer that has the key."""
    body = _understood(asked, KeyBody)
    if isinstance(body, Refusal):
        return body
    if not await is_merchant(world, asked.path["merchant_id"]):
        return unknown("Merchant account")
    place = Place(_PLATFORM, "api-key", world.fresh_id(PREFIX), of=f"merchant/{asked.path['merchant_id']}")
    plain = world.fresh_id(world.fresh_id(f"{place.id}_"))
    about = {"details": kept(asked.body, _SHOWN), "digest": _digest(plain.encode())}
    entry = Entry(place.tenant, place.kind, place.id, place.of, created=world.now(), about=about)

    def on(_: Ledger) -> Effected | Refusal:
        told = {name: member for name, member in shown(entry, ()).items() if name != "prefix"}
        return Effected(entry, answer({**told, "api_key": plain}))

    return Work(place, on)


async def update(world: World, asked: Asked) -> Work | Refusal:
    """POST /api_keys/{merchant_id}/{key_id}."""
    body = _understood(asked, KeyUpdate)
    if isinstance(body, Refusal):
        return body
    place = Place(_PLATFORM, "api-key-update", world.fresh_id("upd_"), _own(asked).of)

    def on(ledger: Ledger) -> Effected | Refusal:
        if not _stands(ledger.above, ledger.beside, asked):
            return _NO_KEY
        assert ledger.above is not None, "it stands"
        about = {"details": kept(asked.body, _SHOWN)}
        entry = Entry(place.tenant, place.kind, place.id, place.of, created=world.now(), about=about)
        return Effected(entry, answer(shown(ledger.above, (*ledger.beside, entry))))

    return Work(place, on)


async def revoke(world: World, asked: Asked) -> Work | Refusal:
    """DELETE /api_keys/{merchant_id}/{key_id}."""
    place = Place(_PLATFORM, "api-key-revocation", world.fresh_id("rev_"), _own(asked).of)

    def on(ledger: Ledger) -> Effected | Refusal:
        if not _stands(ledger.above, ledger.beside, asked):
            return _NO_KEY
        entry = Entry(place.tenant, place.kind, place.id, place.of, created=world.now())
        which = {"merchant_id": asked.path["merchant_id"], "key_id": asked.path["key_id"]}
        return Effected(entry, answer({**which, "revoked": True}))

    return Work(place, on)


async def retrieve(world: World, asked: Asked) -> Answer | Refusal:
    """GET /api_keys/{merchant_id}/{key_id}."""
    seen = await world.store.ledger(_own(asked))
    if seen.existing is None or not _stands(seen.existing, seen.beside, asked):
        return _NO_KEY
    return answer(shown(seen.existing, seen.beside))


async def list_(world: World, asked: Asked) -> Answer | Refusal:
    """GET /api_keys/{merchant_id}/list."""
    books = [entry for entry in await world.store.entries() if entry.tenant == _PLATFORM]
    keys = [(entry, [each for each in books if each.of == entry.name]) for entry in books if entry.kind == "api-key"]
    return answer([shown(entry, later) for entry, later in keys if _stands(entry, later, asked)])


async def merchant_of_key(world: World, plain: bytes) -> str | None:
    """Whose key it is; nobody's, where it is wrong, over or revoked."""
    named = _KEY.fullmatch(plain)
    if named is None:
        return None
    id_ = named[1].decode()
    seen = await world.store.ledger(Place(_PLATFORM, "api-key", id_, of=f"api-key/{id_}"))
    if seen.existing is None or not hmac.compare_digest(str(seen.existing.about["digest"]), _digest(plain)):
        return None
    over = _is_revoked(seen.beside) or _is_over(_details(seen.existing, seen.beside)["expiration"], world.now())
    return None if over else seen.existing.of.partition("/")[2]


def shown(key: Entry, later: Iterable[Entry]) -> dict[str, Json]:
    """RetrieveApiKeyResponse."""
    return {
        "key_id": key.id,
        "merchant_id": key.of.partition("/")[2],
        "description": None,
        **_details(key, later),
        "prefix": key.id[: len(PREFIX) + 8],
        "created": when(key.created),
    }


def _details(key: Entry, later: Iterable[Entry]) -> dict[str, Json]:
    details: dict[str, Json] = {}
    for entry in (key, *later):
        said = entry.about.get("details")
        details |= said if isinstance(said, Mapping) else {}
    return details


def _stands(key: Entry | None, later: Iterable[Entry], asked: Asked) -> bool:
    return key is not None and key.of == f"merchant/{asked.path['merchant_id']}" and not _is_revoked(later)


def _is_revoked(later: Iterable[Entry]) -> bool:
    return any(entry.kind == "api-key-revocation" for entry in later)


def _understood(asked: Asked, wanted: type[T]) -> T | Refusal:
    body = read(asked.body, wanted)
    try:
        if not isinstance(body, Refusal) and body.expiration != NEVER:
            datetime.fromisoformat(body.expiration)
    except ValueError:
        return Refusal("invalid", "Json deserialize error: expiration is neither `never` nor a time")
    return body


def _is_over(expiration: Json, now: float) -> bool:
    """A time without a zone is one of UTC."""
    if expiration == NEVER:
        return False
    said = datetime.fromisoformat(str(expiration))
    return (said if said.tzinfo else datetime.fromisoformat(f"{expiration}+00:00")).timestamp() <= now


def _own(asked: Asked) -> Place:
    id_ = asked.path["key_id"]
    return Place(_PLATFORM, "api-key", id_, of=f"api-key/{id_}")


def _digest(plain: bytes) -> str:
    """The keys are 40 random characters: no password that a slow digest would have to protect."""
    return hashlib.sha256(plain).hexdigest()


ROUTES: Final = (
    Route("create-api-key", "POST", "/api_keys/{merchant_id}", Door.ADMIN, prepare=create),
    Route("list-api-keys", "GET", "/api_keys/{merchant_id}/list", Door.ADMIN, show=list_),
    Route("get-api-key", "GET", "/api_keys/{merchant_id}/{key_id}", Door.ADMIN, show=retrieve),
    Route("update-api-key", "POST", "/api_keys/{merchant_id}/{key_id}", Door.ADMIN, prepare=update),
    Route("revoke-api-key", "DELETE", "/api_keys/{merchant_id}/{key_id}", Door.ADMIN, prepare=revoke),
)
