"""Messages as templates: one description of a body serves to write it and to read it.

A leaf `"{amount}"` stands for a value: `fill` puts it there, `read` takes it from there. A leaf that is anything else
is fixed. A member whose value is not given is left out. What stands behind a bar says how a value is written:

    {currency|lower}     in lower case; read as the upper-case code, as ISO 4217 has it
    {amount|decimal}     as decimal text, with the decimals of the message's `currency`; read as minor units
    {credential|base64}  as HTTP Basic authentication has it (RFC 7617); only written
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode

from psp_harness.minor_units import as_decimal, from_decimal

Json = object
"""What `json.loads` gives."""

ABSENT: Final = object()
"""No value: the member is left out. `None` is a value: JSON's null."""

_HOLE = re.compile(r"\{([a-z_]+)(?:\|(lower|decimal|base64))?\}")
_BRACKETS = re.compile(r"\[([^\]]*)\]")
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")
"""Whole numbers that are written again as they were: `007` is text."""


def holes(template: Json) -> frozenset[str]:
    """The names of all values that a template has a place for."""
    return frozenset(match[1] for leaf in _leaves(template) for match in _HOLE.finditer(leaf))


def _leaves(template: Json) -> Iterator[str]:
    if isinstance(template, str):
        yield template
    elif isinstance(template, Mapping):
        for member in template.values():
            yield from _leaves(member)
    elif isinstance(template, list):
        for member in template:
            yield from _leaves(member)


def fill(template: Json, values: Mapping[str, object]) -> Json:
    """The message with its values in place; `ABSENT` for a leaf whose value is not given."""
    if isinstance(template, Mapping):
        members = {name: fill(member, values) for name, member in template.items()}
        return {name: member for name, member in members.items() if member is not ABSENT} if members else {}
    if isinstance(template, list):
        return [fill(member, values) for member in template]
    if isinstance(template, str):
        return _fill_leaf(template, values)
    return template


def _fill_leaf(leaf: str, values: Mapping[str, object]) -> Json:
    whole = _HOLE.fullmatch(leaf)
    if whole is None:
        return _HOLE.sub(lambda hole: str(_written(hole[2], values[hole[1]], values)), leaf)
    return _written(whole[2], values.get(whole[1], ABSENT), values)


def _written(how: str | None, value: object, values: Mapping[str, object]) -> Json:
    if how == "lower" and isinstance(value, str):
        return value.lower()
    if how == "decimal" and isinstance(value, int):
        return as_decimal(value, str(values.get("currency")))
    if how == "base64" and isinstance(value, str):
        return base64.b64encode(value.encode()).decode()
    return value


@dataclass(frozen=True, slots=True)
class _Decimal:
    """An amount that cannot be read before the whole message is: its currency may stand behind it."""

    text: object


def read(template: Json, message: Json, *, strict: bool = False) -> dict[str, object] | None:
    """The values of a message; None where it has another shape, or (`strict`) where a fixed member differs.

    A decimal amount that is none, or has no currency beside it, is no value.
    """
    values = _read(template, message, strict=strict)
    if values is None or not any(isinstance(value, _Decimal) for value in values.values()):
        return values
    currency = values.get("currency")
    exact = {
        name: from_decimal(value.text, currency) if isinstance(value, _Decimal) else value
        for name, value in values.items()
    }
    return {name: value for name, value in exact.items() if value is not None or values[name] is None}


def _read(template: Json, message: Json, *, strict: bool) -> dict[str, object] | None:
    if isinstance(template, Mapping):
        return _read_members(template, message, strict=strict)
    if isinstance(template, list) and holes(template):
        return _read_items(template, message, strict=strict)
    if isinstance(template, str) and (hole := _HOLE.fullmatch(template)):
        return {hole[1]: _taken(hole[2], message)}
    return None if strict and template != message and not holes(template) else {}


def _taken(how: str | None, value: Json) -> object:
    if how == "decimal":
        return _Decimal(value)
    return value.upper() if how == "lower" and isinstance(value, str) else value


def _read_items(template: list[Json], message: Json, *, strict: bool) -> dict[str, object] | None:
    """Item by item; a message may have more of them."""
    if not isinstance(message, list):
        return None
    if len(message) < len(template):
        return None if strict else {}
    values: dict[str, object] = {}
    for expected, item in zip(template, message, strict=False):
        found = _read(expected, item, strict=strict)
        if found is None and strict:
            return None
        values |= found or {}
    return values


def _is_fixed(template: Json) -> bool:
    """Whether some part of it has to stand in a message as it is."""
    if isinstance(template, Mapping):
        return any(_is_fixed(member) for member in template.values())
    if isinstance(template, list):
        return any(_is_fixed(item) for item in template)
    return not (isinstance(template, str) and holes(template))


def _read_members(template: Mapping[str, Json], message: Json, *, strict: bool) -> dict[str, object] | None:
    if not isinstance(message, Mapping):
        return None
    values: dict[str, object] = {}
    for name, member in template.items():
        if name not in message:
            if strict and _is_fixed(member):
                return None
            continue
        found = _read(member, message[name], strict=strict)
        if found is None:
            if strict:
                return None
            continue
        values |= found
    return values


def match_path(template: str, path: str) -> dict[str, str] | None:
    """The values in a path such as `/payments/{payment_id}`; None where the path is another one."""
    pattern = "".join(
        f"(?P<{part[1:-1]}>[^/]+)" if _HOLE.fullmatch(part) else re.escape(part)
        for part in re.split(r"(\{[a-z_]+\})", template.partition("?")[0])
    )
    found = re.fullmatch(pattern, path.partition("?")[0])
    return found.groupdict() if found else None


def encode(message: Json, encoding: str) -> bytes:
    """A body as `json` or `form` (brackets for nested members, as Stripe's API takes them)."""
    if encoding == "form":
        return urlencode(list(_pairs(message))).encode()
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()


def _pairs(message: Json, prefix: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(message, Mapping):
        for name, member in message.items():
            yield from _pairs(member, f"{prefix}[{name}]" if prefix else name)
    elif isinstance(message, list):
        for index, member in enumerate(message):
            yield from _pairs(member, f"{prefix}[{index}]")
    else:
        yield prefix, message if isinstance(message, str) else json.dumps(message)


def decode(body: bytes, encoding: str) -> Json:
    """A body as values, or `ABSENT` where it is none. In a form, whole numbers are read as integers."""
    try:
        text = body.decode()
        return _tree(text) if encoding == "form" else json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return ABSENT


def _no_constant(name: str) -> Json:
    message = f"{name} is no JSON (RFC 8259 §6)"
    raise ValueError(message)


def _tree(text: str) -> dict[str, Json]:
    root: dict[str, Json] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        path = [name.partition("[")[0], *_BRACKETS.findall(name)]
        node = root
        for part in path[:-1]:
            child = node.setdefault(part, {})
            node = child if isinstance(child, dict) else {}
        node[path[-1]] = int(value) if _WHOLE.fullmatch(value) else value
    return root
