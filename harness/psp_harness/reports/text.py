"""The report as text, for people: what was judged, what was found, and in the last line what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console

from psp_harness.model import Report
from psp_harness.profile import Profile
from psp_harness.reports.closing import closing
from psp_harness.reports.findings import Page, findings
from psp_harness.reports.line import Line, show
from psp_harness.reports.scrub import Clean


def render(clean: Clean, profile: Profile, console: Console, evidence: Mapping[str, Path]) -> None:
    """Print the report; `evidence` is the file of each case that has one."""
    for line in _lines(Page(clean, profile, evidence)):
        show(line, console)


def _lines(page: Page) -> Iterator[Line]:
    yield Line(_header(page.report), style="bold")
    yield from findings(page)
    yield from closing(page.report)


def _header(report: Report) -> str:
    subject = " ".join(part for part in (report.subject.name, report.subject.version) if part)
    gate = f"gate {report.gate}" if report.gate else "no gate"
    named = f"{report.address} ({subject})" if subject else report.address
    return f"{report.role} {named}, profile {report.profile}, {gate}"
