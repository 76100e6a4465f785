"""How much may be tolerated: a budget for each gate, and a shorter leash for what loses money.

A money-risk row is one whose rule, when violated, is a double charge, a double refund or lost money. Which rules those
are is said by the rules themselves; for the tests of other runners, by globs in the configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated

import msgspec

from psp_harness.quarantine.gates import GATES
from psp_harness.quarantine.row import FILE, Row

MONEY_OWNERS = 2
MONEY_DAYS = 14

_Count = Annotated[int, msgspec.Meta(ge=0)]


class Budget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a gate puts up with."""

    rows: _Count | None = None
    """At most so many rows that do anything at this gate."""
    days: _Count | None = None
    """None of them older, counted from `since`."""


def _never(_: Row) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds for a project's file."""

    budgets: Mapping[str, Budget] = field(default_factory=dict)
    """By gate; a gate that is not named has none."""
    is_money_risk: Callable[[Row], bool] = _never


UNLIMITED = Limits()


def beyond_limits(row: Row, gate: str, limits: Limits, today: date) -> Iterator[str]:
    """What is wrong with one row at this gate, a sentence each, with what to do."""
    if row.section not in GATES[gate].minds:
        return
    days = limits.budgets.get(gate, Budget()).days
    if days is not None and (age := (today - row.since).days) > days:
        yield (
            f"the row for {row.what!r} is {age} days old, and the budget of gate {gate} is {days}; "
            f"{row.owner}: fix the cause and release it"
        )
    if limits.is_money_risk(row):
        yield from beyond_money_limits(row)


def beyond_money_limits(row: Row) -> Iterator[str]:
    """What a row about a double charge, a double refund or lost money must not be."""
    about = f"the row for {row.what!r} is a money risk"
    if len(row.owners) < MONEY_OWNERS:
        yield f"{about} and has the owner {row.owner!r} alone; name {MONEY_OWNERS}, as in `ann, bob`"
    if (days := (row.until - row.since).days) > MONEY_DAYS:
        yield (
            f"{about} and is to last {days} days, of which {MONEY_DAYS} are allowed; "
            f"{row.owner}: fix the cause until then"
        )


def over_budget(rows: Iterable[Row], gate: str, limits: Limits) -> Iterator[str]:
    """Whether the file has more rows than the gate's budget."""
    most = limits.budgets.get(gate, Budget()).rows
    minded = [row for row in rows if row.section in GATES[gate].minds]
    if most is not None and len(minded) > most:
        oldest = min(minded, key=lambda row: row.since)
        yield (
            f"{FILE}: {len(minded)} row{'' if len(minded) == 1 else 's'} at gate {gate}, whose budget is {most}; "
            f"release some, the oldest first: {oldest.what!r} in line {oldest.line}, since {oldest.since}"
        )
