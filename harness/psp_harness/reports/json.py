"""The report as JSON, for programs: `contracts/schemas/report.schema.json` says what is in it."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import assert_never

from psp_harness import __version__
from psp_harness.model import (
    WORD,
    Errored,
    Known,
    Passed,
    Problem,
    Report,
    Result,
    Skipped,
    Unexercised,
    Verdict,
    Violated,
)
from psp_harness.reports.scrub import Clean

FORMAT = "psp-harness-report/1"


def write(clean: Clean, path: Path, evidence: Mapping[str, Path]) -> None:
    """Write the report; the evidence files, by case, are named relative to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    relative = {case: Path(os.path.relpath(file, path.parent)).as_posix() for case, file in evidence.items()}
    path.write_text(json.dumps(document(clean, relative), indent=2) + "\n", encoding="utf-8")


def document(clean: Clean, evidence: Mapping[str, str]) -> dict[str, object]:
    """The report as JSON values."""
    report = clean.report
    return {
        "format": FORMAT,
        "tool": {"name": "psp-harness", "version": __version__},
        "started": started(report),
        "seconds": round(report.seconds, 3),
        "role": str(report.role),
        "subject": {"name": report.subject.name, "version": report.subject.version, "address": report.address},
        "profile": report.profile,
        "gate": report.gate,
        "verdicts": [_verdict(verdict, evidence.get(verdict.case)) for verdict in report.verdicts],
        "summary": summary(report),
        "stale": list(report.stale),
    }


def started(report: Report) -> str:
    """RFC 3339, in UTC."""
    moment = report.started if report.started.tzinfo else report.started.replace(tzinfo=UTC)
    return _rfc3339(moment.astimezone(UTC))


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def summary(report: Report) -> dict[str, int]:
    """How many verdicts there are of each outcome; all six are named."""
    counts = Counter(verdict.outcome for verdict in report.verdicts)
    return {word: counts[word] for word in WORD.values()}


def _verdict(verdict: Verdict, evidence: str | None) -> dict[str, object]:
    occasions, problems, reason = _parts(verdict.result)
    return {
        "id": verdict.id,
        "rule": verdict.rule,
        "level": str(verdict.level),
        "outcome": verdict.outcome,
        "occasions": occasions,
        "problems": [{"sentence": problem.sentence, "exchanges": list(problem.exchanges)} for problem in problems],
        "reason": reason,
        "evidence": evidence,
    }


def _parts(result: Result) -> tuple[int, tuple[Problem, ...], str | None]:
    match result:
        case Passed(occasions):
            return occasions, (), None
        case Violated(occasions, problems):
            return occasions, problems, None
        case Known(occasions, problems, reason):
            return occasions, problems, reason
        case Skipped(reason) | Unexercised(reason) | Errored(reason):
            return 0, (), reason
        case _ as never:
            assert_never(never)
