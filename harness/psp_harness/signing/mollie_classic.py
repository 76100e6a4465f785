"""Mollie's classic webhooks: a form with the id of a payment, and no signature. Whoever gets one must ask Mollie."""

from __future__ import annotations

from psp_harness.signing.scheme import Draft, Keys, Moment, Scheme, Unproved, Verified, Webhook, declare


def _sign(draft: Draft, _: Keys) -> Webhook:
    return Webhook((), draft.body, draft.url)


def _verify(webhook: Webhook, keys: Keys, moment: Moment) -> Verified:  # noqa: ARG001 - nothing could prove it
    return Unproved()


MOLLIE_CLASSIC = declare(Scheme("mollie-classic", _sign, _verify, signed=False, raw_body=False))
