"""The reference provider speaks every bundled profile, and keeps what each promises."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from psp_harness import profile
from psp_harness.model import Errored, Level, Passed, Report, Role, Unexercised, Violated
from psp_harness.run import Job, run


@pytest.fixture(scope="module")
def reports() -> Mapping[str, Report]:
    """Each profile, judged once, all of them at the same time."""

    async def judged(name: str) -> tuple[str, Report]:
        return name, await run(Job(Role.PROVIDER, "reference:provider", profile.load(name), jobs=4))

    async def all_of_them() -> dict[str, Report]:
        return dict(await asyncio.gather(*(judged(name) for name in profile.names())))

    return asyncio.run(all_of_them())


def test_there_are_thirteen() -> None:
    """A profile that is not bundled any more would not be missed below."""
    assert len(profile.names()) == 13


@pytest.mark.parametrize("name", profile.names())
def test_the_reference_provider_conforms(name: str, reports: Mapping[str, Report]) -> None:
    """No MUST is violated but by a defect that the profile lists, and nothing is left untold."""
    verdicts = reports[name].verdicts
    assert [v.id for v in verdicts if isinstance(v.result, Violated) and v.level is Level.MUST] == []
    assert {v.id: v.result.reason for v in verdicts if isinstance(v.result, Errored)} == {}
    assert any(isinstance(v.result, Passed) for v in verdicts)


@pytest.mark.parametrize("name", profile.names())
def test_every_rule_that_a_profile_calls_for_is_exercised(name: str, reports: Mapping[str, Report]) -> None:
    """What its features promise is judged in some case: there is no vacuous green."""
    assert {v.rule for v in reports[name].verdicts if isinstance(v.result, Unexercised)} == set()


@pytest.mark.parametrize("name", profile.names())
def test_one_key_has_one_effect_in_every_profile(name: str, reports: Mapping[str, Report]) -> None:
    """The invariant that holds for every PSP is judged for each, whatever a duplicate is answered."""
    outcomes = {v.outcome for v in reports[name].verdicts if v.rule == "one-key-has-one-effect"}
    assert outcomes
    assert outcomes <= {"passed", "known"}
