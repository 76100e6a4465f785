"""What bodies must look like, and what is said of one that does not (crates/router/src/utils.rs:68-116).

Everything that cannot be deserialised is one and the same refusal, `invalid`; what can be, and is wrong all the same,
has a reason of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, TypeVar

import msgspec

from psp_harness.model import Answer
from psp_harness.reference.provider.ledger import Refusal
from psp_harness.template import Json, encode

T = TypeVar("T")

LIST_LIMIT: Final = 10
MOST_LISTED: Final = 100


def read(body: Json, wanted: type[T], *, others: frozenset[str] = frozenset()) -> T | Refusal:
    """The body as a struct; `others` are members that the API knows and that mean nothing here."""
    if not isinstance(body, Mapping):
        return Refusal("invalid", "Json deserialize error: expected one object")
    if not _can_be_written(body):
        return Refusal("invalid", "Json deserialize error: it has halves of surrogate pairs, or is nested too deep")
    understood = {name: member for name, member in body.items() if name not in others and member is not None}
    try:
        return msgspec.convert(understood, wanted)
    except msgspec.ValidationError as error:
        return Refusal("invalid", f"Json deserialize error: {error}")


def _can_be_written(body: Json) -> bool:
    """JSON can spell what UTF-8 cannot: halves of surrogate pairs."""
    try:
        encode(body, "json")
    except (UnicodeEncodeError, RecursionError):
        return False
    return True


def kept(body: Json, names: frozenset[str]) -> dict[str, Json]:
    """Those members of a body that are shown again as they came."""
    members = body if isinstance(body, Mapping) else {}
    return {name: member for name, member in members.items() if name in names and member is not None}


def missing(name: str) -> Refusal:
    """A parameter that is required, and is not there."""
    return Refusal("missing-parameter", f"{name} is missing", {"name": name})


def not_as_expected(name: str, expected: str) -> Refusal:
    """Data of the right type that is wrong."""
    return Refusal("invalid-data", f"{name} is not {expected}", {"name": name, "expected": expected})


def unknown(what: str) -> Refusal:
    """Nothing has that id."""
    return Refusal("not-found", f"{what} does not exist in our records")


def limit_of(query: Mapping[str, str], default: int = LIST_LIMIT) -> int | Refusal:
    """How many are asked for; from 1 to 100."""
    text = query.get("limit", str(default))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= MOST_LISTED):
        return Refusal("precondition", f"limit should be in between 1 and {MOST_LISTED}")
    return int(text)


def answer(message: Json) -> Answer:
    """200, in JSON."""
    return Answer(200, ((b"content-type", b"application/json"),), encode(message, "json"))


def when(seconds: float) -> str:
    """A time as this API writes it: three decimals and Z (crates/common_utils/src/custom_serde.rs:20-24)."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
