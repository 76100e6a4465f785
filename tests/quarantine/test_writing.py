"""Tests of editing QUARANTINE.md: what an edit does not mean to change stays as it was, to the character."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from psp_harness.errors import DataError
from psp_harness.quarantine import COLUMNS, Class, Kind, Rate, Row, parse
from psp_harness.quarantine.cells import cells_of
from psp_harness.quarantine.writing import added, changed, noted, taken_out
from quarantine.written import files, rows

OWN = (Path(__file__).parents[2] / "QUARANTINE.md").read_text(encoding="utf-8")
ROW = Row(
    Class.RELEASE,
    "tests.test_refunds::test_twice[*]",
    "tests",
    "one key made | two refunds",
    Kind.FLAKY,
    "ann, bob",
    "the _ledger_ has no lock",
    "[#7](https://example.org/7?a&b)",
    date(2026, 11, 26),
    date(2026, 12, 10),
    0,
    Rate(3, 20),
)


MANY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def said(found: list[Row] | tuple[Row, ...]) -> list[Row]:
    """Rows without their lines."""
    return [replace(row, line=0) for row in found]


def lost(before: str, after: str) -> list[str]:
    """The lines of the first text that the second has not; their ends are looked at by themselves."""
    a, b = (Counter(text.splitlines()) for text in (before, after))
    return list((a - b).elements())


@MANY
@given(written=files())
def test_the_files_of_these_tests_are_read_as_they_are_meant(written: tuple[str, list[Row]]) -> None:
    """What the other properties stand on."""
    text, found = written
    assert sorted(said(parse(text, "Q.md")), key=str) == sorted(found, key=str)


@MANY
@given(written=files(), row=rows())
def test_an_added_row_is_read_back_and_moves_nothing(written: tuple[str, list[Row]], row: Row) -> None:
    """Every line that was there is there still, but for a header that is given the column that it lacked."""
    text, found = written
    assume((row.what, row.subject, row.rule) not in {(each.what, each.subject, each.rule) for each in found})
    after = added(text, row, "Q.md")
    assert sorted(said(parse(after, "Q.md")), key=str) == sorted([*found, row], key=str)
    assert len(lost(text, after)) <= (2 if row.rate else 0)
    assert after.startswith("\ufeff") == text.startswith("\ufeff")
    assert ("\r\n" in after) == ("\r\n" in text)


@MANY
@given(written=files(), row=rows())
def test_a_row_that_is_added_and_taken_out_again_leaves_no_trace(written: tuple[str, list[Row]], row: Row) -> None:
    """The file is what it was, to the character, where its section and its column were there."""
    text, found = written
    assume((row.what, row.subject, row.rule) not in {(each.what, each.subject, each.rule) for each in found})
    with_table = added(text, replace(row, what="first"), "Q.md")
    with_both = added(with_table, row, "Q.md")
    (own,) = [each for each in parse(with_both, "Q.md") if replace(each, line=0) == row]
    assert taken_out(with_both, own, "Q.md") == with_table


@MANY
@given(written=files(), days=st.integers(0, 400), place=st.integers(0, 4))
def test_a_changed_cell_is_all_that_changes(written: tuple[str, list[Row]], days: int, place: int) -> None:
    """And it can be changed back: the file is then what it was, to the character."""
    text, _ = written
    read = parse(text, "Q.md")
    assume(place < len(read))
    row = read[place]
    until = row.since + timedelta(days=days)
    after = changed(text, row, "Q.md", until=until)
    assert said(parse(after, "Q.md")) == said([replace(each, until=until) if each is row else each for each in read])
    assert len(lost(text, after)) == (until != row.until)
    assert changed(after, replace(row, until=until), "Q.md", until=row.until) == text


@MANY
@given(written=files(), sentence=st.text(st.characters(exclude_categories=["C"]), min_size=1).filter(str.strip))
def test_a_line_of_history_changes_no_other_line(written: tuple[str, list[Row]], sentence: str) -> None:
    """Whatever it says, it is one line under its heading, and no row."""
    text, found = written
    after = noted(noted(text, sentence, "Q.md"), "the second", "Q.md")
    assert sorted(said(parse(after, "Q.md")), key=str) == sorted(found, key=str)
    assert lost(text, after) == []
    assert after.rstrip().endswith("- the second")


def test_a_row_stands_in_its_section_as_people_would_write_it() -> None:
    """Ids as code, so that a page shows their stars; a link stays a link; the column that lacked is added."""
    after = added(OWN, ROW, "Q.md")
    (line,) = [line for line in after.splitlines() if "test_twice" in line]
    assert line == (
        r"| `tests.test_refunds::test_twice[*]` | `tests` | `one key made \| two refunds` | flaky | ann, bob "
        r"| the \_ledger\_ has no lock | [#7](https://example.org/7?a\&b) | 2026-11-26 | 2026-12-10 | 3/20 |"
    )
    assert parse(after, "Q.md")[0].rate == Rate(3, 20)


def test_a_file_is_made_where_there_is_none() -> None:
    """With a title, three sections and their tables."""
    after = added("", ROW, "Q.md")
    assert said(parse(after, "Q.md")) == [ROW]
    assert [line for line in after.split("\n") if line.startswith("#")] == [
        "# Quarantine", "## 🔴 Must pass before release", "## 🟡 Nightly", "## 🟢 Manual only",
    ]  # fmt: skip


@pytest.mark.parametrize("hidden", ["```\n", "<!--\n"])
def test_an_edit_that_would_be_swallowed_is_refused(hidden: str) -> None:
    """After a fence that is never closed, a table is an example, and its row would excuse nothing."""
    with pytest.raises(DataError, match="nothing was written; look for a fence"):
        added(f"# Quarantine\n\n{hidden}", ROW, "Q.md")


@pytest.mark.parametrize("hidden", ["```\n", "<!--\n", "## History\n\n<!-- what was\n"])
def test_a_proof_is_not_written_where_nobody_sees_it(hidden: str) -> None:
    """The row would be gone, and why with it."""
    with pytest.raises(DataError, match="nothing was written; look for a fence"):
        noted(f"{OWN}\n{hidden}", "released", "Q.md")


def test_an_edit_that_would_be_read_otherwise_is_refused() -> None:
    """In a table without space around its cells, a backslash at the end of the last takes the edge with it."""
    cells = {**cells_of(replace(ROW, rate=None, rule="two refunds")), "reason": "so"}
    columns = [*(name for name in COLUMNS if name != "reason"), "reason"]
    table = (columns, ["---"] * len(columns), [cells[name] for name in columns])
    text = "## 🔴 Those\n\n" + "\n".join(f"|{'|'.join(line)}|" for line in table) + "\n"
    (row,) = parse(text, "Q.md")
    assert parse(changed(text, row, "Q.md", reason="fine"), "Q.md")[0].reason == "fine"
    with pytest.raises(DataError, match="nothing was written"):
        changed(text, row, "Q.md", reason="ends with \\")


def test_a_duplicate_is_refused_before_it_is_written() -> None:
    """The sentence is that of the reader."""
    with pytest.raises(DataError, match="again"):
        added(added("", ROW, "Q.md"), ROW, "Q.md")


def test_an_underlined_heading_keeps_its_line() -> None:
    """Setext headings have two lines."""
    after = added("🔴 before release\n-----------------\n", ROW, "Q.md")
    assert said(parse(after, "Q.md")) == [ROW]
    assert after.startswith("🔴 before release\n-----------------\n\n| what")
