"""Summaries in Markdown, for the page of a CI job: the verdicts, the quarantine's state, and what expires this week."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

from psp_harness.model import Errored, Known, Level, Report, Verdict, Violated
from psp_harness.quarantine import FILE, Class, Row, in_markdown
from psp_harness.reports.closing import closing
from psp_harness.reports.json import summary
from psp_harness.reports.scrub import Clean

WEEK = timedelta(days=7)
SHOWN = 50
"""So many lines of a list; GitHub takes a summary of at most 1 MiB."""


def append(lines: Iterable[str], path: Path) -> None:
    """Write at the end of the file: several runs of a job share one summary."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)


def of_report(clean: Clean) -> Iterator[str]:
    """One run: its last line, how many verdicts there are of each outcome, and those that matter."""
    report = clean.report
    gate = f"gate {report.gate}" if report.gate else "no gate"
    yield from (f"## psp-harness: {report.role} {code(report.address)}, profile {report.profile}, {gate}", "")
    yield from (f"**{in_markdown(list(closing(report))[-1].text)}**", "")
    yield from counts(summary(report), "verdicts")
    yield from listed("Violated", _violated(report))
    yield from listed("Errored", _of(report, Errored))
    yield from listed("Known: violated, and excused", _of(report, Known))
    yield from stale(report.stale)


def of_quarantine(rows: Sequence[Row], gate: str | None, today: date) -> Iterator[str]:
    """How much is tolerated, what expires within a week, and what has expired."""
    yield from ("## Quarantine" + (f" at gate {gate}" if gate else ""), "")
    yield from ("| class | rows | expire this week | expired |", "| --- | --: | --: | --: |")
    for section in Class:
        mine = [row for row in rows if row.section is section]
        soon, over = sum(_expires_soon(row, today) for row in mine), sum(row.is_expired(today) for row in mine)
        yield f"| {section} {section.meaning} | {len(mine)} | {soon} | {over} |"
    yield ""
    due = sorted((row for row in rows if row.until <= today + WEEK), key=lambda row: row.until)
    sentences = (
        f"{code(row.what)} of {code(row.subject)}: {_when(row, today)}, owner {in_markdown(row.owner)} "
        f"({FILE} line {row.line})"
        for row in due
    )
    yield from listed("Expires this week", sentences)


def counts(of: dict[str, int], what: str) -> Iterator[str]:
    """A table of numbers."""
    yield from (f"| outcome | {what} |", "| --- | --: |")
    yield from (f"| {word} | {count} |" for word, count in of.items() if count)
    yield ""


def stale(sentences: Iterable[str]) -> Iterator[str]:
    """Rows that no longer hold, and what to do about each."""
    return listed(f"Rows of {FILE} that no longer hold", map(in_markdown, sentences))


def listed(title: str, sentences: Iterable[str]) -> Iterator[str]:
    """A heading and a list; nothing where there is nothing to list."""
    found = list(sentences)
    if found:
        yield from (f"### {title}", "", *(f"- {sentence}" for sentence in found[:SHOWN]))
        if len(found) > SHOWN:
            yield f"- and {len(found) - SHOWN} more"
        yield ""


def code(text: str) -> str:
    """An id or an address, in code."""
    one_line = " ".join(text.split())
    return f"`{one_line}`" if "`" not in one_line else in_markdown(one_line)


def _violated(report: Report) -> Iterator[str]:
    for level in Level:
        for verdict in report.verdicts:
            if verdict.level is level and isinstance(verdict.result, Violated):
                said = in_markdown(verdict.result.problems[0].sentence)
                yield f"**{level}** {code(verdict.rule)} in case {verdict.case}: {said}"


def _of(report: Report, outcome: type[Errored | Known]) -> Iterator[str]:
    found: list[Verdict] = [verdict for verdict in report.verdicts if isinstance(verdict.result, outcome)]
    return (f"{code(verdict.id)}: {in_markdown(str(getattr(verdict.result, 'reason', '')))}" for verdict in found)


def _expires_soon(row: Row, today: date) -> bool:
    return today <= row.until <= today + WEEK


def _when(row: Row, today: date) -> str:
    return f"**expired on {row.until}**" if row.is_expired(today) else f"until {row.until}"
