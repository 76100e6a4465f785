"""PayPal: RSA over transmission id, time, webhook id and CRC-32 of the body; the certificate's host must be PayPal's.

The text `id|time|webhook id|crc32` (unsigned decimal) is signed with SHA256withRSA, in `PAYPAL-TRANSMISSION-SIG`.
Source: PayPal-Python-SDK, paypalrestsdk/notifications.py. The secret of a sender is a private key, that of a receiver
the certificate behind `PAYPAL-CERT-URL` (PEM): getting it is the receiver's work, and only from paypal.com.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from psp_harness.signing.asymmetric import rsa
from psp_harness.signing.scheme import Draft, Forged, Genuine, Keys, Moment, Scheme, Verified, Webhook, declare

ID, TIME, HEADER = "PAYPAL-TRANSMISSION-ID", "PAYPAL-TRANSMISSION-TIME", "PAYPAL-TRANSMISSION-SIG"
CERT_URL, ALGORITHM = "PAYPAL-CERT-URL", "PAYPAL-AUTH-ALGO"
OUR_CERT_URL = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-psp-harness"
_ALGORITHM = b"SHA256withRSA"
_HOST = re.compile(r"api(-m)?(\.sandbox)?\.paypal\.com")
_WRITTEN = "%Y-%m-%dT%H:%M:%SZ"
_TIME = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def is_paypals(cert_url: str) -> bool:
    """Whether a certificate may be fetched from there: any other host's proves nothing."""
    try:
        parts = urlsplit(cert_url)
        return parts.scheme == "https" and parts.port in {None, 443} and bool(_HOST.fullmatch(parts.hostname or ""))
    except ValueError:
        return False


def signed_text(message: bytes, at: bytes, endpoint: str, body: bytes) -> bytes:
    """What is signed."""
    return b"|".join((message, at, endpoint.encode(), b"%d" % zlib.crc32(body)))


def _sign(draft: Draft, keys: Keys) -> Webhook:
    at = datetime.fromtimestamp(draft.at, UTC).strftime(_WRITTEN).encode()
    message = draft.id.encode()
    lines = {
        ID: message,
        TIME: at,
        HEADER: rsa().signature(keys[0], signed_text(message, at, draft.endpoint, draft.body)),
        CERT_URL: OUR_CERT_URL.encode(),
        ALGORITHM: _ALGORITHM,
    }
    return Webhook(tuple((name.encode(), line) for name, line in lines.items()), draft.body, draft.url, draft.endpoint)


def _verify(webhook: Webhook, keys: Keys, moment: Moment) -> Verified:
    message, at, line, cert_url, algorithm = (webhook.only(name) for name in (ID, TIME, HEADER, CERT_URL, ALGORITHM))
    if not message or not at or not _TIME.fullmatch(at) or not line or algorithm != _ALGORITHM:
        return Forged(f"there is not exactly one {ID}, {TIME}, {HEADER} and {ALGORITHM}, each of its form")
    if not is_paypals((cert_url or b"").decode("latin-1")):
        return Forged(f"{CERT_URL} does not name PayPal's host")
    text = signed_text(message, at, webhook.endpoint, webhook.body)
    if not any(rsa().is_signed(key, text, line) for key in keys):
        return Forged(f"{HEADER} is of another id, time, endpoint, body or certificate")
    return _in_time(message, at, moment)


def _in_time(message: bytes, at: bytes, moment: Moment) -> Verified:
    try:
        sent = int(datetime.strptime(at.decode(), _WRITTEN).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return Forged(f"{TIME} is no time")
    if not moment.allows(sent):
        return Forged(f"sent at {sent}, which is too long ago or in the future")
    return Genuine(message.decode("latin-1"), sent)


def _elsewhere(webhook: Webhook, draft: Draft) -> Webhook:
    """The certificate is said to lie at the draft's URL."""
    return replace(
        webhook,
        headers=tuple((n, draft.url.encode() if n == CERT_URL.encode() else v) for n, v in webhook.headers),
    )


PAYPAL = declare(
    Scheme(
        "paypal",
        _sign,
        _verify,
        header=HEADER,
        asymmetric=True,
        timestamped=True,
        id_header=ID,
        time_header=TIME,
        id_is_of="transmission",
        alters={"certificate-elsewhere": _elsewhere},
    )
)
