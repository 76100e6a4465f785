"""The database: transactions that do not overtake each other, and migrations that apply themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, literal, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session

from psp_harness.errors import UsageError
from psp_harness.reference.shop.tables import Table

WAIT_SECONDS = 10
"""How long a transaction waits for another one."""

MIGRATIONS = Path(__file__).with_name("migrations")
_MIGRATING = 7_733_091
"""An advisory lock of PostgreSQL: of several processes that start together, one migrates."""


class Books:
    """The shop's database; `prepare` before it is used."""

    def __init__(self, url: str) -> None:
        """`sqlite:///FILE` or `postgresql://…`; raises `UsageError` for anything else."""
        self.engine = _engine(_address(url))

    def prepare(self) -> None:
        """Apply the migrations that are missing."""
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with self.engine.begin() as connection:
            if self.engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATING})
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Everything in it is written together or not at all; the rows it gave may be read after it."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """To read in: everything as it was at one moment, though others write meanwhile."""
        level = {"isolation_level": "REPEATABLE READ"} if self.engine.dialect.name == "postgresql" else {}
        with Session(self.engine.execution_options(**level), expire_on_commit=False) as session, session.begin():
            yield session

    def add_once(self, session: Session, row: type[Table], **values: object) -> bool:
        """Write a row unless a UNIQUE index has one like it already; whether it was written."""
        insert = postgresql.insert if self.engine.dialect.name == "postgresql" else sqlite.insert
        new = insert(row).values(**values).on_conflict_do_nothing().returning(literal(1))
        return session.execute(new).first() is not None

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError:
        raise UsageError("the shop's database is no address", do="say sqlite:///FILE or postgresql://…") from None
    if address.drivername in {"postgresql", "postgres"}:
        return address.set(drivername="postgresql+psycopg")
    if address.drivername in {"sqlite", "postgresql+psycopg"}:
        return address
    raise UsageError(
        f"the shop keeps no books on {address.drivername!r}", do="say sqlite:///FILE or postgresql://… in DATABASE_URL"
    )


def _engine(address: URL) -> Engine:
    """What it says of a failure has no values in it: they may be personal, or secret."""
    if address.drivername != "sqlite":
        return create_engine(
            address, hide_parameters=True, pool_pre_ping=True, connect_args={"connect_timeout": WAIT_SECONDS}
        )
    engine = create_engine(address, hide_parameters=True, connect_args={"timeout": WAIT_SECONDS})
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin_immediately)
    return engine


def _set_up(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver would begin by itself, and later than is safe
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediately(connection: Connection) -> None:
    # a transaction that reads first and writes later would otherwise fail where another one wrote in between
    connection.exec_driver_sql("BEGIN IMMEDIATE")
