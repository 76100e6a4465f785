"""A step as a request, in the words of a profile: exactly as the case wants it, however odd."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from psp_harness.model import Headers, Intent, Request
from psp_harness.profile import Operation, Profile, write_key
from psp_harness.template import Json, encode, fill
from psp_harness.vocabulary import HEALTH
from psp_harness.wire.caller import Target

_TYPES = {"form": b"application/x-www-form-urlencoded", "json": b"application/json"}
_ODD = "\ue000"
"""Stands for an odd amount until the body is bytes: a character that no case writes."""


def compose(profile: Profile, intent: Intent, above_id: str, credential: str, target: Target) -> Request:
    """The request of one step, and of what has `above_id`: route, credential, body, and the key as it is."""
    route = profile.operations[intent.operation]
    values = _values(profile, intent, above_id)
    path = target.prefix + str(fill(route.path, {name: quote(str(value)) for name, value in values.items()}))
    headers = common_headers(profile, credential, target)
    if intent.operation in HEALTH:
        headers = tuple(line for line in headers if line[0].decode() != profile.auth.header)
    if route.method == "GET":
        return Request("GET", path, (*headers, *_key_lines(profile, intent), *_further(intent)), b"")
    body = _body(route, intent, values, _key_member(profile, intent))
    described = ((b"Content-Type", _TYPES[route.encoding]), (b"Content-Length", str(len(body)).encode()))
    return Request(route.method, path, (*headers, *described, *_key_lines(profile, intent), *_further(intent)), body)


def common_headers(profile: Profile, credential: str, target: Target) -> Headers:
    """What every request to a provider has."""
    return (
        (b"Host", target.authority.encode()),
        (profile.auth.header.encode(), str(fill(profile.auth.value, {"credential": credential})).encode()),
        (b"Accept", b"application/json"),
        (b"Connection", b"close"),
    )


def _values(profile: Profile, intent: Intent, above_id: str) -> Mapping[str, object]:
    values: dict[str, object] = {
        "amount": intent.amount if intent.odd_amount is None else _ODD,
        "currency": intent.currency,
        "reference": intent.reference,
        "token": profile.cards.get(intent.card, "psp_harness_token"),
    }
    if profile.captures is not None:
        values["capture"] = profile.captures.later if intent.captured_later else profile.captures.at_once
    if above_id:
        values |= {"payment_id": above_id, "id": above_id}
    return values | ({"chosen_id": intent.chosen_id} if intent.chosen_id is not None else {})


def _body(route: Operation, intent: Intent, values: Mapping[str, object], key: Mapping[str, str]) -> bytes:
    """The body; an odd amount stands in it as the case wrote it, without quotes of ours."""
    message = fill(route.request, values)
    message = {**message, **key} if isinstance(message, Mapping) else message
    raw = _in_manner(message, route.encoding, intent.manner.body)
    odd = (intent.odd_amount or "").encode()
    quoted = json.dumps(_ODD, ensure_ascii=False).encode()
    return raw.replace(quoted, odd).replace(quote(_ODD).encode(), quote(odd.strip(b'"')).encode())


def _in_manner(message: Json, encoding: str, manner: str) -> bytes:
    if manner == "reordered" and isinstance(message, Mapping):
        message = dict(reversed(list(message.items())))
    return json.dumps(message, indent=2).encode() if manner == "spaced" else encode(message, encoding)


def _key_member(profile: Profile, intent: Intent) -> Mapping[str, str]:
    if profile.key is None or profile.key.carrier != "body" or intent.key is None:
        return {}
    return {profile.key.name: intent.key.decode(errors="backslashreplace")}


def _key_lines(profile: Profile, intent: Intent) -> Iterator[tuple[bytes, bytes]]:
    if profile.key is not None and profile.key.carrier == "header" and intent.key is not None:
        name = profile.key.name.encode()
        yield name, write_key(profile, intent.key) if intent.key else b""
        yield from ((name, line) for line in intent.manner.key_lines)


def _further(intent: Intent) -> Iterator[tuple[bytes, bytes]]:
    return ((name.encode(), value.encode()) for name, value in intent.manner.headers)
