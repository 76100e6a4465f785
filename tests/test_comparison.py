"""`list profiles --compare`: each profile once in both tables, within 120 columns, and nothing that is not known."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from psp_harness import comparison, profile

WIDTH = 120


@pytest.fixture(scope="module")
def shown() -> list[str]:
    """What it prints on a terminal of 120 columns."""
    out = io.StringIO()
    comparison.show(Console(file=out, width=WIDTH))
    return [line.rstrip() for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("name", profile.names())
def test_a_profile_has_a_line_in_both_tables(name: str, shown: list[str]) -> None:
    """No cell of it is cut off."""
    lines = [line for line in shown if line.split(" ", 1)[0] == name]
    assert len(lines) == 2
    assert not [line for line in lines if "…" in line]


def test_nothing_is_cut_off_in_a_pipe() -> None:
    """What is no terminal has no width that could be too small."""
    out = io.StringIO()
    comparison.show(Console(file=out, width=40))
    assert "…" not in out.getvalue()


def test_it_fits_a_terminal(shown: list[str]) -> None:
    """Of 120 columns."""
    assert max(len(line) for line in shown) <= WIDTH


@pytest.mark.parametrize(
    ("name", "axis", "cell"),
    [
        ("square", "carrier", "body"),
        ("razorpay", "taken by", "refund"),
        ("razorpay", "length", "from 10"),
        ("square", "length", "1 to 45"),
        ("klarna", "required", "-"),
        ("paypal", "required", "no"),
        ("paypal", "lives", "payment 6 h\nrefund 45 d"),
        ("mollie", "lives", "1 h"),
        ("adyen", "lives", "-"),
        ("ietf-draft", "written", "quoted"),
        ("adyen", "tenants by", "x-api-key"),
    ],
)
def test_a_cell_of_the_key_says_what_the_profile_says(name: str, axis: str, cell: str) -> None:
    """A default of ours is no fact of theirs."""
    assert comparison.THE_KEY[axis](profile.load(name)) == cell


@pytest.mark.parametrize(
    ("name", "axis", "cell"),
    [
        ("gocardless", "duplicate", "refused"),
        ("paypal", "duplicate", "current-state"),
        ("checkout", "kept", "2xx"),
        ("checkout", "in flight", "-"),
        ("klarna", "scope", "-"),
        ("generic", "scope", "tenant and operation"),
        ("stripe", "marker", "Idempotent-Replayed: true"),
    ],
)
def test_a_cell_of_what_it_does_says_what_the_profile_says(name: str, axis: str, cell: str) -> None:
    """A default of ours is no fact of theirs."""
    assert comparison.WHAT_IT_DOES[axis](profile.load(name)) == cell


@pytest.mark.parametrize(("seconds", "said"), [(86_400, "24 h"), (3_888_000, "45 d"), (5_400, "90 min"), (61, "61 s")])
def test_a_time_is_said_as_people_say_it(seconds: int, said: str) -> None:
    """In the largest unit that has no remainder, but a day is 24 hours."""
    assert comparison.span(seconds) == said
