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
from psp_harness.wire.server import Server

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # what the SDKs leave open when they are gone
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # what they have not kept up with
]

MISSING = "pip install 'psp-harness[sdks]'"


@dataclass(frozen=True)
class Sdk:
    """One SDK, set up: what it returns is its own, and `id_of` finds the id in it."""

    pay: Callable[[str, int], Any]
    """With this key, this amount of EUR in minor units."""
    refund: Callable[[str, str, int], Any]
    """Of this payment, with this key, this amount."""
    id_of: Callable[[Any], str]
    error: type[Exception]
    """What it raises where the PSP says no."""


def adyen(base_url: str, credential: str) -> Sdk:
    """It has no clean option for another address: the method that makes one is replaced."""
    package = pytest.importorskip("Adyen", reason=MISSING)
    api = package.Adyen(xapikey=credential, platform="test")
    api.client._determine_api_url = lambda _, endpoint: endpoint.replace("https://checkout-test.adyen.com", base_url)

    def money(amount: int) -> dict[str, Any]:
        return {"amount": {"currency": "EUR", "value": amount}, "merchantAccount": "Shop", "reference": "order-7"}

    def pay(key: str, amount: int) -> Any:
        how = {"paymentMethod": {"type": "scheme", "storedPaymentMethodId": "stored"}, "shopperInteraction": "ContAuth"}
        return api.checkout.payments_api.payments({**money(amount), **how}, idempotency_key=key)

    def refund(payment: str, key: str, amount: int) -> Any:
        return api.checkout.modifications_api.refund_captured_payment(money(amount), payment, idempotency_key=key)

    return Sdk(pay, refund, lambda made: made.message["pspReference"], package.exceptions.AdyenError)


def gocardless(base_url: str, credential: str) -> Sdk:
    """A refused duplicate makes it read what the refusal names."""
    package = pytest.importorskip("gocardless_pro", reason=MISSING)
    client = package.Client(access_token=credential, base_url=base_url)

    def pay(key: str, amount: int) -> Any:
        params = {"amount": amount, "currency": "EUR", "links": {"mandate": "MD123"}}
        return client.payments.create(params=params, headers={"Idempotency-Key": key})

    def refund(payment: str, key: str, amount: int) -> Any:
        params = {"amount": amount, "total_amount_confirmation": amount, "links": {"payment": payment}}
        return client.refunds.create(params=params, headers={"Idempotency-Key": key})

    return Sdk(pay, refund, lambda made: made.id, package.errors.GoCardlessProError)


def mollie(base_url: str, credential: str) -> Sdk:
    """Its refunds belong to a payment, which it reads first."""
    package = pytest.importorskip("mollie.api.client", reason=MISSING)
    client = package.Client(api_endpoint=base_url)
    client.set_api_key(credential)

    def money(amount: int) -> dict[str, Any]:
        return {"amount": {"currency": "EUR", "value": f"{amount // 100}.{amount % 100:02}"}, "description": "order-7"}

    def pay(key: str, amount: int) -> Any:
        return client.payments.create({**money(amount), "sequenceType": "recurring"}, idempotency_key=key)

    def refund(payment: str, key: str, amount: int) -> Any:
        return client.payments.get(payment).refunds.create(money(amount), idempotency_key=key)

    return Sdk(pay, refund, lambda made: made.id, pytest.importorskip("mollie.api.error").ResponseError)


def razorpay(base_url: str, credential: str) -> Sdk:
    """A recurring payment takes no key; the key of a refund is a header that its caller writes."""
    package = pytest.importorskip("razorpay", reason=MISSING)
    client = package.Client(auth=tuple(credential.split(":")), base_url=base_url)

    def pay(key: str, amount: int) -> Any:
        whose = {"order_id": "order_1", "customer_id": "cust_1", "token": "token_1", "recurring": True}
        return client.payment.createRecurring({"amount": amount, "currency": "EUR", **whose, "notes": {"order": key}})

    def refund(payment: str, key: str, amount: int) -> Any:
        return client.payment.refund(payment, {"amount": amount}, headers={"X-Refund-Idempotency": key})

    def id_of(made: Any) -> str:
        return str(made.get("id") or made["razorpay_payment_id"])

    return Sdk(pay, refund, id_of, package.errors.BadRequestError)


def square(base_url: str, credential: str) -> Sdk:
    """Its key is a member of the body, which its caller must give."""
    package = pytest.importorskip("square", reason=MISSING)
    client = package.Square(token=credential, base_url=base_url)

    def pay(key: str, amount: int) -> Any:
        money = {"amount": amount, "currency": "EUR"}
        return client.payments.create(source_id="cnon:card-nonce-ok", idempotency_key=key, amount_money=money).payment

    def refund(payment: str, key: str, amount: int) -> Any:
        money = {"amount": amount, "currency": "EUR"}
        return client.refunds.refund_payment(idempotency_key=key, amount_money=money, payment_id=payment).refund

    return Sdk(pay, refund, lambda made: made.id, pytest.importorskip("square.core.api_error").ApiError)


SDKS = {"adyen": adyen, "gocardless": gocardless, "mollie": mollie, "razorpay": razorpay, "square": square}


@dataclass(frozen=True)
class Seen:
    """What a few calls came to."""

    returned: Any
    exchanges: tuple[Exchange, ...]
    effects: tuple[Effect, ...]


def ask(name: str, calls: Callable[[Sdk], Any]) -> Seen:
    """Let an SDK make these calls to the reference provider under its profile."""
    facts = profile.load(name)

    async def asked() -> Seen:
        psp = our_psp(facts, dict(facts.credentials))
        async with Server(psp.handle, lambda _: (None, None), (), patience=5) as server:
            sdk = SDKS[name](server.base_url, facts.credentials["tenant-a"])
            returned = await asyncio.to_thread(calls, sdk)
        return Seen(returned, server.exchanges, await psp.effects())

    return asyncio.run(asked())


@pytest.mark.parametrize("name", SDKS)
def test_it_creates_a_payment_and_refunds_a_part(name: str) -> None:
    """Both succeed, are read by the SDK, and move the money that was asked for."""

    def calls(sdk: Sdk) -> tuple[str, str]:
        payment = sdk.id_of(sdk.pay("order-7-of-shop", 6540))
        return payment, sdk.id_of(sdk.refund(payment, "refund-3-of-shop", 1200))

    seen = ask(name, calls)
    payment, refund = seen.returned
    moved = [(effect.kind, effect.id, effect.amount, effect.currency, effect.payment_id) for effect in seen.effects]
    assert moved == [("payment", payment, 6540, "EUR", ""), ("refund", refund, 1200, "EUR", payment)]


@pytest.mark.parametrize("name", SDKS)
def test_the_profile_reads_what_it_sends(name: str) -> None:
    """Operation, amount and key of each request are those of the call; a payment that takes no key has none."""
    seen = ask(name, lambda sdk: sdk.refund(sdk.id_of(sdk.pay("order-7-of-shop", 6540)), "refund-3-of-shop", 1200))
    facts = profile.load(name)
    requests = [x.request for x in seen.exchanges if x.request is not None]
    creates = [(operation_of(facts, each), keys_of(facts, each)) for each in requests if each.method == "POST"]
    read = [(found[0], found[1]["amount"], keys) for found, keys in creates if found is not None]
    keyed = [b"order-7-of-shop"] if facts.takes_key("create-payment") else []
    assert read == [("create-payment", 6540, keyed), ("create-refund", 1200, [b"refund-3-of-shop"])]


@pytest.mark.parametrize("name", SDKS)
def test_a_refund_that_it_sends_twice_happens_once(name: str) -> None:
    """It is given the first refund again, whether that was replayed, or refused and then read."""

    def calls(sdk: Sdk) -> list[str]:
        payment = sdk.id_of(sdk.pay("order-7-of-shop", 6540))
        return [sdk.id_of(sdk.refund(payment, "refund-3-of-shop", 1200)) for _ in range(2)]

    seen = ask(name, calls)
    first, again = seen.returned
    assert first == again
    assert [effect.amount for effect in seen.effects] == [6540, 1200]


@pytest.mark.parametrize("name", SDKS)
def test_it_understands_a_no(name: str) -> None:
    """A refund of more than was captured is the SDK's own error, which its error body makes possible."""

    def calls(sdk: Sdk) -> None:
        payment = sdk.id_of(sdk.pay("order-7-of-shop", 1200))
        with pytest.raises(sdk.error):
            sdk.refund(payment, "refund-3-of-shop", 6540)

    assert [effect.kind for effect in ask(name, calls).effects] == ["payment"]


@pytest.mark.parametrize("name", ["razorpay", "square"])
def test_another_amount_under_a_used_key_is_its_error(name: str) -> None:
    """Where the PSP compares bodies, nothing more happens."""

    def calls(sdk: Sdk) -> None:
        payment = sdk.id_of(sdk.pay("order-7-of-shop", 6540))
        sdk.refund(payment, "refund-3-of-shop", 1200)
        with pytest.raises(sdk.error):
            sdk.refund(payment, "refund-3-of-shop", 1300)

    assert [effect.amount for effect in ask(name, calls).effects] == [6540, 1200]
