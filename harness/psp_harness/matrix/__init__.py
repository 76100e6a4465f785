"""A matrix: many subjects against every rule of their role, held against what each must be reported for.

`miniatures` and the published `sdks` are such subjects.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from psp_harness.html_page import as_html

KEPT = "<!-- below this line nothing is made by `psp-harness matrix`, and everything is kept -->"
"""From this line on, a page is somebody else's."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """What was found, ready to be shown."""

    table: Table
    markdown: str
    """A page: the same findings give the same text."""
    verdict: str
    """One line."""
    agrees: bool
    """Each subject is reported for what it must be, and for nothing else."""


def show(matrix: Matrix, console: Console) -> None:
    """The table on a terminal; its last line is the verdict."""
    console.print(matrix.table)
    console.print(matrix.verdict)


def write(matrix: Matrix, markdown: Path | None, html: Path | None) -> Iterator[Path]:
    """Write the page anew, in each format that is asked for; what somebody else wrote there stays."""
    _, line, below = _text_of(markdown).partition(KEPT)
    page = matrix.markdown + (f"\n{line}{below}" if line else "")
    for file, text in ((markdown, page), (html, as_html(page))):
        if file is not None:
            file.write_text(text, encoding="utf-8")
            yield file


def _text_of(page: Path | None) -> str:
    return page.read_text(encoding="utf-8") if page is not None and page.exists() else ""


def cell(text: str) -> str:
    """A text, as a cell of a table in Markdown."""
    return text.replace("|", "\\|").replace("<", "&lt;")
