"""The history that a project keeps: the file that the command line or the configuration names."""

from __future__ import annotations

from pathlib import Path

from psp_harness import config, private
from psp_harness.quarantine import Rate, Row
from psp_harness.records import Past, Store, standing


def store(settings: config.Config, given: Path | None) -> Store:
    """The history; the file need not be there."""
    return Store(given or Path(settings.history))


def record(past: Past, settings: config.Config, given: Path | None) -> None:
    """Add a run to it."""
    if (given or Path(settings.history)) == private.HISTORY:
        private.made()
    store(settings, given).add(past)


def measured(row: Row, settings: config.Config, given: Path | None) -> Rate | None:
    """How often what the row names failed, or None where the history says nothing of it."""
    return standing(row, store(settings, given).runs()).rate
