"""Settle the results of other test runners, one test after the other. Pure.

A row's `what` is the id of a test, its `rule` a piece of the message with which it fails: a test that fails otherwise
is out of quarantine.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from psp_harness.model import WORD, Errored, Known, Problem, Skipped, Violated
from psp_harness.quarantine import Row, Runs, containers, gate_named, names, names_test
from psp_harness.runners import NOT_LOADED, Reported, Skip
from psp_harness.settle.laws import Bearing, Excused, LeftOut, Watch, not_run, quarantined

SUBJECT = "tests"
"""Whom the rows about tests name, where a project has no other word for them."""
_KEPT = 1000
"""Characters of a message that are kept of each test that did not pass: the file has the rest."""
_PROBLEMS = 3
_SIGNATURE = 120

_NO_SIGNATURE = re.compile(r"\s*($|=== |--- (FAIL|PASS|SKIP):|Failed$|it says nothing$)")
_PLACE = re.compile(r"^\s*[\w./-]+\.\w+:[0-9]+:\s*")
"""Where Go says that it failed: another line tomorrow."""
_EXPECT = "expect(received)"
"""Jest: such a line is the same for every assertion of its kind, and the next ones say what was expected and came."""
_FRAME = re.compile(r"\s+at ")


@dataclass(slots=True)
class Told:
    """How the results of a run come out at a gate."""

    gate: str
    counts: Counter[str] = field(default_factory=Counter)
    """How many tests there are of each outcome."""
    notable: list[Reported] = field(default_factory=list)
    """Those that failed, could not be told, or are known, in their order."""
    skips: list[dict[int, Skip]] = field(default_factory=list)
    """Of each file: what is to be skipped there, by its place."""
    stale: tuple[str, ...] = ()
    """Rows that no longer hold, a sentence each."""

    def of(self, *outcomes: type) -> list[Reported]:
        """The notable tests with these outcomes."""
        return [test for test in self.notable if isinstance(test.result, outcomes)]

    @property
    def status(self) -> int:
        """1: a test failed and is not excused; else 2: something cannot be told, or there is nothing; else 0."""
        if self.counts["violated"]:
            return 1
        nothing = not self.counts and gate_named(self.gate).runs is not Runs.QUARANTINED
        return 2 if self.counts["errored"] or self.stale or nothing else 0


def settle_results(files: Iterable[Iterable[Reported]], watch: Watch[Reported], rows: Iterable[Row]) -> Told:
    """Excuse what is known; `rows` are all of the file, for the budget of the gate."""
    told = Told(watch.gate)
    for tests in files:
        told.skips.append({})
        for test in tests:
            _take(told, test, watch)
    told.stale = (*watch.stale(), *watch.over_budget(list(rows)))
    return told


def _take(told: Told, test: Reported, watch: Watch[Reported]) -> None:
    settled = _left(test, watch)
    outcome = WORD[type(settled.result)]
    told.counts[outcome] += 1
    if isinstance(settled.result, (Known, Skipped)) and not (settled is test and not test.through_subtests):
        counted = _counted_as(test)
        times = test.times_failed if counted == "failures" else 1
        told.skips[-1][test.place] = Skip(settled.result.reason, counted, times)
    if isinstance(settled.result, (Violated, Known, Errored)):
        told.notable.append(_short(settled))


def _left(test: Reported, watch: Watch[Reported]) -> Reported:
    """The test as the gate leaves it."""
    fate = watch.see(test)
    if gate_named(watch.gate).runs is Runs.QUARANTINED and not watch.is_quarantined(test):
        return replace(test, result=Skipped("not quarantined: not judged at this gate"))
    match fate, test.result:
        case LeftOut(row), _:
            return replace(test, result=Skipped(not_run(row)))
        case Excused(row), Violated(occasions, problems):
            return replace(test, result=Known(occasions, problems, quarantined(row)))
        case _:
            return test


def _counted_as(test: Reported) -> str:
    """Where its suite counted it."""
    if isinstance(test.result, Violated) or test.through_subtests:
        return "failures"
    return "errors" if isinstance(test.result, Errored) else ""


def _short(test: Reported) -> Reported:
    match test.result:
        case Violated(occasions, problems):
            return replace(test, result=Violated(occasions, _first(problems)))
        case Known(occasions, problems, reason):
            return replace(test, result=Known(occasions, _first(problems), reason))
        case Errored(reason):
            return replace(test, result=Errored(reason[:_KEPT]))
        case _:
            return test


def _first(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    return tuple(Problem(each.sentence[:_KEPT]) for each in problems[:_PROBLEMS])


def signature(test: Reported) -> str:
    """The line of its message that says what went wrong, without what is another one tomorrow."""
    return next(signatures(test))


def signatures(test: Reported) -> Iterator[str]:
    """One for each thing that it failed with."""
    problems = test.result.problems if isinstance(test.result, (Violated, Known)) else ()
    for message in [problem.sentence for problem in problems] or [""]:
        yield _signature(message, test.id.rpartition("::")[2])


def _signature(message: str, name: str) -> str:
    lines = (line for line in message.split("\n") if not _NO_SIGNATURE.match(line) and name not in line)
    first = next(lines, message.split("\n", 1)[0])
    if _EXPECT in first:
        rest = message[message.index(first) :].split("\n")
        said = itertools.takewhile(lambda line: not _FRAME.match(line), rest)
        return _one_line("\n".join(said))[: 2 * _SIGNATURE].strip()
    return _one_line(_PLACE.sub("", first))[:_SIGNATURE].strip()


# --- how a row bears on a test ------------------------------------------------------------------------------------


def _is_of(row: Row, test: Reported) -> bool:
    return names_test(row.what, test.id) and (not isinstance(test.result, Violated) or fails_as_expected(row, test))


def fails_as_expected(row: Row, test: Reported) -> bool:
    """All that it failed with has the row's piece in it, however its lines are broken."""
    if not isinstance(test.result, Violated):
        return False
    return all(_one_line(row.rule) in _one_line(problem.sentence) for problem in test.result.problems)


def _leaves_open(row: Row, test: Reported) -> bool:
    """It could not be told, or it failed with another signature: that is not excused, and no proof of anything else."""
    match test.result:
        case Violated():
            return names_test(row.what, test.id) and not fails_as_expected(row, test)
        case Errored():
            return names_test(row.what, test.id) or _may_hold(test, row)
        case Skipped():
            return names_test(row.what, test.id)
        case _:
            return False


def _may_hold(errored: Reported, row: Row) -> bool:
    """What the row names may stand in what could not be loaded: a module, a class, a package, a file of tests."""
    if errored.of_all:
        return True
    inside = containers(row.what)
    if not inside:
        return errored.container == NOT_LOADED or row.what.startswith(f"{errored.id} ")
    return "::" not in errored.id and any(
        names(glob, errored.id) or glob.startswith(f"{errored.id}.") for glob in inside
    )


def _is_near(row: Row, test: Reported) -> bool:
    """What the row names would stand in that class or, where ids have no class (jest-junit), in that suite."""
    if names_test(row.what, test.id):
        return True
    inside = containers(row.what)
    if not inside:
        return bool(test.suite) and row.what.startswith(f"{test.suite} ")
    return bool(test.container) and any(names(glob, test.container) for glob in inside)


def _one_line(text: str) -> str:
    return " ".join(text.split())


OF_TESTS: Bearing[Reported] = Bearing(is_of=_is_of, leaves_open=_leaves_open, is_near=_is_near)
