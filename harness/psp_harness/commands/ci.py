"""What a run leaves for CI beside its reports: a summary, annotations, and its place in the history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from psp_harness import config, records
from psp_harness.commands import kept
from psp_harness.model import Report
from psp_harness.quarantine import gate_named
from psp_harness.reports import Clean, github, markdown
from psp_harness.run import Job


def tell(jobs: Sequence[Job], reports: Sequence[Report], settings: config.Config, given: Mapping[str, object]) -> None:
    """Say of all runs of one call what was asked for; record what a gate keeps history of."""
    clean = [Clean(report) for report in reports]
    history, summary = given["history_file"], given["summary_file"]
    for report in (each.report for each in clean):
        if report.gate is not None and gate_named(report.gate).keeps_history:
            kept.record(_past(report), settings, history if isinstance(history, Path) else None)
    if isinstance(summary, Path):
        markdown.append(_summary(clean, jobs), summary)
    if given["github"]:
        for note in (note for each in clean for note in github.of_report(each, settings.quarantine)):
            click.echo(str(note))


def _summary(clean: Sequence[Clean], jobs: Sequence[Job]) -> Iterator[str]:
    for each in clean:
        yield from markdown.of_report(each)
    yield from markdown.of_quarantine(jobs[0].rows, jobs[0].gate, jobs[0].today)


def _past(report: Report) -> records.Past:
    outcomes = records.recorded((verdict.id, verdict.outcome) for verdict in report.verdicts)
    return records.Past(report.started, str(report.gate), report.address, outcomes)
