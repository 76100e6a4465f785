"""`psp-harness settle`: QUARANTINE.md, applied to the results of any test runner."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import click
from rich.console import Console

from psp_harness import config, quarantine, records, runners
from psp_harness.commands import kept, options
from psp_harness.model import WORD
from psp_harness.quarantine import GATES, Row, gate_named, names
from psp_harness.reports import line, markdown, tests
from psp_harness.runners import Reported
from psp_harness.settle import OF_TESTS, SUBJECT, Told, Watch, settle_results


@click.command()
@click.argument("results", nargs=-1, required=True, type=options.FILE, metavar="RESULTS.xml…")
@click.option("--gate", required=True, metavar="GATE", help=f"One of {', '.join(GATES)}.")
@click.option("--subject", default=SUBJECT, show_default=True, help="Whom the rows about these tests name.")
@click.option("--part", is_flag=True, help="These are not all tests: a row that names none of them is no error.")
@click.option("--junit", "junit_file", type=options.FILE, help="Write the results here, the excused as skipped.")
@options.summary
@options.github
@options.history
@options.today
def settle(  # noqa: PLR0913 - one for each option
    *,
    results: tuple[Path, ...],
    gate: str,
    subject: str,
    junit_file: Path | None,
    summary_file: Path | None,
    history_file: Path | None,
    today: date,
    part: bool,
    github: bool,
) -> None:
    """Apply QUARANTINE.md to JUnit XML of any runner: pytest, gotestsum, Jest, Surefire, PHPUnit.

    Exit status 1: a test failed and is not excused. 2: something cannot be told, or the call is wrong. 0: neither.
    """
    settings = config.load(Path.cwd())
    rows = quarantine.read(Path(settings.quarantine))
    about = [row for row in rows if names(row.subject, subject)]
    watch = Watch(OF_TESTS, about, gate, today, settings.limits, whole=lambda _: not part)
    told = settle_results(map(runners.read, results), watch, rows)
    if gate_named(gate).keeps_history:
        past = records.Past(datetime.now(UTC), gate, subject, _outcomes(results))
        kept.record(past, settings, history_file)
    if junit_file:
        runners.rewrite(results, told.skips, told.stale, junit_file)
    if summary_file:
        markdown.append(_summary(told, subject, about, today), summary_file)
    console = Console(highlight=False)
    for each in tests.text(told, subject):
        line.show(each, console)
    if github:
        for note in tests.notes(told, settings.quarantine):
            click.echo(str(note))
    sys.exit(told.status)


def _outcomes(results: Iterable[Path]) -> Iterator[records.Outcome]:
    """The files once more: what was excused is recorded as it came out, and so is what failed before it passed."""
    for test in (test for path in results for test in runners.read(path)):
        yield from _recorded(test)


def _recorded(test: Reported) -> Iterator[records.Outcome]:
    if test.failed_before:
        yield test.id, "violated"
    yield test.id, WORD[type(test.result)]


def _summary(told: Told, subject: str, about: list[Row], today: date) -> Iterator[str]:
    yield from tests.markdown(told, subject)
    yield from markdown.of_quarantine(about, told.gate, today)
