"""Published SDKs against the reference provider: each takes it for its own PSP, pays, and refunds a part."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from psp_harness import profile
from psp_harness.model import Effect, Exchange
from psp_harness.profile import keys_of, operation_of
from psp_harness.subjects.addresses import our_psp
from psp_harness.subjects.sdks import SDKS
from psp_harness.subjects.sdks.adapter import Adapter
from psp_harness.wire.server import Server
from real.sdks import MARKS, connected

pytestmark = MARKS

BY_HEADER = {"razorpay": "razorpay?key=header"}
"""Who takes a key only in another way than by default."""


def pay(sdk: Adapter, amount: int) -> str:
    """The id of a payment for order 7."""
    asked = {"order_id": "order-7", "amount": amount, "currency": "EUR", "key": "order-7-of-shop"}
    return sdk.pay(asked).id


def refund(sdk: Adapter, payment: str, amount: int) -> str:
    """The id of refund 3."""
    asked = {"refund_id": "refund-3", "amount": amount, "currency": "EUR", "key": "refund-3-of-shop"}
    return sdk.refund({**asked, "payment_id": payment}).id


@dataclass(frozen=True)
class Seen:
    """What a few calls came to."""

    returned: Any
    exchanges: tuple[Exchange, ...]
    effects: tuple[Effect, ...]


def ask(name: str, calls: Callable[[Adapter], Any]) -> Seen:
    """Let an SDK make these calls to the reference provider under its profile."""
    facts = profile.load(SDKS[name].profile)

    async def asked() -> Seen:
        psp = our_psp(facts, dict(facts.credentials))
        async with Server(psp.handle, lambda _: (None, None), (), patience=5) as server:
            sdk = connected(BY_HEADER.get(name, name), server.base_url)
            returned = await asyncio.to_thread(calls, sdk)
        return Seen(returned, server.exchanges, await psp.effects())

    return asyncio.run(asked())


@pytest.mark.parametrize("name", SDKS)
def test_it_creates_a_payment_and_refunds_a_part(name: str) -> None:
    """Both succeed, are read by the SDK, and move the money that was asked for."""

    def calls(sdk: Adapter) -> tuple[str, str]:
        payment = pay(sdk, 6540)
        return payment, refund(sdk, payment, 1200)

    seen = ask(name, calls)
    payment, refunded = seen.returned
    moved = [
        (effect.kind, effect.id, effect.amount, effect.currency.upper(), effect.payment_id) for effect in seen.effects
    ]
    assert moved == [("payment", payment, 6540, "EUR", ""), ("refund", refunded, 1200, "EUR", payment)]


@pytest.mark.parametrize("name", SDKS)
def test_the_profile_reads_what_it_sends(name: str) -> None:
    """Operation, amount and key of each request are those of the call; a payment that takes no key has none."""
    seen = ask(name, lambda sdk: refund(sdk, pay(sdk, 6540), 1200))
    facts = profile.load(name)
    requests = [x.request for x in seen.exchanges if x.request is not None]
    creates = [(operation_of(facts, each), keys_of(facts, each)) for each in requests if each.method == "POST"]
    read = [(found[0], found[1]["amount"], keys) for found, keys in creates if found is not None]
    keyed = [b"order-7-of-shop"] if facts.takes_key("create-payment") else []
    assert read == [("create-payment", 6540, keyed), ("create-refund", 1200, [b"refund-3-of-shop"])]


@pytest.mark.parametrize("name", SDKS)
def test_a_refund_that_it_sends_twice_happens_once(name: str) -> None:
    """It is given the first refund again, whether that was replayed, or refused and then read."""

    def calls(sdk: Adapter) -> list[str]:
        payment = pay(sdk, 6540)
        return [refund(sdk, payment, 1200) for _ in range(2)]

    seen = ask(name, calls)
    first, again = seen.returned
    assert first == again
    assert [effect.amount for effect in seen.effects] == [6540, 1200]


@pytest.mark.parametrize("name", SDKS)
def test_it_understands_a_no(name: str) -> None:
    """A refund of more than was captured is an error of the SDK, and its caller can tell that nothing happened."""

    def calls(sdk: Adapter) -> str:
        payment = pay(sdk, 1200)
        with pytest.raises(Exception) as raised:  # noqa: PT011 - each has its own, and `told` is what is tested
            refund(sdk, payment, 6540)
        assert isinstance(raised.value, Exception)
        return sdk.told(raised.value)

    seen = ask(name, calls)
    assert seen.returned == "rejected"
    assert [effect.kind for effect in seen.effects] == ["payment"]


@pytest.mark.parametrize("name", ["razorpay", "square", "stripe"])
def test_another_amount_under_a_used_key_is_its_error(name: str) -> None:
    """Where the PSP compares bodies, nothing more happens."""

    def calls(sdk: Adapter) -> str:
        payment = pay(sdk, 6540)
        refund(sdk, payment, 1200)
        with pytest.raises(Exception) as raised:  # noqa: PT011 - each has its own, and `told` is what is tested
            refund(sdk, payment, 1300)
        assert isinstance(raised.value, Exception)
        return sdk.told(raised.value)

    seen = ask(name, calls)
    assert seen.returned == "rejected"
    assert [effect.amount for effect in seen.effects] == [6540, 1200]
