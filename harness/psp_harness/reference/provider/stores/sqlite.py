"""The store in one SQLite file, for any number of processes on one machine.

Each step is one `BEGIN IMMEDIATE` transaction: the write lock is taken before the first look, so that nothing changes
between the look and the entry, and no transaction has to begin anew. Write-ahead logging lets readers go on meanwhile;
`synchronous = FULL` makes each commit durable before the answer goes out, against a loss of power too.

A process that dies inside a transaction leaves a log without a commit, which the next reader ignores. A file that stays
locked for too long, a full or a failing disk are `StoreUnavailable`: nothing was written.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from psp_harness.reference.provider.keys import Claim, Record, Slot, Term
from psp_harness.reference.provider.ledger import Entry, Ledger, Place, Refusal
from psp_harness.reference.provider.stores import Decide, Effected, Lost, StoreUnavailable
from psp_harness.reference.provider.stores.kept import freeze, thaw
from psp_harness.reference.provider.stores.rows import (
    COLUMNS,
    entry_of,
    ledger_of_rows,
    parameters,
    redaction_of,
    row_of,
)

T = TypeVar("T")

SECONDS: Final = 5.0
"""How long a file may be locked by others."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS keys (
    tenant TEXT, operation TEXT, key BLOB, fingerprint TEXT NOT NULL, token TEXT NOT NULL,
    leased_until REAL NOT NULL, expires REAL NOT NULL, answer TEXT,
    PRIMARY KEY (tenant, operation, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS keys_expire ON keys (expires);
CREATE INDEX IF NOT EXISTS keys_in_flight ON keys (leased_until) WHERE answer IS NULL;
CREATE TABLE IF NOT EXISTS entries (
    number INTEGER PRIMARY KEY, tenant TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, of TEXT NOT NULL,
    amount INTEGER NOT NULL, currency TEXT NOT NULL, reference TEXT, created REAL NOT NULL, about TEXT NOT NULL,
    UNIQUE (tenant, kind, id)
);
CREATE INDEX IF NOT EXISTS entries_of_one ON entries (tenant, of) WHERE of <> '';
"""

FORGET = "DELETE FROM keys WHERE expires <= :now OR (answer IS NULL AND leased_until <= :now)"
FIND = "SELECT fingerprint, answer FROM keys WHERE tenant = ? AND operation = ? AND key = ?"
CLAIM = "INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, NULL)"
OWNED = "tenant = ? AND operation = ? AND key = ? AND token = ? AND answer IS NULL"
KEEP = f"UPDATE keys SET answer = ? WHERE {OWNED}"  # noqa: S608 - no value is in it
FREE = f"DELETE FROM keys WHERE {OWNED}"  # noqa: S608
OWNS = f"SELECT 1 FROM keys WHERE {OWNED}"  # noqa: S608
ENTER = f"INSERT INTO entries ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
REDACT = "UPDATE entries SET reference = ?, about = ? WHERE tenant = ? AND kind = ? AND id = ?"
READ = f"SELECT {COLUMNS} FROM entries"  # noqa: S608
LOOK = f"""SELECT {COLUMNS} FROM (
    SELECT * FROM entries WHERE tenant = :tenant AND kind = :kind AND id = :id
    UNION SELECT * FROM entries WHERE tenant = :tenant AND kind = :k_above AND id = :i_above
    UNION SELECT * FROM entries WHERE tenant = :tenant AND of = :of AND of <> ''
) ORDER BY number"""  # noqa: S608


class SqliteStore:
    """One connection, used by one thread of its own, so that the event loop never waits for the disk."""

    def __init__(self, path: str) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite-store")
        try:
            self._db = _opened(path)
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error

    async def claim(self, slot: Slot, fingerprint: str, term: Term) -> Claim | Record:
        """One transaction: forget what is over, look, insert."""
        return await self._in_thread(lambda: self._claim(slot, fingerprint, term))

    async def complete(self, claim: Claim | None, place: Place, decide: Decide) -> Effected | Refusal | Lost:
        """One transaction: the claim is still ours, look, decide, insert the entry, keep the answer."""
        return await self._in_thread(lambda: self._complete(claim, place, decide))

    async def release(self, claim: Claim) -> None:
        """One statement: it deletes the key only where token and missing answer say that it is still ours."""
        await self._in_thread(lambda: self._db.execute(FREE, _owner(claim)))

    async def ledger(self, place: Place) -> Ledger:
        """One statement, and so one snapshot."""
        return await self._in_thread(lambda: self._look(place))

    async def entries(self) -> tuple[Entry, ...]:
        """Everything, in the order of their numbers."""
        rows = await self._in_thread(lambda: self._db.execute(f"{READ} ORDER BY number").fetchall())
        return tuple(entry_of(row) for row in rows)

    async def close(self) -> None:
        """Finish what was begun, then end the thread and close the connection."""
        self._thread.shutdown()
        self._db.close()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """A caller that is cancelled meanwhile does not stop the work: it happens wholly, or not at all."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.OperationalError as error:
            raise StoreUnavailable(f"the file does not let itself be used: {error}") from error

    def _claim(self, slot: Slot, fingerprint: str, term: Term) -> Claim | Record:
        with self._db as db:
            db.execute("BEGIN IMMEDIATE")
            db.execute(FORGET, {"now": term.now})
            row = db.execute(FIND, (slot.tenant, slot.operation, slot.key)).fetchone()
            if row:
                return Record(row[0], thaw(row[1]) if row[1] is not None else None)
            claim = Claim(slot, secrets.token_hex(16))
            leased_until, expires = term.now + term.lease, term.now + term.ttl
            db.execute(CLAIM, (slot.tenant, slot.operation, slot.key, fingerprint, claim.token, leased_until, expires))
            return claim

    def _complete(self, claim: Claim | None, place: Place, decide: Decide) -> Effected | Refusal | Lost:
        with self._db as db:
            db.execute("BEGIN IMMEDIATE")
            if claim and not db.execute(OWNS, _owner(claim)).fetchone():
                return Lost()
            decision = decide(self._look(place))
            if isinstance(decision, Effected):
                db.execute(ENTER, row_of(decision.entry))
                db.executemany(REDACT, map(redaction_of, decision.redacted))
                if claim:
                    db.execute(KEEP, (freeze(decision.answer), *_owner(claim)))
            elif claim:
                db.execute(FREE, _owner(claim))
            return decision

    def _look(self, place: Place) -> Ledger:
        return ledger_of_rows(place, self._db.execute(LOOK, parameters(place)))


def _opened(path: str) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=SECONDS, isolation_level=None, check_same_thread=False)
    _write_ahead(db, until=time.monotonic() + SECONDS)
    db.execute("PRAGMA synchronous = FULL")
    db.executescript(SCHEMA)
    return db


def _write_ahead(db: sqlite3.Connection, until: float) -> None:
    """Of two that switch a new file at once, one is told at once that it is locked: here SQLite does not wait."""
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _owner(claim: Claim) -> tuple[str, str, bytes, str]:
    return claim.slot.tenant, claim.slot.operation, claim.slot.key, claim.token
