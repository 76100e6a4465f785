from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from psp_harness.model import Answer
from psp_harness.reference.provider.keys import Claim, Slot, Term
from psp_harness.reference.provider.ledger import Entry, Ledger, Place, Refusal
from psp_harness.reference.provider.standing import of_payment
from psp_harness.reference.provider.stores import Decide, Effected, StoreUnavailable
from psp_harness.reference.provider.stores.opening import open_store, remove
from reference.provider.sharing import of_this_test

if TYPE_CHECKING:
    from psp_harness.reference.provider.stores.postgresql import PostgresqlStore

pytestmark = pytest.mark.integration

PAYMENT = Entry("tenant-a", "payment", "pay", "", 1000, "EUR", None, 0.0, {"capture": "at-once"})
PLACE = Place("tenant-a", "payment", "pay")
WRONG_DEFAULTS = "?options=-c%20synchronous_commit%3Doff%20-c%20default_transaction_isolation%3Dserializable"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A schema of this test."""
    with of_this_test("postgresql", tmp_path) as address:
        yield address


@pytest_asyncio.fixture
async def store(address: str) -> AsyncIterator[PostgresqlStore]:
    """A store whose database has the worst defaults that it can have."""
    server, _, name = address.partition("#")
    store: PostgresqlStore = open_store(f"{server}{WRONG_DEFAULTS if '?' not in server else ''}#{name}")  # type: ignore[assignment]
    yield store
    await store.close()


def enter(entry: Entry) -> Decide:
    """Decide for it, unless its id is taken."""

    def decide(ledger: Ledger) -> Effected | Refusal:
        return Refusal("duplicate", "taken") if ledger.existing else Effected(entry, Answer(201))

    return decide


def give_back(number: int) -> tuple[Place, Decide]:
    """A refund of 4.00, if as much is left."""
    refund = Entry("tenant-a", "refund", f"ref-{number}", "payment/pay", 400, "EUR")

    def decide(ledger: Ledger) -> Effected | Refusal:
        left = of_payment(ledger.above, ledger.beside, 0.0).left if ledger.above else 0
        return Effected(refund, Answer(201)) if left >= refund.amount else Refusal("exceeds-captured", "")

    return Place("tenant-a", "refund", refund.id, "payment/pay"), decide


async def test_every_session_is_made_safe(store: PostgresqlStore) -> None:
    """Whatever the server's defaults: commits last, transactions read what was committed, and no wait is endless."""
    async with store._connections.transaction() as db:
        shown = [
            (await (await db.execute(f"SHOW {name}")).fetchone() or ("",))[0]
            for name in ("synchronous_commit", "transaction_isolation", "lock_timeout", "statement_timeout")
        ]
    assert shown == ["on", "read committed", "5s", "10s"]


async def test_the_look_comes_after_the_lock(store: PostgresqlStore) -> None:
    """Refunds that waited for each other see each other, also where the database's default is a frozen snapshot."""
    await store.complete(None, PLACE, enter(PAYMENT))
    outcomes = await asyncio.gather(*(store.complete(None, *give_back(number)) for number in range(8)))
    assert sum(isinstance(outcome, Effected) for outcome in outcomes) == 2


async def test_one_id_is_entered_once(store: PostgresqlStore) -> None:
    """Of many who chose the same id at once, one enters it, and the others get to see it."""
    outcomes = await asyncio.gather(*(store.complete(None, PLACE, enter(PAYMENT)) for _ in range(8)))
    assert sum(isinstance(outcome, Effected) for outcome in outcomes) == 1
    assert await store.entries() == (PAYMENT,)


async def test_nothing_changes_between_the_look_and_the_entry(store: PostgresqlStore, address: str) -> None:
    """While one decides about a payment, another one waits, and sees what the first has done."""
    await store.complete(None, PLACE, enter(PAYMENT))
    other: PostgresqlStore = open_store(address)  # type: ignore[assignment]
    place, decide = give_back(1)
    async with store._connections.transaction() as db:
        await db.execute("SELECT 1 FROM entries WHERE id = 'pay' FOR UPDATE")
        waiting = asyncio.create_task(other.complete(None, place, decide))
        await blocked(db)
        assert not waiting.done()
    assert isinstance(await waiting, Effected)
    await other.close()


async def blocked(db: object) -> None:
    """Wait until somebody waits for a lock that this transaction holds."""
    asked = "SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    async with asyncio.timeout(5):
        while not await (await db.execute(asked)).fetchone():  # type: ignore[attr-defined]
            pass


async def test_an_effect_without_its_answer_does_not_stand(store: PostgresqlStore) -> None:
    """When the answer cannot be kept after the effect was written, the effect is gone and the claim still stands."""
    claim = await store.claim(Slot("tenant-a", "create-payment", b"k"), "print", Term(0.0, lease=10, ttl=100))
    assert isinstance(claim, Claim)
    unkept = Answer(201, ((None, b""),))  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        await store.complete(claim, PLACE, lambda _: Effected(PAYMENT, unkept))
    assert await store.entries() == ()
    assert isinstance(await store.complete(claim, PLACE, enter(PAYMENT)), Effected)


async def test_a_caller_who_is_cancelled_leaves_no_connection_behind(store: PostgresqlStore) -> None:
    """The transaction of a caller who went away is rolled back, and the next step gets a clean connection."""
    entered = asyncio.Event()

    async def goes_away() -> None:
        async with store._connections.transaction() as db:
            await db.execute("INSERT INTO keys VALUES ('t', 'o', 'k', 'f', 'x', 0, 0)")
            entered.set()
            await db.execute("SELECT pg_sleep(5)")

    task = asyncio.create_task(goes_away())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with store._connections.transaction() as db:
        assert await (await db.execute("SELECT count(*) FROM keys")).fetchone() == (0,)


async def test_tables_that_were_dropped_are_not_an_empty_store(store: PostgresqlStore, address: str) -> None:
    """A key store that is gone fails closed: no key is free because nobody remembers it."""
    remove(address)
    with pytest.raises(StoreUnavailable):
        await store.claim(Slot("tenant-a", "create-payment", b"k"), "print", Term(0.0, lease=10, ttl=100))


async def test_many_processes_may_begin_at_once(address: str) -> None:
    """Opening a store that is not there yet creates it once, however many open it."""
    stores = await asyncio.gather(*(asyncio.to_thread(open_store, address) for _ in range(6)))
    assert [await store.entries() for store in stores] == [()] * 6
    for store in stores:
        await store.close()


async def test_an_id_that_text_cannot_hold(store: PostgresqlStore) -> None:
    """Nothing stands under an id with a NUL in it, and asking for it is no error."""
    assert await store.ledger(Place("tenant-a", "payment", "p\0y")) == Ledger()
