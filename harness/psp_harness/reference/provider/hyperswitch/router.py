"""The API as the provider wants it: a request is brought to its route, and let in or not."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote
from uuid import UUID

from psp_harness.model import Answer, Request
from psp_harness.reference.provider.api import Work, World
from psp_harness.reference.provider.dialect import Call
from psp_harness.reference.provider.fingerprint import fingerprint
from psp_harness.reference.provider.hyperswitch import (
    accounts,
    api_keys,
    connectors,
    customers,
    disputes,
    evidence,
    mandates,
    payments,
    payouts,
    refunds,
)
from psp_harness.reference.provider.hyperswitch.access import who
from psp_harness.reference.provider.hyperswitch.asked import Asked, Route
from psp_harness.reference.provider.ledger import Refusal
from psp_harness.reference.provider.policy import Keyed, Unkeyed, read_key
from psp_harness.template import decode, match_path

ROUTES: Final = (
    *payments.ROUTES,
    *refunds.ROUTES,
    *payouts.ROUTES,
    *mandates.ROUTES,
    *customers.ROUTES,
    *accounts.ROUTES,
    *api_keys.ROUTES,
    *connectors.ROUTES,
    *disputes.ROUTES,
    *evidence.ROUTES,
    *disputes.ONE,
)
"""The first that matches answers."""

_CONTROL = re.compile("[\x00-\x1f\ud800-\udfff]")

_ALWAYS: Final = ((b"strict-transport-security", b"max-age=31536000"), (b"via", b"HyperSwitch"))
"""Header lines of every answer (crates/router/src/middleware.rs:14-26)."""


@dataclass(frozen=True, slots=True)
class HyperswitchApi:
    """Version 1."""

    world: World

    async def admit(self, request: Request) -> tuple[str, Call] | Refusal:
        """The route comes first: it says which key is wanted."""
        path, _, query = request.target.partition("?")
        fitting = list(_fitting(path))
        found = next((each for each in fitting if each[0].method == request.method), None)
        if found is None:
            return Refusal("wrong-method" if fitting else "unknown-route", f"there is no {request.method} {path}")
        route, values = found
        shown = await who(self.world, route.door, request, values.get("merchant_id"))
        if isinstance(shown, Refusal):
            return shown
        tenant, holder = shown
        body = decode(request.body, "json") if request.body or request.method == "POST" else {}
        told = fingerprint(route.operation, "json", request)
        asked = dict(parse_qsl(query))
        return tenant, Asked(route.operation, values, told, tenant, holder, values, asked, body, route, request)

    def changes(self, call: Call) -> bool:
        """Whether its route prepares a change."""
        return _asked(call).route.prepare is not None

    def key_of(self, call: Call, request: Request) -> Keyed | Unkeyed | Refusal:
        """By the facts of the profile, where money moves."""
        as_ = _asked(call).route.keyed_as
        return read_key(self.world.profile, as_, request) if as_ else Unkeyed()

    async def prepare(self, tenant: str, call: Call) -> Work | Refusal:  # noqa: ARG002 - it stands in the call
        """What its room makes of it."""
        asked = _asked(call)
        assert asked.route.prepare is not None, "it changes something"
        return await asked.route.prepare(self.world, asked)

    async def read(self, tenant: str, call: Call, request: Request) -> Answer | Refusal:  # noqa: ARG002
        """What its room shows."""
        asked = _asked(call)
        assert asked.route.show is not None, "it changes nothing"
        return await asked.route.show(self.world, asked)

    def dressed(self, answer: Answer) -> Answer:
        """With the header lines of every answer, and an id that the caller has no say in."""
        id_ = (b"x-request-id", str(_uuid7()).encode())
        return Answer(answer.status, (*answer.headers, id_, *_ALWAYS), answer.body)


def _fitting(path: str) -> Iterator[tuple[Route, Mapping[str, str]]]:
    """Routes of that path, whatever their method; a value that no id can have fits none."""
    for route in ROUTES:
        values = match_path(route.path, path)
        if values is None:
            continue
        plain = {name: unquote(value) for name, value in values.items()}
        if not any(_CONTROL.search(value) for value in plain.values()):
            yield route, plain


def _asked(call: Call) -> Asked:
    assert isinstance(call, Asked), "admit made it"
    return call


def _uuid7() -> UUID:
    """Milliseconds since 1970 and random bits (RFC 9562 §5.7)."""
    millis = int(time.time() * 1000) & (2**48 - 1)
    return UUID(int=millis << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62))
