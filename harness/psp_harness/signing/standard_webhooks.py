"""Standard Webhooks 1.0.0: `webhook-id`, `webhook-timestamp`, `webhook-signature: v1,<base64>`, several by spaces.

HMAC-SHA256 of id, time and body, joined by full stops; the secret is base64 after `whsec_`. A delivery that is tried
again has the same id, and a time and signature of its own. Source: standard-webhooks/standard-webhooks,
spec/standard-webhooks.md. Of its two kinds of signature this is the symmetric one.
"""

from __future__ import annotations

import base64
import re
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

ID, TIME, HEADER = "webhook-id", "webhook-timestamp", "webhook-signature"
_PREFIX = "whsec_"
_UNIX_TIME = re.compile(rb"[0-9]{1,15}")


def _key(secret: str) -> bytes:
    """With or without the prefix, with or without the padding."""
    text = secret.removeprefix(_PREFIX)
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def _mac(message: bytes, at: bytes, body: bytes, key: bytes) -> bytes:
    return text_of(sha256(key, b".".join((message, at, body))), "base64")


def _sign(draft: Draft, keys: Keys) -> Webhook:
    at = b"%d" % draft.at
    signatures = [b"v1," + _mac(draft.id.encode(), at, draft.body, key) for key in keys]
    headers = ((ID.encode(), draft.id.encode()), (TIME.encode(), at), (HEADER.encode(), b" ".join(signatures)))
    return Webhook(headers, draft.body, draft.url)


def _verify(webhook: Webhook, keys: Keys, moment: Moment) -> Verified:
    message, at, line = (webhook.only(name) for name in (ID, TIME, HEADER))
    if not message or at is None or line is None or not _UNIX_TIME.fullmatch(at):
        return Forged(f"there is not exactly one {ID}, {TIME} and {HEADER}, each of its form")
    given = [
        signature for version, _, signature in (one.partition(b",") for one in line.split(b" ")) if version == b"v1"
    ]
    if not matches_any(given, [_mac(message, at, webhook.body, key) for key in keys]):
        return Forged(f"no v1 of {HEADER} is of this id, time, body and secret")
    if not moment.allows(int(at)):
        return Forged(f"sent at {int(at)}, which is too long ago or in the future")
    return Genuine(message.decode("latin-1"), int(at))


def _with(webhook: Webhook, name: str, line: bytes) -> Webhook:
    named = name.encode()
    return replace(webhook, headers=tuple((key, line if key == named else value) for key, value in webhook.headers))


def _downgraded(webhook: Webhook, _: Draft) -> Webhook:
    """The right signature under another version's name."""
    return _with(webhook, HEADER, (webhook.only(HEADER) or b"").replace(b"v1,", b"v0,"))


def _redated(webhook: Webhook, draft: Draft) -> Webhook:
    """The time is the draft's, and the signature still that of the time before."""
    return _with(webhook, TIME, b"%d" % draft.at)


def _renamed(webhook: Webhook, draft: Draft) -> Webhook:
    """The id is the draft's, and the signature still that of the id before."""
    return _with(webhook, ID, draft.id.encode())


STANDARD_WEBHOOKS = declare(
    Scheme(
        "standard-webhooks",
        _sign,
        _verify,
        _key,
        HEADER,
        timestamped=True,
        rotates=True,
        id_header=ID,
        time_header=TIME,
        alters={"downgraded": _downgraded, "redated": _redated, "renamed": _renamed},
    )
)
