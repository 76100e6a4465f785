"""What is known of a failure that is to be quarantined: from a JSON report, from JUnit XML, or from the history."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psp_harness import private, runners
from psp_harness.errors import DataError, UsageError
from psp_harness.model import WORD, Violated
from psp_harness.quarantine import is_verdict_id, names, names_test, pattern_of, spellings
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
    ids: tuple[str, ...] = ()
    """Of a glob: what failed under it."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the command line says of it."""

    what: str
    subject: str | None
    rule: str | None


def looked_up(known: Known, reports: Sequence[Path], results: Sequence[Path], kept: Store) -> Sequence[Found]:
    """The failures, one for each row, from the first source that knows them.

    Raises `UsageError` where none does, or not which are meant.
    """
    if results:
        found = list(_in_results(known.what, results, known.subject))
    else:
        found = list(_in_reports(known, reports)) if reports else _in_the_last_report(known)
        if not found and not reports:
            found = list(_in_history(known.what, kept))
    wanted = [each for each in found if known.subject in {None, each.subject}]
    if not wanted and known.subject and known.rule:
        return [Found(known.what, known.subject, known.rule, "", "the command line")]
    if not wanted:
        where = ", ".join(map(str, results or reports)) or "the last reports and the history"
        whose = f" of {known.subject}" if known.subject else ""
        do = "run it first, or say --report FILE, --results FILE, or --subject and --rule"
        raise UsageError(f"{where}: no failure of {known.what!r}{whose}", do=do)
    told = sorted({each.subject for each in wanted})
    if len(told) > 1:
        raise UsageError(f"{known.what!r} is violated by several subjects", do=f"say --subject: {', '.join(told)}")
    return [_recognised(each, known) for each in {each.id: each for each in reversed(wanted)}.values()][::-1]


def _recognised(found: Found, known: Known) -> Found:
    if not (known.rule or found.rule):
        problem = f"{found.source}: it does not say how {known.what!r} failed"
        raise UsageError(problem, do="say it: --rule 'a piece of its message'")
    return found


def _in_the_last_report(known: Known) -> list[Found]:
    """Of the newest that knows anything of it: an older one is of another profile or role, and may be out of date."""
    found = (list(_in_reports(known, [path])) for path in _last_reports())
    return next((each for each in found if each), [])


def _in_reports(known: Known, reports: Iterable[Path]) -> Iterator[Found]:
    """The violated verdicts of that name, or of that rule: one row for all if a glob is true of all, else one for each.

    Raises `UsageError` where nothing that it names is violated, `DataError` for what is no report.
    """
    for path in reports:
        report = report_of(path)
        named, glob = _named(known.what, report)
        named = [verdict for verdict in named if verdict["rule"] == known.rule] or named
        violated = [verdict for verdict in named if verdict["outcome"] == "violated"]
        for verdict in named if not violated else ():
            _refuse_unless_violated(verdict["id"], verdict["outcome"], path)
        together = glob and len(violated) == len(named) > 1 and len({verdict["rule"] for verdict in violated}) == 1
        for verdict in violated[:1] if together else violated:
            sentence = verdict["problems"][0]["sentence"]
            name = glob if together else verdict["id"]
            ids = tuple(each["id"] for each in violated) if together else ()
            yield Found(name, report["subject"]["address"], verdict["rule"], sentence, str(path), ids)


def _named(what: str, report: Any) -> tuple[list[Any], str]:
    """The verdicts of that rule or name, and a glob for them; those that said nothing only where no other did."""
    of_rule = [verdict for verdict in report["verdicts"] if verdict["rule"] == what]
    glob = f"{report['role']}/{report['profile']}/*/{what}" if of_rule else what
    named = of_rule or [verdict for verdict in report["verdicts"] if names(what, verdict["id"])]
    return [verdict for verdict in named if verdict["outcome"] not in {"skipped", "unexercised"}] or named, glob


def _in_results(what: str, results: Iterable[Path], subject: str | None) -> Iterator[Found]:
    """The test of that id, failed. Raises `UsageError` where it is not."""
    exact = spellings(what)
    tests = list(_tests(results, lambda name: name in exact)) or list(
        _tests(results, lambda name: names_test(what, name))
    )
    failed = [(test, path) for test, path in tests if isinstance(test.result, Violated)]
    if len(told := sorted({test.id for test, _ in failed})) > 1:
        raise UsageError(f"{what!r} names {len(told)} tests that failed", do=f"name one of them: {', '.join(told[:3])}")
    for test, path in failed or tests:
        _refuse_unless_violated(test.id, WORD[type(test.result)], path)
        said = signature(test)
        sentence = scrub(said, ())
        yield Found(pattern_of(test.id), subject or SUBJECT, said if said == sentence else "", sentence, str(path))


def _tests(results: Iterable[Path], is_meant: Callable[[str], bool]) -> Iterator[tuple[runners.Reported, Path]]:
    """A file may have a million tests, of which few are meant."""
    return ((test, path) for path in results for test in runners.read(path) if is_meant(test.id))


def _in_history(what: str, kept: Store) -> Iterator[Found]:
    """Of every subject that failed so, the last first."""
    for past in reversed(list(kept.runs())):
        if any(name == what and word == "violated" for name, word in past.outcomes):
            rule = what.rpartition("/")[2] if is_verdict_id(what) else ""
            yield Found(pattern_of(what), past.subject, rule, "", f"the history, run of {past.at:%Y-%m-%d}")


def _last_reports() -> list[Path]:
    """What the last runs left here, the newest first."""
    return sorted(private.REPORTS.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)


def _refuse_unless_violated(what: str, outcome: str, path: Path) -> None:
    if outcome == "errored":
        raise UsageError(f"{path}: {what!r} errored, and an error is never excused", do="mend what the report says")
    if outcome != "violated":
        do = "there is nothing to excuse; name another report, or psp-harness run first"
        raise UsageError(f"{path}: {what!r} is {outcome} there", do=do)


def report_of(path: Path) -> Any:
    """A JSON report. Raises `DataError` for what is none."""
    try:
        report = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or f"not JSON: {error}"
        raise DataError(problem, file=str(path), do="name what psp-harness run --json wrote") from None
    if not isinstance(report, dict) or report.get("format") != FORMAT:
        raise DataError("no report of psp-harness", file=str(path), do="name what psp-harness run --json wrote")
    return report
