"""Runs and their outcomes in one SQLite file, which is made where there is none."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from psp_harness.errors import DataError

_APPLICATION = 0x50535048
"""`PSPH`, where SQLite keeps what a file is for."""
_VERSION = 1
_WAIT = 30.0
"""Seconds for another process that writes."""

_TABLES = """
CREATE TABLE run (id TEXT PRIMARY KEY, at TEXT NOT NULL, gate TEXT NOT NULL, subject TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE outcome (
  run TEXT NOT NULL REFERENCES run, place INTEGER NOT NULL, id TEXT NOT NULL, word TEXT NOT NULL,
  PRIMARY KEY (run, place)
) WITHOUT ROWID;
CREATE INDEX outcome_of ON outcome (id);
"""

Outcome = tuple[str, str]
"""A verdict's or a test's id, and a word: `passed`, `violated`, `skipped`, `unexercised`, `errored`, or as below."""

ADDED = "added"
"""A row about it came into QUARANTINE.md: passes from before it prove nothing of it."""
RELEASED = "released"
"""Its row went out, with proof: what was before counts no more."""


@dataclass(frozen=True, slots=True)
class Past:
    """One run of the past."""

    at: datetime
    """UTC."""
    gate: str
    subject: str
    outcomes: Iterable[Outcome]
    id: str = field(default_factory=lambda: secrets.token_hex(8))


class Store:
    """A history in a file. Every method raises `DataError` where the file cannot be read or written."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, past: Past) -> bool:
        """Record a run; False where it is recorded already."""
        with self._writing() as db:
            head = (past.id, past.at.astimezone(UTC).isoformat(), past.gate, past.subject)
            if db.execute("INSERT OR IGNORE INTO run VALUES (?, ?, ?, ?)", head).rowcount == 0:
                return False
            rows = ((past.id, place, *outcome) for place, outcome in enumerate(past.outcomes))
            db.executemany("INSERT INTO outcome VALUES (?, ?, ?, ?)", rows)
        return True

    def runs(self) -> Iterator[Past]:
        """Every run, the oldest first; none where there is no file."""
        if not self._path.exists():
            return
        if self._path.stat().st_size == 0:
            do = "bring it back, say with `quarantine history --import`, or delete the file"
            raise DataError("the file is empty: a history that was lost, or never begun", file=str(self._path), do=do)
        with self._open() as db:
            for head in db.execute("SELECT id, at, gate, subject FROM run ORDER BY at, id").fetchall():
                yield self._past(db, *head)

    def _past(self, db: sqlite3.Connection, name: str, at: str, gate: str, subject: str) -> Past:
        outcomes = db.execute("SELECT id, word FROM outcome WHERE run = ? ORDER BY place", (name,)).fetchall()
        return Past(datetime.fromisoformat(at), gate, subject, tuple(outcomes), name)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: whole, or not at all."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            if db.execute("PRAGMA user_version").fetchone()[0] == 0:
                self._make(db)
            yield db
            db.execute("COMMIT")

    def _make(self, db: sqlite3.Connection) -> None:
        for statement in _TABLES.split(";")[:-1]:
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {_APPLICATION}")
        db.execute(f"PRAGMA user_version = {_VERSION}")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=_WAIT, isolation_level=None)) as db:
                self._check(db)
                yield db
        except sqlite3.Error as error:
            raise DataError(f"no history can be kept here: {error}", file=str(self._path), do=_DO) from None

    def _check(self, db: sqlite3.Connection) -> None:
        is_new = not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[
            0
        ]  # first: somebody may make it just now
        kind, version = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
        if not is_new and kind != _APPLICATION:
            raise DataError("another program's database", file=str(self._path), do=_DO)
        if version > _VERSION:
            problem = f"a history of version {version}, and this psp-harness knows {_VERSION}"
            raise DataError(problem, file=str(self._path), do="use a newer psp-harness")


_DO = "name another file with `history` in psp-harness.toml, or --history FILE"


def recorded(outcomes: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """Outcomes as they came: what was excused was violated all the same."""
    return tuple((name, "violated" if word == "known" else word) for name, word in outcomes)
