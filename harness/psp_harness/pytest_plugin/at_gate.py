"""One session of pytest at a gate.

At collection the tests that have rows are marked `quarantined`, and what the gate leaves out is skipped (at `manual`:
what has no row is deselected). A failure whose row the gate excuses becomes an expected one, an error never does, and
a pass of what is `broken` fails. A row that no longer holds is a test item of its own, which fails and says what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from psp_harness import config as project
from psp_harness import private, quarantine
from psp_harness.model import Passed, Problem, Result, Skipped, Violated
from psp_harness.pytest_plugin.items import RuleItem
from psp_harness.quarantine import Gate, Row, Runs, containers, gate_named, is_glob, names, node_test_id
from psp_harness.records import Past, Store
from psp_harness.runners import Reported, what_failed
from psp_harness.settle import OF_TESTS, SUBJECT, Excused, Watch, not_run, quarantined

_OUTCOME = "psp_harness_outcome"
"""On a report: how the test came out before anything was excused. It travels from xdist's workers as it is."""
_FAILED = pytest.StashKey[bool]()
"""On a test: a subtest of it failed, and so it did not pass, whatever its last report says."""
_RUNNING = pytest.StashKey[bool]()
"""On a test: it has not come to its end, so what is reported of it is a subtest."""
_NOT_YET = Skipped("not run yet")


def at_gate(root: Path, gate: str, today: date) -> AtGate:
    """The hooks for a project. Raises `DataError` for a broken file, `UsageError` for an unknown gate."""
    settings = project.load(root)
    rows = quarantine.read(root / settings.quarantine)
    about = [row for row in rows if names(row.subject, SUBJECT)]
    watch = Watch(OF_TESTS, about, gate, today, settings.limits)
    return AtGate(gate_named(gate), watch, rows, Store(root / settings.history))


@dataclass(eq=False)  # pytest keeps its plugins in sets
class AtGate:
    """The hooks of one session."""

    gate: Gate
    watch: Watch[Reported]
    rows: Sequence[Row]
    """All of the file, for the gate's budget."""
    history: Store
    outcomes: dict[str, str] = field(default_factory=dict)
    """How each test came out, by its id; complete where the reports of all workers arrive."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
    ) -> Generator[None, None, None]:
        """Mark and leave out before `-k` and `-m` choose; when they have, see which rows no longer hold."""
        stays = {item: self._stays(item) for item in items}
        gone = [item for item, stay in stays.items() if not stay]
        if gone:
            config.hook.pytest_deselected(items=gone)
        items[:] = kept = [item for item, stay in stays.items() if stay]
        yield
        self.watch.whole = _whole(config, chosen=len(items) != len(kept))
        for item in (each for each in (*items, *gone) if not isinstance(each, RuleItem)):
            self.watch.see(_reported(item, _NOT_YET))
        if items or gone:
            stale = [*self.watch.stale(), *self.watch.over_budget(self.rows)]
            items.extend([_Stale.of(session, sentence) for sentence in stale])

    def _stays(self, item: pytest.Item) -> bool:
        """Whether the gate runs it at all; what it only leaves out is marked to be skipped."""
        if isinstance(item, RuleItem):  # whose verdicts are settled by the rows about them
            return True
        rows = self.watch.rows_of(_reported(item, _NOT_YET))
        if rows:
            item.add_marker("quarantined")
        for row in rows:
            if row.section in self.gate.leaves_out and row.is_in_force(self.watch.today):
                item.add_marker(pytest.mark.skip(reason=not_run(row)))
        if self.gate.runs is Runs.FAST and item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason=f"slow: not run at gate {self.watch.gate}"))
        return bool(rows) or self.gate.runs is not Runs.QUARANTINED

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """Know when a test is over."""
        item.stash[_RUNNING] = True
        try:
            return (yield)
        finally:
            item.stash[_RUNNING] = False

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """What a test came out as, as the gate leaves it."""
        report = yield
        if call.when != "call" and report.failed:
            setattr(report, _OUTCOME, "errored")
        elif call.when == "call" and not isinstance(item, (RuleItem, _Stale)):
            self._settle(item, report)
        return report

    def _settle(self, item: pytest.Item, report: pytest.TestReport) -> None:
        if report.failed:
            setattr(report, _OUTCOME, "violated")
            item.stash[_FAILED] = True
            fate = self.watch.fate(_reported(item, Violated(1, (Problem(_words(report)),))))
            if isinstance(fate, Excused):
                report.outcome, report.wasxfail = "skipped", quarantined(fate.row)
        elif report.passed and not item.stash.get(_RUNNING, False) and _FAILED not in item.stash:
            setattr(report, _OUTCOME, "passed")
            if why := self.watch.passes_again(_reported(item, Passed(1))):
                report.outcome, report.longrepr = "failed", f"[passes again] {why}"
                if hasattr(report, "wasxfail"):  # of a failure it would say that it is an expected one
                    del report.wasxfail

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Here every report of every worker arrives."""
        if word := getattr(report, _OUTCOME, ""):
            self.outcomes[node_test_id(report.nodeid)] = word

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Keep the history; an empty quarantine is no failure of the gate that runs it alone."""
        if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and self.gate.runs is Runs.QUARANTINED:
            session.exitstatus = pytest.ExitCode.OK
        if self.gate.keeps_history and self.outcomes and not hasattr(session.config, "workerinput"):
            private.made(session.config.rootpath)
            self.history.add(Past(datetime.now(UTC), self.watch.gate, SUBJECT, tuple(self.outcomes.items())))


def _whole(config: pytest.Config, *, chosen: bool) -> Callable[[Row], bool]:
    """Of which rows everything that they may name was collected; `chosen`: something was deselected.

    Whoever names files, or ignores some, has whole files: a row about one of them is judged, one about many is not.
    """
    if chosen or config.getoption("lf", False) or any("::" in argument for argument in config.args):
        return lambda _: False
    named = config.args_source is pytest.Config.ArgsSource.ARGS and not _names_all(config)
    if named or config.getoption("ignore") or config.getoption("ignore_glob"):
        return lambda row: not any(is_glob(container) for container in containers(row.what))
    return lambda _: True


def _names_all(config: pytest.Config) -> bool:
    here = config.invocation_params.dir
    return any((here / argument).resolve() == config.rootpath.resolve() for argument in config.args)


def _words(report: pytest.TestReport) -> str:
    """What it failed with: the text of the report shows the source as well."""
    crash = getattr(report.longrepr, "reprcrash", None)
    message = str(getattr(crash, "message", ""))
    return what_failed(message, report.longreprtext, by_pytest=True).strip() or "it says nothing"


def _reported(item: pytest.Item, result: Result) -> Reported:
    """A test of pytest, as its JUnit XML would name it."""
    name = node_test_id(item.nodeid)
    return Reported(name, result, container=name.partition("[")[0].rpartition("::")[0])


class _Stale(pytest.Item):
    """A row of QUARANTINE.md that no longer holds: it fails, so that nobody has to look for it."""

    sentence = ""

    @classmethod
    def of(cls, session: pytest.Session, sentence: str) -> _Stale:
        """One for each sentence."""
        item: _Stale = cls.from_parent(session, name=sentence.partition(": ")[0])
        item.sentence = sentence
        return item

    def runtest(self) -> None:
        """Fail."""
        pytest.fail(self.sentence, pytrace=False)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Under its name, the line of the file."""
        return self.path, None, self.name
