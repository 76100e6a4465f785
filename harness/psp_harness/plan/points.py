"""Crash points: where a shop's process is ended, each as a case of its own with a name that says where.

order-and-refund                       the case as it stands, which tells how many points there are
order-and-refund-exchange-2-acted      ended when the PSP had acted on the second request, and had not answered
order-and-refund-commit-3-before       ended before its third commit
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from msgspec import structs

from psp_harness.model import Strike
from psp_harness.plan.planned import Planned

EXCHANGE: tuple[str, ...] = ("before", "acted", "answered")
"""The PSP has the request and does nothing; it acted and does not answer; its answer is on the way."""

COMMIT: tuple[str, ...] = ("before", "after")

_USUAL = 99
"""Points up to this number are thought of where a pattern leaves the number open."""


@dataclass(frozen=True, slots=True)
class Point:
    """One of them."""

    kind: str
    """`exchange` or `commit`."""
    number: int
    """From 1."""
    when: str

    @property
    def suffix(self) -> str:
        """What its case is called after."""
        return f"-{self.kind}-{self.number}-{self.when}"


def points(exchanges: Iterable[int], commits: int) -> Iterator[Point]:
    """Every point of a case in which these exchanges took place (by number), and so many commits."""
    for number in exchanges:
        yield from (Point("exchange", number, when) for when in EXCHANGE)
    for number in range(1, commits + 1):
        yield from (Point("commit", number, when) for when in COMMIT)


def possible(pattern: str) -> Iterator[Point]:
    """Every point that such a pattern might name: how many a case has is known only when it ran."""
    mentioned = {int(digits) for digits in re.findall(r"[0-9]{1,9}", pattern)}
    for number in sorted({*range(1, _USUAL + 1), *mentioned}):
        yield from (Point("exchange", number, when) for when in EXCHANGE)
        yield from (Point("commit", number, when) for when in COMMIT)


def at(planned: Planned, point: Point) -> Planned:
    """The case with its shop ended there."""
    case = structs.replace(planned.case, id=planned.case.id + point.suffix, crashes=False)
    strikes = planned.strikes
    if point.kind == "exchange":
        strikes += (Strike("sender-ended", 0, options={"when": point.when}, number=point.number),)
    return replace(planned, case=case, strikes=strikes)


def is_point_of(pattern: str, case: str) -> bool:
    """Whether a pattern of verdict ids, or the beginning of one, is about a point of this case."""
    if pattern.startswith((f"{case}-exchange-", f"{case}-commit-")):
        return True
    first = [f"{case}-exchange-1-{when}/" for when in EXCHANGE] + [f"{case}-commit-1-{when}/" for when in COMMIT]
    return any(fnmatchcase(f"{each}any-rule", pattern) for each in first)
