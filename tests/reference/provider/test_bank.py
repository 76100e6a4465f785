"""Payments and refunds whose bank answers later: what is said meanwhile, what becomes of them, and what cannot be done."""

from __future__ import annotations

import httpx
import pytest

from psp_harness.model import Answer
from psp_harness.profile import load, values_of
from psp_harness.reference.provider import asgi, build
from psp_harness.reference.provider.bank import Verdict
from psp_harness.subjects import hosting
from reference.provider.asking import Begin, Caller, Clock
from reference.provider.listening import listening


@pytest.fixture
def store_address() -> str:
    """What comes later is read out of the entry, whatever keeps it."""
    return "memory"


def status(caller: Caller, operation: str, answer: Answer) -> object:
    """What an answer says of it."""
    return values_of(caller.profile, operation, answer)["status"]


async def test_a_payment_that_finishes_later(begin: Begin, clock: Clock) -> None:
    """It is processing until its time has come, moves no money before, and can be given back after."""
    shop = begin()
    shop.provider.bank.payments = Verdict(60)
    created = await shop.pay()
    payment = shop.id_of("create-payment", created)
    assert status(shop, "create-payment", created) == "processing"
    assert (await shop.refund(payment, 10)).status == 400
    assert await shop.provider.effects() == ()
    clock.now += 59
    assert status(shop, "get-payment", await shop.get("get-payment", payment)) == "processing"
    clock.now += 1
    assert status(shop, "get-payment", await shop.get("get-payment", payment)) == "succeeded"
    assert (await shop.pay()).body == created.body  # the key gives the first answer, whatever became of it
    assert (await shop.refund(payment, 10)).status == 201
    assert [effect.kind for effect in await shop.provider.effects()] == ["payment", "refund"]


async def test_a_payment_that_fails_later(begin: Begin, clock: Clock) -> None:
    """Nobody says no at once, and no money moves in the end."""
    shop = begin("stripe")
    shop.provider.bank.payments = Verdict(60, yes=False)
    created = await shop.pay(capture="automatic")
    payment = shop.id_of("create-payment", created)
    assert (created.status, status(shop, "create-payment", created)) == (200, "processing")
    clock.now += 60
    assert status(shop, "get-payment", await shop.get("get-payment", payment)) == "requires_payment_method"
    assert await shop.provider.effects() == ()


async def test_what_was_asked_before_is_finished(begin: Begin, clock: Clock) -> None:
    """The bank's mood is of what is asked from then on; and it can be quick and say no."""
    shop = begin()
    before = await shop.paid()
    shop.provider.bank.payments = Verdict(yes=False)
    assert status(shop, "create-payment", await shop.pay("k")) == "failed"
    assert status(shop, "get-payment", await shop.get("get-payment", before)) == "succeeded"
    assert clock.now


@pytest.mark.parametrize(("yes", "ends"), [(True, "succeeded"), (False, "failed")])
async def test_a_refund_that_settles_later(yes: bool, ends: str, begin: Begin, clock: Clock) -> None:
    """It is pending, counts against what is left, and gives it free again where the bank refuses."""
    shop = begin()
    payment = await shop.paid()
    shop.provider.bank.refunds = Verdict(60, yes=yes)
    refund = await shop.refund(payment, 600)
    assert status(shop, "create-refund", refund) == "pending"
    assert (await shop.refund(payment, 600, "k3")).status == 422
    assert len(await shop.provider.effects()) == 1
    clock.now += 60
    read = await shop.get("get-refund", shop.id_of("create-refund", refund))
    assert status(shop, "get-refund", read) == ends
    assert (await shop.refund(payment, 600, "k4")).status == (422 if yes else 201)


async def test_a_duplicate_shows_the_current_state_where_the_psp_says_so(begin: Begin, clock: Clock) -> None:
    """PayPal: first `processing`, and later what has become of it, of the same payment."""
    shop = begin("paypal")
    shop.provider.bank.payments = Verdict(60)
    first = await shop.pay()
    clock.now += 60
    again = await shop.pay()
    assert [status(shop, "create-payment", each) for each in (first, again)] == ["processing", "succeeded"]
    assert shop.id_of("create-payment", first) == shop.id_of("create-payment", again)
    assert len(await shop.provider.effects()) == 1


@pytest.mark.parametrize(
    ("yes", "told"),
    [(True, ["payment-processing", "payment-succeeded"]), (False, ["payment-processing", "payment-failed"])],
)
async def test_what_comes_later_is_told_when_it_comes(yes: bool, told: list[str], begin: Begin) -> None:
    """By webhook: that it is processed, and then how it ended."""
    async with listening() as endpoint:
        shop = begin("stripe")
        await shop.provider.webhooks.register(endpoint.url)
        shop.provider.bank.payments = Verdict(60, yes=yes)
        await shop.pay(capture="automatic")
        await shop.provider.advance(59)
        assert endpoint.means(shop.profile) == told[:1]
        await shop.provider.advance(1)
        await shop.provider.webhooks.settled()
        assert endpoint.means(shop.profile) == told
        await shop.provider.close()


async def test_the_bank_is_told_over_http() -> None:
    """And polling finds the end, with no clock but the real one."""
    headers = {"authorization": "Bearer tenant-a", "idempotency-key": "k"}
    async with hosting.in_thread(asgi(build(load("generic")))) as url, httpx.AsyncClient(base_url=url) as http:
        assert (await http.post("/psp-harness/bank", json={"payments": {"takes": 0.1}})).status_code == 204
        paid = await http.post("/payments", json={"amount": 5, "currency": "EUR"}, headers=headers)
        seen = {paid.json()["status"]}
        for _ in range(200):
            seen.add((await http.get(f"/payments/{paid.json()['id']}", headers=headers)).json()["status"])
            if "succeeded" in seen:
                break
        assert seen == {"processing", "succeeded"}
        for wrong in ({"payments": {"takes": -1}}, {"payment": {}}, []):
            assert (await http.post("/psp-harness/bank", json=wrong)).status_code == 400
