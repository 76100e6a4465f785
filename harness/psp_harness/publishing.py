"""What a run leaves behind: evidence, the reports that were asked for, and the text; all of it scrubbed."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from psp_harness.model import Report
from psp_harness.profile import Profile
from psp_harness.reports import Clean, evidence, json, junit, text

PRIVATE = Path(".psp-harness")
"""Where evidence goes when no `--json` says where; ignored by git."""


def publish(report: Report, profile: Profile, json_file: Path | None, junit_file: Path | None) -> None:
    """Write every format that was asked for, and print the text."""
    clean = Clean(report)
    folder = evidence.beside(json_file) if json_file else _private(report)
    files = evidence.write(clean, folder)
    if json_file:
        json.write(clean, json_file, files)
    if junit_file:
        junit.write(clean, junit_file)
    text.render(clean, profile, Console(highlight=False), files)


def _private(report: Report) -> Path:
    if not (PRIVATE / ".gitignore").exists():
        PRIVATE.mkdir(exist_ok=True)
        (PRIVATE / ".gitignore").write_text("*\n", encoding="utf-8")
    return PRIVATE / "evidence" / f"{report.role}-{report.profile}"
