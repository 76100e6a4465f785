"""How something quarantined came out when it was run once more."""

from __future__ import annotations

from dataclasses import dataclass

from psp_harness.records import Outcome


@dataclass(frozen=True, slots=True)
class Repetition:
    """How one more run came out."""

    subject: str
    outcomes: tuple[Outcome, ...]
    """Empty where there is nothing to record."""
    why: str = ""
    """Why it is no pass; empty where it is one."""
    untold: bool = False
    """It is no failure either."""
