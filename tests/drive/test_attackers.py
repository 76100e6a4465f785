"""The rules against clients that were written to be misjudged."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from drive import attackers
from psp_harness import profile
from psp_harness.model import Errored, Report, Role, Violated
from psp_harness.run import Job, run

AT_ONCE = 3
GENERIC = profile.load("generic")

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def reports() -> Mapping[type, Report]:
    """Each of them, judged once in every case."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def judged(client: type) -> tuple[type, Report]:
        address = f"python:drive.attackers:{client.__name__}"
        async with gate:
            return client, await run(Job(Role.CLIENT, address, GENERIC, answer_timeout=1.5, step_timeout=20.0))

    async def all_of_them() -> Mapping[type, Report]:
        return dict(await asyncio.gather(*map(judged, (*attackers.RIGHT, *attackers.WRONG))))

    return asyncio.run(all_of_them())


def violated(report: Report) -> Mapping[str, str]:
    """The rules that are violated, each with its first sentence."""
    found = {v.rule: v.result for v in report.verdicts if isinstance(v.result, Violated)}
    return {name: result.problems[0].sentence for name, result in found.items()}


@pytest.mark.parametrize("client", attackers.RIGHT, ids=lambda each: each.__name__)
def test_a_client_that_is_right_and_looks_wrong_is_not_reported(client: type, reports: Mapping[type, Report]) -> None:
    """By no rule, in no case; and nothing about it could not be told."""
    assert violated(reports[client]) == {}
    assert [v.result.reason for v in reports[client].verdicts if isinstance(v.result, Errored)] == []


@pytest.mark.parametrize(("client", "rule"), attackers.WRONG.items(), ids=lambda each: getattr(each, "__name__", ""))
def test_a_client_that_is_wrong_and_looks_right_is_reported(
    client: type, rule: str, reports: Mapping[type, Report]
) -> None:
    """By the rule meant for it."""
    assert rule in violated(reports[client])
