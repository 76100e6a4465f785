"""The reference provider speaks every bundled profile, keeps what each promises, and does so over each of its stores."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from pathlib import Path

import pytest

from psp_harness import profile
from psp_harness.model import Errored, Level, Passed, Report, Role, Unexercised, Violated
from psp_harness.run import Job, run
from services import address_of

STORES = ("sqlite", "postgresql", "redis")
"""Memory is judged for every profile, below."""

KILLED = "payment-repeated-after-the-provider-was-killed"

AT_EACH_GATE = frozenset(zip(profile.names(), itertools.cycle(STORES), strict=False))
"""Each profile over one store, and so each store under four profiles at least; the other pairs take their time."""

PAIRS = [
    pytest.param(
        name,
        store,
        id=f"{name}-{store}",
        marks=[
            *([pytest.mark.integration] if store != "sqlite" else []),
            *([] if (name, store) in AT_EACH_GATE else [pytest.mark.slow]),
        ],
    )
    for name, store in itertools.product(profile.names(), STORES)
]


@pytest.fixture(scope="module")
def reports() -> Mapping[str, Report]:
    """Each profile, judged once, all of them at the same time."""

    async def judged(name: str) -> tuple[str, Report]:
        return name, await run(Job(Role.PROVIDER, "reference:provider", profile.load(name), jobs=4))

    async def all_of_them() -> dict[str, Report]:
        return dict(await asyncio.gather(*(judged(name) for name in profile.names())))

    return asyncio.run(all_of_them())


def conforms(report: Report) -> bool:
    """No MUST is violated but by a defect that the profile lists, and nothing is left untold or unjudged."""
    verdicts = report.verdicts
    assert [v.id for v in verdicts if isinstance(v.result, Violated) and v.level is Level.MUST] == []
    assert {v.id: v.result.reason for v in verdicts if isinstance(v.result, Errored)} == {}
    assert {v.rule for v in verdicts if isinstance(v.result, Unexercised)} == set()
    return any(isinstance(v.result, Passed) for v in verdicts)


def test_there_are_thirteen() -> None:
    """A profile that is not bundled any more would not be missed below."""
    assert len(profile.names()) == 13


@pytest.mark.parametrize("name", profile.names())
def test_the_reference_provider_conforms(name: str, reports: Mapping[str, Report]) -> None:
    """Every rule that a profile's features call for is judged in some case, and holds: there is no vacuous green."""
    assert conforms(reports[name])


@pytest.mark.parametrize("name", profile.names())
def test_one_key_has_one_effect_in_every_profile(name: str, reports: Mapping[str, Report]) -> None:
    """The invariant that holds for every PSP is judged for each, whatever a duplicate is answered."""
    outcomes = {v.outcome for v in reports[name].verdicts if v.rule == "one-key-has-one-effect"}
    assert outcomes
    assert outcomes <= {"passed", "known"}


@pytest.mark.parametrize(("name", "store"), PAIRS)
def test_it_conforms_over_every_store(name: str, store: str, tmp_path: Path) -> None:
    """As a process of its own that is killed and started again, with its books where others could share them."""
    where = f"sqlite:{tmp_path / 'provider.db'}" if store == "sqlite" else address_of(store)
    report = asyncio.run(run(Job(Role.PROVIDER, f"reference:provider?store={where}", profile.load(name), jobs=8)))
    assert conforms(report)
    survived = {v.outcome for v in report.verdicts if v.case == KILLED}
    assert survived & {"passed", "known"}
