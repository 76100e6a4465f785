"""The lines of a Markdown file and the cells of its tables, to the character: what is not meant stays as it stands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

from psp_harness.quarantine.row import COLUMNS, OPTIONAL, Row

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_CELL_END = re.compile(r"(?<!\\)\|")
_PREFIX = re.compile(r"\ufeff?[ \t>]*")
_EXACT = frozenset({"what", "subject"})
"""The id of a test may have two spaces where another has one."""
_CODE = frozenset({"what", "subject", "rule"})


def lines_of(text: str) -> list[str]:
    """Every line with its own end, as Markdown counts them; joined they are the text."""
    return [line for line in _LINE.findall(text) if line]


def insert(lines: list[str], after: int, line: str) -> None:
    """Put a line after that one (0: before the first); a last line without an end gets one."""
    first = lines[0] if lines else ""
    end = first[len(_bare(first)) :] or "\n"
    if after and lines[after - 1] == _bare(lines[after - 1]):
        lines[after - 1] += end
    lines.insert(after, line + end)


def row_like(line: str, cells: Mapping[str, str], columns: Sequence[str]) -> str:
    """One more row of a table, quoted and indented as that line of it is."""
    prefix = _PREFIX.match(line)
    return f"{prefix[0] if prefix else ''}| {' | '.join(cells.get(name, '') for name in columns)} |"


def append_column(lines: list[str], header: int, name: str) -> None:
    """Give a table one column more, after the others: rows may have fewer cells than the header."""
    for number, cell in ((header, name), (header + 1, "---")):
        line = lines[number - 1]
        text = _bare(line).rstrip()
        edge = "" if text.endswith("|") else " |"
        lines[number - 1] = f"{text}{edge} {cell} |{line[len(_bare(line)) :]}"


def with_cell(line: str, place: int, cell: str) -> str:
    """The line with another text in one cell; the space around it stays."""
    text, end = _bare(line), line[len(_bare(line)) :]
    edges = _edges(text)
    while place + 1 >= len(edges):
        text = f"{text.rstrip()}{'' if text.rstrip().endswith('|') else ' |'} |"
        edges = _edges(text)
    old = text[edges[place] + 1 : edges[place + 1]]
    before, after = (old[: len(old) - len(old.lstrip())], old[len(old.rstrip()) :]) if old.strip() else (" ", " ")
    return f"{text[: edges[place] + 1]}{before}{cell}{after}{text[edges[place + 1] :]}{end}"


def _edges(text: str) -> list[int]:
    """Where cells begin and end: at each pipe, and at the ends of a row that has none there."""
    prefix = _PREFIX.match(text)
    start = prefix.end() if prefix else 0
    pipes = [found.start() for found in _CELL_END.finditer(text)]
    first = [] if text.startswith("|", start) else [start - 1]
    last = [] if text.rstrip().endswith("|") else [len(text)]
    return [*first, *pipes, *last]


def _bare(line: str) -> str:
    return line.rstrip("\r\n")


# --- what a cell says -------------------------------------------------------------------------------------------------


def cells_of(row: Row) -> dict[str, str]:
    """A row's cells, as Markdown."""
    values = {name: getattr(row, name) for name in (*COLUMNS, *OPTIONAL)}
    return {name: _cell(name, value) for name, value in values.items() if value is not None}


def _cell(name: str, value: object) -> str:
    """A value as the text of a cell: ids as code, for their globs would be emphasis on a page."""
    text = str(value) if name in _EXACT else " ".join(str(value).split())
    if isinstance(value, date) or name in OPTIONAL or name == "kind":
        return text
    if name in _CODE and not set(text) & set("`\\"):
        return f"`{text.replace('|', chr(92) + '|')}`"
    if name == "issue":  # which may be a link
        return re.sub(r"[\\`|&]", r"\\\g<0>", text)
    return _escaped(text)


def in_markdown(text: str) -> str:
    """Text whose every character is shown, and none is markup."""
    return _escaped(" ".join(text.split()))


def _escaped(text: str) -> str:
    escaped = re.sub(r"[\\`*<>\[\]|~&]|(?<!\w)_|_(?!\w)", r"\\\g<0>", text)
    return re.sub(r"^([#+-])", r"\\\1", escaped)
