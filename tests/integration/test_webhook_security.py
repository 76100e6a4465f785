"""B5: what is not signed by the PSP moves nothing, whatever it says; and a signer for tests, which is `signing`."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from integration.psps import Provider
from integration.shops import Running, serving, until
from psp_harness.model import Headers
from psp_harness.reference.shop.settings import Settings
from psp_harness.signing import SCHEMES, Draft, sign
from reference.shop.selling import SECRET, of_payment

pytestmark = pytest.mark.integration

Told = tuple[Headers, bytes]
HEADER = b"X-Webhook-Signature-512"


def signed_by(secret: str, body: bytes) -> Told:
    """The body, with a signature of it."""
    return ((HEADER, hmac.new(secret.encode(), body, hashlib.sha512).hexdigest().encode()),), body


def only_256(body: bytes) -> Told:
    """The header of the documentation, which no Hyperswitch sends (integration-guide/webhooks.md)."""
    return ((b"X-Webhook-Signature-256", hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest().encode()),), body


def upper_amount(told: Told) -> Told:
    """The amount changed after it was signed."""
    headers, body = told
    return headers, body.replace(b"6540", b"6541")


def laid_out_anew(told: Told) -> Told:
    """The same JSON in other bytes."""
    headers, body = told
    return headers, json.dumps(json.loads(body), indent=1).encode()


def twice(told: Told) -> Told:
    """Two signatures, of which one is right: which one counts is nobody's guess."""
    headers, body = told
    return (*headers, (HEADER, b"0" * 128)), body


FORGERIES: dict[str, Callable[[Told], Told]] = {
    "unsigned": lambda told: ((), told[1]),
    "an empty signature": lambda told: (((HEADER, b""),), told[1]),
    "no hexadecimal": lambda told: (((HEADER, b"\xff" * 128),), told[1]),
    "another secret": lambda told: signed_by("another", told[1]),
    "an empty secret": lambda told: signed_by("", told[1]),
    "another hash": lambda told: only_256(told[1]),
    "another amount": upper_amount,
    "other bytes": laid_out_anew,
    "two signatures": twice,
    "a signature of something else": lambda told: (signed_by(SECRET, b"{}")[0], told[1]),
}


async def test_what_is_forged_moves_nothing(told: Running, provider: Provider) -> None:
    """Each is refused, and an event of the same id that is genuine is not held for known."""
    order_id = await unpaid(told, provider)
    genuine = of_payment("evt_1", order_id, "succeeded")
    answers = {name: (await told.deliver(forged(genuine))).status_code for name, forged in FORGERIES.items()}
    assert answers == dict.fromkeys(FORGERIES, 400)
    assert (await told.order(order_id))["status"] == "created"
    assert (await told.deliver(genuine)).status_code == 200
    assert (await told.order(order_id))["status"] == "paid"


async def unpaid(shop: Running, provider: Provider) -> str:
    """The id of an order for which the PSP was not asked."""
    await provider.limit(0, 1)
    await shop.pay()
    await provider.unlimit()
    (order,) = (await shop.state())["orders"]
    return str(order["id"])


async def test_a_secret_is_changed_without_losing_an_event(settings: Settings, provider: Provider) -> None:
    """While both are believed; afterwards the old one is not."""
    async with serving(replace(settings, webhook_secrets=("new", SECRET))) as shop:
        for number, secret in enumerate((SECRET, "new")):
            await provider.notify(shop.webhook_url, secret)
            await shop.paid(f"cart-{number}")
        await until(provider.sent, lambda seen: [each["outcome"] for each in seen] == ["200", "200"])
    async with serving(replace(settings, webhook_secrets=("new",))) as shop:
        assert (await shop.deliver(of_payment("evt_1", "ord_0", "succeeded"))).status_code == 400


async def test_without_a_secret_nobody_is_believed(settings: Settings) -> None:
    """Not even who signs with nothing."""
    async with serving(replace(settings, webhook_secrets=())) as shop:
        assert (await shop.deliver(signed_by("", of_payment("evt_1", "ord_0", "succeeded")[1]))).status_code == 400


async def test_the_psp_is_believed(told: Running, provider: Provider) -> None:
    """Its signature is that of the scheme, which others than the two of them have verified."""
    await told.paid()
    await until(provider.sent, lambda seen: [each["outcome"] for each in seen] == ["200"])


async def test_an_event_of_another_merchant_moves_nothing(settings: Settings, provider: Provider) -> None:
    """Though it is signed by the same secret."""
    async with serving(replace(settings, account="merchant_2")) as shop:
        order_id = await unpaid(shop, provider)
        assert (await shop.deliver(of_payment("evt_1", order_id, "succeeded"))).status_code == 200
        assert (await shop.order(order_id))["status"] == "created"


async def test_the_signer_for_tests_signs_as_the_documented_algorithm_does() -> None:
    """By the hand of this test, from crates/router/src/core/webhooks/types.rs:36-68."""
    signed = sign(SCHEMES["hyperswitch"], Draft(b'{"a":1}'), [SECRET])
    assert (signed.headers, signed.body) == signed_by(SECRET, b'{"a":1}')
