"""What is known of a failure that is to be quarantined: from a JSON report, from JUnit XML, or from the history."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psp_harness import private, runners
from psp_harness.errors import DataError, UsageError
from psp_harness.model import WORD, Violated
from psp_harness.quarantine import is_verdict_id, names, names_test
from psp_harness.records import Store
from psp_harness.reports.json import FORMAT
from psp_harness.reports.scrub import scrub
from psp_harness.settle import SUBJECT, signature


@dataclass(frozen=True, slots=True)
class Found:
    """One failure."""

    id: str
    subject: str
    rule: str
    """The rule, or the piece of the message by which it is recognised; empty where that is not known."""
    sentence: str
    source: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the command line says of it."""

    what: str
    subject: str | None
    rule: str | None


def looked_up(known: Known, reports: Sequence[Path], results: Sequence[Path], kept: Store) -> Found:
    """The failure, from the first source that knows it. Raises `UsageError` where none does, or not which is meant."""
    if results:
        found = list(_in_results(known.what, results, known.subject))
    else:
        found = list(_in_reports(known.what, reports or _last_reports()))
        if not found and not reports:
            found = list(_in_history(known.what, kept))
    wanted = [each for each in found if known.subject in {None, each.subject}]
    if not wanted and known.subject and known.rule:
        return Found(known.what, known.subject, known.rule, "", "the command line")
    if not wanted:
        where = ", ".join(map(str, results or reports)) or "the last reports and the history"
        whose = f" of {known.subject}" if known.subject else ""
        do = "run it first, or say --report FILE, --results FILE, or --subject and --rule"
        raise UsageError(f"{where}: no failure of {known.what!r}{whose}", do=do)
    for sort in ("subject", "rule"):
        if len(told := sorted({getattr(each, sort) for each in wanted} - {""})) > 1 and getattr(known, sort) is None:
            problem = f"{known.what!r} is violated by several {sort}s"
            raise UsageError(problem, do=f"say --{sort}: {', '.join(told)}")
    return _recognised(wanted[0], known)


def _recognised(found: Found, known: Known) -> Found:
    if not (known.rule or found.rule):
        problem = f"{found.source}: it does not say how {known.what!r} failed"
        raise UsageError(problem, do="say it: --rule 'a piece of its message'")
    return found


def _in_reports(what: str, reports: Iterable[Path]) -> Iterator[Found]:
    """The violated verdicts of that name, which may be a glob; or the one of that rule.

    Raises `UsageError` where something that it names is not violated, `DataError` for what is no report.
    """
    for path in reports:
        report = _read(path)
        of_rule = [v for v in report["verdicts"] if v["rule"] == what and v["outcome"] == "violated"]
        if len(of_rule) > 1:
            told = ", ".join(verdict["id"] for verdict in of_rule)
            raise UsageError(f"{path}: {what!r} is violated in {len(of_rule)} cases", do=f"name one, or a glob: {told}")
        for verdict in of_rule or _named(what, report):
            _refuse_unless_violated(verdict["id"], verdict["outcome"], path)
            named = verdict["id"] if of_rule else what
            sentence = verdict["problems"][0]["sentence"]
            yield Found(named, report["subject"]["address"], verdict["rule"], sentence, str(path))


def _named(what: str, report: Any) -> list[Any]:
    """The verdicts of that name; those that said nothing only where there is no other."""
    named = [verdict for verdict in report["verdicts"] if names(what, verdict["id"])]
    return [verdict for verdict in named if verdict["outcome"] not in {"skipped", "unexercised"}] or named


def _in_results(what: str, results: Iterable[Path], subject: str | None) -> Iterator[Found]:
    """The test of that id, failed. Raises `UsageError` where it is not."""
    tests = [(test, path) for path in results for test in runners.read(path) if names_test(what, test.id)]
    failed = [(test, path) for test, path in tests if isinstance(test.result, Violated)]
    if len(told := sorted({test.id for test, _ in failed})) > 1:
        raise UsageError(f"{what!r} names {len(told)} tests that failed", do=f"name one of them: {', '.join(told[:3])}")
    for test, path in failed or tests:
        _refuse_unless_violated(test.id, WORD[type(test.result)], path)
        said = signature(test)
        sentence = scrub(said, ())
        yield Found(test.id, subject or SUBJECT, said if said == sentence else "", sentence, str(path))


def _in_history(what: str, kept: Store) -> Iterator[Found]:
    """Of every subject that failed so, the last first."""
    for past in reversed(list(kept.runs())):
        if any(name == what and word == "violated" for name, word in past.outcomes):
            rule = what.rpartition("/")[2] if is_verdict_id(what) else ""
            yield Found(what, past.subject, rule, "", f"the history, run of {past.at:%Y-%m-%d}")


def _last_reports() -> list[Path]:
    """What the last runs left here, the newest first."""
    return sorted(private.REPORTS.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)


def _refuse_unless_violated(what: str, outcome: str, path: Path) -> None:
    if outcome == "errored":
        raise UsageError(f"{path}: {what!r} errored, and an error is never excused", do="mend what the report says")
    if outcome != "violated":
        do = "there is nothing to excuse; name another report, or psp-harness run first"
        raise UsageError(f"{path}: {what!r} is {outcome} there", do=do)


def _read(path: Path) -> Any:
    try:
        report = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or f"not JSON: {error}"
        raise DataError(problem, file=str(path), do="name what psp-harness run --json wrote") from None
    if not isinstance(report, dict) or report.get("format") != FORMAT:
        raise DataError("no report of psp-harness", file=str(path), do="name what psp-harness run --json wrote")
    return report
