"""Each rule is proved both ways: every miniature is reported by the rules meant for it, and by no other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from psp_harness import profile, rules
from psp_harness.model import Errored, Passed, Report, Violated
from psp_harness.run import Job, run
from psp_harness.subjects.addresses import MINIATURES

ANSWER_TIMEOUT = 0.4
"""Seconds: short, so that slow answers do not make a slow test; long enough for a busy machine."""

AT_ONCE = 5
"""Runs at one time: their races need a processor that is not busy elsewhere."""

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def reports() -> Mapping[str, Report]:
    """Every miniature, judged once."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def judged(name: str) -> tuple[str, Report]:
        made = MINIATURES[name]
        job = Job(
            made.role, f"miniature:{name}", profile.load(made.profile), answer_timeout=ANSWER_TIMEOUT, step_timeout=20
        )
        async with gate:
            return name, await run(job)

    async def all_of_them() -> dict[str, Report]:
        return dict(await asyncio.gather(*(judged(name) for name in MINIATURES)))

    return asyncio.run(all_of_them())


@pytest.mark.parametrize("name", MINIATURES)
def test_a_miniature_is_reported_by_the_rules_meant_for_it_and_no_other(
    name: str, reports: Mapping[str, Report]
) -> None:
    """What it breaks is violated, and nothing else is."""
    violated = {v.rule: v.result.problems[0].sentence for v in reports[name].verdicts if isinstance(v.result, Violated)}
    assert set(violated) - MINIATURES[name].may == MINIATURES[name].breaks, violated


@pytest.mark.parametrize("name", [name for name, each in MINIATURES.items() if not each.mode and "refuses" not in name])
def test_a_correct_miniature_is_driven_to_the_end_of_every_case(name: str, reports: Mapping[str, Report]) -> None:
    """A correct subject is judged, and nothing about it is errored."""
    results = [verdict.result for verdict in reports[name].verdicts]
    assert [result.reason for result in results if isinstance(result, Errored)] == []
    assert any(isinstance(result, Passed) for result in results)


@pytest.mark.parametrize("name", ["refuses-everything", "refuses-every-call", "shop-that-refuses-everything"])
def test_silence_proves_nothing(name: str, reports: Mapping[str, Report]) -> None:
    """A subject that refuses everything passes no rule, and its cases are errored."""
    verdicts = reports[name].verdicts
    assert [verdict.id for verdict in verdicts if isinstance(verdict.result, Passed)] == []
    assert any(isinstance(verdict.result, Errored) for verdict in verdicts)


@pytest.mark.parametrize("rule", rules.load())
def test_a_rule_has_a_miniature_that_breaks_it_and_a_correct_subject_that_does_not(
    rule: str, reports: Mapping[str, Report]
) -> None:
    """A rule that nothing breaks, or that nothing passes, is not proved."""
    breakers = [name for name, each in MINIATURES.items() if rule in each.breaks]
    passers = [
        name
        for name, report in reports.items()
        for verdict in report.verdicts
        if verdict.rule == rule and isinstance(verdict.result, Passed) and not MINIATURES[name].mode
    ]
    assert breakers
    assert passers
