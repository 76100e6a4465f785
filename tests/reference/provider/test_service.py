from __future__ import annotations

import asyncio
import json

import pytest

from psp_harness.model import Effect
from psp_harness.reference.provider.execution import LEASE
from reference.provider.asking import HOUR, Begin, Caller, Clock, body


class Gate:
    """Holds a request between the claim of its key and its effect."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self) -> None:
        self.reached.set()
        await self.open.wait()


async def test_replay(begin: Begin) -> None:
    """The same request again gets the first status and body byte for byte, and moves no money; so does a third."""
    caller = begin()
    first, second, third = [await caller.pay(reference="order-1") for _ in range(3)]
    assert first.status == 201
    assert first == second == third
    assert [effect.reference for effect in await caller.provider.effects()] == ["order-1"]


async def test_replay_after_a_restart(begin: Begin) -> None:
    """Another process over the same store gives the first answer."""
    first = await begin().pay()
    later = begin()
    assert await later.pay() == first
    assert len(await later.provider.effects()) == 1


async def test_the_way_the_body_is_written_is_free(begin: Begin) -> None:
    """A body with its members in another order and with white space is the same request."""
    caller = begin()
    first = await caller.pay()
    request = caller.request("create-payment", "key-1", {})
    other = type(request)("POST", request.target, request.headers, b'{ "currency": "EUR",\n "amount": 1000 }')
    assert await caller.send(other) == first


async def test_another_body(begin: Begin) -> None:
    """Another amount under a used key is refused, and nothing executes."""
    caller = begin()
    await caller.pay()
    refused = await caller.pay(amount=2000)
    assert refused.status == 422
    assert body(refused)["code"] == "idempotency_key_reused"  # type: ignore[index]
    assert [effect.amount for effect in await caller.provider.effects()] == [1000]


async def test_the_other_route(begin: Begin) -> None:
    """A key belongs to its route: the same key for a refund executes."""
    caller = begin()
    payment = caller.id_of("create-payment", await caller.pay("one-key"))
    assert (await caller.refund(payment, 400, "one-key")).status == 201


async def test_in_flight(begin: Begin) -> None:
    """While the first is processed a duplicate is refused with 409, and afterwards it gets the first answer."""
    gate = Gate()
    caller = begin(processing=gate)
    first = asyncio.create_task(caller.pay())
    await gate.reached.wait()
    assert (await caller.pay()).status == 409
    assert (await caller.pay(amount=5)).status == 422
    gate.open.set()
    answer = await first
    assert await caller.pay() == answer
    assert len(await caller.provider.effects()) == 1


async def test_in_flight_where_nothing_is_documented(begin: Begin) -> None:
    """Where the PSP says nothing of requests in flight, a duplicate waits and gets the first answer."""
    gate = Gate()
    caller = begin("hyperswitch-docs", processing=gate)
    first = asyncio.create_task(caller.pay())
    await gate.reached.wait()
    second = asyncio.create_task(caller.pay())
    gate.open.set()
    assert (await second).body == (await first).body
    assert len(await caller.provider.effects()) == 1


async def test_a_wait_ends(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    """A duplicate whose first request never ends is told so in the end: 409, and no effect."""
    monkeypatch.setattr("psp_harness.reference.provider.execution.PAUSES", (0.0,) * 5)
    gate = Gate()
    caller = begin("hyperswitch-docs", processing=gate)
    first = asyncio.create_task(caller.pay())
    await gate.reached.wait()
    assert (await caller.pay()).status == 409
    gate.open.set()
    await first


@pytest.mark.parametrize(
    "wrong",
    [("amount", -1), ("amount", True), ("currency", "euro"), ("reference", 7)],
    ids=lambda wrong: next(iter(wrong)),
)
async def test_a_refused_payment_frees_its_key(begin: Begin, wrong: tuple[str, object]) -> None:
    """After a 400 the key may be used for the corrected body."""
    caller = begin()
    assert (await caller.pay("key-1", **{wrong[0]: wrong[1]})).status == 400
    assert (await caller.pay()).status == 201


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"7", b"{", b'{"amount":NaN}', b"\xff", b"[" * 100_000])
async def test_bodies_that_are_no_object(begin: Begin, raw: bytes) -> None:
    """A body that is no JSON object is refused with 400, and the key stays free."""
    caller = begin()
    request = caller.request("create-payment", "key-1", {})
    assert (await caller.send(type(request)("POST", request.target, request.headers, raw))).status == 400
    assert (await caller.pay()).status == 201


async def test_a_refused_refund_frees_its_key(begin: Begin) -> None:
    """After an unknown payment and after too much, the same key brings the refund that is right."""
    caller = begin()
    payment = await caller.paid(1000)
    assert (await caller.refund("none", 400)).status == 404
    exceeding = await caller.refund(payment, 1001)
    assert exceeding.status == 422
    assert body(exceeding)["code"] == "amount_exceeds_captured"  # type: ignore[index]
    assert (await caller.refund(payment, 1000)).status == 201


async def test_a_wrong_credential_burns_no_key(begin: Begin) -> None:
    """A 401 leaves no trace of the key."""
    caller = begin()
    request = caller.request("create-payment", "key-1", {"amount": 1000, "currency": "EUR"})
    for lines in ((), ((b"Authorization", b"Bearer nobody"),), (request.headers[0],) * 2):
        refused = await caller.send(type(request)("POST", request.target, (*lines, request.headers[1]), request.body))
        assert refused.status == 401
    assert (await caller.send(request)).status == 201


async def test_keys_live_a_day_from_the_first_request(begin: Begin, clock: Clock) -> None:
    """At 23 h a key still replays, which does not prolong it; at 25 h it is a new request."""
    caller = begin()
    first = await caller.pay()
    clock.now += 23 * HOUR
    assert await caller.pay() == first
    await caller.provider.advance(2 * HOUR)
    again = await caller.pay()
    assert again.status == 201
    assert caller.id_of("create-payment", again) != caller.id_of("create-payment", first)
    assert len(await caller.provider.effects()) == 2


async def test_tenants_do_not_meet(begin: Begin) -> None:
    """Another tenant's key, payments, refunds and lists are its own."""
    ours = begin()
    theirs = Caller(ours.profile, ours.provider, "tenant-b")
    payment = ours.id_of("create-payment", await ours.pay())
    other = theirs.id_of("create-payment", await theirs.pay())
    assert payment != other
    assert (await theirs.get("get-payment", payment)).status == 404
    assert (await theirs.refund(payment, 100)).status == 404
    assert [item["id"] for item in body(await theirs.get("list-payments"))["data"]] == [other]  # type: ignore[index]
    assert {effect.id for effect in await ours.provider.effects()} == {payment, other}


async def test_concurrent_duplicates(begin: Begin) -> None:
    """Of fifty duplicates at once, however they are answered, one has an effect."""
    caller = begin()
    answers = await asyncio.gather(*(caller.pay() for _ in range(50)))
    assert {answer.status for answer in answers} <= {201, 409}
    assert len({answer.body for answer in answers if answer.status == 201}) == 1
    assert len(await caller.provider.effects()) == 1


async def test_concurrent_duplicates_that_wait(begin: Begin) -> None:
    """Of fifty duplicates at two providers over one store, all wait and get the first answer."""
    callers = begin("hyperswitch-docs"), begin("hyperswitch-docs")
    answers = await asyncio.gather(*(callers[n % 2].pay() for n in range(50)))
    assert len({answer.body for answer in answers}) == 1
    assert len(await callers[0].provider.effects()) == 1


async def test_two_providers_over_one_store(begin: Begin) -> None:
    """Concurrent duplicates that reach two processes have one effect."""
    callers = begin(), begin()
    answers = await asyncio.gather(*(callers[n % 2].pay() for n in range(20)))
    assert {answer.status for answer in answers} <= {201, 409}
    assert len(await callers[1].provider.effects()) == 1


async def test_concurrent_refunds(begin: Begin) -> None:
    """Refunds in flight together, at two providers, never give back more than was captured."""
    callers = begin(), begin()
    payment = await callers[0].paid(1000)
    answers = await asyncio.gather(*(callers[n % 2].refund(payment, 300, f"refund-{n}") for n in range(8)))
    assert sorted(answer.status for answer in answers) == [201] * 3 + [422] * 5
    refunds = [effect for effect in await callers[0].provider.effects() if effect.kind == "refund"]
    assert sum(effect.amount for effect in refunds) == 900


async def test_a_slow_owner_does_not_double(begin: Begin, clock: Clock) -> None:
    """A request that outlives its lease, and is overtaken by its retry, adds no effect and gives the retry's answer."""
    gate = Gate()
    slow, quick = begin(processing=gate), begin()
    first = asyncio.create_task(slow.pay())
    await gate.reached.wait()
    assert (await quick.pay()).status == 409
    clock.now += LEASE
    retried = await quick.pay()
    gate.open.set()
    assert await first == retried
    assert len(await quick.provider.effects()) == 1


async def test_a_request_that_is_cancelled_frees_its_key(begin: Begin) -> None:
    """A request that ends before its effect does not keep its key in flight."""
    gate = Gate()
    caller = begin(processing=gate)
    first = asyncio.create_task(caller.pay())
    await gate.reached.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    gate.open.set()
    assert (await caller.pay()).status == 201


async def test_reading(begin: Begin) -> None:
    """What was created is read as it was answered, alone and in lists, newest first; what is not there is 404."""
    caller = begin()
    first, second = await caller.pay("a", reference="order-1"), await caller.pay("b")
    payment = caller.id_of("create-payment", first)
    refund = await caller.refund(payment, 100)
    assert (await caller.get("get-payment", payment)).body == first.body
    assert (await caller.get("get-refund", caller.id_of("create-refund", refund))).body == refund.body
    assert body(await caller.get("list-payments")) == {"data": [body(second), body(first)]}
    assert body(await caller.get("list-refunds")) == {"data": [body(refund)]}
    assert (await caller.get("get-payment", "none")).status == 404
    assert (await caller.get("get-refund", payment)).status == 404


async def test_unknown_routes(begin: Begin) -> None:
    """A route or a method that the PSP has not is 404."""
    caller = begin()
    request = caller.request("create-payment", "key-1", {"amount": 1000, "currency": "EUR"})
    for method, target in (
        ("POST", "/charges"),
        ("DELETE", "/payments"),
        ("POST", "/payments/x"),
        ("GET", "/payments/"),
    ):
        assert (await caller.send(type(request)(method, target, request.headers, request.body))).status == 404
    assert await caller.provider.effects() == ()


async def test_effects(begin: Begin) -> None:
    """Effects name what moved: kind, id, amount, currency, the refunded payment and the reference."""
    caller = begin()
    payment = caller.id_of("create-payment", await caller.pay(reference="order-1"))
    refund = caller.id_of("create-refund", await caller.refund(payment, 400, reference="row-1"))
    assert await caller.provider.effects() == (
        Effect("payment", payment, 1000, "EUR", "", "order-1"),
        Effect("refund", refund, 400, "EUR", payment, "row-1"),
    )


async def test_credentials_may_change(begin: Begin) -> None:
    """A revoked credential is refused at once; with the refreshed one the same key still replays."""
    credentials = {"tenant-a": "tenant-a"}
    caller = begin(credentials=credentials)
    first = await caller.pay()
    credentials["tenant-a"] = "refreshed"
    assert (await caller.pay()).status == 401
    caller.headers = [(b"Authorization", b"Bearer refreshed")]
    request = caller.request("create-payment", "key-1", {"amount": 1000, "currency": "EUR"})
    assert await caller.send(type(request)("POST", request.target, request.headers[1:], request.body)) == first


async def test_a_life_goes_on_where_the_last_one_was(begin: Begin) -> None:
    """A provider whose clock was advanced, and that is started again, is not thrown back before its own books."""
    first = begin("hyperswitch")
    await first.provider.advance(25 * HOUR)
    payment = await first.paid(1000)
    second = begin("hyperswitch")
    await second.provider.start()
    made = json.loads((await second.get("get-payment", payment)).body)["created"]
    assert json.loads((await second.refund(payment, 1)).body)["created_at"] == made
