"""The tables of a Markdown file, as people see them: cells without their escapes, each with its line.

What Markdown would drop in silence is an error here: a cell beyond the header's, and a row that a blank line, an
indentation or a line of HTML cuts off from its table. Tables in fenced code and in comments are examples, not rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from psp_harness.errors import DataError
from psp_harness.quarantine.row import COLUMNS, Class

# a glob such as provider/*/refund-*/* would be emphasis, and an issue in brackets a link: cells are taken as written
_MARKDOWN = (
    MarkdownIt("commonmark")
    .enable("table")
    .disable(["emphasis", "link", "image", "autolink", "html_inline", "reference"])
)
_CONFLICT = re.compile(r"(<{7}|>{7}|\|{7})( |$)")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_OPENS = frozenset({"blockquote_open", "list_item_open"})
_CLOSES = frozenset({"blockquote_close", "list_item_close"})
_PIPE = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table."""

    number: int
    """From 1."""
    cells: tuple[str, ...]
    written: int = 0
    """How many of them were written: Markdown gives a row as many as its header has."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table and the signed section that it stands in, if any."""

    section: Class | None
    header: Line
    rows: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """One heading, with the class whose section it opens, if any."""

    number: int
    """Its first line, from 1."""
    end: int
    """Its last: one that is underlined has two."""
    text: str
    sign: Class | None


@dataclass(frozen=True, slots=True)
class _Section:
    sign: Class | None = None
    level: int = 0


def tables(text: str, file: str) -> Iterator[Table]:
    """Every table of the file, in order. Raises `DataError` where rows would be lost."""
    text = unified(text)
    lines = text.split("\n")
    _refuse_conflicts(lines, file)
    tokens, section = _MARKDOWN.parse(text), _Section()
    around: list[_Section] = []
    for place, token in enumerate(tokens):
        if token.type in _OPENS:
            around.append(section)
        elif token.type in _CLOSES:
            section = around.pop()  # a heading in a quotation opens nothing outside of it
        elif token.type == "heading_open":
            section = _below(section, tokens[place + 1], int(token.tag[1:]), file)
        elif token.type == "table_open":
            yield _table(section.sign, tokens[place:], lines, file)
        elif not _is_cell(tokens[place - 1]):
            _refuse_loose_rows(token, file)


def headings(text: str) -> Iterator[Heading]:
    """Every heading of the file, in order, but for those in quotations and lists."""
    tokens = _MARKDOWN.parse(unified(text))
    for opened, inline in pairwise(tokens):
        if opened.type == "heading_open" and opened.level == 0:
            signs = [sign for sign in Class if sign in inline.content]
            end = opened.map[1] if opened.map else 1
            yield Heading(_number(opened), end, inline.content.strip(), signs[0] if signs else None)


def is_shown(text: str, number: int) -> bool:
    """Whether people see that line: it is no part of code, of a comment, or of what a comment has swallowed."""
    return any(
        token.type == "inline" and token.map is not None and token.map[0] < number <= token.map[1]
        for token in _MARKDOWN.parse(unified(text))
    )


def unified(text: str) -> str:
    """With one sort of line ends, as Markdown counts lines, and no byte order mark."""
    return re.sub(r"\r\n?", "\n", text.removeprefix("\ufeff"))


def _refuse_conflicts(lines: Sequence[str], file: str) -> None:
    for number, line in enumerate(lines, 1):
        if _CONFLICT.match(line):
            problem = f"got the merge conflict marker {line[:7]!r}, expected Markdown"
            do = "resolve the merge conflict, and keep the rows of both sides"
            raise DataError(problem, file=file, where=f"line {number}", do=do)


def _below(section: _Section, heading: Token, level: int, file: str) -> _Section:
    """The section that a heading opens; a deeper heading without a sign stays in the one around it."""
    signs = [sign for sign in Class if sign in heading.content]
    if len(signs) > 1:
        problem = f"got a heading with the signs {' and '.join(signs)}, expected one"
        raise DataError(problem, file=file, where=f"line {_number(heading)}", do="give each class a section of its own")
    if signs or level <= section.level:
        return _Section(signs[0], level) if signs else _Section()
    return section


def _table(sign: Class | None, tokens: Sequence[Token], lines: Sequence[str], file: str) -> Table:
    cells: dict[int, list[str]] = {}
    for before, token in pairwise(tokens):
        if before.type == "table_close":
            break
        if _is_cell(before):
            cells.setdefault(_number(token), []).append(_text(token))
    header, *rows = (Line(number, tuple(texts), _count(lines[number - 1])) for number, texts in cells.items())
    for row in rows:
        _refuse_more_cells(row, header, file)
    return Table(sign, header, tuple(rows))


def _count(written: str) -> int:
    pieces = _PIPE.split(written.strip(" \t>"))
    return len(pieces) - (pieces[0] == "") - (pieces[-1] == "")


def _refuse_more_cells(row: Line, header: Line, file: str) -> None:
    if row.written > len(header.cells):
        problem = f"got {row.written} cells, expected {len(header.cells)} as in the header"
        do = r"write a | that belongs to a cell's text as \|"
        raise DataError(problem, file=file, where=f"line {row.number}", do=do)


def _refuse_loose_rows(token: Token, file: str) -> None:
    """A row outside its table is text to Markdown: nobody would miss it until it no longer excuses."""
    if token.type not in {"inline", "code_block", "html_block"}:
        return
    shown = _COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), token.content)
    for offset, line in enumerate(shown.split("\n")):
        if line.lstrip().startswith("|") or len(_PIPE.findall(line)) >= len(COLUMNS) - 1:
            problem = f"got a table row outside a table: {line.strip()[:60]!r}"
            do = "begin the table with a header and a line of | --- |, and keep blank lines and indentation out of it"
            raise DataError(problem, file=file, where=f"line {_number(token) + offset}", do=do)


def _is_cell(token: Token) -> bool:
    return token.type in {"th_open", "td_open"}


def _number(token: Token) -> int:
    return token.map[0] + 1 if token.map else 1


def _text(cell: Token) -> str:
    return "".join(child.content for child in cell.children or ()).strip()
