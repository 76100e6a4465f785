"""`pytest --gate pr`: QUARANTINE.md, applied while the tests run (`at_gate`). Without `--gate` nothing here acts.

A plugin is loaded by every run of pytest on the machine: what it needs is imported when there is a gate.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--gate` and what belongs to it."""
    group = parser.getgroup("psp-harness", "QUARANTINE.md at a release gate")
    group.addoption("--gate", metavar="GATE", help="apply QUARANTINE.md as at that gate: pr, nightly, release, manual")
    group.addoption("--today", metavar="YYYY-MM-DD", help="with --gate: as if it were that day (UTC)")


def pytest_configure(config: pytest.Config) -> None:
    """Read the rows, if there is a gate. Raises `pytest.UsageError` for a broken file and an unknown gate."""
    config.addinivalue_line("markers", "quarantined: has a row in QUARANTINE.md (set by psp-harness, with --gate)")
    config.addinivalue_line("markers", "slow: takes its time; gate pr leaves it out")
    if gate := config.getoption("--gate"):
        from psp_harness.errors import HarnessError
        from psp_harness.pytest_plugin.at_gate import at_gate

        try:
            plugin = at_gate(config.rootpath, str(gate), day_of(config))
        except HarnessError as error:
            raise pytest.UsageError(str(error)) from None
        config.pluginmanager.register(plugin, "psp-harness-at-gate")


def day_of(config: pytest.Config) -> date:
    """The day as of which rows hold; today, unless the command line says otherwise."""
    said = config.getoption("--today")
    try:
        return date.fromisoformat(said) if said else datetime.now(UTC).date()
    except ValueError:
        raise pytest.UsageError(f"--today {said!r}: expected a day as YYYY-MM-DD") from None
