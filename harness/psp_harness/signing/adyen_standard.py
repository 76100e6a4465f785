"""Adyen's standard webhooks: each item of the batch carries an HMAC of eight of its fields; all others are unsigned.

`additionalData.hmacSignature` is base64 HMAC-SHA256 of the fields joined by colons; the key is written in hex. Source:
Adyen 16.0.0, util.py. Colons in a field are not escaped, so that two items can have one signature: `shifted`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from psp_harness.signing.mac import sha256, text_of
from psp_harness.signing.scheme import (
    Draft,
    Forged,
    Genuine,
    Keys,
    Moment,
    Scheme,
    Verified,
    Webhook,
    declare,
    matches_any,
)
from psp_harness.template import ABSENT, decode, encode

_FIELDS = ("pspReference", "originalReference", "merchantAccountCode", "merchantReference")
_LATER_FIELDS = ("eventCode", "success")


def signed_text(item: Mapping[str, Any]) -> bytes:
    """What is signed of an item. A field that is missing or null is empty; `true` is written as JSON has it."""
    amount = item.get("amount")
    money = amount if isinstance(amount, Mapping) else {}
    values = [
        *(item.get(name) for name in _FIELDS),
        money.get("value"),
        money.get("currency"),
        *(item.get(name) for name in _LATER_FIELDS),
    ]
    return ":".join(_text(value) for value in values).encode()


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _mac(item: Mapping[str, Any], key: bytes) -> bytes:
    return text_of(sha256(key, signed_text(item)), "base64")


def _sign(draft: Draft, keys: Keys) -> Webhook:
    """Each item with its signature; the body is written anew."""
    message = decode(draft.body, "json")
    if message is ABSENT:
        return Webhook((), draft.body, draft.url)
    for item in _items(message):
        item["additionalData"] = {**(item.get("additionalData") or {}), "hmacSignature": _mac(item, keys[0]).decode()}
    return Webhook((), encode(message, "json"), draft.url)


def _verify(webhook: Webhook, keys: Keys, _: Moment) -> Verified:
    """Genuine only if every item is: one that is forged spoils the batch."""
    items = list(_items(decode(webhook.body, "json")))
    if not items:
        return Forged("the body holds no notification item")
    for number, item in enumerate(items, 1):
        additional = item.get("additionalData")
        given = additional.get("hmacSignature") if isinstance(additional, Mapping) else None
        if not isinstance(given, str):
            return Forged(f"item {number} has no hmacSignature")
        if not matches_any([given.encode(errors="replace")], [_mac(item, key) for key in keys]):
            return Forged(f"the hmacSignature of item {number} is of other fields or another secret")
    return Genuine()


def _items(message: object) -> Iterator[dict[str, Any]]:
    found = message.get("notificationItems") if isinstance(message, Mapping) else None
    for wrapped in found if isinstance(found, list) else []:
        item = wrapped.get("NotificationRequestItem") if isinstance(wrapped, Mapping) else None
        if isinstance(item, dict):
            yield item


def _shifted(webhook: Webhook, _: Draft) -> Webhook:
    """The same signature for another item: the reference up to its first colon becomes a part of the account's name."""
    message = decode(webhook.body, "json")
    for item in _items(message):
        moved, colon, rest = str(item["merchantReference"]).partition(":")
        if colon:
            item["merchantAccountCode"] = f"{item['merchantAccountCode']}:{moved}"
            item["merchantReference"] = rest
    return Webhook(webhook.headers, encode(message, "json"), webhook.url)


def _transplanted(webhook: Webhook, draft: Draft) -> Webhook:
    """The draft's items, each with the signature of the item that stood in its place."""
    message = decode(draft.body, "json")
    for item, other in zip(_items(message), _items(decode(webhook.body, "json")), strict=False):
        item["additionalData"] = other["additionalData"]
    return Webhook(webhook.headers, encode(message, "json"), webhook.url)


ADYEN_STANDARD = declare(
    Scheme(
        "adyen-standard",
        _sign,
        _verify,
        bytes.fromhex,
        raw_body=False,
        signed_items=True,
        alters={"shifted": _shifted, "transplanted": _transplanted},
    )
)
