"""What a test failed with, in its own words, without the source that a runner prints around them. Pure.

A row excuses a failure by a piece of these words. The text of an assertion that holds, or that is only on the way to
the one that failed, is in the source beside it, and is no failure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_SAID = re.compile(r"E(?:\s{3,}|\s*$)")
"""How pytest begins the lines that say what was raised."""
_DOCTEST = re.compile(r": (DocTestFailure|UnexpectedException)\s*\Z")
_EXAMPLE = re.compile(r"(\d{3,}|\?\?\?)(\s|$)")
"""A line of the document in which a doctest stands."""
_TRACEBACK = "Traceback (most recent call last):"
_GROUP = f"Exception Group {_TRACEBACK}"
"""pytest's message of a group does not say all that is in it."""
_MARGIN = " \t|+-"
"""What Python puts before the lines of a traceback; those of a group have bars."""


def what_failed(message: str, text: str, *, by_pytest: bool = False) -> str:
    """The words of a `<failure>`: of its attribute `message`, and of what stands in it.

    pytest shows the whole function, and marks what was raised; of several that led to each other the last is what the
    test failed with. Its message is the same words, where they are not too many.
    """
    lines = text.split("\n")
    if raised := _last_raised(lines):
        return raised
    if _DOCTEST.search(text):
        return "\n".join(line for line in lines if not _EXAMPLE.match(line))
    if by_pytest and message.strip() and _GROUP not in text:
        return message
    return "\n".join(part for part in (message, _without_source(lines)) if part)


def _last_raised(lines: Iterable[str]) -> str:
    blocks: list[list[str]] = [[]]
    for line in lines:
        if found := _SAID.match(line):
            blocks[-1].append(line[found.end() :])
        elif blocks[-1]:
            blocks.append([])
    return "\n".join(next((block for block in reversed(blocks) if block), []))


def _without_source(lines: Iterable[str]) -> str:
    """A traceback of Python has source lines: all that stands further in than its head."""
    kept: list[str] = []
    margin: int | None = None
    for line in lines:
        if margin is not None and line.strip() and _indent(line) > margin:
            continue
        margin = _margin(line) if line.rstrip().endswith(_TRACEBACK) else None
        kept.append(line)
    return "\n".join(kept)


def _margin(head: str) -> int:
    """How far in the exception of a traceback stands; pytest takes away what is before the head of a group."""
    return max(_indent(head), len("  | ")) if _GROUP in head else _indent(head)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(_MARGIN))
