"""Stripe: `Stripe-Signature: t=<Unix time>,v1=<hex>`, HMAC-SHA256 of the time, a full stop and the body.

Source: docs.stripe.com/webhooks, section on verifying by hand; stripe 16.1.0, _webhook.py. While a secret is rolled
there are several `v1`; what stands under another name than `v1` proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from psp_harness.signing.mac import sha256, text_of
from psp_harness.signing.scheme import (
    Draft,
    Forged,
    Genuine,
    Keys,
    Moment,
    Scheme,
    Verified,
    Webhook,
    declare,
    matches_any,
)

HEADER = "Stripe-Signature"
_TIME = re.compile(rb"[0-9]{1,15}")


def _mac(at: int, body: bytes, key: bytes) -> bytes:
    return text_of(sha256(key, b"%d.%s" % (at, body)), "hex")


def _sign(draft: Draft, keys: Keys) -> Webhook:
    return _written(draft, draft.at, [b"v1=" + _mac(draft.at, draft.body, key) for key in keys])


def _written(draft: Draft, at: int, signatures: Iterable[bytes]) -> Webhook:
    return Webhook(((HEADER.encode(), b",".join([b"t=%d" % at, *signatures])),), draft.body, draft.url)


def _verify(webhook: Webhook, keys: Keys, moment: Moment) -> Verified:
    parts = [part.partition(b"=") for part in (webhook.only(HEADER) or b"").split(b",")]
    times = [value for name, _, value in parts if name == b"t"]
    if len(times) != 1 or not _TIME.fullmatch(times[0]):
        return Forged(f"{HEADER} has not exactly one time")
    at = int(times[0])
    given = [value for name, _, value in parts if name == b"v1"]
    if not matches_any(given, [_mac(at, webhook.body, key) for key in keys]):
        return Forged(f"no v1 of {HEADER} is of this body, time and secret")
    return Genuine(at=at) if moment.allows(at) else Forged(f"sent at {at}, which is too long ago or in the future")


def _downgraded(webhook: Webhook, _: Draft) -> Webhook:
    """The right signature under another version's name."""
    return replace(webhook, headers=tuple((name, line.replace(b"v1=", b"v0=")) for name, line in webhook.headers))


def _redated(webhook: Webhook, draft: Draft) -> Webhook:
    """The time is the draft's, and the signature still that of the time before."""
    signatures = [part for part in (webhook.only(HEADER) or b"").split(b",") if not part.startswith(b"t=")]
    return replace(webhook, headers=_written(draft, draft.at, signatures).headers)


STRIPE = declare(
    Scheme(
        "stripe",
        _sign,
        _verify,
        header=HEADER,
        timestamped=True,
        rotates=True,
        alters={"downgraded": _downgraded, "redated": _redated},
    )
)
