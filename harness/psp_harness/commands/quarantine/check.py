"""`quarantine check`: the whole file, whatever was run: rows, dates, owners, budgets, and names that exist."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

import click

from psp_harness import case, config, faults, profile, rules
from psp_harness.commands import options
from psp_harness.commands.quarantine.file import opened
from psp_harness.contracts import CASES
from psp_harness.errors import UsageError
from psp_harness.model import Role
from psp_harness.plan import CASE_RUNS, stand_ins
from psp_harness.plan.points import possible
from psp_harness.quarantine import (
    GATES,
    Kind,
    Row,
    beyond_limits,
    can_be_renewed,
    is_glob,
    is_verdict_id,
    name_of,
    names,
    names_test,
    node_test_id,
    over_budget,
)
from psp_harness.registry import suggest
from psp_harness.reports import markdown
from psp_harness.reports.github import Note

Problem = tuple[int, str]
"""The line, or 0 for the whole file; and the sentence."""

_HUNK = re.compile(r"^@@ -\S+ \+(?P<line>[0-9]+)(?:,(?P<count>[0-9]+))? @@", re.MULTILINE)


@click.command()
@click.option("--base", metavar="REF", help="With --github: show each row that is new or changed since this commit.")
@options.summary
@options.github
@options.today
def check(*, base: str | None, summary_file: Path | None, github: bool, today: date) -> None:
    """Judge the whole file: exit status 2 where a row is wrong, expired, over its budget, or names nothing."""
    file = opened()
    found = sorted(problems(file.rows, file.settings, today))
    for line, sentence in found:
        click.echo(f"{file.path}{f' line {line}' if line else ''}: {sentence}")
    for line, sentence in _overlaps(file.rows):
        click.echo(f"{file.path} line {line}: mind: {sentence}")
    if not found:
        next_ = min(file.rows, key=lambda row: row.until, default=None)
        until = f"; the next to expire is {next_.what} on {next_.until}" if next_ else ""
        count = f"{len(file.rows)} row{'' if len(file.rows) == 1 else 's'}"
        click.echo(f"{file.path}: {count}, all in order{until}" if file.path.exists() else f"no {file.path}: no rows")
    if summary_file:
        markdown.append(markdown.of_quarantine(file.rows, None, today), summary_file)
    if github:
        for note in _notes(found, file.rows, str(file.path), base):
            click.echo(str(note))
    sys.exit(2 if found else 0)


def problems(rows: Sequence[Row], settings: config.Config, today: date) -> Iterator[Problem]:
    """Everything that is wrong, each thing once."""
    limits = settings.limits
    for row in rows:
        if row.is_expired(today):
            do = ", or renew it with a reason" if can_be_renewed(row, limits, today) else ""
            sentence = f"the row for {row.what!r} expired on {row.until}; {row.owner}: fix the cause and release it{do}"
            yield row.line, sentence
        said = (sentence for gate in GATES for sentence in beyond_limits(row, gate, limits, today))
        yield from ((row.line, sentence) for sentence in dict.fromkeys(said))
        if row.kind is Kind.FLAKY and row.rate is None:
            yield (
                row.line,
                f"the row for {row.what!r} is flaky and says no rate; measure it: psp-harness quarantine stats",
            )
        if wrong := next(_wrong_names(row, settings), ""):
            yield row.line, wrong
    for gate in GATES:
        yield from ((0, sentence.partition(": ")[2]) for sentence in over_budget(rows, gate, limits))


def _overlaps(rows: Sequence[Row]) -> Iterator[Problem]:
    """Rows of two classes about one thing: no mistake, but the milder of the two says less than it seems to."""
    for row in (each for each in rows if is_glob(each.what)):
        for other in (each for each in rows if each.section is not row.section):
            is_same = row.rule == other.rule or not is_verdict_id(other.what)
            whose = names(row.subject, other.subject) or names(other.subject, row.subject)
            if is_same and whose and names_test(row.what, node_test_id(name_of(other.what))):
                yield (
                    row.line,
                    f"{row.what!r} also names what {other.section} has in line {other.line}; the stricter counts",
                )


# --- names that exist -----------------------------------------------------------------------------------------------


def _wrong_names(row: Row, settings: config.Config) -> Iterator[str]:
    """Of a row about verdicts: which of its names does not exist. What a test is called nobody knows here."""
    if not is_verdict_id(row.what):
        return
    known, about = rules.load(), f"the row for {row.what!r}"
    if row.rule not in {*known, CASE_RUNS}:
        yield f"{about} expects the rule {row.rule!r}, and there is none; {suggest(row.rule, known)}"
    role, psp, situation, _ = row.what.split("/")
    ours = [each for each in _cases(settings) if each.role == Role(role)]
    cases = [*(each.id for each in ours), *stand_ins(Role(role))]
    named = [each for each in (*cases, *_points(ours, situation)) if names(situation, each)]
    if not named:
        yield f"{about} names a case that does not exist; {suggest(situation, cases)}"
    if row.rule in known and known[row.rule].role is not Role(role):
        yield f"{about} expects the rule {row.rule!r}, by which no {role} is judged; correct one of the two"
    if not any(names(row.what, f"{role}/{psp}/{each}/{row.rule}") for each in named):
        yield f"{about} names no verdict of rule {row.rule!r}; let both name the same rule"
    profiles = [*profile.names(), *(profile.load(run.profile).name for run in settings.run)]
    if not any(names(psp, each) for each in profiles):
        yield f"{about} names a profile that does not exist; {suggest(psp, profiles)}"


def _points(cases: Iterable[case.Case], situation: str) -> Iterator[str]:
    """What the crash points of these cases may be called: each is a case of its own in what a run reports."""
    suffixes = [point.suffix for point in possible(situation)]
    return (each.id + suffix for each in cases if each.crashes for suffix in suffixes)


def _cases(settings: config.Config) -> Iterable[case.Case]:
    return case.load((CASES, *(Path(path) for path in settings.cases)), faults.load())


# --- annotations ----------------------------------------------------------------------------------------------------


def _notes(found: Sequence[Problem], rows: Sequence[Row], path: str, base: str | None) -> Iterator[Note]:
    """What is wrong, on its line; and on the lines that a change touches, what it tolerates from now on."""
    for line, sentence in found:
        yield Note("error", sentence, "quarantine", path, line)
    touched = _changed_lines(path, base) if base else set()
    for row in (row for row in rows if row.line in touched):
        said = f"tolerated from now on, until {row.until}: {row.reason} (owner {row.owner}, issue {row.issue})"
        yield Note("notice", said, f"{row.section} {row.what} of {row.subject}", path, row.line)


def _changed_lines(path: str, base: str) -> set[int]:
    """The lines of the file that are not in that commit, by git."""
    command = ["git", "diff", "--unified=0", "--no-color", "--no-ext-diff", "--end-of-options", base, "--", path]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)  # noqa: S603 - as above
    except (OSError, subprocess.SubprocessError) as error:
        said = str(getattr(error, "stderr", "") or error).strip().split("\n", 1)[0]
        raise UsageError(
            f"--base {base}: git says {said!r}", do="name a commit that is here; in CI fetch it first"
        ) from None
    hunks = ((int(found["line"]), int(found["count"] or 1)) for found in _HUNK.finditer(done.stdout))
    return {line for start, count in hunks for line in range(start, start + count)}
