"""An HMAC of the body in one header line: the form of most schemes, in which only names and spellings differ."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Literal

from psp_harness.signing.scheme import Draft, Forged, Genuine, Keys, Moment, Scheme, Verified, Webhook, matches_any

Covered = Callable[[str, bytes], bytes]
"""What is signed, from the URL and the body."""


def body_alone(_: str, body: bytes) -> bytes:
    """The body's bytes and nothing else."""
    return body


def in_header(  # noqa: PLR0913 - each argument is one fact of the scheme
    name: str,
    header: str,
    *,
    algorithm: Literal["sha256", "sha512"] = "sha256",
    written: Literal["hex", "base64"] = "hex",
    prefix: bytes = b"",
    key: Callable[[str], bytes] = str.encode,
    covers: Covered = body_alone,
    covers_url: bool = False,
) -> Scheme:
    """A scheme with one signature in one header line."""

    def mac(url: str, body: bytes, secret: bytes) -> bytes:
        return prefix + text_of(hmac.new(secret, covers(url, body), algorithm).digest(), written)

    def sign_with(draft: Draft, keys: Keys) -> Webhook:
        line = mac(draft.url, draft.body, keys[0])
        return Webhook(((header.encode(), line),), draft.body, draft.url)

    def verify_with(webhook: Webhook, keys: Keys, _: Moment) -> Verified:
        given = webhook.only(header)
        if given is None:
            return Forged(f"there is not exactly one {header}")
        fits = matches_any([given], [mac(webhook.url, webhook.body, secret) for secret in keys])
        return Genuine() if fits else Forged(f"{header} is of another body or secret")

    return Scheme(name, sign_with, verify_with, key, header, covers_url=covers_url)


def sha256(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256 (RFC 2104)."""
    return hmac.new(key, message, hashlib.sha256).digest()


def text_of(digest: bytes, written: Literal["hex", "base64"]) -> bytes:
    """A digest as it stands in a header: lower-case hex, or base64 with its padding (RFC 4648 §4)."""
    return digest.hex().encode() if written == "hex" else base64.b64encode(digest)
