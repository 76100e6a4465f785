"""Tests of rates: the interval against published values, and what a number of passes proves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psp_harness.quarantine.rate import CONFIDENCE, MOST_PASSES, Rate, bound_after, passes_needed, percent, rate_of


@pytest.mark.parametrize(
    ("failures", "runs", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_the_published_one(failures: int, runs: int, low: float, high: float) -> None:
    """R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3: Wilson's score without correction."""
    assert Rate(failures, runs).interval() == pytest.approx((low, high), abs=5e-5)


@given(runs=st.integers(1, 500), share=st.floats(0, 1))
def test_the_interval_holds_the_share_and_mirrors_itself(runs: int, share: float) -> None:
    """Failures and passes are one question asked from two sides."""
    rate = Rate(round(share * runs), runs)
    low, high = rate.interval()
    assert 0 <= low <= rate.share <= high <= 1
    mirrored = Rate(runs - rate.failures, runs).interval()
    assert mirrored == pytest.approx((1 - high, 1 - low))


def test_no_failure_in_n_runs_bounds_the_share_as_published() -> None:
    """Hanley and Lippman-Hand 1983: at 95 % the bound is about 3/n, at 99 % about 4.6/n, and exactly 1 - 0.01^(1/n)."""
    assert bound_after(300) == pytest.approx(1 - 0.01 ** (1 / 300))
    assert bound_after(300) == pytest.approx(4.6 / 300, rel=0.01)
    assert (bound_after(0), bound_after(1)) == (1.0, pytest.approx(0.99))


@pytest.mark.parametrize(
    ("failures", "runs", "needed"),
    [(1, 1, 20), (3, 3, 8), (20, 100, 33), (3, 20, 86), (1, 100, MOST_PASSES), (0, 20, MOST_PASSES)],
)
def test_what_fails_seldom_needs_more_passes(failures: int, runs: int, needed: int) -> None:
    """Up to 300, of which nobody is asked for more."""
    assert passes_needed(Rate(failures, runs)) == needed


@given(runs=st.integers(1, 300), failures=st.integers(1, 300))
def test_so_many_passes_would_be_a_chance_of_one_percent(runs: int, failures: int) -> None:
    """Were it still failing as often as the record vouches for; and one pass fewer would not do."""
    rate = Rate(min(failures, runs), runs)
    low, needed = rate.interval()[0], passes_needed(rate)
    if needed < MOST_PASSES:
        assert (1 - low) ** needed <= 1 - CONFIDENCE + 1e-12
        assert needed == 1 or (1 - low) ** (needed - 1) > 1 - CONFIDENCE


@pytest.mark.parametrize(("text", "rate"), [("3/20", Rate(3, 20)), ("0/1", Rate(0, 1)), ("20/20", Rate(20, 20))])
def test_a_cell_says_failures_and_runs(text: str, rate: Rate) -> None:
    """And is written as it is read."""
    assert rate_of(text) == rate
    assert str(rate) == text


@pytest.mark.parametrize("text", ["", "3", "21/20", "0/0", "3 / 20", "15 %", "-1/2", "1/9999999999"])
def test_what_is_no_rate_is_none(text: str) -> None:
    """A share without its number of runs says nothing about how sure it is."""
    assert rate_of(text) is None


def test_a_share_is_written_for_people() -> None:
    """With a digit where it is small."""
    assert [percent(share) for share in (0, 0.015233, 0.1494, 1)] == ["0 %", "1.5 %", "15 %", "100 %"]
