"""Tests of what the history says of a row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from psp_harness.quarantine import Class, Kind, Rate, Row
from psp_harness.records import ADDED, RELEASED, Past, Standing, measured, standing

VERDICT = "provider/generic/payment-repeated/one-key-has-one-effect"
ROW = Row(
    Class.NIGHTLY, "provider/generic/*", "asgi:shop*", "one-key-has-one-effect", Kind.FLAKY, "ann", "so", "#1",
    date(2026, 10, 31), date(2026, 12, 1), 5,
)  # fmt: skip


def past(day: int, *outcomes: tuple[str, str], subject: str = "asgi:shop:app") -> Past:
    """A run on that day of November."""
    return Past(datetime(2026, 11, day, tzinfo=UTC), "nightly", subject, outcomes)


def test_failures_passes_and_the_streak_are_counted() -> None:
    """And the rate before the streak is what a proof has to refute."""
    words = ["violated", "passed", "violated", "passed", "passed", "passed"]
    stands = standing(ROW, [past(day, (VERDICT, word)) for day, word in enumerate(words, 1)])
    assert stands == Standing(2, 6, 3, 0, date(2026, 11, 3))
    assert (stands.rate, stands.rate_before) == (Rate(2, 6), Rate(2, 3))


def test_a_run_fails_if_anything_that_the_row_names_fails() -> None:
    """A glob stands for all of it."""
    assert (
        standing(ROW, [past(1, (VERDICT, "passed"), (VERDICT.replace("repeated", "raced"), "violated"))]).failures == 1
    )


@pytest.mark.parametrize("word", ["errored", "unexercised"])
def test_what_could_not_be_told_proves_nothing_and_breaks_nothing(word: str) -> None:
    """It is neither a pass nor a failure."""
    stands = standing(ROW, [past(1, (VERDICT, "passed")), past(2, (VERDICT, word)), past(3, (VERDICT, "passed"))])
    assert (stands.runs, stands.streak, stands.untold) == (2, 2, 1)


@pytest.mark.parametrize(
    "other",
    [
        past(1, (VERDICT.replace("one-key", "another-key"), "violated")),
        past(1, ("client/generic/payment-repeated/one-key-has-one-effect", "violated")),
        past(1, (VERDICT, "violated"), subject="asgi:other:app"),
        past(1, (VERDICT, "skipped")),
        past(1),
    ],
)
def test_what_the_row_is_not_about_is_not_counted(other: Past) -> None:
    """Another rule, another name, another subject, and what was not run."""
    assert standing(ROW, [other]) == Standing()
    assert standing(ROW, [other]).rate is None


def test_a_test_goes_by_both_spellings() -> None:
    """Recorded as in JUnit XML, named in the row as pytest does."""
    row = replace(ROW, what="tests/test_a.py::test_x", subject="tests", rule="two refunds")
    assert standing(row, [past(1, ("tests.test_a::test_x", "violated"), subject="tests")]).failures == 1


def told(*words: str, row: Row = ROW) -> Standing:
    """What a history of these words says, one on each day of November."""
    return standing(row, [past(day, (VERDICT, word)) for day, word in enumerate(words, 1)])


def test_a_pass_from_before_the_row_proves_nothing() -> None:
    """It failed since: that is why there is a row."""
    assert told("passed", "passed", ADDED, "passed").streak == 1
    assert told("passed", "passed", ADDED).streak == 0


def test_of_a_row_that_nobody_saw_come_the_passes_after_its_day_count() -> None:
    """On the day itself they may be from before the failure."""
    row = replace(ROW, since=date(2026, 11, 3))
    assert [told(*["passed"] * days, row=row).streak for days in (2, 3, 4, 6)] == [0, 0, 1, 3]


def test_what_is_broken_is_not_what_passed_before() -> None:
    """Only the failures for which its row was written are its own; what is flaky goes both ways all along."""
    words = ("passed", "passed", "violated", "violated", ADDED, "passed")
    assert told(*words, row=replace(ROW, kind=Kind.BROKEN)).rate_before == Rate(2, 2)
    assert told(*words).rate_before == Rate(2, 4)


def test_what_was_released_begins_anew() -> None:
    """A relapse is no flaky test for the passes that were the proof: they were of what was mended."""
    words = ["violated", ADDED, *["passed"] * 20, RELEASED, "violated"]
    runs = [past(day, (VERDICT, word)) for day, word in enumerate(words, 1)]
    assert measured(ROW, runs) == Rate(1, 1)
    assert standing(ROW, runs[:-1]) == Standing()


def test_a_release_is_of_what_it_names() -> None:
    """Another subject, and another verdict, keep their history."""
    other = VERDICT.replace("repeated", "raced")
    runs = [past(1, (VERDICT, "violated"), (other, "violated")), past(2, (other, RELEASED))]
    assert measured(replace(ROW, what=VERDICT), runs) == Rate(1, 1)
    assert measured(replace(ROW, what=other), runs) is None
