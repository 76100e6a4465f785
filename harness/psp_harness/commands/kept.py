"""The history that a project keeps: the file that the command line or the configuration names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from psp_harness import config, private, records
from psp_harness.quarantine import Rate, Row, is_verdict_id, name_of, node_test_id
from psp_harness.records import ADDED, RELEASED, Past, Store

FILE = "quarantine"
"""Where the runs have their gate: what happened to the file itself."""


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
    return records.measured(row, store(settings, given).runs())


def came_in(row: Row, ids: Iterable[str], settings: config.Config, given: Path | None) -> None:
    """Write down that there is a row from now on, about these ids: no pass from before is a proof."""
    record(Past(datetime.now(UTC), FILE, row.subject, _about(row, ids, ADDED)), settings, given)


def went_out(row: Row, settings: config.Config, given: Path | None) -> None:
    """Write down that what the row names was proven to be over: a relapse is judged by itself."""
    ids: dict[str, dict[str, None]] = {row.subject: {}}
    for past in store(settings, given).runs():
        ids.setdefault(past.subject, {}).update(dict.fromkeys(records.of_row(row, past)))
    for subject, named in ids.items():
        if named or subject == row.subject:
            about = _about(row, named, RELEASED)
            record(Past(datetime.now(UTC), FILE, subject, about), settings, given)


def _about(row: Row, ids: Iterable[str], word: str) -> tuple[tuple[str, str], ...]:
    own = f"{row.what.rpartition('/')[0]}/{row.rule}" if is_verdict_id(row.what) else node_test_id(name_of(row.what))
    return tuple((name, word) for name in dict.fromkeys((own, *ids)))
