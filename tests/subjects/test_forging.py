"""What a forger makes is found forged by every scheme that has such a forgery, and what the PSP makes is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from psp_harness import profile
from psp_harness.model import Delivery, Intent, Manner, Order, Request
from psp_harness.profile import told_by
from psp_harness.signing import Forged, Genuine, Unproved, Verified, Webhook, verify
from psp_harness.subjects.delivering import Sender
from psp_harness.subjects.forging import APART
from psp_harness.subjects.receivers import pairs
from psp_harness.vocabulary import FORGERIES, JUNK

NOW = 1_795_000_000
URL = "http://127.0.0.1:5000/webhooks?of=psp"
ORDER = Order("run-order-1", 7010, "EUR", "pay_run_order_1")
OTHER = Order("run-other-1", 7011, "EUR", "pay_run_other_1")
TELLING = [name for name in profile.names() if "webhooks" in profile.load(name).features]

NEEDS = {
    "other-bytes": "signatures-of-bytes",
    "downgraded": "versioned-signatures",
    "stale": "timestamped-webhooks",
    "future": "timestamped-webhooks",
    "redated": "timestamped-webhooks",
    "dated-elsewhere": "timestamped-webhooks",
    "shifted": "joined-fields",
    "forged-item": "signed-items",
    "certificate-elsewhere": "certificates",
}
"""What a profile must have for such a forgery; else a signature."""


@pytest.fixture(scope="module")
def senders() -> dict[str, Sender]:
    """The PSP of each profile."""
    return {
        name: Sender(facts := profile.load(name), *pairs(facts, None), "http://127.0.0.1:1/cert") for name in TELLING
    }


def delivery(**changes: object) -> Delivery:
    """A payment that succeeded."""
    fields = {"event": "payment-succeeded", "order": ORDER, "event_id": "evt_1", "transmission": "msg_1"}
    return Delivery(**{**fields, "amount": 7010, "currency": "EUR", "tenant": "tenant-a", **changes})  # type: ignore[arg-type]


def intent(told: Delivery, body: str = "") -> Intent:
    """The step that delivers it."""
    return Intent(1, "paid", "deliver-webhook", 1, delivery=told, manner=Manner(body=body))


def verified(sender: Sender, request: Request, now: float = NOW) -> Verified:
    """What a receiver that is right says of it."""
    facts = sender.facts
    webhook = Webhook(request.headers, request.body, URL, sender.profile.accounts.get("tenant-a", ""))
    return verify(facts.signature, webhook, [sender.own.proves], now=now, tolerance=facts.tolerance_seconds)


def forgeries() -> Iterator[tuple[str, str]]:
    """Every forgery that a profile's scheme has."""
    for name in TELLING:
        features = profile.load(name).features
        yield from ((name, kind) for kind in FORGERIES if NEEDS.get(kind, "signed-webhooks") in features)


@pytest.mark.parametrize("name", TELLING)
def test_what_the_psp_sends_is_genuine(name: str, senders: dict[str, Sender]) -> None:
    """At first, again a week later, and in bytes that no serialiser writes; and it tells of the order."""
    sender = senders[name]
    for told, at in (
        (delivery(event_id=f"{name}-1"), NOW),
        (delivery(event_id=f"{name}-1", transmission="2"), NOW + 604_800),
    ):
        request = sender.request(intent(told), URL, at)
        assert isinstance(verified(sender, request, at), Genuine | Unproved)
        (event,) = told_by(sender.facts, request.body)
        assert event.means == "payment-succeeded"
        assert ORDER.id in event.values.values() or ORDER.payment_id in event.values.values()
    if "signatures-of-bytes" in profile.load(name).features:
        spaced = sender.request(intent(delivery(event_id=f"{name}-2"), "spaced"), URL, NOW)
        assert isinstance(verified(sender, spaced), Genuine)
        assert b'" : ' in spaced.body


@pytest.mark.parametrize(("name", "kind"), list(forgeries()))
def test_what_a_forger_makes_is_forged(name: str, kind: str, senders: dict[str, Sender]) -> None:
    """But for what the scheme itself cannot tell, and for junk that a PSP signed."""
    sender = senders[name]
    beside = OTHER if kind == "forged-item" else None
    request = sender.request(intent(delivery(event_id=f"evt-{kind}", forged=kind, beside=beside)), URL, NOW)
    signed_junk = kind in JUNK and "body" in FORGERIES[kind] and "signature" not in FORGERIES[kind]
    weak = kind == "shifted" or signed_junk
    found = verified(sender, request)
    assert isinstance(found, Genuine if weak and not (signed_junk and name == "adyen") else Forged), found


def test_a_shifted_event_names_the_order_and_another_account(senders: dict[str, Sender]) -> None:
    """The signature is right, the reference is that of the order, and the account is none."""
    request = senders["adyen"].request(intent(delivery(forged="shifted")), URL, NOW)
    (event,) = told_by(senders["adyen"].facts, request.body)
    assert event.values["reference"] == ORDER.id
    assert event.values["account"] == "PspHarnessCompanyA:x"


def test_a_batch_with_a_forged_item_begins_with_a_genuine_one(senders: dict[str, Sender]) -> None:
    """The first is signed by the PSP, the second by somebody else."""
    adyen = senders["adyen"]
    request = adyen.request(intent(delivery(forged="forged-item", beside=OTHER)), URL, NOW)
    assert [event.values["reference"] for event in told_by(adyen.facts, request.body)] == [OTHER.id, ORDER.id]
    assert verified(adyen, request) == Forged("the hmacSignature of item 2 is of other fields or another secret")


def test_a_time_that_is_off_is_off_by_twice_the_tolerance(senders: dict[str, Sender]) -> None:
    """So that no clock of a receiver makes it right."""
    stripe = senders["stripe"]
    for kind, at in (("stale", NOW - APART * 300), ("future", NOW + APART * 300)):
        request = stripe.request(intent(delivery(event_id=kind, forged=kind)), URL, NOW)
        assert verified(stripe, request, at) == Genuine(at=at)


def test_each_delivery_of_an_event_has_its_body_and_what_the_psp_gives_it_anew(senders: dict[str, Sender]) -> None:
    """Stripe signs anew with a time of its own; Hyperswitch sends the same bytes; both have another delivery."""
    changed = {}
    for name in ("stripe", "hyperswitch", "generic"):
        first, again = (
            senders[name].request(intent(delivery(event_id=f"{name}-2x", transmission=f"msg_{at}")), URL, NOW + at)
            for at in (1, 60)
        )
        assert first.body == again.body
        changed[name] = {key for key, _ in set(first.headers) ^ set(again.headers)}
    assert changed == {
        "stripe": {b"Stripe-Signature"},
        "hyperswitch": set(),
        "generic": {b"webhook-timestamp", b"webhook-signature", b"delivery-id"},
    }
