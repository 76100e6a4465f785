"""Each rule is proved both ways: every miniature is reported by the rules meant for it, and by no other."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping

import pytest
from _pytest.mark.structures import ParameterSet

from psp_harness import rules
from psp_harness.matrix.miniatures import reports as reports_of
from psp_harness.model import Errored, Passed, Report, Role, Violated
from psp_harness.run import Progress
from psp_harness.subjects.addresses import MINIATURES

pytestmark = pytest.mark.timeout(1200)

_SLOW = [pytest.mark.slow]


CORRECT = [name for name, each in MINIATURES.items() if not each.mode and "refuses" not in name]
REFUSING = ["refuses-everything", "refuses-every-call", "shop-that-refuses-everything"]
RULES = {name: each.role for name, each in rules.load().items()}
TELLING = {*CORRECT, *REFUSING, *(next(name for name, m in MINIATURES.items() if rule in m.breaks) for rule in RULES)}
"""Enough for a gate that has no time: nobody is reported who is right, and every rule reports somebody."""


class Reports:
    """The miniatures that the tests of this run ask for, judged once: those of a role when the first is asked for."""

    def __init__(self, wanted: Collection[str]) -> None:
        self._wanted = wanted
        self._of: dict[Role, dict[str, Report]] = {}

    def of(self, role: Role) -> Mapping[str, Report]:
        """Those of a role, by name."""
        if role not in self._of:
            names = [name for name, each in MINIATURES.items() if each.role is role and name in self._wanted]
            found = asyncio.run(reports_of(names, Progress()))
            self._of[role] = {name: each for name, each in found.items() if isinstance(each, Report)}
        return self._of[role]

    def __getitem__(self, name: str) -> Report:
        return self.of(MINIATURES[name].role)[name]


def of_miniatures(names: Iterable[str]) -> list[ParameterSet]:
    """As parameters; shops are ended at every request and commit, and that takes its time."""
    return [
        pytest.param(name, id=name, marks=[] if name in TELLING and MINIATURES[name].role is not Role.SHOP else _SLOW)
        for name in names
    ]


@pytest.fixture(scope="module")
def reports(request: pytest.FixtureRequest) -> Reports:
    """What is judged once serves every test."""
    wanted: set[str] = set()
    for item in request.session.items:
        asked = getattr(item, "callspec", None)
        if item.path == request.path and asked is not None and not item.get_closest_marker("skip"):
            wanted |= {asked.params["name"]} if "name" in asked.params else set(CORRECT)
    return Reports(wanted)


@pytest.mark.parametrize("name", of_miniatures(MINIATURES))
def test_a_miniature_is_reported_by_the_rules_meant_for_it_and_no_other(name: str, reports: Reports) -> None:
    """What it breaks is violated, and nothing else is."""
    violated = {v.rule: v.result.problems[0].sentence for v in reports[name].verdicts if isinstance(v.result, Violated)}
    assert set(violated) - MINIATURES[name].may == MINIATURES[name].breaks, violated


@pytest.mark.parametrize("name", of_miniatures(CORRECT))
def test_a_correct_miniature_is_driven_to_the_end_of_every_case(name: str, reports: Reports) -> None:
    """A correct subject is judged, and nothing about it is errored."""
    results = [verdict.result for verdict in reports[name].verdicts]
    assert [result.reason for result in results if isinstance(result, Errored)] == []
    assert any(isinstance(result, Passed) for result in results)


@pytest.mark.parametrize("name", of_miniatures(REFUSING))
def test_silence_proves_nothing(name: str, reports: Reports) -> None:
    """A subject that refuses everything passes no rule, and its cases are errored."""
    verdicts = reports[name].verdicts
    assert [verdict.id for verdict in verdicts if isinstance(verdict.result, Passed)] == []
    assert any(isinstance(verdict.result, Errored) for verdict in verdicts)


@pytest.mark.parametrize(
    "rule", [pytest.param(rule, id=rule, marks=_SLOW if role is Role.SHOP else []) for rule, role in RULES.items()]
)
def test_a_rule_has_a_miniature_that_breaks_it_and_a_correct_subject_that_does_not(rule: str, reports: Reports) -> None:
    """A rule that nothing breaks, or that nothing passes, is not proved."""
    breakers = [name for name, each in MINIATURES.items() if rule in each.breaks]
    passers = [
        name
        for name, report in reports.of(RULES[rule]).items()
        for verdict in report.verdicts
        if verdict.rule == rule and isinstance(verdict.result, Passed) and not MINIATURES[name].mode
    ]
    assert breakers
    assert passers
