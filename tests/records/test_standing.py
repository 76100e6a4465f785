"""Tests of what the history says of a row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from psp_harness.quarantine import Class, Kind, Rate, Row
from psp_harness.records import Past, Standing, standing

VERDICT = "provider/generic/payment-repeated/one-key-has-one-effect"
ROW = Row(
    Class.NIGHTLY, "provider/generic/*", "asgi:shop*", "one-key-has-one-effect", Kind.FLAKY, "ann", "so", "#1",
    date(2026, 11, 1), date(2026, 12, 1), 5,
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
