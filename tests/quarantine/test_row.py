"""Tests of what a row is about, and of the gates."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from psp_harness.errors import UsageError
from psp_harness.listing import does
from psp_harness.quarantine import GATES, Class, Kind, Row, gate_named, matches
from psp_harness.quarantine.tables import tables

ROW = Row(
    Class.NIGHTLY,
    "client/stripe/empty-*/*",
    "sdk:*",
    "key-is-refused",
    Kind.BROKEN,
    "maintainers",
    "because",
    "#1",
    date(2026, 11, 22),
    date(2027, 2, 22),
    5,
)
ID = "client/stripe/empty-key/key-is-refused"


def test_a_row_is_about_its_rule_and_its_subject_alone() -> None:
    """Globs widen the name and the subject, never the rule."""
    assert matches(ROW, ID, "sdk:stripe", "key-is-refused")
    assert not matches(ROW, ID, "reference:client", "key-is-refused")
    assert not matches(ROW, "client/stripe/blank-key/key-is-refused", "sdk:stripe", "key-is-refused")
    assert not matches(ROW, "client/stripe/empty-key/other", "sdk:stripe", "other")
    assert not matches(replace(ROW, rule="key-*"), ID, "sdk:stripe", "key-is-refused")


def test_case_matters_on_every_system() -> None:
    """Globs are the same on macOS and Windows."""
    assert not matches(replace(ROW, subject="SDK:*"), ID, "sdk:stripe", "key-is-refused")


def test_a_test_id_with_brackets_names_itself() -> None:
    """Brackets are a glob, and part of the ids of parametrized tests."""
    test = "tests/test_refunds.py::test_twice[eur]"
    assert matches(replace(ROW, what=test), test, "sdk:stripe", "key-is-refused")


def test_the_last_day_still_counts() -> None:
    """`until` is the last day on which a row excuses anything."""
    assert not ROW.is_expired(date(2027, 2, 22))
    assert ROW.is_expired(date(2027, 2, 23))


def test_release_excuses_nothing_that_must_pass_before_it() -> None:
    """Of all gates, release alone holds 🔴 to its word."""
    assert [name for name, gate in GATES.items() if Class.RELEASE not in gate.excuses] == ["release"]


def test_the_table_of_gates_that_people_read_is_the_one_that_counts() -> None:
    """QUARANTINE.md repeats it, and must not say anything else."""
    text = (Path(__file__).parents[2] / "QUARANTINE.md").read_text(encoding="utf-8")
    (table,) = (found for found in tables(text, "QUARANTINE.md") if found.header.cells[0] == "gate")
    written = {line.cells[0]: line.cells[1:] for line in table.rows}
    assert written == {name: tuple(does(gate)) for name, gate in GATES.items()}


def test_an_unknown_gate_is_met_with_the_nearest_one() -> None:
    """The error says which gates there are."""
    with pytest.raises(UsageError, match="unknown gate 'releas'; did you mean 'release'"):
        gate_named("releas")
