"""The PSPs' own SDKs and ours agree: what we sign they accept, what is altered they refuse, and what they sign we accept."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from Adyen.util import generate_notification_sig, is_valid_hmac_notification, is_valid_hmac_payload
from gocardless_pro.errors import InvalidSignatureError
from gocardless_pro.webhooks import parse
from razorpay.errors import SignatureVerificationError as RazorpayError
from razorpay.utility.utility import Utility
from square.utils.webhooks_helper import verify_signature
from standardwebhooks import Webhook as Official
from standardwebhooks import WebhookVerificationError
from stripe import SignatureVerificationError as StripeError
from stripe import WebhookSignature

from psp_harness.signing import SCHEMES, Draft, Forged, Genuine, Webhook, sign, verify

URL = "https://shop.example/webhooks"
BODY = '{"id": "evt_1", "amount": 1050, "text": "Überweisung ‰ \\u00e9"}'
HEX = "00112233445566778899AABBCCDDEEFF"


def now() -> int:
    """What the vendors' verifiers read: they know no other clock."""
    return int(time.time())


def said(webhook: Webhook) -> dict[str, str]:
    """Header lines as a framework hands them over."""
    return {name.decode(): value.decode() for name, value in webhook.headers}


def line(webhook: Webhook, scheme: str) -> str:
    """The signature's header line."""
    return (webhook.only(SCHEMES[scheme].header) or b"").decode()


def stripe_accepts(webhook: Webhook, secret: str) -> bool:
    """The verifier of stripe 16.1.0."""
    with suppress(StripeError):
        return bool(WebhookSignature.verify_header(webhook.body, line(webhook, "stripe"), secret, 300))
    return False


def standard_accepts(webhook: Webhook, secret: str) -> bool:
    """The verifier of standardwebhooks 1.1.0."""
    with suppress(WebhookVerificationError):
        Official(secret).verify(webhook.body, said(webhook))
        return True
    return False


def gocardless_accepts(webhook: Webhook, secret: str) -> bool:
    """The verifier of gocardless_pro 3.22.0."""
    with suppress(InvalidSignatureError):
        parse(webhook.body.decode(), secret, line(webhook, "gocardless"))
        return True
    return False


def razorpay_accepts(webhook: Webhook, secret: str) -> bool:
    """The verifier of razorpay 2.0.1."""
    with suppress(RazorpayError):
        return bool(Utility().verify_webhook_signature(webhook.body.decode(), line(webhook, "razorpay"), secret))
    return False


def square_accepts(webhook: Webhook, secret: str) -> bool:
    """The verifier of squareup 46.0.0."""
    signature = line(webhook, "square")
    return verify_signature(
        request_body=webhook.body.decode(), signature_header=signature, signature_key=secret, notification_url=URL
    )


def payload_accepts(webhook: Webhook, secret: str) -> bool:
    """The verifier of Adyen 16.0.0, of a body."""
    return is_valid_hmac_payload(line(webhook, "adyen-payload"), secret, webhook.body)


def notification_accepts(webhook: Webhook, secret: str) -> bool:
    """The verifier of Adyen 16.0.0, of the fields of an item."""
    return bool(is_valid_hmac_notification(json.loads(webhook.body), secret))


@dataclass(frozen=True)
class Peer:
    """A scheme, and the vendor's own verifier."""

    scheme: str
    accepts: Callable[[Webhook, str], bool]
    secret: str = "a secret of nobody"
    other: str = "another secret of nobody"
    body: bytes = BODY.encode()

    def draft(self, age: int = 0) -> Draft:
        return Draft(self.body, url=URL, id="msg_1", at=now() - age)


def batch(*references: str, success: object = "true") -> bytes:
    """A standard notification of Adyen's."""
    items = [
        {"NotificationRequestItem": {"pspReference": "P", "merchantAccountCode": "Shop", "merchantReference": reference,
         "amount": {"value": 1050, "currency": "EUR"}, "eventCode": "AUTHORISATION", "success": success}}
        for reference in references
    ]  # fmt: skip
    return json.dumps({"live": "false", "notificationItems": items}).encode()


PEERS = (
    Peer("stripe", stripe_accepts, "whsec_of_nobody", "whsec_of_another"),
    Peer("standard-webhooks", standard_accepts, "whsec_bm9ib2R5cyBzZWNyZXQ=", "whsec_YW5vdGhlciBzZWNyZXQ="),
    Peer("gocardless", gocardless_accepts, body=b'{"events": [{"id": "EV1"}]}'),
    Peer("razorpay", razorpay_accepts),
    Peer("square", square_accepts),
    Peer("adyen-payload", payload_accepts, HEX, HEX[::-1]),
    Peer("adyen-standard", notification_accepts, HEX, HEX[::-1], batch("order-7")),
)
EACH = pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.scheme)


def ours(peer: Peer, webhook: Webhook, secret: str) -> bool:
    """Whether we accept it."""
    return isinstance(verify(SCHEMES[peer.scheme], webhook, [secret], now=now(), tolerance=300), Genuine)


@EACH
def test_what_we_sign_the_vendor_accepts(peer: Peer) -> None:
    """And with another secret, or another amount in the body, it does not; nor do we."""
    webhook = sign(SCHEMES[peer.scheme], peer.draft(), [peer.secret])
    altered = replace(webhook, body=webhook.body.replace(b"1", b"9", 1).replace(b"order-7", b"order-8"))
    verdicts = [
        (accepts(webhook, peer.secret), accepts(webhook, peer.other), accepts(altered, peer.secret))
        for accepts in (peer.accepts, lambda *given: ours(peer, *given))
    ]
    assert verdicts == [(True, False, False)] * 2


@pytest.mark.parametrize("peer", [p for p in PEERS if SCHEMES[p.scheme].timestamped], ids=lambda peer: peer.scheme)
def test_what_is_too_old_neither_accepts(peer: Peer) -> None:
    """Nor what is of the future: there the SDK of Stripe is more lenient than its tolerance."""
    for age in (400, -400):
        webhook = sign(SCHEMES[peer.scheme], peer.draft(age), [peer.secret])
        lenient = peer.scheme == "stripe" and age < 0
        assert (ours(peer, webhook, peer.secret), peer.accepts(webhook, peer.secret)) == (False, lenient)


@pytest.mark.parametrize("peer", [p for p in PEERS if SCHEMES[p.scheme].rotates], ids=lambda peer: peer.scheme)
def test_two_signatures_are_accepted_by_who_knows_either_secret(peer: Peer) -> None:
    """While a secret is rolled, by the vendor's verifier as by ours."""
    webhook = sign(SCHEMES[peer.scheme], peer.draft(), [peer.other, peer.secret])
    assert [peer.accepts(webhook, secret) for secret in (peer.secret, peer.other)] == [True, True]
    assert [ours(peer, webhook, secret) for secret in (peer.secret, peer.other)] == [True, True]


@pytest.mark.parametrize("peer", [p for p in PEERS if SCHEMES[p.scheme].alters], ids=lambda peer: peer.scheme)
def test_what_was_altered_the_vendor_refuses(peer: Peer) -> None:
    """Another version's name, another time, another id; what `shifted` does is a weakness of the scheme itself."""
    scheme = SCHEMES[peer.scheme]
    stale = sign(scheme, peer.draft(400), [peer.secret])
    for name, alter in scheme.alters.items():
        other = replace(peer.draft(), id="msg_2", body=peer.body.replace(b"order-7", b"order-8"))
        altered = alter(stale, other)
        weak = name == "shifted"
        assert (ours(peer, altered, peer.secret), peer.accepts(altered, peer.secret)) == (weak, weak), name


def test_what_the_sdks_sign_we_accept() -> None:
    """Stripe's and Standard Webhooks' own signers."""
    header = WebhookSignature.generate_signature_header(BODY, "whsec_of_nobody", now())
    stripe = Webhook(((b"Stripe-Signature", header.encode()),), BODY.encode())
    assert isinstance(verify(SCHEMES["stripe"], stripe, ["whsec_of_nobody"], now=now(), tolerance=300), Genuine)
    secret = "whsec_bm9ib2R5cyBzZWNyZXQ="
    at = now()
    line_ = Official(secret).sign("msg_1", datetime.fromtimestamp(at, UTC), BODY)
    lines: Mapping[str, str] = {"webhook-id": "msg_1", "webhook-timestamp": str(at), "webhook-signature": line_}
    standard = Webhook(tuple((name.encode(), value.encode()) for name, value in lines.items()), BODY.encode())
    found = verify(SCHEMES["standard-webhooks"], standard, [secret], now=now(), tolerance=300)
    assert found == Genuine("msg_1", at)


def test_a_batch_with_one_forged_item_is_forged() -> None:
    """Where Adyen's own verifier looks at the first item alone."""
    scheme = SCHEMES["adyen-standard"]
    webhook = sign(scheme, Draft(batch("order-7", "order-8")), [HEX])
    forged = replace(webhook, body=webhook.body.replace(b"order-8", b"order-9"))
    assert isinstance(verify(scheme, webhook, [HEX], now=now(), tolerance=None), Genuine)
    assert isinstance(verify(scheme, forged, [HEX], now=now(), tolerance=None), Forged)
    assert notification_accepts(forged, HEX)


def test_a_field_is_signed_as_its_json_says() -> None:
    """`true` and `"true"` are one; Adyen's SDK writes Python's `True`, and refuses the boolean."""
    item = json.loads(batch("order-7"))["notificationItems"][0]["NotificationRequestItem"]
    signature = generate_notification_sig(item, HEX).decode()
    as_boolean = json.loads(batch("order-7", success=True))
    as_boolean["notificationItems"][0]["NotificationRequestItem"]["additionalData"] = {"hmacSignature": signature}
    body = json.dumps(as_boolean).encode()
    found = verify(SCHEMES["adyen-standard"], Webhook((), body), [HEX], now=now(), tolerance=None)
    assert isinstance(found, Genuine)
    assert not is_valid_hmac_notification(as_boolean, HEX)
