"""Settle the verdicts of a run: what is known is no news, and what no longer holds of QUARANTINE.md is. Pure.

What must hold here: only a violation is ever excused, never an error; a row excuses its own rule, of its own subject,
at its gates, until its date; without a gate no row counts, neither for nor against.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import assert_never

from psp_harness.model import Errored, Known, Level, Passed, Skipped, Unexercised, Verdict, Violated
from psp_harness.profile import Profile
from psp_harness.quarantine import FILE, Gate, Kind, Row, gate_named, names, names_case, speaks_of


@dataclass(frozen=True, slots=True)
class Settled:
    """What a run says in the end."""

    verdicts: tuple[Verdict, ...]
    stale: tuple[str, ...]
    """Rows of QUARANTINE.md that this run shows to be wrong: one sentence each."""


def settle(
    verdicts: Iterable[Verdict],
    *,
    profile: Profile,
    subject: str,
    rows: Sequence[Row],
    gate: str | None,
    today: date,
) -> Settled:
    """Excuse what is known. `subject` is its address; `verdicts` are all those of the cases that were driven.

    Raises `UsageError` for an unknown gate.
    """
    judged = tuple(_with_defects(verdict, profile) for verdict in verdicts)
    if gate is None:
        return Settled(judged, ())
    at = gate_named(gate)
    about = [row for row in rows if names(row.subject, subject)]
    run = [v for v in judged if not at.runs_the_quarantined_alone or any(_bears_on(row, v) for row in about)]
    settled = tuple(_with_rows(verdict, [row for row in about if _is_of(row, verdict)], at, today) for verdict in run)
    return Settled(settled, tuple(_stale(about, judged, at, today)))


def exit_status(verdicts: Iterable[Verdict], stale: Sequence[str], *, strict: bool) -> int:
    """1: a MUST is violated (`strict`: or a SHOULD); else 2: something cannot be told; else 0."""
    results = [(verdict.level, verdict.result) for verdict in verdicts]
    if any(isinstance(result, Violated) and (strict or level is Level.MUST) for level, result in results):
        return 1
    untold = (Errored, Unexercised) if strict else (Errored,)
    return 2 if stale or any(isinstance(result, untold) for _, result in results) else 0


# --- excusing -----------------------------------------------------------------------------------------------------


def _with_defects(verdict: Verdict, profile: Profile) -> Verdict:
    for defect in profile.defects:
        if isinstance(verdict.result, Violated) and verdict.rule in defect.rules:
            where = f"known defect {defect.id!r} of {profile.title}; source: {defect.source}"
            return _known(verdict, verdict.result, f"{defect.says} ({where})")
    return verdict


def _with_rows(verdict: Verdict, rows: Sequence[Row], gate: Gate, today: date) -> Verdict:
    """The verdict as its own rows leave it at this gate."""
    for row in rows:
        if row.is_expired(today):
            continue
        if row.section in gate.leaves_out and not isinstance(verdict.result, (Errored, Skipped)):
            return replace(verdict, result=Skipped(f"not run at this gate: {_quarantined(row)}"))
        if row.section in gate.excuses and isinstance(verdict.result, Violated):
            return _known(verdict, verdict.result, _quarantined(row))
    return verdict


def _known(verdict: Verdict, violated: Violated, reason: str) -> Verdict:
    return replace(verdict, result=Known(violated.occasions, violated.problems, reason))


def _quarantined(row: Row) -> str:
    return (
        f"{row.reason} (quarantined in {FILE}, line {row.line}: {row.section} {row.section.meaning}, "
        f"{row.kind} until {row.until}, owner {row.owner}, issue {row.issue})"
    )


# --- what a row is about ------------------------------------------------------------------------------------------


def _is_of(row: Row, verdict: Verdict) -> bool:
    return speaks_of(row, verdict.id, verdict.rule)


def _names_case_of(row: Row, verdict: Verdict) -> bool:
    """The row speaks of the verdict's case: some id in that case, also one that no verdict has, is named by it."""
    return names(row.what, verdict.id) or names_case(row, f"{verdict.role}/{verdict.profile}/{verdict.case}")


def _leaves_open(row: Row, verdict: Verdict) -> bool:
    """Whether this verdict is why the run cannot say how the row's rule stands: no proof that it passes again."""
    match verdict.result:
        case Errored():
            return _names_case_of(row, verdict)
        case Skipped() | Unexercised():
            return row.rule == verdict.rule or _names_case_of(row, verdict)
        case Passed() | Violated() | Known():
            return False
        case _ as never:
            assert_never(never)


def _bears_on(row: Row, verdict: Verdict) -> bool:
    return _is_of(row, verdict) or _leaves_open(row, verdict)


# --- what no longer holds -----------------------------------------------------------------------------------------


def _stale(rows: Iterable[Row], verdicts: Sequence[Verdict], gate: Gate, today: date) -> Iterator[str]:
    for row in rows:
        was_planned = any(_names_case_of(row, verdict) for verdict in verdicts)
        if was_planned and (why := _why_stale(row, verdicts, gate, today)):
            yield f"{FILE} line {row.line}: {why}"


def _why_stale(row: Row, verdicts: Sequence[Verdict], gate: Gate, today: date) -> str:
    if row.is_expired(today) and row.section in gate.excuses | gate.leaves_out:
        return (
            f"the row for {row.what!r} expired on {row.until} and excuses nothing any more; "
            f"{row.owner}: fix the cause and take the row out, or renew `until` with a reason"
        )
    mine = [verdict for verdict in verdicts if _is_of(row, verdict)]
    if not mine:
        return "" if any(_leaves_open(row, verdict) for verdict in verdicts) else _names_nothing(row)
    passed = [verdict.id for verdict in mine if isinstance(verdict.result, Passed)]
    if passed and row.kind is Kind.BROKEN and row.section not in gate.leaves_out:
        return f"the row says that it is broken, but {passed[0]!r} passed; {_after_a_pass(row, passed)}"
    return ""


def _names_nothing(row: Row) -> str:
    return (
        f"the row for {row.what!r} and rule {row.rule!r} names no verdict of this run, though its case was run; "
        "correct `what` or `rule`, or take the row out"
    )


def _after_a_pass(row: Row, passed: Sequence[str]) -> str:
    return "take the row out" if row.what in passed else "take the row out, or let `what` name only what still fails"
