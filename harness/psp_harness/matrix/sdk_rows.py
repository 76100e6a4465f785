"""What the rules say of published SDKs, in every way that each can be used, and whether it is what was found by hand.

Where a finding (`subjects/sdks/findings.py`) is reported by no rule, or a rule reports what nobody found, one is wrong:
the finding, the rule, or the SDK has changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from psp_harness import profile
from psp_harness.model import Claims, Errored, Known, Passed, Report, Result, Role, Skipped, Unexercised, Violated
from psp_harness.plan import CASE_RUNS
from psp_harness.run import Job, Progress, run
from psp_harness.subjects.sdks import USES, Use
from psp_harness.subjects.sdks.adapter import load
from psp_harness.subjects.sdks.findings import FINDINGS

AT_ONCE = 4
"""Runs at one time: what waits for an answer must not wait for a processor."""

ANSWER_TIMEOUT = 3.0
"""Seconds."""

_WORST_FIRST = (Violated, Errored, Known, Passed, Unexercised, Skipped)


@dataclass(frozen=True, slots=True)
class Row:
    """One SDK in one way of use, and what the rules said of it."""

    use: Use
    claims: Claims
    results: Mapping[str, Result]
    """The worst by rule."""
    cases: Mapping[str, tuple[str, ...]]
    """By rule: where it is violated."""
    errored: tuple[str, ...]
    """Why something could not be told."""

    @property
    def reported(self) -> frozenset[str]:
        """The rules that it breaks."""
        return frozenset(self.cases)

    @property
    def expected(self) -> frozenset[str]:
        """The rules that must report it."""
        return frozenset(finding.rule for finding in FINDINGS if finding.holds_for(self.use))

    @property
    def is_in_defaults(self) -> bool:
        """Nothing was chosen."""
        return "?" not in self.use.address


async def rows(progress: Progress) -> Sequence[Row]:
    """Judge them, in the order in which they are declared; what could not be told is asked once more, alone."""
    gate = asyncio.Semaphore(AT_ONCE)
    for use in USES:
        load(use)  # now, for importing some of them takes as long as a client waits for an answer
    progress.planned(len(USES))

    async def one(use: Use) -> Row:
        async with gate:
            row = await _row(use)
        progress.done(use.address)
        return row

    found = await asyncio.gather(*(one(use) for use in USES))
    return [await _row(row.use) if row.errored else row for row in found]


async def _row(use: Use) -> Row:
    job = Job(Role.CLIENT, use.address, profile.load(use.sdk.profile), answer_timeout=ANSWER_TIMEOUT)
    return row_of(use, await run(job))


def row_of(use: Use, report: Report) -> Row:
    """What one run says of one way of use."""
    results: dict[str, Result] = {}
    cases: dict[str, tuple[str, ...]] = {}
    for verdict in (each for each in report.verdicts if each.rule != CASE_RUNS):
        results[verdict.rule] = min(results.get(verdict.rule, verdict.result), verdict.result, key=_badness)
        if isinstance(verdict.result, Violated):
            cases[verdict.rule] = (*cases.get(verdict.rule, ()), verdict.case)
    errored = tuple(f"{v.case}: {v.result.reason}" for v in report.verdicts if isinstance(v.result, Errored))
    return Row(use, report.subject, results, cases, errored)


def _badness(result: Result) -> int:
    return _WORST_FIRST.index(type(result))


def disagreements(row: Row) -> Sequence[str]:
    """What the rules say otherwise than the findings, one sentence each."""
    checked, installed = row.use.sdk.checked, row.claims.version
    return (
        *(f"nobody has explained {name}" for name in sorted(row.reported - row.expected)),
        *(f"{name} does not report it any more" for name in sorted(row.expected - row.reported)),
        *(f"{name} does not report it in {case} any more" for name, case in _not_shown(row)),
        *(f"could not be judged in {reason}" for reason in row.errored),
        *([f"{installed} is installed, and the findings are of {checked}"] if installed != checked else []),
    )


def _not_shown(row: Row) -> Iterator[tuple[str, str]]:
    """Cases that are said to show a finding, and do not, though others do."""
    for finding in FINDINGS:
        if finding.holds_for(row.use) and finding.rule in row.reported:
            yield from ((finding.rule, case) for case in finding.cases if case not in row.cases[finding.rule])
