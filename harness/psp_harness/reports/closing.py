"""The end of the text report: how much was done, and in its last line the verdict and what to do next.

What must hold here: the last line says what the exit status says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from psp_harness.model import Errored, Known, Level, Passed, Report, Unexercised, Verdict, Violated
from psp_harness.quarantine import Runs, gate_named
from psp_harness.reports.findings import by_money
from psp_harness.reports.json import summary
from psp_harness.reports.line import Line
from psp_harness.vocabulary import CRASH_POINT, CREATES

_ABOUT_KNOWN = (
    "KNOWN means: the rule does not hold, what is shown above did happen, and it was expected, because the profile "
    "lists it as a defect of this PSP or a row of QUARANTINE.md excuses it for now. It does not fail the run, "
    "and it is not safe."
)
"""For somebody who sees this for the first time: green does not mean that all is well."""


def closing(report: Report) -> Iterator[Line]:
    """Counts, size and time, then the verdict."""
    counts = [f"{count} {word}" for word, count in summary(report).items() if count or word == "passed"]
    exchanges = sum(len(history.exchanges) for history in report.histories.values())
    yield Line("")
    yield Line(f"verdicts: {', '.join(counts)}")
    yield Line(f"{_count(len(report.histories), 'case')}, {_count(exchanges, 'exchange')}, {report.seconds:.1f} s")
    yield from _points(report)
    if _having(report, Known):
        yield Line(_ABOUT_KNOWN)
    yield _verdict(report)


def _points(report: Report) -> Iterator[Line]:
    """Of a shop: at how many points its process was ended."""
    found = [point for name in report.histories if (point := CRASH_POINT.search(name))]
    if found:
        exchanges = len([point for point in found if point[1] == "exchange"])
        at = f"{exchanges} around requests, {len(found) - exchanges} around commits"
        yield Line(f"{_count(len(found), 'crash point')}: {at}; the process was ended at each, and started again")


def in_all(reports: Sequence[tuple[str, Report]], *, ours: bool) -> str:
    """One line about several subjects, each with its address; `ours`: none of them is the project's that asks."""
    told = [(address, _word(report)) for address, report in reports]
    failing = [address for address, word in told if word in {_IS_VIOLATED, _CANNOT_TELL}]
    if failing:
        next_ = f"read what is said of {failing[0]} above"
    elif all(word == _NOT_JUDGED for _, word in told):
        next_ = "read above why there was nothing to judge"
    elif ours:
        next_ = "judge your own: psp-harness run --subject ADDRESS, or name it in psp-harness.toml"
    else:
        next_ = "run this for every change, in CI"
    whose = ", and nothing of yours" if ours else ""
    return f"IN ALL{whose}: {', '.join(f'{address} {word}' for address, word in told)}. Next: {next_}"


_IS_VIOLATED, _CANNOT_TELL, _NOT_JUDGED = "is violated", "cannot be told", "was not judged"


def _word(report: Report) -> str:
    if _failing(report):
        return _IS_VIOLATED
    if any(_untold(report)):
        return _CANNOT_TELL
    return "passed" if _having(report, Passed, Known, Violated) else _NOT_JUDGED


def _failing(report: Report) -> list[Verdict]:
    return [v for v in _having(report, Violated) if report.strict or v.level is Level.MUST]


def _verdict(report: Report) -> Line:
    failing = _failing(report)
    if failing:
        return _violated(failing)
    untold = list(_untold(report))
    if untold:
        return Line(f"CANNOT TELL: {', '.join(untold)}. Next: {_what_to_mend(report)}", style="bold magenta")
    if not _having(report, Passed, Known, Violated):
        alone = report.gate is not None and gate_named(report.gate).runs is Runs.QUARANTINED
        idle = alone and not report.histories
        why = f"at gate {report.gate} no row of QUARANTINE.md is about a case of this subject"
        next_ = f"{why}; see QUARANTINE.md" if idle else "read the reasons above, or psp-harness list cases"
        return Line(f"NOTHING JUDGED: so nothing is proven. Next: {next_}", style="bold yellow")
    return _passed(report)


def _having(report: Report, *results: type) -> list[Verdict]:
    return [verdict for verdict in report.verdicts if isinstance(verdict.result, results)]


def _violated(failing: list[Verdict]) -> Line:
    first = min(failing, key=lambda verdict: (list(Level).index(verdict.level), by_money(verdict))).rule
    counts = [(level, len({v.rule for v in failing if v.level is level})) for level in Level]
    said = " and ".join(_count(count, f"{level} rule") for level, count in counts if count)
    verb = "is" if sum(count for _, count in counts) == 1 else "are"
    return Line(f"VIOLATED: {said} {verb} violated. Next: psp-harness explain {first}", style="bold red")


def _untold(report: Report) -> Iterator[str]:
    errored, unexercised = _having(report, Errored), _having(report, Unexercised)
    if errored:
        yield f"{_count(len(errored), 'verdict')} errored"
    if report.stale:
        yield f"{_count(len(report.stale), 'row')} of QUARANTINE.md no longer true"
    if report.strict and unexercised:
        yield f"{_count(len(unexercised), 'verdict')} unexercised, which counts under --strict"


def _what_to_mend(report: Report) -> str:
    if _having(report, Errored):
        return "mend what the errors above name, and run again: nothing is proven of what they touched"
    if report.stale:
        return "correct the rows that are named above"
    return "read above why there was nothing to judge"


def _passed(report: Report) -> Line:
    known, should = _rules(_having(report, Known)), _rules(_having(report, Violated))
    also = f"; {_count(len(should), 'SHOULD rule')} violated, which counts under --strict alone" if should else ""
    if known:
        said = (
            f"PASSED, but {_count(len(known), 'rule')} marked KNOWN above: do not rely on what is promised there{also}"
        )
        return Line(f"{said}. Next: psp-harness explain {known[0]}", style="bold cyan")
    held, fault = _count(len(_rules(_having(report, Passed))), "rule"), _first_fault(report)
    next_ = f"lose an answer: {fault}" if fault else "run this for every change, in CI"
    return Line(f"PASSED: {held} judged, no MUST violated{also}. Next: {next_}", style="bold green")


def _first_fault(report: Report) -> str:
    """What to try first with a command that was watched while nothing went wrong; empty for everything else."""
    histories = list(report.histories.values())
    exchanges = [exchange for history in histories for exchange in history.exchanges]
    if not any(history.observed for history in histories) or any(exchange.fault for exchange in exchanges):
        return ""
    operation = next((x.operation for x in exchanges if x.operation in CREATES), "create-payment")
    return f"--fault response-lost:{operation}:1"


def _rules(verdicts: list[Verdict]) -> list[str]:
    return list(dict.fromkeys(verdict.rule for verdict in verdicts))


def _count(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
