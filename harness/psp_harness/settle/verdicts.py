"""Settle verdicts of ours: defects that the profile lists, then the rows of QUARANTINE.md. Pure.

What must hold here: without a gate no row counts, neither for nor against.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import assert_never

from psp_harness.model import Errored, Known, Level, Passed, Skipped, Unexercised, Verdict, Violated
from psp_harness.profile import Profile
from psp_harness.quarantine import UNLIMITED, Limits, Row, Runs, gate_named, names, names_case, speaks_of
from psp_harness.settle.laws import Bearing, Excused, LeftOut, Watch, not_run, quarantined
from psp_harness.vocabulary import ANY_CASE


@dataclass(frozen=True, slots=True)
class Settled:
    """What a run says in the end."""

    verdicts: tuple[Verdict, ...]
    stale: tuple[str, ...]
    """Rows of QUARANTINE.md that this run shows to be wrong: one sentence each."""


def settle(  # noqa: PLR0913 - all that a run knows
    verdicts: Iterable[Verdict],
    *,
    profile: Profile,
    subject: str,
    rows: Sequence[Row],
    gate: str | None,
    today: date,
    limits: Limits = UNLIMITED,
    whole: bool = True,
) -> Settled:
    """Excuse what is known. `subject` is its address; `whole`: `verdicts` are all those of the cases that were driven.

    Raises `UsageError` for an unknown gate.
    """
    judged = tuple(_with_defects(verdict, profile) for verdict in verdicts)
    if gate is None:
        return Settled(judged, ())
    about = [row for row in rows if names(row.subject, subject)]
    watch = Watch(OF_VERDICTS, about, gate, today, limits, whole=lambda _: whole)
    alone = gate_named(gate).runs is Runs.QUARANTINED
    settled = [(verdict, watch.see(verdict)) for verdict in judged]
    left = tuple(_left(verdict, fate) for verdict, fate in settled if not alone or watch.is_quarantined(verdict))
    return Settled(left, (*watch.stale(), *watch.over_budget(rows)))


def exit_status(verdicts: Iterable[Verdict], stale: Sequence[str], *, strict: bool) -> int:
    """1: a MUST is violated (`strict`: or a SHOULD); else 2: something cannot be told; else 0."""
    results = [(verdict.level, verdict.result) for verdict in verdicts]
    if any(isinstance(result, Violated) and (strict or level is Level.MUST) for level, result in results):
        return 1
    untold = (Errored, Unexercised) if strict else (Errored,)
    return 2 if stale or any(isinstance(result, untold) for _, result in results) else 0


def _with_defects(verdict: Verdict, profile: Profile) -> Verdict:
    for defect in profile.defects:
        if isinstance(verdict.result, Violated) and verdict.rule in defect.rules:
            where = f"known defect {defect.id!r} of {profile.title}; source: {defect.source}"
            return _known(verdict, verdict.result, f"{defect.says} ({where})")
    return verdict


def _left(verdict: Verdict, fate: LeftOut | Excused | None) -> Verdict:
    """The verdict as the gate leaves it."""
    match fate, verdict.result:
        case LeftOut(row), _:
            return replace(verdict, result=Skipped(not_run(row)))
        case Excused(row), Violated() as violated:
            return _known(verdict, violated, quarantined(row))
        case _:
            return verdict


def _known(verdict: Verdict, violated: Violated, reason: str) -> Verdict:
    return replace(verdict, result=Known(violated.occasions, violated.problems, reason))


# --- how a row bears on a verdict ---------------------------------------------------------------------------------


def _is_of(row: Row, verdict: Verdict) -> bool:
    return speaks_of(row, verdict.id, verdict.rule)


def _names_case_of(row: Row, verdict: Verdict) -> bool:
    """The row speaks of the verdict's case: some id in that case, also one that no verdict has, is named by it."""
    return names(row.what, verdict.id) or names_case(row, f"{verdict.role}/{verdict.profile}/{verdict.case}")


def _leaves_open(row: Row, verdict: Verdict) -> bool:
    match verdict.result:
        case Errored():
            return _names_case_of(row, verdict)
        case Skipped() | Unexercised():
            is_of_all = verdict.case == ANY_CASE and row.rule == verdict.rule
            return is_of_all or _names_case_of(row, verdict)
        case Passed() | Violated() | Known():
            return False
        case _ as never:
            assert_never(never)


OF_VERDICTS: Bearing[Verdict] = Bearing(is_of=_is_of, leaves_open=_leaves_open, is_near=_names_case_of)
