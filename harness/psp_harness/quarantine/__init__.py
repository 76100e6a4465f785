"""What is tolerated, where and until when: QUARANTINE.md as values, and the gates that its rows speak of.

What must hold here: a row excuses nothing but a violation of its rule by its subject; a file that is broken is one
clear error, never a row fewer; nothing here reads a clock.
"""

from __future__ import annotations

from psp_harness.quarantine.gates import GATES, Gate, gate_named
from psp_harness.quarantine.reading import parse, read
from psp_harness.quarantine.row import COLUMNS, FILE, Class, Kind, Row, matches, names, names_case, speaks_of

__all__ = [
    "COLUMNS",
    "FILE",
    "GATES",
    "Class",
    "Gate",
    "Kind",
    "Row",
    "gate_named",
    "matches",
    "names",
    "names_case",
    "parse",
    "read",
    "speaks_of",
]
