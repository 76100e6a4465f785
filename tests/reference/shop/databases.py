"""A database for each test, and nothing of it left after."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services import address_of


@contextmanager
def own(kind: str, folder: Path) -> Iterator[str]:
    """The URL of a file of its own, or of a schema of its own on a PostgreSQL that answers."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'shop.sqlite3'}"
        return
    import psycopg

    address, schema = address_of("postgresql"), f"shop_{secrets.token_hex(6)}"
    with psycopg.connect(address, autocommit=True) as db:
        db.execute(f"CREATE SCHEMA {schema}")  # type: ignore[call-overload]
        try:
            joined = "&" if "?" in address else "?"
            yield f"{address}{joined}options=-csearch_path%3D{schema}"
        finally:
            db.execute(f"DROP SCHEMA {schema} CASCADE")  # type: ignore[call-overload]
