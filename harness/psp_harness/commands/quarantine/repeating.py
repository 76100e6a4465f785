"""A verdict that is quarantined, judged once more and alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import assert_never

from psp_harness import config
from psp_harness.commands.quarantine.repetition import Repetition
from psp_harness.errors import UsageError
from psp_harness.model import Errored, Known, Passed, Role, Skipped, Unexercised, Verdict, Violated
from psp_harness.quarantine import Row, is_glob, names, speaks_of
from psp_harness.reports import Clean
from psp_harness.run import run


def of_verdict(row: Row, address: str, settings: config.Config) -> Callable[[], Repetition]:
    """Judge what the row names, of that address, at no gate."""
    if is_glob(address):
        raise UsageError(
            f"the row is about {address!r}, which may be anybody", do="say whom to judge: --address ADDRESS"
        )
    if not names(row.subject, address):
        problem = f"the row is about {row.subject!r}, of which {address!r} proves nothing"
        raise UsageError(problem, do="judge whom the row is about")
    role, psp, _, _ = row.what.split("/")
    job = replace(
        config.job_of(_configured(Role(role), address, psp, settings), settings),
        only=(f"{row.what.rpartition('/')[0]}/*",),
        rows=(),
    )

    def once() -> Repetition:
        report = Clean(asyncio.run(run(job))).report
        about = [v for v in report.verdicts if speaks_of(row, v.id, v.rule)]
        errored = [v for v in report.verdicts if isinstance(v.result, Errored)]  # a case that did not come to its end
        return _judged(about or errored, job.shown_address, row)

    return once


def _configured(role: Role, address: str, psp: str, settings: config.Config) -> config.Run:
    """What the project's file says of it, with its clock, its credentials and all; or nothing but its name."""
    own = (each for each in settings.run if (each.role, each.subject) == (role, address))
    found = next((each for each in own if each.profile == psp), None)
    return found or config.Run(role, address, psp)


def _judged(verdicts: Sequence[Verdict], subject: str, row: Row) -> Repetition:
    outcomes = tuple((v.id, "violated" if isinstance(v.result, Known) else v.outcome) for v in verdicts)
    for verdict in verdicts:
        match verdict.result:
            case Passed():
                continue
            case Violated(_, problems) | Known(_, problems, _):
                return Repetition(subject, outcomes, f"violated: {problems[0].sentence}")
            case Errored(reason) | Unexercised(reason) | Skipped(reason):
                return Repetition(subject, outcomes, f"{verdict.outcome}: {reason}", untold=True)
            case _ as never:
                assert_never(never)
    if not verdicts:
        return Repetition(
            subject, (), f"no verdict of {subject} is one of {row.what!r}, rule {row.rule!r}", untold=True
        )
    return Repetition(subject, outcomes)
