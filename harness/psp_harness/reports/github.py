"""Annotations: sentences that GitHub shows on the line of the file that they are about, as workflow commands.

Source: GitHub Actions documentation, "Workflow commands", on `error`, `warning` and `notice`, and on what is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from psp_harness.model import Errored, Level, Report, Violated
from psp_harness.quarantine import FILE
from psp_harness.reports.scrub import Clean

_ROW = re.compile(rf"{re.escape(FILE)}(?: line (?P<line>[0-9]+))?: (?P<said>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Note:
    """One annotation."""

    level: Literal["error", "warning", "notice"]
    said: str
    title: str
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        """The workflow command; GitHub reads it off standard output."""
        where = {"file": self.file, "line": str(self.line or "") if self.file else "", "title": self.title}
        told = ",".join(f"{name}={_property(value)}" for name, value in where.items() if value)
        return f"::{self.level} {told}::{_data(self.said)}"


def of_report(clean: Clean, quarantine: str) -> Iterator[Note]:
    """What stops the line, and the rows that no longer hold, on their lines; `quarantine` is the path of the file."""
    report = clean.report
    for verdict in report.verdicts:
        match verdict.result:
            case Violated(_, problems) if verdict.level is Level.MUST or report.strict:
                yield Note("error", problems[0].sentence, f"{verdict.level} {verdict.rule}: {_about(report)}")
            case Errored(reason):
                yield Note("error", reason, f"errored: {verdict.id}: {_about(report)}")
            case _:
                pass
    yield from of_rows(report.stale, quarantine)


def of_rows(sentences: Iterable[str], quarantine: str) -> Iterator[Note]:
    """Sentences that begin with `QUARANTINE.md line N: `, on that line."""
    for sentence in sentences:
        found = _ROW.fullmatch(sentence)
        line, said = (int(found["line"] or 0), found["said"]) if found else (0, sentence)
        yield Note("error", said, "quarantine", quarantine, line)


def _about(report: Report) -> str:
    return f"{report.address} under {report.profile}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
