"""Rules as tests: `pytest psp-harness.toml`, or `pytest --psp-subject ADDRESS`, has one test for each rule.

With `--gate` each verdict is settled by the rows about it, and a row that no longer holds fails the last test of its
subject.
The subject is judged once for a session (under pytest-xdist for each worker, unless `--dist loadfile` keeps its tests
together). A rule that does not hold fails its test; what is known, or a SHOULD, is an expected failure; what was not
judged is skipped, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from psp_harness.pytest_plugin.options import profile_name

if TYPE_CHECKING:
    from psp_harness.config import Run
    from psp_harness.model import Report, Verdict
    from psp_harness.run import Job

CONFIGURATION = "psp-harness.toml"
_REPORTS = pytest.StashKey[dict[int, "Report"]]()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """The project's configuration, where it is named on the command line."""
    named = file_path.name == CONFIGURATION and parent.session.isinitpath(file_path)
    return Configuration.from_parent(parent, path=file_path) if named else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """The subject that the command line names, beside the project's own tests."""
    if address := config.getoption("--psp-subject"):
        with_errors_for_people(lambda: items.extend(session.genitems(_named(session, str(address)))))


def with_errors_for_people(work: Any) -> Any:
    """What `work` gives; an error of ours ends the session as a wrong call, in one sentence."""
    from psp_harness.errors import HarnessError

    try:
        return work()
    except HarnessError as error:
        raise pytest.UsageError(f"psp-harness: {error}") from None


def _named(session: pytest.Session, address: str) -> Subject:
    from psp_harness import config
    from psp_harness.model import Role
    from psp_harness.subjects.addresses import default_profile, default_role

    role = session.config.getoption("--psp-role")
    known = {each.value for each in Role}
    if role and role not in known:
        raise pytest.UsageError(f"--psp-role is {role!r}; expected one of {', '.join(sorted(known))}")
    of_role = Role(role) if role else default_role(address)
    chosen = config.Run(of_role, address, profile_name(session.config) or default_profile(address))
    return _subject(session, chosen, config.load(Path.cwd()))


def _subject(parent: Any, chosen: Run, settings: Any) -> Subject:
    from psp_harness import config

    name = f"{chosen.role}/{chosen.profile}"
    in_file = isinstance(parent, Configuration)
    made: Subject = Subject.from_parent(parent, name=name, **({} if in_file else {"nodeid": f"psp-harness::{name}"}))
    made.job = _at_gate(config.job_of(chosen, settings), parent.config)
    return made


def _at_gate(job: Job, config: pytest.Config) -> Job:
    """With `--gate`, its verdicts are settled as `psp-harness run --gate` does."""
    from dataclasses import replace

    from psp_harness.pytest_plugin.gate import day_of

    gate = config.getoption("--gate")
    return replace(job, gate=str(gate), today=day_of(config)) if gate else job


class Configuration(pytest.File):
    """Every subject that the project names."""

    def collect(self) -> Iterable[Subject]:
        """One for each `[[run]]`."""
        from psp_harness import config

        settings = with_errors_for_people(lambda: config.load(self.path.parent))
        return [with_errors_for_people(lambda each=each: _subject(self, each, settings)) for each in settings.run]


class Subject(pytest.Collector):
    """One subject; its tests are the rules of its role."""

    job: Job

    def collect(self) -> Iterator[RuleItem]:
        """In the order of the catalogue, and then whether the cases came to their end."""
        from psp_harness import rules
        from psp_harness.plan import CASE_RUNS

        names = [rule.id for rule in rules.load().values() if rule.role is self.job.role]
        for name in (*names, CASE_RUNS):
            item: RuleItem = RuleItem.from_parent(self, name=name)
            yield item

    def report(self) -> Report:
        """What was found; the subject is judged for the first test that asks."""
        import asyncio

        from psp_harness.run import run

        reports = self.config.stash.setdefault(_REPORTS, {})
        if id(self) not in reports:
            reports[id(self)] = asyncio.run(run(self.job))
        return reports[id(self)]


class RuleItem(pytest.Item):
    """One rule, in all cases."""

    def runtest(self) -> None:
        """Fail, skip or pass as the verdicts say."""
        from psp_harness.errors import HarnessError
        from psp_harness.model import Errored, Known, Level, Passed, Violated
        from psp_harness.plan import CASE_RUNS

        subject = self.parent
        assert isinstance(subject, Subject)
        try:
            report = subject.report()
        except HarnessError as error:
            raise DoesNotHold(str(error)) from None
        mine = [verdict for verdict in report.verdicts if verdict.rule == self.name]
        strict = bool(self.config.getoption("--psp-strict"))
        bad = [v for v in mine if isinstance(v.result, Violated) and (strict or v.level is Level.MUST)]
        if bad or any(isinstance(v.result, Errored) for v in mine):
            raise DoesNotHold(_told(report, mine, subject.job))
        if self.name == CASE_RUNS and report.stale:
            raise DoesNotHold("\n".join(report.stale))
        tolerated = [v for v in mine if isinstance(v.result, (Violated, Known))]
        if tolerated:
            pytest.xfail(_reason(tolerated[0]))
        if any(isinstance(v.result, Passed) for v in mine):
            return
        if _runs_the_quarantined(subject.job):
            pytest.skip(_reason(mine[0]) if mine else f"not quarantined: not judged at gate {subject.job.gate}")
        if mine and self.name != CASE_RUNS:
            pytest.skip(_reason(mine[0]))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The text report on the rule, without a traceback of ours."""
        if isinstance(excinfo.value, DoesNotHold):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where it stands, and what it is called."""
        return self.path, None, self.name


class DoesNotHold(Exception):
    """A rule that a subject breaks, or that could not be told."""


def _runs_the_quarantined(job: Job) -> bool:
    """What has no verdict is there what nobody judged; elsewhere it is a case that came to its end."""
    from psp_harness.quarantine import Runs, gate_named

    return job.gate is not None and gate_named(job.gate).runs is Runs.QUARANTINED


def _reason(verdict: Verdict) -> str:
    """Why it is skipped or expected to fail, in one line."""
    problems = tuple(getattr(verdict.result, "problems", ()))
    said = str(getattr(verdict.result, "reason", "")) or f"{verdict.level}: {problems[0].sentence}"
    return f"{verdict.outcome}: {said}"


def _told(report: Report, mine: list[Verdict], job: Job) -> str:
    """What people read of these verdicts: the picture, the source, the fix."""
    from dataclasses import replace

    from psp_harness.reports import Clean
    from psp_harness.reports.findings import Page, findings

    page = Page(Clean(replace(report, verdicts=tuple(mine))), job.profile, {})
    return "\n".join(f"{' ' * line.indent}{line.text}" for line in findings(page)).strip()
