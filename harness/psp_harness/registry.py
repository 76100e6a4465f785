"""A mapping that refuses a name twice, and says which names there are when one is unknown."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from psp_harness.errors import UsageError

T = TypeVar("T")


_MANY = 60
"""So many names help nobody who reads them in one line."""


def suggest(name: str, names: Iterable[str]) -> str:
    """What to do about an unknown name: the nearest one that exists, or all of them, or where all of them are."""
    known = sorted(names)
    if not known:
        return "there are none"
    if near := difflib.get_close_matches(name, known, n=1):
        return f"did you mean {near[0]!r}?"
    return f"known: {', '.join(known)}" if len(known) <= _MANY else "see psp-harness list --help"


class Registry(Mapping[str, T]):
    """Names of one sort of thing (`rule`, `fault`, …) in the order in which they were added."""

    def __init__(self, sort: str) -> None:
        self._sort = sort
        self._items: dict[str, T] = {}

    def add(self, name: str, item: T) -> T:
        """Add `item`, or raise `ValueError`: two things of one sort never share a name."""
        if name in self._items:
            message = f"{self._sort} {name!r} is registered twice"
            raise ValueError(message)
        self._items[name] = item
        return item

    def named(self, name: str) -> T:
        """The item of that name, or a `UsageError` with the nearest name that exists."""
        if name not in self._items:
            problem = f"unknown {self._sort} {name!r}"
            raise UsageError(problem, do=suggest(name, self._items))
        return self._items[name]

    def __getitem__(self, name: str) -> T:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)
