"""JUnit XML, read: what pytest, gotestsum, Jest, Surefire and PHPUnit write, one test after the other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.sax.xmlreader import AttributesImpl

from psp_harness.errors import DataError
from psp_harness.model import Errored, Passed, Problem, Result, Skipped, Violated
from psp_harness.quarantine import id_of_test
from psp_harness.runners.failing import what_failed
from psp_harness.runners.parsing import Handler, local, parse
from psp_harness.runners.reported import Reported

SHOWN = 1 << 18
"""So many characters of a failure are kept. A piece that a row expects, and that comes later, excuses nothing."""

FAILED = frozenset({"failure"})
ERRORED = frozenset({"error", "warning"})
"""PHPUnit calls a test that cannot be run a warning."""
AGAIN = frozenset({"flakyFailure", "flakyError"})
"""Surefire: it failed, was run again, and passed."""
_RERUN = frozenset({"rerunFailure", "rerunError"})
_TOLD = FAILED | ERRORED | AGAIN | _RERUN | {"skipped"}
_PYTEST = frozenset({"pytest tests", "pytest"})
"""What pytest calls its root and, unless it is told otherwise, its suite."""

_OTHERS = {
    "TestRun": "a .trx file of Visual Studio",
    "assemblies": "results of xUnit.net",
    "test-run": "results of NUnit",
    "test-results": "results of NUnit",
    "testng-results": "results of TestNG",
    "html": "a web page",
    "coverage": "a coverage report",
    "checkstyle": "a report of Checkstyle",
}
_NOTHING = "it says nothing"
NOT_LOADED = "Test suite failed to run"
"""The class of what jest-junit says of a file that cannot be loaded, once as an error and once as a failure."""
_THROUGH_SUBTESTS = re.compile(r"contains \d+ failed subtests?")
"""pytest, of the test around subtests: they have their own words."""
_GO_MARKS = re.compile(r"\s*(=== (RUN|PAUSE|CONT|NAME)\b|--- (FAIL|PASS|SKIP):|$)")


def read(path: Path) -> Iterator[Reported]:
    """Every test of the file, in its order. Raises `DataError`, also after some of them were given."""
    reader = _Reader(str(path))
    for _ in parse(path, reader):
        yield from reader.take()


def check_root(name: str, file: str) -> None:
    """Raise `DataError` for a document that is something else."""
    if name not in {"testsuites", "testsuite"}:
        what = _OTHERS.get(name, "no JUnit XML")
        do = "let the runner write JUnit XML, such as pytest --junitxml, gotestsum --junitfile, jest-junit"
        raise DataError(f"got <{name}>, {what}, expected <testsuites> or <testsuite>", file=file, do=do)


@dataclass(slots=True)
class _Suite:
    """What a suite counts, and what it has shown so far, with what stands in suites inside it."""

    name: str
    counted: dict[str, int]
    shown: dict[str, int] = field(default_factory=lambda: {"failures": 0, "errors": 0, "tests": 0})


@dataclass(slots=True)
class _Said:
    """What one element says: its attribute `message`, and what stands in it."""

    message: str
    text: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Both, as people read them."""
        return f"{self.message}\n{''.join(self.text)}".strip() or _NOTHING


@dataclass(slots=True)
class _Open:
    """A `<testcase>` that has not come to its end."""

    test: Reported
    by_pytest: bool
    told: dict[str, list[_Said]] = field(default_factory=dict)
    """What it says, by element."""
    room: int = SHOWN


class _Reader(Handler):
    """Makes tests of what the parser tells."""

    def __init__(self, file: str) -> None:
        super().__init__()
        self._file = file
        self._done: list[Reported] = []
        self._suites: list[_Suite] = []
        self._test: _Open | None = None
        self._telling: _Said | None = None
        self._place = 0
        self._with_failed_subtests: set[str] = set()

    def take(self) -> list[Reported]:
        """The tests that have come to their end since the last time."""
        done, self._done = self._done, []
        return done

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 - the parser's name
        super().startElement(name, attrs)
        if self.depth == 1:
            check_root(name, self._file)
        name = local(name)
        if name in {"testsuites", "testsuite", "testcase"} and self._test is not None:
            what = f"got a <{name}> within the test case {self._test.test.id!r}"
            raise DataError(what, file=self._file, do="no test runner writes that: look at what did")
        if name in {"testsuites", "testsuite"}:
            self._suites.append(_Suite(attrs.get("name", name), _counts(attrs)))
        elif name == "testcase":
            self._place += 1
            by_pytest = any(suite.name in _PYTEST for suite in self._suites)
            self._test = _Open(_described(attrs, self._suites[-1].name, self._place), by_pytest)
        elif self._test is not None and name in _TOLD:
            self._telling = _Said(self._room_for(attrs.get("message", "")))
            self._test.told.setdefault(name, []).append(self._telling)
        elif self._test is None and name in FAILED | ERRORED:
            self._telling = _Said(attrs.get("message", "")[:SHOWN])

    def characters(self, content: str) -> None:
        super().characters(content)
        if self._telling is not None and (kept := self._room_for(content)):
            self._telling.text.append(kept)

    def endElement(self, name: str) -> None:  # noqa: N802
        super().endElement(name)
        name = local(name)
        if name == "testcase" and self._test is not None:
            self._finish(self._test)
            self._test = None
        elif name in _TOLD:
            if self._test is None and self._telling is not None:
                self._beside_the_tests(name, self._telling)
            self._telling = None
        elif name in {"testsuites", "testsuite"}:
            self._close(self._suites.pop())

    def _room_for(self, text: str) -> str:
        """As much of it as is kept."""
        if self._test is None:
            return text if sum(map(len, self._telling.text if self._telling else ())) < SHOWN else ""
        kept = text[: max(self._test.room, 0)]
        self._test.room -= len(text)
        return kept

    def _beside_the_tests(self, name: str, said: _Said) -> None:
        """A suite that could not start its tests, or not end them, may have no test case to say so."""
        for suite in self._suites:
            suite.shown["failures" if name in FAILED else "errors"] += 1
        *around, suite = self._suites
        self._done.append(_of_suite(suite, around, f"beside its test cases: {said}"))

    def _finish(self, test: _Open) -> None:
        for suite in self._suites:
            suite.shown["tests"] += 1
            suite.shown["failures"] += _counted(test, ("failure", "flakyFailure", "rerunFailure"))
            suite.shown["errors"] += _counted(test, ("error", "flakyError", "rerunError"))
        before = sum(len(test.told.get(name, ())) > 0 for name in AGAIN)
        done = replace(test.test, result=_result(test), failed_before=before, times_failed=_counted(test, FAILED) or 1)
        if isinstance(done.result, Violated):
            done = self._without_subtests(done)
        self._done.append(done)

    def _without_subtests(self, test: Reported) -> Reported:
        """In Go a test fails with its subtests: where it says nothing of its own, they stand for themselves."""
        if test.id in self._with_failed_subtests and all(_GO_MARKS.match(line) for line in _lines(test.message)):
            reason = "it failed through its subtests, which stand for themselves"
            return replace(test, result=Skipped(reason), through_subtests=True)
        parent = test.id.rpartition("/")[0]
        while parent and len(parent) > len(test.container):
            self._with_failed_subtests.add(parent)
            parent = parent.rpartition("/")[0]
        return test

    def _close(self, suite: _Suite) -> None:
        missing = {name: max(count - suite.shown[name], 0) for name, count in suite.counted.items()}
        if any(each.name in _PYTEST for each in (suite, *self._suites)):
            missing.pop("tests", None)  # it counts each subtest, and shows those that failed
        if any(missing.values()):
            self._done.append(_of_suite(suite, self._suites, _untold(missing, suite)))
        for around in self._suites:
            for name, count in missing.items():
                around.shown[name] += count


def _of_suite(suite: _Suite, around: Sequence[_Suite], reason: str) -> Reported:
    """An error of a suite that stands in others; the outermost one holds every test there is."""
    return Reported(suite.name, Errored(reason), of_all=not around or suite.name in _PYTEST)


def _untold(missing: Mapping[str, int], suite: _Suite) -> str:
    """Why nobody can tell how a suite came out."""
    kinds = [(name, missing.get(name, 0)) for name in ("failures", "errors")]
    untold = [f"{count} {name if count > 1 else name[:-1]}" for name, count in kinds if count]
    if not untold:
        return (
            f"it counts {suite.counted['tests']} tests and shows {suite.shown['tests']}: the others did not come to "
            "their end, or were taken out of the file; read the runner's own output"
        )
    return (
        f"it counts {' and '.join(untold)} that no test case shows: something did not compile, load or start; "
        "read the runner's own output"
    )


def _described(attrs: AttributesImpl, suite: str, place: int) -> Reported:
    class_name, name = attrs.get("classname", "") or attrs.get("class", ""), attrs.get("name", "")
    name = name or class_name
    line = attrs.get("line", "")
    return Reported(
        id_of_test(class_name, name) or f"test case {place}",
        Passed(1),
        container="" if class_name == name else class_name,
        suite=suite,
        file=attrs.get("file", ""),
        line=int(line) if line.isdecimal() and len(line) < 9 else 0,
        place=place,
    )


def _counts(attrs: AttributesImpl) -> dict[str, int]:
    return {name: int(attrs[name]) for name in ("failures", "errors", "tests") if attrs.get(name, "").isdecimal()}


def _result(test: _Open) -> Result:
    """An error among its failures is an error; of several failures each is a problem, and no one of them is excused."""
    told = test.told
    if test.test.container == NOT_LOADED and told.keys() & FAILED:
        return Errored(str(told["failure"][0]))
    failed = "failure" in told or (_RERUN & told.keys() and "skipped" not in told)
    errors = [said for name in (*ERRORED, *(("rerunError",) if failed else ())) for said in told.get(name, ())]
    if errors:
        return Errored(str(errors[0]))
    if failed:
        words = [_words(said, test) for name in ("failure", "rerunFailure") for said in told.get(name, ())]
        own = [each for each in words if not _THROUGH_SUBTESTS.fullmatch(each)]
        return Violated(1, tuple(map(Problem, own or words)))
    if "skipped" in told:
        return Skipped(str(told["skipped"][0]))
    return Passed(1)


def _words(said: _Said, test: _Open) -> str:
    return what_failed(said.message, "".join(said.text), by_pytest=test.by_pytest).strip() or _NOTHING


def _counted(test: _Open, names: Iterable[str]) -> int:
    """As how many its suite may count it: pytest counts each element, for a subtest has one; others the test."""
    found = [len(test.told[name]) for name in names if name in test.told]
    return sum(found) if test.by_pytest else len(found)


def _lines(text: str) -> list[str]:
    """What gotestsum puts before Go's own words is no message of the test."""
    return text.removeprefix("Failed\n").split("\n")
