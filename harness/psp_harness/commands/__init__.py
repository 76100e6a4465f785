"""Verbs of the command line that have a file of their own: each parses, delegates, and ends with an exit status."""

from __future__ import annotations

from collections.abc import Iterable

from psp_harness.errors import UsageError


def pairs(texts: Iterable[str], option: str, example: str) -> dict[str, str]:
    """What `NAME=VALUE` says, by name. Raises `UsageError` where one of the two is missing."""
    found = [text.partition("=") for text in texts]
    for name, equals, value in found:
        if not (name and equals and value):
            raise UsageError(f"{option} takes NAME=VALUE", do=f"for instance {option} {example}")
    return {name: value for name, _, value in found}
