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


def _never(_: object) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds for a project's file."""

    budgets: Mapping[str, Budget] = field(default_factory=dict)
    """By gate; a gate that is not named has none."""
    is_money_risk: Callable[[Row], bool] = _never
    """By what the row says."""
    is_risky_test: Callable[[str], bool] = _never
    """By the id of a test that a row was seen to name: a glob may say less than it names."""


UNLIMITED = Limits()


def beyond_limits(row: Row, gate: str, limits: Limits, today: date, risky: str = "") -> Iterator[str]:
    """What is wrong with one row at this gate, with what to do; `risky`: a money risk that it was seen to name."""
    if row.section not in GATES[gate].minds:
        return
    if row.since > today:
        yield (
            f"the row for {row.what!r} is to begin on {row.since} and excuses nothing before; "
            f"{row.owner}: correct `since`, which is the day on which it was written"
        )
    days = limits.budgets.get(gate, Budget()).days
    if days is not None and (age := (today - row.since).days) > days:
        yield (
            f"the row for {row.what!r} is {age} days old, and the budget of gate {gate} is {days}; "
            f"{row.owner}: fix the cause and release it"
        )
    if risky or limits.is_money_risk(row):
        yield from beyond_money_limits(row, risky)


def beyond_money_limits(row: Row, risky: str = "") -> Iterator[str]:
    """What a row about a double charge, a double refund or lost money must not be."""
    through = f"names {risky!r}, which " if risky not in {"", row.what} else ""
    about = f"the row for {row.what!r} {through}is a money risk"
    if len(row.owners) < MONEY_OWNERS:
        yield f"{about} and has the owner {row.owner!r} alone; name {MONEY_OWNERS}, as in `ann, bob`"
    if (days := (row.until - row.since).days) > MONEY_DAYS:
        yield (
            f"{about} and is to last {days} days, of which {MONEY_DAYS} are allowed; "
            f"{row.owner}: fix the cause until then"
        )


def can_be_renewed(row: Row, limits: Limits, today: date, risky: str = "") -> bool:
    """Whether there is a later day that it may have: a money risk has its days once, and no more of them."""
    is_risk = bool(risky) or limits.is_money_risk(row)
    return not is_risk or (today - row.since).days <= MONEY_DAYS


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
