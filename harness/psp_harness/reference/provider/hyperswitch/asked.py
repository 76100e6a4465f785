"""A request to Hyperswitch as it was understood: which route, whose, with which key, and with what in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from psp_harness.model import Answer, Request
from psp_harness.reference.provider.api import Work, World
from psp_harness.reference.provider.dialect import Call
from psp_harness.reference.provider.ledger import Refusal
from psp_harness.template import Json


class Holder(StrEnum):
    """What the caller showed."""

    SECRET = "secret"  # noqa: S105 - the word, no password
    PUBLISHABLE = "publishable"
    """A key that browsers have: what it asks for needs the payment's client secret as well."""
    ADMIN = "admin"


class Door(StrEnum):
    """Which of them a route lets in."""

    SECRET = "secret"  # noqa: S105 - the word, no password
    EITHER = "either"
    """A secret or a publishable key; here a missing one is 400, not 401 (services/authentication.rs:5852-5889)."""
    ADMIN = "admin"
    MERCHANT = "merchant"
    """The admin, or the merchant that the path names."""


@dataclass(frozen=True, slots=True)
class Asked(Call):
    """A call with all that this API wants to know of it. `values` are those of the path."""

    tenant: str
    holder: Holder
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Json
    """`ABSENT` where it cannot be read."""
    route: Route
    request: Request
    """As it came: a form with files is no JSON."""


Prepare = Callable[[World, Asked], Awaitable[Work | Refusal]]
Show = Callable[[World, Asked], Awaitable[Answer | Refusal]]


@dataclass(frozen=True, slots=True)
class Route:
    """One route: where it is, who may ask, and who answers."""

    operation: str
    method: str
    path: str
    door: Door
    prepare: Prepare | None = None
    """Of a change."""
    show: Show | None = None
    """Of a read."""
    keyed_as: str = ""
    """The operation whose facts on idempotency keys hold here; none: no key is read."""
