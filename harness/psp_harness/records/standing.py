"""What the history says of one row of QUARANTINE.md: how often it failed, and how it went since. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from psp_harness.quarantine import Rate, Row, is_verdict_id, names, names_test
from psp_harness.records.store import Past


@dataclass(frozen=True, slots=True)
class Standing:
    """Runs in which something that the row names passed or failed; if anything did fail, the run did."""

    failures: int = 0
    """Of all runs."""
    runs: int = 0
    streak: int = 0
    """Passes in a row, up to now."""
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
    failures = count = streak = untold = 0
    last_failure: date | None = None
    for past in runs:
        words = {word for name, word in past.outcomes if _is_of(row, name)}
        if not names(row.subject, past.subject) or not words:
            continue
        if "violated" in words:
            failures, count, streak, last_failure = failures + 1, count + 1, 0, past.at.date()
        elif words & {"errored", "unexercised"}:
            untold += 1
        elif "passed" in words:
            count, streak = count + 1, streak + 1
    return Standing(failures, count, streak, untold, last_failure)


def _is_of(row: Row, name: str) -> bool:
    """Of verdicts, those of the row's rule; of tests, all that it names, for how they failed is not recorded."""
    return names_test(row.what, name) and (not is_verdict_id(name) or name.endswith(f"/{row.rule}"))
