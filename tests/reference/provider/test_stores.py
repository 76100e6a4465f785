from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from psp_harness.model import Answer
from psp_harness.reference.provider.keys import Claim, Record, Slot, Term
from psp_harness.reference.provider.ledger import Entry, Ledger, Place, Refusal
from psp_harness.reference.provider.stores import Decide, Effected, Lost, Store
from psp_harness.reference.provider.stores.kept import freeze, thaw
from reference.provider.asking import OpenStore

SLOT = Slot("tenant-a", "create-payment", b"key")
PAYMENT = Entry("tenant-a", "payment", "pay", "", 1000, "EUR", "order-1", 1.5, {"capture": "later", "of": ["é", 1]})
CAPTURE = Entry("tenant-a", "capture", "cap", "payment/pay", 400, "EUR", None, 2.0)
REFUND = Entry("tenant-a", "refund", "ref", "payment/pay", 300, "EUR", None, 2.5)
ANSWER = Answer(201, ((b"content-type", b"application/json"),), b'{"a":"\xc3\xa9\xff\x00"}')
PLACE = Place("tenant-a", "payment", "pay")


def term(now: float) -> Term:
    """Begin a term: a lease of 10 seconds, 100 seconds of memory."""
    return Term(now, lease=10, ttl=100)


async def claimed(store: Store, now: float = 0.0, slot: Slot = SLOT) -> Claim:
    """Claim a key that must be free."""
    claim = await store.claim(slot, "print", term(now))
    assert isinstance(claim, Claim)
    return claim


def effect(entry: Entry = PAYMENT) -> Decide:
    """Decide for this effect, whatever the ledger says."""
    return lambda _: Effected(entry, ANSWER)


async def test_a_key_is_claimed_once(open_store: OpenStore) -> None:
    """Of many who claim one key at once, exactly one gets it; the others see for what."""
    stores = open_store(), open_store()
    held = await asyncio.gather(*(stores[n % 2].claim(SLOT, "print", term(0.0)) for n in range(20)))
    assert sum(isinstance(claim, Claim) for claim in held) == 1
    assert [record for record in held if isinstance(record, Record)] == [Record("print")] * 19


@pytest.mark.parametrize(
    "other",
    [replace(SLOT, tenant="tenant-b"), replace(SLOT, operation="create-refund"), replace(SLOT, key=b"KEY")],
)
async def test_keys_do_not_meet(open_store: OpenStore, other: Slot) -> None:
    """Another tenant, another operation and another case of the letters make another key."""
    store = open_store()
    await claimed(store)
    await claimed(store, slot=other)


async def test_what_was_completed_is_remembered(open_store: OpenStore) -> None:
    """The answer comes back byte for byte, and the effect stands with it; also for the next process."""
    store = open_store()
    assert await store.complete(await claimed(store), PLACE, effect()) == Effected(PAYMENT, ANSWER)
    assert await open_store().claim(SLOT, "print", term(50.0)) == Record("print", ANSWER)
    assert await open_store().entries() == (PAYMENT,)


async def test_a_refusal_frees_the_key(open_store: OpenStore) -> None:
    """What is refused leaves neither an effect nor a claim."""
    store, refusal = open_store(), Refusal("exceeds-captured", "too much")
    assert await store.complete(await claimed(store), PLACE, lambda _: refusal) == refusal
    assert await store.entries() == ()
    await claimed(store)


async def test_a_decision_that_fails_leaves_everything_as_it_was(open_store: OpenStore) -> None:
    """An error inside the step writes nothing of it: the claim stands, no effect does."""
    store, claim = open_store(), await claimed(open_store())

    def broken(_: Ledger) -> Effected:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.complete(claim, PLACE, broken)
    assert await store.entries() == ()
    assert await store.complete(claim, PLACE, effect()) == Effected(PAYMENT, ANSWER)


async def test_the_lease_of_the_dead_ends(open_store: OpenStore) -> None:
    """An unfinished claim holds to the end of its lease and not longer."""
    store = open_store()
    await claimed(store, 0.0)
    assert await store.claim(SLOT, "print", term(9.9)) == Record("print")
    await claimed(store, 10.0)


async def test_whoever_lost_the_claim_writes_nothing(open_store: OpenStore) -> None:
    """A slow owner whose claim was taken over can neither enter its effect nor free the key of its successor."""
    store = open_store()
    slow = await claimed(store, 0.0)
    heir = await claimed(open_store(), 10.0)
    assert await store.complete(slow, PLACE, effect()) == Lost()
    await store.release(slow)
    assert await store.entries() == ()
    assert isinstance(await store.complete(heir, PLACE, effect()), Effected)
    assert await store.complete(slow, PLACE, effect(replace(PAYMENT, id="second"))) == Lost()
    assert await store.entries() == (PAYMENT,)


async def test_a_key_is_completed_once(open_store: OpenStore) -> None:
    """The same claim cannot bring a second effect, and cannot free what it finished."""
    store = open_store()
    claim = await claimed(store)
    await store.complete(claim, PLACE, effect())
    assert await store.complete(claim, PLACE, effect(replace(PAYMENT, id="second"))) == Lost()
    await store.release(claim)
    assert await store.claim(SLOT, "print", term(50.0)) == Record("print", ANSWER)


async def test_keys_are_forgotten_after_their_time(open_store: OpenStore) -> None:
    """A finished key stands until its time is over, counted from the claim, however often it is asked for."""
    store = open_store()
    await store.complete(await claimed(store), PLACE, effect())
    for now in (50.0, 99.9):
        assert await store.claim(SLOT, "print", term(now)) == Record("print", ANSWER)
    await claimed(store, 100.0)


async def test_a_decision_sees_the_ledger(open_store: OpenStore) -> None:
    """It sees what has its id, what stands above it, and what else is of that, in order; and nothing of others."""
    store = open_store()
    theirs = replace(PAYMENT, tenant="tenant-b")
    for entry in (PAYMENT, theirs, CAPTURE, REFUND, replace(REFUND, tenant="tenant-b", id="theirs")):
        await store.complete(None, PLACE, effect(entry))
    seen = await store.ledger(Place("tenant-a", "refund", "new", "payment/pay"))
    assert seen == Ledger(None, PAYMENT, (CAPTURE, REFUND))
    assert (await store.ledger(Place("tenant-a", "refund", "ref", "payment/pay"))).existing == REFUND
    assert await store.ledger(Place("tenant-a", "refund", "new", "payment/none")) == Ledger()
    assert await store.ledger(Place("tenant-a", "payment", "pay")) == Ledger(existing=PAYMENT)
    assert await store.ledger(Place("tenant-b", "payment", "pay")) == Ledger(existing=theirs)


@pytest.mark.parametrize("answer", [ANSWER, Answer(204), Answer(500, ((b"a", b"1"), (b"a", b"2")), bytes(range(256)))])
def test_answers_as_text(answer: Answer) -> None:
    """An answer survives being text: status, duplicate header lines, and every byte of the body."""
    assert thaw(freeze(answer)) == answer


async def test_what_must_be_forgotten_is_written_over(open_store: OpenStore) -> None:
    """With the entry that says so, in one step: no look finds the old text, by whichever way it comes; nothing else changes."""
    store = open_store()
    await store.complete(None, PLACE, effect())
    place = Place("tenant-a", "capture", "cap", of="payment/pay")
    less = replace(PAYMENT, reference=None, about={"capture": "later"})
    await store.complete(None, place, lambda _: Effected(CAPTURE, ANSWER, redacted=(less,)))
    books = (await store.ledger(Place("tenant-a", "payment", "pay", of="payment/pay")), await open_store().entries())
    assert books == (Ledger(less, less, (CAPTURE,)), (less, CAPTURE))
