"""The store in PostgreSQL, for any number of processes on any number of machines.

Each step is one transaction that takes its locks before it looks:

    claim     INSERT … ON CONFLICT DO UPDATE … WHERE it is over: one statement claims a key, or takes over one that is
              over. Where neither happens, the conflict has locked the row in the way, so that it stays to be read
    complete  the key FOR UPDATE, what is above FOR UPDATE; then the look, the entry and the answer; COMMIT
    release   one DELETE, which token and missing answer keep to what is ours

Why it is atomic: the entry and the answer stand in one transaction, and whoever wants to decide about the same key or
the same payment waits for its locks. Locks are taken in one order, key, what is above, id, so nobody waits in a circle.

What must not be changed here, because money hangs on it:
 - READ COMMITTED, and the look as a statement of its own after the lock. A statement sees what was committed before it
   began. One that locks and looks at once, and any look under REPEATABLE READ, sees the refunds as they were before it
   waited for the lock: two refunds would spend the same rest.
 - `synchronous_commit`, set by ourselves. With `off`, a server that crashes forgets commits whose answers are out.
 - ON CONFLICT on the id, and deciding anew where it strikes: two requests that chose one id have nothing to lock of
   each other before one of them has entered it.

Where it may die, beside the windows of `stores/__init__.py`:
 - The process, inside a transaction: the server sees the connection end, and rolls back. A process that is stopped, or
   whose machine vanishes, is rolled back after `idle_in_transaction_session_timeout`.
 - The connection, during COMMIT: nobody here knows whether it happened. That is `StoreUnavailable`, and the retry under
   the same key gets to know. The release that follows is harmless: it waits for the row, and frees no answered key.
 - The server, and a replica takes its place: what an asynchronous replica had not received is lost, keys with the
   money. Only `synchronous_standby_names` prevents that; a replica that is still read-only is `StoreUnavailable`.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import ReadOnlySqlTransaction, UndefinedTable
from psycopg.sql import SQL, Identifier

from psp_harness.reference.provider.keys import Claim, Record, Slot, Term
from psp_harness.reference.provider.ledger import Entry, Ledger, Place, Refusal
from psp_harness.reference.provider.stores import Decide, Effected, Lost, StoreUnavailable
from psp_harness.reference.provider.stores import postgresql_statements as sql
from psp_harness.reference.provider.stores.connections import Connection, Connections
from psp_harness.reference.provider.stores.kept import freeze, thaw
from psp_harness.reference.provider.stores.rows import entry_of, ledger_of_rows, parameters, redaction_of, row_of

CONNECT_SECONDS: Final = 5
MOST_CONNECTIONS: Final = 8
STEP_SECONDS: Final = 15.0
"""Past it the connection is cut. The server's own bounds, in `_SETTINGS`, are shorter."""

_SETTINGS = {
    "synchronous_commit": "on",
    "lock_timeout": "5s",
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "10s",
}

_UNAVAILABLE = (psycopg.OperationalError, ReadOnlySqlTransaction, UndefinedTable)
"""It does not answer; it is a replica; its tables were dropped, and every key with them."""


@dataclass(frozen=True, slots=True)
class _Anew:
    """Somebody entered the same id since the look: nothing was written, and the next look will show it."""


class PostgresqlStore:
    """One schema of one database, made if it is not there; connections are opened as they are needed."""

    def __init__(self, server: str, schema: str) -> None:
        """`server` as libpq reads it: `postgresql://…`. Raises `StoreUnavailable` where it cannot be used."""
        self._session = _session(server, schema)
        self._connections = Connections(self._connect, most=MOST_CONNECTIONS, bound=STEP_SECONDS)
        with _told(), psycopg.connect(**self._session) as db:
            db.execute(sql.ONE_AT_A_TIME, [schema])
            db.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(schema)))
            db.execute(sql.TABLES)

    async def claim(self, slot: Slot, fingerprint: str, term: Term) -> Claim | Record:
        """One statement claims; where it did not, the row in its way is locked, and read."""
        claim = Claim(slot, secrets.token_hex(16))
        times = {"now": term.now, "leased_until": term.now + term.lease, "expires": term.now + term.ttl}
        async with self._transaction() as db:
            if await _rows(db, sql.CLAIM, {**_owner(claim), "fingerprint": fingerprint, **times}):
                await db.execute(sql.FORGET, times)
                return claim
            standing = await (await db.execute(sql.FIND, asdict(slot))).fetchone()
            assert standing is not None, "a row that is locked cannot go away"
            return Record(standing[0], None if standing[1] is None else thaw(standing[1]))

    async def complete(self, claim: Claim | None, place: Place, decide: Decide) -> Effected | Refusal | Lost:
        """Once; or again where the same id was entered at the same moment."""
        while True:
            async with self._transaction() as db:
                outcome = await _complete(db, claim, place, decide)
            if not isinstance(outcome, _Anew):
                return outcome

    async def release(self, claim: Claim) -> None:
        """One statement: it deletes the key only where token and missing answer say that it is still ours."""
        async with self._transaction() as db:
            await db.execute(sql.FREE, _owner(claim))

    async def ledger(self, place: Place) -> Ledger:
        """One statement, and so one snapshot."""
        async with self._transaction() as db:
            return await _look(db, place)

    async def entries(self) -> tuple[Entry, ...]:
        """Everything, in the order of their numbers."""
        async with self._transaction() as db:
            return tuple(entry_of(row) for row in await _read(db, sql.READ_ALL))

    async def close(self) -> None:
        """Close the connections."""
        await self._connections.close()

    async def _connect(self) -> Connection:
        return await psycopg.AsyncConnection.connect(**self._session, autocommit=True)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        with _told():
            async with self._connections.transaction() as db:
                yield db


async def _complete(
    db: Connection, claim: Claim | None, place: Place, decide: Decide
) -> Effected | Refusal | Lost | _Anew:
    if claim and not await _rows(db, sql.OWNS, _owner(claim)):
        return Lost()
    await db.execute(sql.LOCK, parameters(place))
    ledger = await _look(db, place)
    decision = decide(ledger)
    if isinstance(decision, Effected):
        if not await _rows(db, sql.ENTER, row_of(decision.entry)):
            assert ledger.existing is None, "a decision may not enter an id that it saw taken"
            return _Anew()
        for redacted in decision.redacted:
            await db.execute(sql.REDACT, redaction_of(redacted))
        if claim:
            await db.execute(sql.KEEP, {**_owner(claim), "answer": freeze(decision.answer)})
    elif claim:
        await db.execute(sql.FREE, _owner(claim))
    return decision


async def _look(db: Connection, place: Place) -> Ledger:
    """Text of PostgreSQL holds no NUL, so nothing stands under an id that has one."""
    if "\0" in place.id + place.of:
        return Ledger()
    return ledger_of_rows(place, await _read(db, sql.LOOK, parameters(place)))


async def _rows(db: Connection, statement: str, values: Any) -> int:
    return (await db.execute(statement, values)).rowcount


async def _read(db: Connection, statement: str, values: Any = None) -> list[Any]:
    return await (await db.execute(statement, values)).fetchall()


def remove(server: str, schema: str) -> None:
    """Drop the schema, with every key and entry in it. Raises `StoreUnavailable`."""
    with _told(), psycopg.connect(**_session(server, schema)) as db:
        db.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(schema)))


def _session(server: str, schema: str) -> dict[str, Any]:
    try:
        given = conninfo_to_dict(server)
    except psycopg.ProgrammingError:  # its message quotes what it cannot read, which may be the password
        raise StoreUnavailable("libpq cannot read its address") from None
    settings = " ".join(f"-c {name}={value}" for name, value in {**_SETTINGS, "search_path": schema}.items())
    ours = {"options": f"{given.get('options', '')} {settings}", "application_name": "psp-harness"}
    return {"connect_timeout": CONNECT_SECONDS, **given, **ours}


def _owner(claim: Claim) -> dict[str, Any]:
    return {**asdict(claim.slot), "token": claim.token}


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except _UNAVAILABLE as error:
        sentence = next(iter(str(error).splitlines()), type(error).__name__)
        raise StoreUnavailable(f"PostgreSQL: {sentence}") from error
