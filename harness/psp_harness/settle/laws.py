"""The laws of quarantine, for whatever can be judged: what a row excuses, and when it no longer holds. Pure.

What must hold here: only a violation is ever excused, never an error; a row excuses its own rule, of its own subject,
at its gates, until its date, and nothing that another row says must pass there; of the rows whose cases or tests were
planned, one that names nothing, is expired, is beyond its limits, or says `broken` of what passes, fails the run and
says what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Generic, Protocol, TypeVar

from psp_harness.model import Errored, Passed, Result, Skipped, Violated
from psp_harness.quarantine import (
    FILE,
    UNLIMITED,
    Kind,
    Limits,
    Row,
    beyond_limits,
    can_be_renewed,
    gate_named,
    name_of,
    over_budget,
)


class Judged(Protocol):
    """Something that was judged, under a name that a row may say."""

    @property
    def id(self) -> str: ...

    @property
    def result(self) -> Result: ...


Thing = TypeVar("Thing", bound=Judged)


@dataclass(frozen=True, slots=True)
class Bearing(Generic[Thing]):
    """How a row bears on one sort of things."""

    is_of: Callable[[Row, Thing], bool]
    """The row names it and, if it was violated, expects just that violation."""
    leaves_open: Callable[[Row, Thing], bool]
    """It is why nobody can say how the row's rule stands: no proof that it passes again, nor that there is no such."""
    is_near: Callable[[Row, Thing], bool]
    """It stands where what the row names would stand: so that was planned."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The gate does not run what has this row."""

    row: Row


@dataclass(frozen=True, slots=True)
class Excused:
    """Violated, and known."""

    row: Row


@dataclass(slots=True)
class _Seen:
    """What a run showed of one row so far."""

    near: bool = False
    named: bool = False
    left_open: bool = False
    passed: str = ""
    """The first of what it names that passed."""
    is_exact: bool = False
    """What passed is all that it names."""
    risky: str = ""
    """The first of what it names whose failure could lose money."""


def _always(_: Row) -> bool:
    return True


@dataclass(slots=True)
class Watch(Generic[Thing]):
    """Rows at a gate, watching what is judged, one thing after the other: a million of them take no more room.

    `rows` are those about the subject; `whole`: of what a row may name everything was planned, so what was not seen is
    not there. Where somebody chose a part, a row counts if it names something of that part.
    """

    bearing: Bearing[Thing]
    rows: Sequence[Row]
    gate: str
    today: date
    limits: Limits = UNLIMITED
    whole: Callable[[Row], bool] = _always
    _seen: list[_Seen] = field(init=False)

    def __post_init__(self) -> None:
        """Nothing has been seen yet; raises `UsageError` for an unknown gate."""
        gate_named(self.gate)
        self._seen = [_Seen() for _ in self.rows]

    def see(self, thing: Thing) -> LeftOut | Excused | None:
        """Take note of what was judged; how the gate leaves it, where a row of its own changes that."""
        for row, seen in zip(self.rows, self._seen, strict=True):
            _note(seen, row, thing, self.bearing)
            if not seen.risky and self.bearing.is_of(row, thing) and self.limits.is_risky_test(thing.id):
                seen.risky = thing.id
        return self.fate(thing)

    def fate(self, thing: Thing) -> LeftOut | Excused | None:
        """How the gate leaves it, without taking note.

        Of several rows the strictest counts: what one of them says must pass here is excused by no other, and an
        expired one still says it.
        """
        gate, rows = gate_named(self.gate), self.rows_of(thing)
        if any(row.section in gate.blocks for row in rows):
            return None
        for row in (each for each in rows if each.is_in_force(self.today)):
            if row.section in gate.leaves_out and not isinstance(thing.result, (Errored, Skipped)):
                return LeftOut(row)
            if row.section in gate.excuses and isinstance(thing.result, Violated):
                return Excused(row)
        return None

    def rows_of(self, thing: Thing) -> list[Row]:
        """The rows that name it, expired or not."""
        return [row for row in self.rows if self.bearing.is_of(row, thing)]

    def is_quarantined(self, thing: Thing) -> bool:
        """Some row bears on it."""
        return any(self.bearing.is_of(row, thing) or self.bearing.leaves_open(row, thing) for row in self.rows)

    def passes_again(self, thing: Thing) -> str:
        """What is to be done about a row that says `broken` of what passed; empty where there is none."""
        if not isinstance(thing.result, Passed):
            return ""
        stale = (
            _passes_again(row, thing.id, is_exact=row.what == thing.id)
            for row in self.rows
            if self._is_broken(row) and not row.is_expired(self.today) and self.bearing.is_of(row, thing)
        )
        return next(stale, "")

    def stale(self) -> Iterator[str]:
        """Rows that what was seen shows to be wrong, and limits that are passed: one sentence each."""
        for row, seen in zip(self.rows, self._seen, strict=True):
            if seen.near:
                yield from (f"{FILE} line {row.line}: {why}" for why in self._why_stale(row, seen))

    def over_budget(self, rows: Sequence[Row]) -> Iterator[str]:
        """Whether the whole file is beyond the gate's budget."""
        return over_budget(rows, self.gate, self.limits)

    def _why_stale(self, row: Row, seen: _Seen) -> Iterator[str]:
        if not seen.named and not self.whole(row):
            return
        if row.is_expired(self.today):
            if row.section in gate_named(self.gate).minds:
                yield _expired(row, renewable=can_be_renewed(row, self.limits, self.today, seen.risky))
                return
        else:
            yield from beyond_limits(row, self.gate, self.limits, self.today, seen.risky)
        if not seen.named:
            if not seen.left_open:
                yield _names_nothing(row)
        elif seen.passed and self._is_broken(row):
            yield _passes_again(row, seen.passed, is_exact=seen.is_exact)

    def _is_broken(self, row: Row) -> bool:
        return row.kind is Kind.BROKEN and row.section not in gate_named(self.gate).leaves_out


def _note(seen: _Seen, row: Row, thing: Thing, bearing: Bearing[Thing]) -> None:
    seen.near = seen.near or bearing.is_near(row, thing)
    if bearing.is_of(row, thing):
        seen.named = True
        if isinstance(thing.result, Passed):
            seen.passed = seen.passed or thing.id
            seen.is_exact = seen.is_exact or row.what == thing.id
    seen.left_open = seen.left_open or bearing.leaves_open(row, thing)


def quarantined(row: Row) -> str:
    """A row as a reason: whoever reads it learns why, until when, and who sees to it."""
    return (
        f"{row.reason} (quarantined in {FILE}, line {row.line}: {row.section} {row.section.meaning}, "
        f"{row.kind} until {row.until}, owner {row.owner}, issue {row.issue})"
    )


def not_run(row: Row) -> str:
    """Why a gate did not run what has this row."""
    return f"not run at this gate: {quarantined(row)}"


def _expired(row: Row, *, renewable: bool) -> str:
    do = "fix the cause and take the row out" + (", or renew `until` with a reason" if renewable else "")
    return f"the row for {row.what!r} expired on {row.until} and excuses nothing any more; {row.owner}: {do}"


def _names_nothing(row: Row) -> str:
    return (
        f"the row for {row.what!r} and rule {row.rule!r} names no verdict and no test of this run, "
        "though what would stand beside it was run; "
        "correct `what` or `rule`, or take the row out"
    )


def _passes_again(row: Row, passed: str, *, is_exact: bool) -> str:
    do = f"take the row out, with proof: psp-harness quarantine release {name_of(row.what)!r}"
    do += "" if is_exact else ", or let `what` name only what still fails"
    return f"the row says that it is broken, but {passed!r} passed; {do}"
