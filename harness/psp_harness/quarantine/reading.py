"""QUARANTINE.md, read: every row is whole, or the file is refused with the line, the column, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Final

from psp_harness.errors import DataError
from psp_harness.quarantine.naming import node_test_id
from psp_harness.quarantine.rate import Rate, rate_of
from psp_harness.quarantine.row import COLUMNS, OPTIONAL, Class, Kind, Row
from psp_harness.quarantine.tables import Line, Table, tables
from psp_harness.registry import suggest

_ANY: Final = {**COLUMNS, **OPTIONAL}
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read(path: Path) -> tuple[Row, ...]:
    """The rows of that file, in its order; none where there is no such file. Raises `DataError`."""
    return parse(text_of(path), str(path))


def text_of(path: Path) -> str:
    """The file's text to the character, line ends and all; nothing where there is no such file. Raises `DataError`."""
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return ""
    except OSError as error:
        problem = error.strerror or "cannot be read"
        raise DataError(problem, file=str(path), do="make it a file that can be read") from None
    except UnicodeDecodeError as error:
        problem = f"not UTF-8: byte {error.start} is {error.object[error.start]:#04x}"
        raise DataError(problem, file=str(path), do="save it as UTF-8") from None


def parse(text: str, file: str) -> tuple[Row, ...]:
    """The rows of a file's text. Raises `DataError`, which names `file`."""
    rows = [row for table in tables(text, file) for row in _rows(table, file)]
    _refuse_duplicates(rows, file)
    return tuple(rows)


def _rows(table: Table, file: str) -> Iterator[Row]:
    if table.section is None:
        _refuse_unsigned(table, file)
        return
    _check_header(table.header, file)
    for line in table.rows:
        cells = dict(zip(table.header.cells, line.cells, strict=False))
        _refuse_fewer_cells(line, table.header, cells, file)
        yield _row(table.section, cells, line.number, file)


def _refuse_fewer_cells(line: Line, header: Line, cells: Mapping[str, str], file: str) -> None:
    """One that was left out moves all that follow it; only a `rate` at the end may be."""
    lacking = header.cells[line.written :]
    if any(name in COLUMNS and not cells.get(name) for name in lacking):
        problem = f"got {line.written} cells, expected {len(header.cells)} as in the header: {', '.join(header.cells)}"
        raise _broken(problem, file, line.number, do="write one cell for each, in that order")


def _refuse_unsigned(table: Table, file: str) -> None:
    """Other tables are what people wrote for people; one with our columns has lost its section."""
    if ours := [name for name in table.header.cells if name in COLUMNS]:
        signs = ", ".join(f"{sign} {sign.meaning}" for sign in Class)
        problem = f"got a table with the column {ours[0]!r} under no signed section"
        raise _broken(problem, file, table.header.number, do=f"move it below a heading with one of the signs {signs}")


def _check_header(header: Line, file: str) -> None:
    for place, name in enumerate(header.cells):
        if name not in _ANY:
            raise _broken(f"got the unknown column {name!r}", file, header.number, do=suggest(name, _ANY))
        if name in header.cells[:place]:
            raise _broken(f"got the column {name!r} twice", file, header.number, do="keep one of them")
    if missing := [name for name in COLUMNS if name not in header.cells]:
        problem = f"the column {missing[0]!r} is missing: got {', '.join(header.cells)}"
        raise _broken(problem, file, header.number, do=f"add it: {COLUMNS[missing[0]]}")


def _row(section: Class, cells: Mapping[str, str], line: int, file: str) -> Row:
    for column in COLUMNS:
        if not cells.get(column):
            problem = f"got an empty cell, expected {COLUMNS[column]}"
            raise _broken(problem, file, line, column, do="fill it in: every column is required")
    row = Row(
        section=section,
        what=cells["what"],
        subject=cells["subject"],
        rule=cells["rule"],
        kind=_kind(cells["kind"], line, file),
        owner=cells["owner"],
        reason=cells["reason"],
        issue=cells["issue"],
        since=_date(cells["since"], "since", line, file),
        until=_date(cells["until"], "until", line, file),
        line=line,
        rate=_rate(cells.get("rate", ""), line, file),
    )
    if not row.owners:
        problem = f"got {row.owner!r}, which is nobody, expected {COLUMNS['owner']}"
        raise _broken(problem, file, line, "owner", do="name somebody: a row without an owner is forgotten")
    if row.since > row.until:
        problem = f"got {row.until}, expected a day not before since, which is {row.since}"
        raise _broken(problem, file, line, "until", do="correct one of the two")
    return row


def _kind(text: str, line: int, file: str) -> Kind:
    if text not in set(Kind):
        raise _broken(
            f"got {text!r}, expected {COLUMNS['kind']}",
            file,
            line,
            "kind",
            do=suggest(text, [each.value for each in Kind]),
        )
    return Kind(text)


def _rate(text: str, line: int, file: str) -> Rate | None:
    if not text or text == "-":
        return None
    rate = rate_of(text)
    if rate is None:
        problem = f"got {text!r}, expected {OPTIONAL['rate']}"
        raise _broken(problem, file, line, "rate", do="write what was measured, or leave the cell empty")
    return rate


def _date(text: str, column: str, line: int, file: str) -> date:
    try:
        return date.fromisoformat(text if _DATE.fullmatch(text) else "")  # it reads other forms of ISO 8601 too
    except ValueError:
        problem = f"got {text!r}, expected a date as YYYY-MM-DD"
        raise _broken(problem, file, line, column, do="write a day that exists, such as 2026-11-22") from None


def _refuse_duplicates(rows: list[Row], file: str) -> None:
    seen: dict[tuple[str, str, str], Row] = {}
    for row in rows:
        first = seen.setdefault((node_test_id(row.what), row.subject, row.rule), row)  # of a test, in either spelling
        if first is not row:
            problem = f"got line {first.line} again: {row.what!r}, {row.subject!r}, {row.rule!r}"
            raise _broken(problem, file, row.line, "what", do="keep one of the two rows")


def _broken(problem: str, file: str, line: int, column: str = "", *, do: str) -> DataError:
    where = f"line {line}, column {column!r}" if column else f"line {line}"
    return DataError(problem, file=file, where=where, do=do)
