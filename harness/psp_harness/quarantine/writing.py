"""QUARANTINE.md, edited: a row is added, changed or taken out, a line is added to the history, and nothing else moves.

Every edit is text to text, by lines, in the line ends of the file. What must hold here: what an edit does not mean to
change stays as it was, to the character; and each edit is read again before it is handed out, so that one which
Markdown would understand otherwise (in a fence that is never closed, say) is refused and not written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

from psp_harness.errors import DataError
from psp_harness.quarantine.cells import append_column, cells_of, in_markdown, insert, lines_of, row_like, with_cell
from psp_harness.quarantine.reading import parse
from psp_harness.quarantine.row import COLUMNS, OPTIONAL, Class, Row
from psp_harness.quarantine.tables import Heading, Table, headings, is_shown, tables

HISTORY = "History"
"""The heading under which proofs and renewals are written down."""


def begun() -> str:
    """What a project begins with: three sections without a row."""
    head = [
        "# Quarantine",
        "",
        "What fails here is known, has an owner, and stops being excused on a date: see `psp-harness list gates`.",
    ]
    return "\n".join([*head, *(line for section in Class for line in ("", _heading(section), "", *_empty_table())), ""])


def added(text: str, row: Row, file: str) -> str:
    """The file with one more row, the last of its section; section and table are made where there are none."""
    text = text or begun()
    before = parse(text, file)
    if (table := _table_of(text, row.section, file)) is None:
        text = _with_table(text, row.section)
        table = _table_of(text, row.section, file)
        if table is None:
            raise _not_understood(file)
    lines = lines_of(text)
    columns = table.header.cells
    if row.rate is not None and "rate" not in columns:
        append_column(lines, table.header.number, "rate")
        columns = (*columns, "rate")
    last = table.rows[-1].number if table.rows else table.header.number + 1
    insert(lines, last, row_like(lines[last - 1], cells_of(row), columns))
    return _checked(lines, {*map(_told, before), _told(row)}, file)


def changed(text: str, row: Row, file: str, **values: object) -> str:
    """The file with other values in some cells of one row; raises `DataError` where they cannot be written."""
    new, lines = replace(row, **values), lines_of(text)  # type: ignore[arg-type]
    table = next(table for table in tables(text, file) if any(line.number == row.line for line in table.rows))
    cells = cells_of(new)
    for name in values:
        if name not in table.header.cells:
            append_column(lines, table.header.number, name)
            place = len(table.header.cells)
        else:
            place = table.header.cells.index(name)
        lines[row.line - 1] = with_cell(lines[row.line - 1], place, cells.get(name, ""))
    told = {_told(each) for each in parse(text, file) if each.line != row.line}
    return _checked(lines, {*told, _told(new)}, file)


def taken_out(text: str, row: Row, file: str) -> str:
    """The file without that row."""
    told = {_told(each) for each in parse(text, file) if each.line != row.line}
    lines = lines_of(text)
    del lines[row.line - 1]
    return _checked(lines, told, file)


def noted(text: str, sentence: str, file: str) -> str:
    """The file with one more line in its history, which is made at the end where there is none."""
    told = {_told(each) for each in parse(text, file)}
    lines = lines_of(text)
    found = _history(text)
    if found is None:
        insert(lines, len(lines), "")
        insert(lines, len(lines), f"## {HISTORY}")
        insert(lines, len(lines), "")
        end = len(lines)
    else:
        end = next((each.number - 1 for each in headings(text) if each.number > found.number), len(lines))
        while end > found.end and not lines[end - 1].strip():
            end -= 1
        if end == found.end:
            insert(lines, end, "")
            end += 1
    insert(lines, end, f"- {in_markdown(sentence)}")
    if not is_shown("".join(lines), end + 1):
        raise _not_understood(file)
    return _checked(lines, told, file)


# --- where things stand ---------------------------------------------------------------------------------------------


def _table_of(text: str, section: Class, file: str) -> Table | None:
    return next((table for table in tables(text, file) if table.section is section), None)


def _with_table(text: str, section: Class) -> str:
    """The file with an empty table in that section, which is made before the history where there is none."""
    lines, history = lines_of(text), _history(text)
    own = [heading for heading in headings(text) if heading.sign is section]
    if own:
        at = own[0].end
    else:
        at = history.number - 1 if history else len(lines)
        if at and lines[at - 1].strip():
            insert(lines, at, "")
            at += 1
        insert(lines, at, _heading(section))
        at += 1
    for line in ("", *_empty_table(), ""):
        insert(lines, at, line)
        at += 1
    return "".join(lines)


def _heading(section: Class) -> str:
    return f"## {section} {section.meaning.capitalize()}"


def _empty_table() -> tuple[str, str]:
    columns = (*COLUMNS, *OPTIONAL)
    return f"| {' | '.join(columns)} |", f"| {' | '.join('---' for _ in columns)} |"


def _history(text: str) -> Heading | None:
    return next((each for each in headings(text) if each.text.casefold() == HISTORY.casefold()), None)


# --- the law --------------------------------------------------------------------------------------------------------


def _checked(lines: Sequence[str], told: set[tuple[object, ...]], file: str) -> str:
    """The text, if it says just these rows."""
    text = "".join(lines)
    rows = parse(text, file)
    if {_told(row) for row in rows} != told or len(rows) != len(told):
        raise _not_understood(file)
    return text


def _told(row: Row) -> tuple[object, ...]:
    """What a row says, wherever it stands."""
    return tuple(getattr(row, each.name) for each in fields(row) if each.name != "line")


def _not_understood(file: str) -> DataError:
    do = "look for a fence or a comment that is never closed, or edit the file by hand"
    return DataError("the edit would not be read as it is meant, and nothing was written", file=file, do=do)
