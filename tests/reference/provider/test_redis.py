from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from psp_harness.errors import UsageError
from psp_harness.model import Answer
from psp_harness.reference.provider.keys import Claim, Slot, Term
from psp_harness.reference.provider.ledger import Entry, Ledger, Place, Refusal
from psp_harness.reference.provider.stores import Effected, StoreUnavailable
from psp_harness.reference.provider.stores.opening import open_store, remove
from reference.provider.line import laid
from reference.provider.sharing import of_this_test

if TYPE_CHECKING:
    from psp_harness.reference.provider.stores.redis import RedisStore

pytestmark = pytest.mark.integration

PAYMENT = Entry("tenant-a", "payment", "pay", "", 1000, "EUR", None, 0.0, {"capture": "at-once"})
PLACE = Place("tenant-a", "payment", "pay")
SLOT = Slot("tenant-a", "create-payment", b"key")


def term(now: float) -> Term:
    """Begin a term: a lease of 10 seconds, 100 seconds of memory."""
    return Term(now, lease=10, ttl=100)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A prefix of this test."""
    with of_this_test("redis", tmp_path) as address:
        yield address


@pytest_asyncio.fixture
async def store(address: str) -> AsyncIterator[RedisStore]:
    """The store there."""
    store: RedisStore = open_store(address)  # type: ignore[assignment]
    yield store
    await store.close()


async def test_a_ledger_that_changed_is_looked_at_again(store: RedisStore) -> None:
    """What another process enters between the look and the entry makes the step begin anew, and decide on that."""
    seen: list[Ledger] = []
    other = asyncio.get_running_loop()

    async def overtakes() -> None:
        await store.complete(None, PLACE, lambda _: Effected(PAYMENT, Answer(201)))

    def decide(ledger: Ledger) -> Effected | Refusal:
        seen.append(ledger)
        return Refusal("duplicate", "") if ledger.existing else Effected(replace(PAYMENT, amount=7), Answer(201))

    look, first = store._look, True

    async def overtaken(*place: object) -> object:
        nonlocal first
        found = await look(*place)  # type: ignore[arg-type]
        if first:
            first = False
            await other.create_task(overtakes())
        return found

    store._look = overtaken  # type: ignore[method-assign, assignment]
    assert await store.complete(None, PLACE, decide) == Refusal("duplicate", "")
    assert [ledger.existing for ledger in seen] == [None, PAYMENT]
    assert await store.entries() == (PAYMENT,)


async def test_a_claim_that_was_taken_over_between_look_and_entry(store: RedisStore) -> None:
    """The entry asks again whose the claim is: a slow owner that saw it as its own enters nothing."""
    slow = await store.claim(SLOT, "print", term(0.0))
    assert isinstance(slow, Claim)
    seen = await store._look(PLACE, slow)
    assert seen is not None
    assert isinstance(await store.claim(SLOT, "print", term(10.0)), Claim)
    assert await store._enter(slow, PLACE, seen, Effected(PAYMENT, Answer(201))) == "lost"
    assert await store.entries() == ()


async def test_a_store_that_lost_its_memory_fails_closed(store: RedisStore, address: str) -> None:
    """A server that comes back empty executes nothing, until somebody who knows of it opens the store anew."""
    remove(address)
    for step in (store.claim(SLOT, "print", term(0.0)), store.entries(), store.ledger(PLACE)):
        with pytest.raises(StoreUnavailable, match="memory"):
            await step
    again = open_store(address)
    assert isinstance(await again.claim(SLOT, "print", term(0.0)), Claim)
    await again.close()
    with pytest.raises(StoreUnavailable, match="memory"):
        await store.claim(SLOT, "print", term(0.0))


async def test_no_step_is_sent_twice(address: str) -> None:
    """A step whose answer is lost is not repeated by the driver: the claim stands once, and its owner is told."""
    async with laid(address) as line:
        store = await asyncio.to_thread(open_store, line.address)
        await store.entries()
        line.lose_answer_to(b"the-fingerprint")
        with pytest.raises(StoreUnavailable):
            await store.claim(SLOT, "the-fingerprint", term(0.0))
        assert line.lost == 1
        await store.close()


async def test_redis_takes_nothing_away_by_itself(store: RedisStore) -> None:
    """Nothing has an expiry: the clock that counts is the provider's, and it is written beside the key."""
    claim = await store.claim(SLOT, "print", term(0.0))
    assert isinstance(claim, Claim)
    await store.complete(claim, PLACE, lambda _: Effected(PAYMENT, Answer(201)))
    names = [name async for name in store._db.scan_iter(f"{{{store._name}}}:*")]
    assert len(names) == 5
    assert [await store._db.ttl(name) for name in names] == [-1] * 5


async def test_what_is_over_is_swept(store: RedisStore) -> None:
    """Keys do not pile up: each new claim forgets some of those whose time is over."""
    for number in range(30):
        await store.claim(replace(SLOT, key=b"%d" % number), "print", term(0.0))
    for number in range(2):
        await store.claim(replace(SLOT, key=b"new-%d" % number), "print", term(1000.0))
    assert await store._db.hlen(store._at("keys")) == 2
    assert await store._db.zcard(store._at("over")) == 2


async def test_a_server_that_evicts_keys_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is forgotten when memory is short is a second charge."""
    monkeypatch.setattr("redis.Redis.info", lambda *_: {"maxmemory_policy": "allkeys-lru"})
    with pytest.raises(UsageError, match="evicts keys"):
        open_store(address)
