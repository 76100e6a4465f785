"""One line for people, whatever a subject wrote in it and wherever it is shown.

On a terminal, prose is wrapped with its indentation; into a pipe or a file each line goes whole, so that a search finds
it. Nothing that steers a terminal gets through.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

_NARROWEST = 30


@dataclass(frozen=True, slots=True)
class Line:
    """A piece of text with its place and colour."""

    text: str
    indent: int = 0
    style: str = ""
    wraps: bool = True
    """False for a line of a picture, whose columns must stay."""


def show(line: Line, console: Console) -> None:
    """Print it; colour only where the console has it."""
    for piece in _pieces(line, console):
        console.print(Text(piece, style=line.style), soft_wrap=True, highlight=False)


def _pieces(line: Line, console: Console) -> Iterator[str]:
    margin = " " * line.indent
    for paragraph in line.text.splitlines() or [""]:
        text = _printable(paragraph, console.encoding)
        if console.is_terminal and line.wraps and text:
            yield from _wrapped(text, margin, console.width)
        else:
            yield f"{margin}{text}".rstrip()


def _wrapped(text: str, margin: str, width: int) -> list[str]:
    """Between words alone: an id or a path is never broken, so that it can be copied."""
    room = max(width, len(margin) + _NARROWEST)
    return textwrap.wrap(
        text, room, initial_indent=margin, subsequent_indent=margin, break_long_words=False, break_on_hyphens=False
    )


def _printable(text: str, encoding: str) -> str:
    """Control characters, and what the console cannot show, as their code."""
    shown = "".join(one if one.isprintable() else one.encode("unicode-escape").decode() for one in text)
    return shown.encode(encoding, "backslashreplace").decode(encoding)
