"""What a run leaves behind: evidence, the reports that were asked for, and the text; all of it scrubbed."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from psp_harness import private
from psp_harness.model import Report
from psp_harness.profile import Profile
from psp_harness.reports import Clean, evidence, json, junit, text


def publish(report: Report, profile: Profile, json_file: Path | None, junit_file: Path | None) -> None:
    """Write every format that was asked for, and print the text; without a report for programs, one is left here."""
    clean, named = Clean(report), f"{report.role}-{report.profile}"
    if json_file is None:
        private.made()
    files = evidence.write(clean, evidence.beside(json_file) if json_file else private.EVIDENCE / named)
    json.write(clean, json_file or private.REPORTS / f"{named}.json", files)
    if junit_file:
        junit.write(clean, junit_file)
    text.render(clean, profile, Console(highlight=False), files)
