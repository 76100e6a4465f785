"""Something quarantined, run once more and alone: a verdict by the harness, a test by the command that runs it."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from psp_harness import config
from psp_harness.errors import UsageError
from psp_harness.model import Errored, Known, Passed, Role, Skipped, Unexercised, Verdict, Violated
from psp_harness.quarantine import Row, names, speaks_of
from psp_harness.records import Outcome
from psp_harness.reports import Clean
from psp_harness.run import run

_GLOB = frozenset("*?[")
_LAST_LINES = 10


@dataclass(frozen=True, slots=True)
class Repetition:
    """How one more run came out."""

    subject: str
    outcomes: tuple[Outcome, ...]
    why: str = ""
    """Why it is no pass; empty where it is one."""
    untold: bool = False
    """It is no failure either."""


def of_verdict(row: Row, address: str, settings: config.Config) -> Callable[[], Repetition]:
    """Judge what the row names, of that address, at no gate."""
    if _GLOB & set(address):
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


def of_command(row: Row, command: Sequence[str], timeout: float) -> Callable[[], Repetition]:
    """Run a command that runs the test alone, in at most `timeout` seconds: status 0 is a pass, any other a failure."""

    def came_out(word: str, why: str = "") -> Repetition:
        return Repetition(row.subject, ((row.what, word),), why, untold=word == "errored")

    def once() -> Repetition:
        try:
            done = subprocess.run(command, capture_output=True, timeout=timeout, check=False)  # noqa: S603 - the user's
        except subprocess.TimeoutExpired:
            return came_out("errored", f"it did not end within {timeout:g} s")
        except OSError as error:
            raise UsageError(f"{command[0]}: {error.strerror}", do="name a command that runs the test alone") from None
        if done.returncode == 0:
            return came_out("passed")
        last = (done.stdout + done.stderr).decode(errors="replace").strip().splitlines()[-_LAST_LINES:]
        return came_out("violated", "\n  ".join([f"exit status {done.returncode}", *last]))

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
