"""What is tolerated, where and until when: QUARANTINE.md as values, and the gates that its rows speak of.

What must hold here: a row excuses nothing but a violation of its rule by its subject; a file that is broken is one
clear error, never a row fewer; an edit touches no character that it need not touch; nothing here reads a clock.
"""

from __future__ import annotations

from psp_harness.quarantine.cells import in_markdown
from psp_harness.quarantine.gates import GATES, Gate, Runs, gate_named
from psp_harness.quarantine.limits import (
    MONEY_DAYS,
    MONEY_OWNERS,
    UNLIMITED,
    Budget,
    Limits,
    beyond_limits,
    beyond_money_limits,
    can_be_renewed,
    over_budget,
)
from psp_harness.quarantine.naming import (
    containers,
    id_of_test,
    is_glob,
    is_verdict_id,
    name_of,
    names,
    names_test,
    node_test_id,
    pattern_of,
    spellings,
)
from psp_harness.quarantine.rate import Rate
from psp_harness.quarantine.reading import parse, read, text_of
from psp_harness.quarantine.row import (
    COLUMNS,
    FILE,
    OPTIONAL,
    Class,
    Kind,
    Row,
    matches,
    names_case,
    speaks_of,
)
from psp_harness.quarantine.writing import added, changed, noted, taken_out

__all__ = [
    "COLUMNS",
    "FILE",
    "GATES",
    "MONEY_DAYS",
    "MONEY_OWNERS",
    "OPTIONAL",
    "UNLIMITED",
    "Budget",
    "Class",
    "Gate",
    "Kind",
    "Limits",
    "Rate",
    "Row",
    "Runs",
    "added",
    "beyond_limits",
    "beyond_money_limits",
    "can_be_renewed",
    "changed",
    "containers",
    "gate_named",
    "id_of_test",
    "in_markdown",
    "is_glob",
    "is_verdict_id",
    "matches",
    "name_of",
    "names",
    "names_case",
    "names_test",
    "node_test_id",
    "noted",
    "over_budget",
    "parse",
    "pattern_of",
    "read",
    "speaks_of",
    "spellings",
    "taken_out",
    "text_of",
]
