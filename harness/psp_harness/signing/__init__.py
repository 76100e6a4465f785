"""Webhook signatures: one file per scheme, each signing and verifying over raw bytes.

    scheme = SCHEMES["stripe"]
    webhook = sign(scheme, Draft(body, at=now), [secret])          # what a PSP sends: its headers and body
    match verify(scheme, webhook, [secret], now=now, tolerance=300):
        case Genuine(): …                                          # or Forged(reason), or Unproved()

A scheme is data and functions (`Scheme`); which PSP uses which is a fact of its profile. Each is proved by vectors that
somebody else published, or by the PSP's own SDK: tests/signing.
"""

from __future__ import annotations

from psp_harness.signing import (
    adyen_payload,
    adyen_standard,
    checkout,
    gocardless,
    hyperswitch,
    mollie,
    mollie_classic,
    paypal,
    razorpay,
    square,
    standard_webhooks,
    stripe,
)
from psp_harness.signing.scheme import (
    SCHEMES,
    Draft,
    Forged,
    Genuine,
    Scheme,
    Unproved,
    Verified,
    Webhook,
    sign,
    verify,
)

__all__ = [
    "SCHEMES",
    "Draft",
    "Forged",
    "Genuine",
    "Scheme",
    "Unproved",
    "Verified",
    "Webhook",
    "adyen_payload",
    "adyen_standard",
    "checkout",
    "gocardless",
    "hyperswitch",
    "mollie",
    "mollie_classic",
    "paypal",
    "razorpay",
    "sign",
    "square",
    "standard_webhooks",
    "stripe",
    "verify",
]
