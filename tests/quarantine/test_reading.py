"""Tests of reading QUARANTINE.md."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psp_harness.errors import DataError
from psp_harness.quarantine import COLUMNS, Class, Kind, Rate, Row, parse, read

ROOT = Path(__file__).parents[2]
CELLS = {
    "what": "client/stripe/empty-key/*",
    "subject": "sdk:stripe",
    "rule": "an-unusable-key-is-refused-before-sending",
    "kind": "broken",
    "owner": "maintainers",
    "reason": "a random key is sent",
    "issue": "#12",
    "since": "2026-11-22",
    "until": "2027-02-22",
}
HEADING = "## 🟡 Nightly"


def line(cells: Iterable[str]) -> str:
    """One line of a table."""
    return f"| {' | '.join(cells)} |"


def table(*rows: dict[str, str], heading: str = HEADING) -> str:
    """A section with one table; the first row is on line 5."""
    names = rows[0] if rows else COLUMNS
    return "\n".join([heading, "", line(names), line("---" for _ in names), *(line(row.values()) for row in rows)])


def refused(text: str) -> str:
    """The sentence with which the file is refused."""
    with pytest.raises(DataError) as raised:
        parse(text, "QUARANTINE.md")
    return str(raised.value)


class TestWhatIsRead:
    """A whole file."""

    def test_a_row_is_a_value(self) -> None:
        """Each cell lands in its field, with the line that it stands on."""
        assert parse(table(CELLS), "QUARANTINE.md") == (
            Row(
                Class.NIGHTLY,
                "client/stripe/empty-key/*",
                "sdk:stripe",
                "an-unusable-key-is-refused-before-sending",
                Kind.BROKEN,
                "maintainers",
                "a random key is sent",
                "#12",
                date(2026, 11, 22),
                date(2027, 2, 22),
                5,
            ),
        )

    def test_columns_stand_in_any_order(self) -> None:
        """The header says which cell is which."""
        backwards = dict(reversed(CELLS.items()))
        assert parse(table(backwards), "f") == parse(table(CELLS), "f")

    @pytest.mark.parametrize(("cell", "rate"), [("3/20", Rate(3, 20)), ("", None), ("-", None)])
    def test_a_rate_may_stand_beside_the_columns(self, cell: str, rate: Rate | None) -> None:
        """A table without that column is whole, and so is a row without a rate."""
        assert parse(table({**CELLS, "rate": cell}), "f")[0].rate == rate
        assert parse(table(CELLS), "f")[0].rate is None

    @pytest.mark.parametrize("sign", list(Class))
    def test_the_sign_in_the_heading_is_the_class(self, sign: Class) -> None:
        """Whatever else the heading says."""
        assert [row.section for row in parse(table(CELLS, heading=f"### Those {sign} here"), "f")] == [sign]

    def test_a_deeper_heading_stays_in_its_section(self) -> None:
        """Sub-headings order the rows of a class."""
        assert parse(f"{HEADING}\n\n#{table(CELLS, heading='## of stripe')}", "f")[0].section is Class.NIGHTLY

    def test_a_missing_file_is_an_empty_quarantine(self, tmp_path: Path) -> None:
        """A project without the file excuses nothing, and is not in error."""
        assert read(tmp_path / "QUARANTINE.md") == ()

    def test_line_ends_and_a_byte_order_mark_do_not_matter(self, tmp_path: Path) -> None:
        """Editors on Windows write both."""
        file = tmp_path / "QUARANTINE.md"
        file.write_bytes(b"\xef\xbb\xbf" + table(CELLS).replace("\n", "\r\n").encode())
        assert read(file) == parse(table(CELLS).replace("\n", "\r\n"), "f") == parse(table(CELLS), "f")

    @pytest.mark.parametrize(
        ("written", "text"),
        [
            ("provider/*/refund-*/*", "provider/*/refund-*/*"),
            ("`provider/*`", "provider/*"),
            (r"a \| b", "a | b"),
            (r"`a \| b`", "a | b"),
            (r"a\*b", "a*b"),
            ("test_a_b.py::test_x[twice]", "test_a_b.py::test_x[twice]"),
            ("[#12](https://example.org/12)", "[#12](https://example.org/12)"),
            ("R&amp;D", "R&D"),
        ],
    )
    def test_a_cell_is_what_people_see(self, written: str, text: str) -> None:
        """Escapes and code spans are Markdown's; asterisks, underscores and brackets are the row's."""
        assert parse(table({**CELLS, "what": written}), "f")[0].what == text

    def test_examples_in_fences_and_comments_are_no_rows(self) -> None:
        """So a file can explain itself."""
        assert parse(f"{HEADING}\n\n```\n{table(CELLS)}\n```\n\n<!--\n{table(CELLS)}\n-->\n", "f") == ()

    def test_tables_without_our_columns_are_for_people(self) -> None:
        """The introduction may have tables of its own."""
        assert parse("# Quarantine\n\n| gate | excuses |\n| --- | --- |\n| pr | all |\n", "f") == ()

    def test_the_projects_own_file_is_read(self) -> None:
        """It is the example that people copy."""
        assert [(row.subject, row.section) for row in read(ROOT / "QUARANTINE.md")] == [("sdk:stripe", Class.NIGHTLY)]


LETTERS = st.text(st.sampled_from(list(r"ab1 |\`*_[]<>&#-!~é🔴")), min_size=1, max_size=12)
CELL = LETTERS.map(lambda text: " ".join(text.split())).filter(lambda text: text)
PADDING = st.text(" \t", max_size=3)


class TestStability:
    """Reading does not depend on how a table is laid out."""

    @given(reason=CELL, before=PADDING, after=PADDING)
    def test_escapes_and_padding_change_nothing(self, reason: str, before: str, after: str) -> None:
        """Whatever a cell says comes back as it was meant."""
        written = re.sub(r"([\\|`*_\[\]<>&#!~-])", r"\\\1", reason)
        text = table({**CELLS, "reason": f"{before}{written}{after}"})
        assert parse(text, "f")[0].reason == reason

    @given(what=CELL.filter(lambda text: not set(text) & set(r"`\&")))
    def test_a_code_span_says_the_same_as_plain_text(self, what: str) -> None:
        """In code only the pipe needs its escape."""
        coded = what.replace("|", r"\|")
        assert parse(table({**CELLS, "what": f"`{coded}`"}), "f")[0].what == what


class TestWhatIsRefused:
    """Each broken file is one error with file, line, column, got, expected, and what to do."""

    @pytest.mark.parametrize("column", list(COLUMNS))
    def test_an_empty_cell(self, column: str) -> None:
        """Every column is required, the owner among them."""
        said = refused(table({**CELLS, column: " "}))
        assert said.startswith(f"QUARANTINE.md: line 5, column {column!r}: got an empty cell, expected ")
        assert "fill it in" in said

    @pytest.mark.parametrize(
        ("column", "cell", "expected"),
        [
            ("kind", "brocken", "got 'brocken', expected broken (must still fail) or flaky"),
            ("since", "2026-02-30", "got '2026-02-30', expected a date as YYYY-MM-DD"),
            ("until", "20270222", "got '20270222', expected a date as YYYY-MM-DD"),
            ("until", "soon", "got 'soon', expected a date as YYYY-MM-DD"),
            ("until", "2026-11-21", "got 2026-11-21, expected a day not before since, which is 2026-11-22"),
        ],
    )
    def test_a_cell_that_says_nothing_possible(self, column: str, cell: str, expected: str) -> None:
        """The error names what was got and what was expected."""
        said = refused(table({**CELLS, column: cell}))
        assert said.startswith(f"QUARANTINE.md: line 5, column {column!r}: {expected}")

    @pytest.mark.parametrize(
        "owner",
        ["-", "TBD", "nobody", "?, n/a", "<!-- ann -->", "\u200b", "&#8203;", "\u2014", "...", "**", "No one"],
    )
    def test_an_owner_who_is_nobody(self, owner: str) -> None:
        """A row without an owner is one that nobody sees to, whatever stands in the cell."""
        assert "which is nobody, expected who sees to it; name somebody" in refused(table({**CELLS, "owner": owner}))

    @pytest.mark.parametrize("rate", ["15 %", "20/3", "3"])
    def test_a_rate_that_is_none(self, rate: str) -> None:
        """It is failures/runs."""
        said = refused(table({**CELLS, "rate": rate}))
        assert said.startswith(
            f"QUARANTINE.md: line 5, column 'rate': got {rate!r}, expected how often it was measured"
        )

    def test_a_missing_column(self) -> None:
        """It is named, with what belongs in it."""
        cells = {name: cell for name, cell in CELLS.items() if name != "owner"}
        assert refused(table(cells)).startswith("QUARANTINE.md: line 3: the column 'owner' is missing")

    def test_an_unknown_column(self) -> None:
        """A slip of the pen is met with the name that exists."""
        said = refused(table({**CELLS, "Owner": "me"}))
        assert "got the unknown column 'Owner'; did you mean 'owner'?" in said

    def test_a_column_that_stands_twice(self) -> None:
        """One of the two would be lost."""
        double = [line([*COLUMNS, "owner"]), line(["---"] * 10), line([*CELLS.values(), "you"])]
        assert "got the column 'owner' twice" in refused("\n".join([HEADING, "", *double]))

    def test_a_duplicate_row(self) -> None:
        """Also one with other dates: nobody could say which of the two counts."""
        said = refused(table(CELLS, {**CELLS, "until": "2027-01-01"}))
        assert said.startswith("QUARANTINE.md: line 6, column 'what': got line 5 again")

    def test_a_kind_is_met_with_the_nearest(self) -> None:
        """As it is written."""
        assert "did you mean 'broken'?" in refused(table({**CELLS, "kind": "Broken"}))

    def test_a_row_one_cell_short(self) -> None:
        """Every cell behind it says what another column should."""
        short = [cell for name, cell in CELLS.items() if name != "owner"]
        text = "\n".join([HEADING, "", line(COLUMNS), line("---" for _ in COLUMNS), line(short)])
        assert "line 5: got 8 cells, expected 9 as in the header: what, subject" in refused(text)

    def test_a_row_behind_a_comment(self) -> None:
        """Markdown takes it for the comment's, and nobody would miss it."""
        text = table(CELLS) + "\n<!-- later --> " + line(CELLS.values())
        assert "line 6: got a table row outside a table" in refused(text)

    def test_a_heading_in_a_quotation_opens_nothing_outside_of_it(self) -> None:
        """The table below it stays in its section."""
        text = table(CELLS).replace(HEADING + "\n", HEADING + "\n\n> ## 🟢 manual\n")
        assert [row.section for row in parse(text, "QUARANTINE.md")] == [Class.NIGHTLY]

    def test_one_test_in_two_spellings(self) -> None:
        """In two classes, say: which of them counts would hang on how it is called."""
        first = {**CELLS, "what": "test_refunds.py::test_twice", "subject": "tests", "rule": "two refunds"}
        both = table(first, {**first, "what": "test_refunds::test_twice"})
        assert "line 6, column 'what': got line 5 again" in refused(both)

    def test_a_table_under_no_signed_section(self) -> None:
        """Nobody could say at which gates its rows count."""
        assert "line 3: got a table with the column 'what' under no signed section" in refused(
            table(CELLS, heading="## Others")
        )

    def test_a_table_after_its_section_ended(self) -> None:
        """A heading without a sign at the same level closes the section."""
        assert "under no signed section" in refused(f"{HEADING}\n\n{table(CELLS, heading='## History')}")

    def test_a_heading_with_two_signs(self) -> None:
        """A class is one of three."""
        assert "got a heading with the signs 🔴 and 🟡" in refused(table(CELLS, heading="## 🟡 or 🔴"))

    def test_a_pipe_that_is_not_escaped(self) -> None:
        """Markdown would drop the last cell in silence."""
        said = refused(table({**CELLS, "reason": "this | that"}))
        assert said.startswith("QUARANTINE.md: line 5: got 10 cells, expected 9 as in the header")
        assert r"\|" in said

    @pytest.mark.parametrize("cut", ["\n\n", "\n<div>\n", "\n    ", "\n\n    "])
    def test_a_row_that_is_cut_off_from_its_table(self, cut: str) -> None:
        """A blank line, HTML or an indentation turns a row into text, and its excuse would be gone unseen."""
        said = refused(table(CELLS) + cut + line({**CELLS, "what": "other"}.values()))
        assert re.match(r"QUARANTINE.md: line \d+: got a table row outside a table: '\| other", said)

    def test_a_table_without_its_line_of_dashes(self) -> None:
        """It is no table to Markdown."""
        lines = table(CELLS).split("\n")
        assert "line 3: got a table row outside a table" in refused("\n".join([*lines[:3], *lines[4:]]))

    @pytest.mark.parametrize("marker", ["<<<<<<< HEAD", ">>>>>>> branch", "||||||| base"])
    def test_merge_conflict_markers(self, marker: str) -> None:
        """They are refused by name, before anything is read on one side only."""
        assert f"line 6: got the merge conflict marker {marker[:7]!r}" in refused(f"{table(CELLS)}\n{marker}\n")

    def test_bytes_that_are_no_text(self, tmp_path: Path) -> None:
        """The error says which byte."""
        (tmp_path / "Q.md").write_bytes(b"# Quarantine \xff")
        with pytest.raises(DataError, match="not UTF-8: byte 13 is 0xff"):
            read(tmp_path / "Q.md")

    def test_a_directory(self, tmp_path: Path) -> None:
        """Something is there, and it is not a file."""
        with pytest.raises(DataError, match="make it a file"):
            read(tmp_path)
