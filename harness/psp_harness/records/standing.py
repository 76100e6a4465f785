"""What the history says of one row of QUARANTINE.md: how often it failed, and how it went since. Pure.

What must hold here: a pass from before the row proves nothing of what the row is about, and what was released begins
anew. When a row came in is known to the second where the history saw it come, to the day where somebody wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from psp_harness.quarantine import Kind, Rate, Row, is_verdict_id, names, names_test
from psp_harness.records.store import ADDED, RELEASED, Past


@dataclass(frozen=True, slots=True)
class Standing:
    """Runs in which something that the row names passed or failed; if anything did fail, the run did."""

    failures: int = 0
    """Of all runs; of what is `broken`, only of those from the failures on for which its row was written."""
    runs: int = 0
    streak: int = 0
    """Passes in a row, up to now, since there is a row."""
    untold: int = 0
    """Runs in which it could not be told: they prove nothing, and break no streak."""
    last_failure: date | None = None

    @property
    def rate(self) -> Rate | None:
        """How often it failed in all runs."""
        return Rate(self.failures, self.runs) if self.runs else None

    @property
    def rate_before(self) -> Rate | None:
        """How often it failed before the streak, which is to prove that this is over."""
        runs = self.runs - self.streak
        return Rate(self.failures, runs) if runs else None


def standing(row: Row, runs: Iterable[Past]) -> Standing:
    """Of the runs of the row's subject, the oldest first."""
    stands, failing = Standing(), 0
    said = list(_said(row, runs))
    born = _birth(row, said)
    for place, (past, words) in enumerate(said):
        if place == born:
            stands = _born(row, stands, failing)
        stands = _after(stands, past, words)
        failing = failing + 1 if "violated" in words else 0 if "passed" in words else failing
    return stands if born < len(said) else _born(row, stands, failing)


def measured(row: Row, runs: Iterable[Past]) -> Rate | None:
    """How often what the row names failed, with or without a row, since it was last released."""
    stands = Standing()
    for past, words in _said(row, runs):
        stands = _after(stands, past, words)
    return stands.rate


def since_released(runs: Iterable[Past]) -> Iterator[Past]:
    """The runs without what was proven to be over: its failures are told, and its passes were the proof."""
    every = list(runs)
    last = {
        (past.subject, name): place
        for place, past in enumerate(every)
        for name, word in past.outcomes
        if word == RELEASED
    }
    if not last:
        yield from every
        return
    for place, past in enumerate(every):
        yield replace(past, outcomes=tuple(o for o in past.outcomes if place > last.get((past.subject, o[0]), -1)))


def was_seen_to_come(row: Row, runs: Iterable[Past]) -> bool:
    """The history knows when the row came into the file."""
    return any(ADDED in words for _, words in _said(row, runs))


def of_row(row: Row, past: Past) -> Iterator[str]:
    """What the row names in that run."""
    if names(row.subject, past.subject):
        yield from (name for name, _ in past.outcomes if _is_of(row, name))


def _said(row: Row, runs: Iterable[Past]) -> Iterator[tuple[Past, set[str]]]:
    for past in since_released(runs):
        words = {word for name, word in past.outcomes if _is_of(row, name)}
        if words and names(row.subject, past.subject):
            yield past, words


def _birth(row: Row, said: Sequence[tuple[Past, set[str]]]) -> int:
    """The first run that counts for the row: after it came in, or after the day on which it says that it did."""
    seen = [place for place, (_, words) in enumerate(said) if ADDED in words]
    if seen:
        return seen[-1]
    return next((place for place, (past, _) in enumerate(said) if past.at.date() > row.since), len(said))


def _born(row: Row, stands: Standing, failing: int) -> Standing:
    """As the row comes in. What is `broken` is not what passed before: only its failures up to then are its own."""
    if row.kind is Kind.FLAKY:
        return replace(stands, streak=0)
    return replace(stands, failures=failing, runs=failing, streak=0)


def _after(stands: Standing, past: Past, words: set[str]) -> Standing:
    failures, runs, streak = stands.failures, stands.runs, stands.streak
    if "violated" in words:
        return replace(stands, failures=failures + 1, runs=runs + 1, streak=0, last_failure=past.at.date())
    if words & {"errored", "unexercised"}:
        return replace(stands, untold=stands.untold + 1)
    if "passed" in words:
        return replace(stands, runs=runs + 1, streak=streak + 1)
    return stands


def _is_of(row: Row, name: str) -> bool:
    """Of verdicts, those of the row's rule; of tests, all that it names, for how they failed is not recorded."""
    return names_test(row.what, name) and (not is_verdict_id(name) or name.endswith(f"/{row.rule}"))
