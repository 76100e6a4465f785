"""Pages as the tests read them: code blocks by language, tables as rows."""

from __future__ import annotations

from pathlib import Path

from markdown_it import MarkdownIt

_MARKDOWN = MarkdownIt("commonmark").enable("table")


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of a page in one language."""
    tokens = _MARKDOWN.parse(page.read_text(encoding="utf-8"))
    return [token.content for token in tokens if token.type == "fence" and token.info == language]


def tables(page: Path, first: str) -> list[list[dict[str, str]]]:
    """The rows of every table whose first column has that head, by the heads of their columns."""
    found: list[list[dict[str, str]]] = []
    lines: list[list[str]] = []
    for token in _MARKDOWN.parse(page.read_text(encoding="utf-8")):
        if token.type == "table_open":
            lines = []
        elif token.type == "tr_open":
            lines.append([])
        elif token.type == "inline" and lines:
            lines[-1].append(token.content)
        elif token.type == "table_close" and lines[0][0] == first:
            head, *rows = lines
            found.append([dict(zip(head, row, strict=True)) for row in rows])
    return found


def table(page: Path, first: str) -> list[dict[str, str]]:
    """The rows of the first such table."""
    found = tables(page, first)
    assert found, f"{page.name} has no table that begins with {first!r}"
    return found[0]
