"""The catalogue holds together: nothing is declared that nothing uses, and every statement has a source."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping

import pytest

from psp_harness import case, faults, profile, rules
from psp_harness.contracts import CASES
from psp_harness.miniatures.modes import FURTHER, MODES, modes_in
from psp_harness.model import Passed, Role
from psp_harness.plan import ANY_CASE, CASE_RUNS, WATCHED_COMMAND
from psp_harness.rules import Rule
from psp_harness.run import Job, run
from psp_harness.subjects.addresses import KINDS, MINIATURES
from psp_harness.vocabulary import CREATES, FEATURES, OPERATIONS

ALL_CASES = case.load([CASES], faults.load())
ALL_RULES = rules.load()

EXERCISED_BY = (
    (Role.CLIENT, "miniature:careful-client", "generic"),
    (Role.CLIENT, "miniature:refund-id-keys", "generic"),
    (Role.CLIENT, "miniature:key-or-random", "generic"),
    (Role.CLIENT, "miniature:writes-its-keys-down", "generic"),
    (Role.CLIENT, "miniature:refreshes-its-token", "generic"),
    (Role.CLIENT, "miniature:books-by-the-id-of-the-psp", "generic"),
    (Role.CLIENT, "miniature:knows-when-a-key-expires", "generic"),
    (Role.CLIENT, "reference:client", "hyperswitch-docs"),
    (Role.PROVIDER, "reference:provider", "generic"),
    (Role.PROVIDER, "reference:provider", "hyperswitch-docs"),
    (Role.PROVIDER, "reference:provider", "stripe"),
    (Role.PROVIDER, "miniature:books-in-a-file", "generic"),
    *((Role.RECEIVER, "reference:receiver", name) for name in ("generic", "stripe", "adyen", "paypal", "mollie")),
    (Role.RECEIVER, "miniature:receiver-that-does-not-say-what-it-did", "generic"),
    (Role.SHOP, "miniature:careful-shop", "generic"),
    (Role.SHOP, "reference:shop", "hyperswitch-docs"),
)
"""Correct subjects that together are put through every case."""


@pytest.fixture(scope="module")
def exercised(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, set[str]]:
    """By case: the rules that a correct subject passed in it; what is durable and has a readiness route is asked that."""
    durable = f"reference:provider?store=sqlite:{tmp_path_factory.mktemp('provider') / 'provider.db'}"
    ready = Job(Role.PROVIDER, durable, profile.load("hyperswitch-docs"), only=("*/readiness-*",))

    async def all_of_them() -> dict[str, set[str]]:
        jobs = [Job(role, address, profile.load(name), answer_timeout=1.0) for role, address, name in EXERCISED_BY]
        jobs.append(ready)
        passed: dict[str, set[str]] = {}
        for role in Role:  # one after the other: what waits for answers is not to wait for another role's work
            for report in await asyncio.gather(*(run(job) for job in jobs if job.role is role)):
                for verdict in report.verdicts:
                    if isinstance(verdict.result, Passed):
                        passed.setdefault(verdict.case, set()).add(verdict.rule)
        return passed

    return asyncio.run(all_of_them())


@pytest.mark.parametrize("rule", ALL_RULES.values(), ids=lambda rule: rule.id)
def test_a_rule_says_what_it_wants_why_and_what_to_do(rule: rules.Rule) -> None:
    """Requirement, source and fix are there, and the requirement is one sentence."""
    assert rule.requirement.endswith(".")
    assert rule.requirement.count(". ") == 0
    assert rule.source
    assert rule.fix


@pytest.mark.parametrize("each", ALL_CASES, ids=lambda each: each.id)
def test_a_case_exercises_a_rule(each: case.Case, exercised: Mapping[str, set[str]]) -> None:
    """A situation in which no correct subject passes any rule judges nothing."""
    assert exercised.get(each.id)


@pytest.mark.parametrize("rule", ALL_RULES)
def test_a_rule_is_passed_by_a_correct_subject(rule: str, exercised: Mapping[str, set[str]]) -> None:
    """A rule that no case exercises on any correct subject says nothing."""
    assert rule in set().union(*exercised.values())


@pytest.mark.parametrize("fault", faults.load())
def test_a_fault_is_used_by_a_case(fault: str) -> None:
    """A fault that no case names is dead."""
    assert any(strike.strike == fault for each in ALL_CASES for strike in each.faults)


@pytest.mark.parametrize("feature", sorted(FEATURES))
def test_a_feature_is_needed_or_claimed_by_something(feature: str) -> None:
    """A word of the vocabulary that nobody speaks is dead."""
    needed = set().union(*(each.needs for each in ALL_CASES), *(rule.needs for rule in ALL_RULES.values()))
    told_to_the_subject = {"own-keys", "keeps-keys", "parallel"}
    given_by_the_run = {"effects", "clock", "intent", "commit-points"}
    assert feature in needed | told_to_the_subject | given_by_the_run


@pytest.mark.parametrize("name", profile.names())
def test_a_profile_knows_only_operations_and_defects_that_exist(name: str) -> None:
    """A defect names rules that exist, and what moves money has a route."""
    facts = profile.load(name)
    assert set(facts.operations) >= CREATES
    assert set(facts.operations) <= set(OPERATIONS)
    assert {rule for defect in facts.defects for rule in defect.rules} <= set(ALL_RULES)


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_has_a_miniature_or_the_reason_why_nothing_can_show_it(mode: str) -> None:
    """A failure mode is shown by a miniature that some rule reports, or stands with a reason; never neither, never both."""
    shown = [each.name for each in MINIATURES.values() if each.mode == mode and each.breaks]
    assert bool(shown) != bool(MODES[mode].unshown), shown
    assert MODES[mode].says


def test_the_modes_are_all_there() -> None:
    """C01 to C32, P01 to P40, R01 to R12, W01 to W30 and some further ones: none left out, none stated twice."""
    areas = (("C", 32), ("P", 40), ("R", 12), ("W", 30))
    wanted = [f"{area}{number:02}" for area, last in areas for number in range(1, last + 1)]
    wanted += FURTHER
    assert list(MODES) == wanted
    assert len({mode.says for mode in MODES.values()}) == len(wanted)


def test_a_miniature_names_a_mode() -> None:
    """Nobody shows what no catalogue knows."""
    assert [each.name for each in MINIATURES.values() if each.mode and each.mode not in MODES] == []


@pytest.mark.parametrize("rule", ALL_RULES.values(), ids=lambda rule: rule.id)
def test_a_source_names_nothing_that_nobody_can_look_up(rule: Rule) -> None:
    """Each code in it is a mode that `psp-harness explain` knows; nothing in it is known in this project alone."""
    codes = re.findall(r"\b[A-Z]\d{1,2}\b", rule.source)
    assert set(codes) <= modes_in(rule.source)
    assert "mission" not in f"{rule.source} {rule.fix}"


def test_a_range_of_modes_is_each_of_them() -> None:
    """As sources write them."""
    assert modes_in("RFC 9110; failure modes C06, C13 to C15, A6, W22 and X01") == {
        "C06",
        "C13",
        "C14",
        "C15",
        "A6",
        "W22",
    }


def test_names_do_not_collide() -> None:
    """Cases, rules and miniatures can be told apart by name, and none is called as a stand-in is."""
    names = [*ALL_RULES, *(each.id for each in ALL_CASES), *MINIATURES, CASE_RUNS, ANY_CASE, WATCHED_COMMAND]
    assert len(names) == len(set(names))


def test_every_kind_of_address_opens_something() -> None:
    """A kind of address that can be judged in no role is dead."""
    assert [name for name, kind in KINDS.items() if not kind.roles] == []
