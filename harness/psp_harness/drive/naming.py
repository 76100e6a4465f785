"""What a request says of the order that it is for, beside where the profile looks for that. Pure.

A member or a header line *names an order* where its whole name says so: `order_id`, `metadata[invoiceNumber]`,
`X-Cart-Id`. What every request has by its profile names none; neither does a customer, who may order twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from psp_harness.model import Request
from psp_harness.profile import Profile
from psp_harness.template import Json, decode, holes

Place = tuple[str, ...]
"""Names of members, from the outside in."""

_WHOSE = "(?:x|our|my|merchant|external|shop|store)*"
_HOW = "(?:id|no|nr|num|number|code|uuid|key|ref|reference)*"
_ORDER = re.compile(
    f"{_WHOSE}(?:(?:order|invoice|cart|basket|booking|checkout){_HOW}|(?:ref|reference)(?:id|no|number)?)"
)
_REFUND = re.compile(f"{_WHOSE}(?:refund{_HOW}|(?:ref|reference)(?:id|no|number)?)")
"""An order may be given back in two equal parts: only what names the refund tells them apart."""
_NAMES: Mapping[str, re.Pattern[str]] = {"create-payment": _ORDER, "create-refund": _REFUND}

_OF_THE_ATTEMPT = re.compile(
    "attempt|retry|retries|timestamp|nonce|trace|correlation|requestid|idempotency|sentat|createdat"
)
"""In the name of what may be new at each attempt, and says nothing of what is wanted."""
_OF_SOMEBODY = re.compile(
    "customer|client|user|account|payer|buyer|card|token|mandate|method|source|merchant|tenant|phone|contact"
)
"""In the name of what tells two wishes apart, and is no new one at each attempt."""
_DRAWN = re.compile(
    r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-fA-F]{16,}|[0-9A-HJKMNP-TV-Z]{26}"
    r"|[12][0-9]{9}(?:[0-9]{3}|\.[0-9]+)?|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+.*"
)
"""What programs draw or read off a clock: a UUID, hexadecimal digits, a ULID, seconds or milliseconds, a time."""


def looks_for(profile: Profile, operation: str) -> str:
    """Where the profile looks for the caller's name of an order or refund, as its senders write it; empty: nowhere."""
    asked = profile.operations[operation]
    for place, leaf in _leaves(asked.request):
        if isinstance(leaf, str) and holes(leaf) & {"reference"}:
            nested = "[{}]" if asked.encoding == "form" else ".{}"
            return place[0] + "".join(nested.format(name) for name in place[1:])
    return ""


def names_in(profile: Profile, operation: str, request: Request) -> tuple[tuple[str, str], ...]:
    """Everything in body and headers that names an order (or a refund), by its place."""
    wanted = _NAMES[operation]
    of_the_profile = {place for place, _ in _leaves(profile.operations[operation].request)}
    members = (
        (".".join(place), str(leaf))
        for place, leaf in _leaves(decode(request.body, profile.operations[operation].encoding))
        if place not in of_the_profile and wanted.fullmatch(_plain(place)) and _is_name(leaf)
    )
    headers = ((name.decode("latin-1").lower(), value.decode("latin-1").strip()) for name, value in request.headers)
    lines = ((name, value) for name, value in headers if value and wanted.fullmatch(_plain((name,))))
    return tuple(sorted([*members, *lines]))


def rest_of(profile: Profile, operation: str, request: Request) -> object:
    """The body without the key, and without what may be new at each attempt: equal where two ask for the same."""
    read = decode(request.body, profile.operations[operation].encoding)
    if not isinstance(read, Mapping):
        return request.body
    key = (profile.key.name,) if profile.key is not None and profile.key.carrier == "body" else None
    return frozenset((place, _lasting(place, leaf)) for place, leaf in _leaves(read) if place != key)


def _lasting(place: Place, leaf: Json) -> str:
    """The value, if it is the same at each attempt."""
    name = _plain(place)
    is_drawn = _DRAWN.fullmatch(str(leaf)) is not None and not any(_OF_SOMEBODY.search(each.lower()) for each in place)
    return "new at each attempt, perhaps" if is_drawn or _OF_THE_ATTEMPT.search(name) else repr(leaf)


def _leaves(message: Json, at: Place = ()) -> Iterator[tuple[Place, Json]]:
    if isinstance(message, Mapping):
        for name, member in message.items():
            yield from _leaves(member, (*at, str(name)))
    elif isinstance(message, list):
        for number, item in enumerate(message):
            yield from _leaves(item, (*at, str(number)))
    elif at:
        yield at, message


def _plain(place: Place) -> str:
    """The last name alone, without what is between its words."""
    return re.sub("[^a-z0-9]", "", place[-1].lower())


def _is_name(leaf: Json) -> bool:
    return isinstance(leaf, (str, int)) and not isinstance(leaf, bool) and leaf != ""
