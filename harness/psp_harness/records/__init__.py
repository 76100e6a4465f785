"""The history that gates keep: how each verdict and each test came out, run by run; what rates and proofs are made of.

What must hold here: a run is recorded whole or not at all, and once, however often it is brought in; what is recorded
is how it came out, not how it was excused.
"""

from __future__ import annotations

from psp_harness.records.lines import export, load
from psp_harness.records.standing import Standing, measured, of_row, since_released, standing, was_seen_to_come
from psp_harness.records.store import ADDED, RELEASED, Outcome, Past, Store, recorded

__all__ = [
    "ADDED",
    "RELEASED",
    "Outcome",
    "Past",
    "Standing",
    "Store",
    "export",
    "load",
    "measured",
    "of_row",
    "recorded",
    "since_released",
    "standing",
    "was_seen_to_come",
]
