"""Faults as people write them on a command line: `response-lost:create-payment:1`.

NAME:OPERATION[:REQUESTS][:OPTION=VALUE]…     REQUESTS: 1 · 2,3 · 1-3, in the order of arrival; all unless told
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from psp_harness import faults
from psp_harness.drive.local import strike_on
from psp_harness.errors import UsageError
from psp_harness.faults import Fault
from psp_harness.model import Strike
from psp_harness.profile import Profile
from psp_harness.registry import suggest

Value = int | float | str | bool

MAX_REQUEST = 10_000
"""The last request that a fault can be made to strike by its number."""

_RANGE = re.compile(r"([1-9]\d{0,4})(?:-([1-9]\d{0,4}))?")
_WORDS: Mapping[str, bool] = {"true": True, "false": False}


def strikes_of(texts: Sequence[str], profile: Profile) -> tuple[Strike, ...]:
    """The strikes that these texts ask for. Raises `UsageError` with what was expected."""
    return tuple(_strike(text, profile) for text in texts)


def _strike(text: str, profile: Profile) -> Strike:
    name, *more = text.split(":")
    fault = faults.load().named(name)
    operation = more.pop(0) if more else ""
    if not operation:
        raise UsageError(
            f"--fault {text!r} does not say which requests it strikes",
            do=f"name an operation, and perhaps which of its requests: {name}:create-payment:1",
        )
    if operation not in profile.operations:
        raise UsageError(
            f"--fault {text!r} strikes {operation!r}, which is no operation of profile {profile.name!r}",
            do=f"write {name}:create-payment:1; {suggest(operation, profile.operations)}",
        )
    attempts: tuple[int, ...] = ()
    options: dict[str, Value] = {}
    for part in more:
        if "=" in part:
            options |= _option(text, part, fault)
        else:
            attempts += _requests(text, part)
    return strike_on(operation, name, attempts, options)


def _requests(text: str, part: str) -> tuple[int, ...]:
    found = [_RANGE.fullmatch(each) for each in part.split(",")]
    numbers = [n for each in found if each for n in range(int(each[1]), int(each[2] or each[1]) + 1)]
    if not all(found) or not numbers or max(numbers) > MAX_REQUEST:
        raise UsageError(
            f"--fault {text!r}: {part!r} names no requests",
            do=f"count them from 1 to {MAX_REQUEST}, in the order of arrival: 1 or 2,3 or 1-3; without it, all",
        )
    return tuple(numbers)


def _option(text: str, part: str, fault: Fault) -> dict[str, Value]:
    name, _, written = part.partition("=")
    if name not in fault.options:
        known = suggest(name, fault.options) if fault.options else "it takes none"
        raise UsageError(f"--fault {text!r}: {fault.id} has no option {name!r}", do=known)
    kind = fault.options[name]
    try:
        value = _WORDS[written] if kind is bool else kind(written)
        expected = faults.expected_of(name, value)
    except (KeyError, ValueError):
        expected = "true or false" if kind is bool else f"{kind.__name__}"
    if expected:
        raise UsageError(f"--fault {text!r}: {name} is {written!r}", do=f"expected {expected}")
    return {name: value}
