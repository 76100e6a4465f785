"""What the reference provider sends is what the PSPs' own libraries take: each as it came off a socket."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import stripe
from Adyen.util import is_valid_hmac_notification
from gocardless_pro.webhooks import parse
from razorpay.utility.utility import Utility
from square.utils.webhooks_helper import verify_signature
from standardwebhooks import Webhook

from psp_harness.model import Request
from psp_harness.profile import load
from psp_harness.reference.provider import build
from psp_harness.signing.rsa import pair
from reference.provider.asking import Caller
from reference.provider.listening import listening


def header(request: Request, name: str) -> str:
    """The only line of that name."""
    (line,) = request.lines(name)
    return line.decode()


def by_stripe(request: Request, secret: str, _: str) -> bool:
    """The library stripe 16.1.0 reads it as an event of a payment that succeeded."""
    event = stripe.Webhook.construct_event(request.body, header(request, "stripe-signature"), secret)  # type: ignore[no-untyped-call]
    return bool(event.type == "payment_intent.succeeded" and event.data.object.amount_received == 1050)


def by_standard(request: Request, secret: str, _: str) -> bool:
    """The library standardwebhooks 1.1.0."""
    lines = {name.decode(): value.decode() for name, value in request.headers}
    return bool(Webhook(secret).verify(request.body, lines))


def by_adyen(request: Request, secret: str, _: str) -> bool:
    """The library Adyen 16.0.0."""
    (item,) = json.loads(request.body)["notificationItems"]
    return bool(is_valid_hmac_notification(item["NotificationRequestItem"], secret))


def by_gocardless(request: Request, secret: str, _: str) -> bool:
    """The library gocardless_pro 3.22.0."""
    return len(parse(request.body.decode(), secret, header(request, "webhook-signature"))) == 1


def by_razorpay(request: Request, secret: str, _: str) -> bool:
    """The library razorpay 2.0.1."""
    signature = header(request, "x-razorpay-signature")
    return bool(Utility().verify_webhook_signature(request.body.decode(), signature, secret))


def by_square(request: Request, secret: str, url: str) -> bool:
    """The library squareup 46.0.0."""
    signature = header(request, "x-square-hmacsha256-signature")
    body = request.body.decode()
    return verify_signature(request_body=body, signature_header=signature, signature_key=secret, notification_url=url)


TAKES: dict[str, Callable[[Request, str, str], bool]] = {
    "stripe": by_stripe,
    "generic": by_standard,
    "adyen": by_adyen,
    "gocardless": by_gocardless,
    "razorpay": by_razorpay,
    "square": by_square,
}


@pytest.mark.parametrize("name", TAKES)
async def test_the_official_verifier_takes_it(name: str) -> None:
    """A payment of 10.50 at the provider, told to an endpoint, whose library believes it, and each redelivery."""
    facts = load(name)
    async with listening(statuses=[500]) as endpoint:
        shop = Caller(facts, build(facts))
        await shop.provider.webhooks.register(endpoint.url)
        await shop.paid(1050)
        await shop.provider.webhooks.settled()
        (event,) = {attempt.event for attempt in await shop.provider.webhooks.sent()}
        await shop.provider.webhooks.redeliver(event)
        assert len(endpoint.arrived) == 2
        assert all(TAKES[name](request, facts.secrets["tenant-a"], endpoint.url) for request in endpoint.arrived)
        await shop.provider.close()


async def test_paypals_webhooks_need_a_key_that_a_test_makes() -> None:
    """RSA: the merchant proves it with the public half."""
    facts = load("paypal")
    private, public = pair()
    async with listening() as endpoint:
        shop = Caller(facts, build(facts))
        await shop.provider.webhooks.register(endpoint.url, secret=private)
        await shop.paid(1050)
        await shop.provider.webhooks.settled()
        assert endpoint.proved_by(facts, public)
        await shop.provider.close()
