"""The words that profiles, cases, rules and subjects share, each with its meaning. `psp-harness list` prints them."""

from __future__ import annotations

import re
from collections.abc import Mapping

OPERATIONS: Mapping[str, str] = {
    "create-payment": "charge a customer; captured at once, unless it is asked to be captured later",
    "capture-payment": "take what was authorised, or a part of it",
    "cancel-payment": "give up what was authorised: a void",
    "create-refund": "give back all or a part of a payment",
    "create-payout": "send money to somebody",
    "get-payment": "read a payment",
    "get-refund": "read a refund",
    "list-payments": "read every payment: what happened, where there is no effects route",
    "list-refunds": "read every refund",
    "get-health": "ask whether it lives, as whoever starts it again does: without a credential",
    "get-readiness": "ask whether it can work, as a load balancer does: without a credential",
}

CREATES = frozenset({"create-payment", "create-refund"})
"""The operations that create what has an id of its own and moves money: every PSP has them."""

MOVES = CREATES | {"capture-payment", "create-payout"}
"""The operations that move money."""

CHANGES = MOVES | {"cancel-payment"}
"""The operations that change something, and so may take a key."""

HEALTH = frozenset({"get-health", "get-readiness"})
"""The operations that ask for nothing of a PSP's business."""

STEPS: Mapping[str, str] = {
    **{word: OPERATIONS[word] for word in sorted(CHANGES)},
    **{word: OPERATIONS[word] for word in ("get-payment", "get-refund", *sorted(HEALTH))},
    "deliver-webhook": "tell a receiver of an event, as the PSP does or as a forger would",
    "advance-clock": "let the subject's clock jump",
    "restart-subject": "kill the subject, and start it again with what it kept",
    "place-order": "a customer orders something from a shop",
    "confirm-order": "the customer pays for the order: the shop asks the PSP",
    "refund-order": "the shop gives back all or a part of an order",
    "subscribe": "a customer subscribes: the shop asks the PSP for the first period",
    "payout": "the shop sends money to somebody",
    "refund-at-psp": "somebody gives back a part of an order at the PSP's own desk, and the shop was not asked",
    "crash-and-restart": "end the shop's process without a warning, and start it again with what it kept",
    "resume": "the shop looks after what is in doubt, as it does from time to time",
}
"""What a case may ask for. A client is asked for what creates something alone."""

SHOP_STEPS = frozenset(
    {"place-order", "confirm-order", "refund-order", "subscribe", "payout", "refund-at-psp"}
    | {"deliver-webhook", "crash-and-restart", "resume"}
)
"""What a shop is asked for."""

WISHES: Mapping[str, str] = {
    "confirm-order": "create-payment",
    "subscribe": "create-payment",
    "refund-order": "create-refund",
    "payout": "create-payout",
}
"""What a shop can be asked for that moves money, and what it then asks of the PSP."""

USUAL = "EUR"
"""The currency of every step that names none."""

OTHER_CURRENCIES: Mapping[str, str] = {"USD": "second-currency", "JPY": "currency-without-decimals"}
"""The feature that a case needs which asks for this one: whoever takes euros alone may refuse it."""

CRASH_POINT = re.compile(r"-(exchange|commit)-\d+-(before|acted|answered|after)\Z")
"""How the name of a case ends whose shop is ended there: at which request or commit, counted from 1, and when."""

ANY_CASE = "any-case"
"""Stands for the case in the verdict on a rule that was skipped, or that no case exercised."""

CARDS: Mapping[str, str] = {
    "good": "it pays",
    "declined": "the bank says no",
    "refund-fails": "it pays, and what is given back to it comes back some time after the refund was answered",
}
"""What a test card is for."""

EVENTS: Mapping[str, str] = {
    "payment-processing": "a payment is under way, and may still fail",
    "payment-authorized": "the money is held for the shop, and not taken yet",
    "payment-captured": "a part of what was held is taken",
    "payment-succeeded": "the customer has paid",
    "payment-failed": "the customer has not paid, and this payment will not change that",
    "payment-cancelled": "what was held was given up",
    "refund-succeeded": "money was given back",
    "refund-failed": "money was to be given back, and was not",
    "payout-initiated": "money is on its way out",
    "payout-succeeded": "money was paid out",
    "payout-failed": "money was to be paid out, and was not",
    "payout-cancelled": "a payout was given up before it was made",
    "payout-reversed": "money that was paid out came back",
    "dispute-opened": "a customer's bank wants the money of a payment back",
    "dispute-challenged": "the shop has sent its evidence",
    "dispute-accepted": "the shop gave in",
    "dispute-expired": "the shop said nothing until it was too late",
    "dispute-cancelled": "the bank gave in",
    "dispute-won": "the shop keeps the money",
    "dispute-lost": "the shop has lost the money",
    "other": "something happened that moves no money of an order",
}
"""What an event of a PSP means to a shop."""

FORGERIES: Mapping[str, str] = {
    "unsigned": "it has no signature",
    "signed-by-another": "it is signed with another secret",
    "signed-with-nothing": "it is signed with the empty secret",
    "altered": "its signature is that of another event",
    "other-bytes": "its signature is that of the same JSON in other bytes",
    "downgraded": "its signature is right, and said to be of a version that proves nothing",
    "stale": "it was signed longer ago than is allowed",
    "future": "it was signed for a time that is further off than is allowed",
    "redated": "it was signed long ago, and its time was changed since",
    "dated-elsewhere": "it was signed long ago, and an unsigned header says that it is of now",
    "shifted": "a part of one field was moved to its neighbour, which does not change the signature",
    "forged-item": "the batch has an item that the PSP sent, and one that it did not",
    "certificate-elsewhere": "it is signed by the owner of a certificate that lies on another host",
    "junk-signature": "where the signature should be is something that is none",
    "junk-element": "among the signatures is something that is none",
    "binary-signature": "where the signature should be are bytes that are no text",
    "empty-signature": "the line of the signature is empty",
    "two-signatures": "the line of the signature comes twice",
    "junk-time": "where the time should be is something that is none",
    "no-json": "the body is signed, and is no JSON",
    "null-body": "the body is signed, and is JSON's null",
    "list-body": "the body is signed, and is a list",
    "bare-body": "the body is signed, and has none of the members of an event",
    "empty-body": "the body is signed, and is empty",
    "text-amount": "the body is signed, and has text where it should have numbers and objects",
}
"""What can be wrong with a webhook: none of these may move anything, whatever else it says."""

JUNK = frozenset(
    {"junk-signature", "junk-element", "binary-signature", "empty-signature", "two-signatures", "junk-time"}
    | {"no-json", "null-body", "list-body", "bare-body", "empty-body", "text-amount"}
)
"""Those that are not even well formed."""

EFFECT_KIND: Mapping[str, str] = {
    "create-payment": "payment",
    "capture-payment": "capture",
    "create-refund": "refund",
    "create-payout": "payout",
}
"""What an operation leaves behind when it happened."""

_OF_A_PROFILE: Mapping[str, str] = {
    "idempotency-key": "the PSP promises to recognise a request that comes twice with one key",
    "keys-in-headers": "the key is a header line, and no member of the body",
    "payment-keys": "a request for a payment takes a key, not that for a refund alone",
    "key-required": "a POST without a key is refused",
    "key-length-limit": "the PSP documents the longest key",
    "replay": "a duplicate of a finished request gets an answer that names the first resource",
    "first-answer": "that answer is the first one: its status and its body",
    "replay-marker": "an answer that is replayed carries a header that says so",
    "key-syntax": "the PSP documents which characters a key may have, and refuses any other",
    "key-lifetime": "the PSP documents how long it keeps a key",
    "key-optional": "a POST without a key executes, each time",
    "keys-by-operation": "the same key on another route is another request",
    "refusals-free-the-key": "after a request that was refused before anything happened, its key can be used again",
    "bodies-compared-as-json": "order of members and white space make no other body",
    "in-flight-refused": "while the first request with a key is in flight, a second one may be refused, in known words",
    "used-keys-refused": "a key that was used is refused, at least where the body is another one",
    "mismatch-refused": "another body under a key that was used is refused",
    "client-ids": "the caller may choose the id of what it creates, and a second one with that id is refused",
    "two-tenants": "two accounts can be told apart by their credentials",
    "refunds": "money can be given back",
    "second-currency": "it takes US dollars as well",
    "currency-without-decimals": "it takes yen as well, which have no minor unit",
    "payouts": "money can be sent to somebody",
    "reads": "a payment can be read by its id",
    "refund-reads": "a refund can be read by its id",
    "liveness": "a route of the PSP says whether it lives",
    "readiness": "a route of the PSP says whether it can work",
    "captures": "a payment can be authorised, and its money taken later",
    "voids": "what was authorised can be given up",
    "declines": "the PSP documents a test card that is declined",
    "refunds-that-fail": "the PSP documents a test card whose refunds fail some time after they were answered",
    "documented-refusals": "the PSP documents how it says no to a missing key, a used one, or a refund of too much",
    "webhooks": "the PSP tells of payments by webhook, and the profile has the body",
    "signed-webhooks": "it signs them",
    "unsigned-webhooks": "it does not sign them: their receiver must ask the PSP",
    "timestamped-webhooks": "the time of sending is signed, and how far it may be off is documented",
    "rotating-signatures": "a webhook may carry several signatures, so that a secret can be changed",
    "versioned-signatures": "a signature says its version, and only one version counts",
    "signatures-of-bytes": "what is signed is the body as it was sent, byte for byte",
    "signed-items": "each event of a webhook is signed for itself",
    "joined-fields": "what is signed are fields, joined so that two events can have one signature",
    "certificates": "the signature is proved by a certificate, which the webhook names",
    "amounts-in-webhooks": "an event says how much was paid, and in which currency",
    "accounts-in-webhooks": "an event says whose it is",
    "references-in-webhooks": "an event says the shop's own reference",
    "modes-in-webhooks": "an event says whether it is of the test mode or live",
    "webhook-horizon": "the PSP documents for how long it tries",
    "refund-events": "it tells of refunds",
    "payments-in-refund-events": "where it tells of a refund, it says of which payment",
    "refund-failure-events": "it tells of refunds that failed",
    "failure-events": "it tells of payments that failed",
    "pending-events": "it tells of payments that are under way",
    "other-events": "it tells of what moves no money, too",
}

OF_A_SUBJECT: Mapping[str, str] = {
    "caller-keys": "it sends the key that it is given; without the feature it is given none",
    "own-keys": "given no key, it makes one; without the feature it refuses to send",
    "keeps-keys": "the key that it makes belongs to the order or refund: asked for it again, it sends the same one",
    "keeps-books": "asked for its effects, a client says what it has booked as done",
    "told-the-time": "it goes by the time that it is told with each step: of a client, whose clock nobody can turn",
    "refreshes-tokens": "where its credential is refused, it goes on with the second one that it was given",
    "tls": "it speaks https, and trusts the authorities in the file that it is told",
    "refund-id-is-key": "the key that it makes for a refund is the id of the shop's pending refund",
    "retries": "it retries by itself, as its declaration says",
    "parallel": "it takes several steps at once",
    "durable": "it may be killed and started again with what it kept",
    "subscriptions": "a shop sells subscriptions",
    "pays-out": "a shop sends money to somebody",
    "told-by-webhook": "a shop's books say what the PSP tells, within a second of the webhook's answer",
    "commit-points": "a shop ends itself before or after the commit that it is told, and counts them",
}

OF_A_RUN: Mapping[str, str] = {
    "effects": "what the subject did can be read",
    "clock": "the subject's clock can be advanced",
    "refreshed-credential": "tenant-a has a second credential: --credential tenant-a-refreshed=…",
    "made-certificates": "certificates can be made for the run: pip install 'psp-harness[tls]'",
    "intent": "what was asked of the subject is known: `run` asks it, `watch` only listens",
    "known-orders": "a receiver was told which orders there are",
    "order-states": "a receiver says what its orders are in the end",
    "answers-alone": "nothing but its answers says what a receiver did",
    "configurable": "a receiver is started with the secret that the case wants",
}

FEATURES: Mapping[str, str] = {**_OF_A_PROFILE, **OF_A_SUBJECT, **OF_A_RUN}
