"""The gates: what each of them runs, excuses, blocks and keeps. This table is the only place that knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from psp_harness.errors import UsageError
from psp_harness.quarantine.row import Class
from psp_harness.registry import suggest


class Runs(StrEnum):
    """How much a gate runs, before its classes are looked at."""

    FAST = "what is fast"
    """Every case, and of a suite of tests what is not marked `slow`."""
    EVERYTHING = "everything"
    QUARANTINED = "the quarantined alone"


_ALL = frozenset(Class)


@dataclass(frozen=True, slots=True)
class Gate:
    """One release gate. At each of them an error, a row that no longer holds, and what has no row block the line."""

    meaning: str
    runs: Runs
    excuses: frozenset[Class]
    """A violation with a row of these classes does not stop the line."""
    leaves_out: frozenset[Class] = frozenset()
    """What has a row of these classes is not run at all."""
    keeps_history: bool = False
    """How it came out is recorded: what rates and proofs are made of."""

    @property
    def blocks(self) -> frozenset[Class]:
        """A violation stops the line although it has a row of these classes."""
        return _ALL - self.excuses

    @property
    def minds(self) -> frozenset[Class]:
        """The classes whose rows do anything here: such a row must not be expired, and counts for the budget."""
        return self.excuses | self.leaves_out


GATES: Mapping[str, Gate] = {
    "pr": Gate("on every pull request", Runs.FAST, excuses=_ALL, leaves_out=frozenset({Class.MANUAL})),
    "nightly": Gate(
        "every night", Runs.EVERYTHING, excuses=_ALL, leaves_out=frozenset({Class.MANUAL}), keeps_history=True
    ),
    "release": Gate("before a release", Runs.EVERYTHING, excuses=_ALL - {Class.RELEASE}),
    "manual": Gate("by hand", Runs.QUARANTINED, excuses=_ALL, keeps_history=True),
}


def gate_named(name: str) -> Gate:
    """The gate of that name, or a `UsageError` with the nearest name that exists."""
    if name not in GATES:
        problem = f"unknown gate {name!r}"
        raise UsageError(problem, do=suggest(name, GATES))
    return GATES[name]
