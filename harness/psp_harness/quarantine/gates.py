"""The gates: what each of them runs, and what it excuses. This table is the only place that knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from psp_harness.errors import UsageError
from psp_harness.quarantine.row import Class
from psp_harness.registry import suggest


@dataclass(frozen=True, slots=True)
class Gate:
    """One release gate."""

    meaning: str
    excuses: frozenset[Class]
    """A violation with a row of these classes does not stop the line."""
    leaves_out: frozenset[Class] = frozenset()
    """What has a row of these classes is not run at all."""
    runs_the_quarantined_alone: bool = False


_ALL = frozenset(Class)

GATES: Mapping[str, Gate] = {
    "pr": Gate("on every pull request", excuses=_ALL, leaves_out=frozenset({Class.MANUAL})),
    "nightly": Gate("every night", excuses=_ALL, leaves_out=frozenset({Class.MANUAL})),
    "release": Gate("before a release", excuses=_ALL - {Class.RELEASE}),
    "manual": Gate("by hand", excuses=_ALL, runs_the_quarantined_alone=True),
}


def gate_named(name: str) -> Gate:
    """The gate of that name, or a `UsageError` with the nearest name that exists."""
    if name not in GATES:
        problem = f"unknown gate {name!r}"
        raise UsageError(problem, do=suggest(name, GATES))
    return GATES[name]
