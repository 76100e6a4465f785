"""Tests of how much may be tolerated."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from psp_harness.quarantine import GATES, Budget, Class, Kind, Limits, Row, beyond_limits, can_be_renewed, over_budget

TODAY = date(2026, 12, 1)
ROW = Row(Class.NIGHTLY, "a/b", "*", "r", Kind.BROKEN, "ann", "so", "#1", date(2026, 11, 1), date(2026, 12, 31), 5)


def limits(*, money: bool = False, **budgets: Budget) -> Limits:
    """Of a project whose every row is a money risk, or none."""
    return Limits(budgets, lambda _: money)


@pytest.mark.parametrize(
    ("days", "said"), [(30, []), (29, ["the row for 'a/b' is 30 days old, and the budget of gate pr is 29"])]
)
def test_a_row_older_than_its_gates_budget_is_said(days: int, said: list[str]) -> None:
    """Counted from `since`, whatever its date is now."""
    found = list(beyond_limits(ROW, "pr", limits(pr=Budget(days=days)), TODAY))
    assert [sentence.partition(";")[0] for sentence in found] == said


def test_a_budget_is_that_of_its_gate_alone() -> None:
    """Nightly may have more patience than release."""
    assert list(beyond_limits(ROW, "release", limits(pr=Budget(days=1)), TODAY)) == []


@pytest.mark.parametrize("gate", list(GATES))
def test_a_row_that_does_nothing_at_a_gate_is_no_burden_of_it(gate: str) -> None:
    """Release excuses nothing of 🔴 in any case."""
    red = replace(ROW, section=Class.RELEASE)
    budget = limits(money=True, **{gate: Budget(rows=0, days=0)})
    assert bool(list(over_budget([red], gate, budget))) == (gate != "release")
    assert bool(list(beyond_limits(red, gate, budget, TODAY))) == (gate != "release")


def test_too_many_rows_are_said_with_the_oldest() -> None:
    """So that somebody begins there."""
    old = replace(ROW, what="old", since=date(2026, 10, 1), line=9)
    assert list(over_budget([ROW, old], "pr", limits(pr=Budget(rows=2)))) == []
    (sentence,) = over_budget([ROW, old], "pr", limits(pr=Budget(rows=1)))
    assert sentence.startswith("QUARANTINE.md: 2 rows at gate pr, whose budget is 1; release some")
    assert "'old' in line 9, since 2026-10-01" in sentence


@pytest.mark.parametrize(
    "owner",
    [
        "ann",
        "ann, nobody",
        "ann,",
        "ann and Ann",
        "ann, @ann",
        "ann, ann\u200b",
        "ann, \u2014",
        "ann & ...",
        "ann, **",
        "ann, No one",
        "ann <!-- , bob -->",
    ],
)
def test_a_money_risk_needs_two_owners(owner: str) -> None:
    """A comma, a placeholder and the same one again are no second one."""
    (sentence,) = beyond_limits(replace(ROW, owner=owner, until=ROW.since), "pr", limits(money=True), TODAY)
    assert "is a money risk and has the owner" in sentence
    assert "name 2" in sentence


@pytest.mark.parametrize("owner", ["ann, bob", "ann & bob", "ann and bob", "ann; bob; eve"])
def test_two_owners_are_enough(owner: str) -> None:
    """However they are joined."""
    assert list(beyond_limits(replace(ROW, owner=owner, until=ROW.since), "pr", limits(money=True), TODAY)) == []


@pytest.mark.parametrize(("days", "is_wrong"), [(14, False), (15, True)])
def test_a_money_risk_lasts_at_most_fourteen_days(days: int, is_wrong: bool) -> None:
    """From the day on which it was written down, however often it is renewed."""
    row = replace(ROW, owner="ann, bob", until=ROW.since + timedelta(days=days))
    said = list(beyond_limits(row, "pr", limits(money=True), TODAY))
    assert bool(said) == is_wrong
    assert all("15 days, of which 14 are allowed" in sentence for sentence in said)


def test_other_rows_need_one_owner() -> None:
    """And may last longer."""
    assert list(beyond_limits(ROW, "pr", limits(), TODAY)) == []


def test_a_row_that_is_yet_to_begin_is_said() -> None:
    """Its fourteen days would begin whenever somebody likes."""
    (sentence,) = beyond_limits(replace(ROW, since=date(2026, 12, 2)), "pr", limits(), TODAY)
    assert "is to begin on 2026-12-02 and excuses nothing before" in sentence
    assert list(beyond_limits(replace(ROW, since=TODAY), "pr", limits(), TODAY)) == []


def test_what_a_row_names_is_a_money_risk_whatever_its_text_is() -> None:
    """A glob may say less than it names."""
    (sentence, _) = beyond_limits(replace(ROW, what="a.*"), "pr", limits(), TODAY, "a.refunds::twice")
    assert sentence.startswith("the row for 'a.*' names 'a.refunds::twice', which is a money risk and has the owner")


@pytest.mark.parametrize(("days", "expected"), [(14, True), (15, False)])
def test_a_money_risk_has_its_days_once(days: int, *, expected: bool) -> None:
    """After them there is no day to which it could be renewed; other rows always have one."""
    today = ROW.since + timedelta(days=days)
    assert can_be_renewed(ROW, limits(money=True), today) is expected
    assert can_be_renewed(ROW, limits(), today, "a.refunds::twice") is expected
    assert can_be_renewed(ROW, limits(), today)
