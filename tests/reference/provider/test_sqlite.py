from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from psp_harness.model import Answer
from psp_harness.reference.provider.keys import Claim, Slot, Term
from psp_harness.reference.provider.ledger import Entry, Ledger, Place
from psp_harness.reference.provider.stores import Effected
from psp_harness.reference.provider.stores.sqlite import SqliteStore

PLACE = Place("tenant-a", "payment", "pay")
PAYMENT = Entry("tenant-a", "payment", "pay", "", 1000, "EUR", None, 0.0, {"capture": "at-once"})


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where the store keeps its file."""
    return str(tmp_path / "provider.db")


@pytest_asyncio.fixture
async def store(path: str) -> AsyncIterator[SqliteStore]:
    """A store in a file of its own."""
    store = SqliteStore(path)
    yield store
    await store.close()


async def test_nothing_changes_between_the_look_and_the_entry(store: SqliteStore, path: str) -> None:
    """While one process decides, no other can write; afterwards it can."""
    other = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)

    def decide(_: Ledger) -> Effected:
        with pytest.raises(sqlite3.OperationalError, match="database is locked"):
            other.execute("BEGIN IMMEDIATE")
        return Effected(PAYMENT, Answer(201))

    assert isinstance(await store.complete(None, PLACE, decide), Effected)
    other.execute("BEGIN IMMEDIATE")
    other.close()


async def test_an_effect_without_its_answer_does_not_stand(store: SqliteStore) -> None:
    """When the answer cannot be kept after the effect was written, the effect is gone and the claim still stands."""
    claim = await store.claim(Slot("tenant-a", "create-payment", b"k"), "print", Term(0.0, lease=10, ttl=100))
    assert isinstance(claim, Claim)
    unkept = Answer(201, ((None, b""),))  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        await store.complete(claim, PLACE, lambda _: Effected(PAYMENT, unkept))
    assert await store.entries() == ()
    assert isinstance(await store.complete(claim, PLACE, lambda _: Effected(PAYMENT, Answer(201))), Effected)


async def test_commits_are_durable(store: SqliteStore, path: str) -> None:
    """The file is in write-ahead mode, and each commit is on the disk before it returns."""
    assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)
    reader = sqlite3.connect(path)
    assert reader.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    reader.close()


async def test_many_processes_may_begin_at_once(tmp_path: Path) -> None:
    """Opening a file that is not there yet creates it once, however many open it, and tells none that it is locked."""
    for number in range(5):
        path = str(tmp_path / f"{number}.db")
        stores = await asyncio.gather(*(asyncio.to_thread(SqliteStore, path) for _ in range(8)))
        assert [await store.entries() for store in stores] == [()] * 8
        for store in stores:
            await store.close()
