"""Square: `x-square-hmacsha256-signature`, base64 HMAC-SHA256 of the notification URL and the body.

Source: squareup 46.0.0, utils/webhooks_helper.py. Nothing stands between the two, so that a receiver must take the URL
from its configuration: one that takes it from the request accepts the same bytes cut elsewhere.
"""

from __future__ import annotations

from psp_harness.signing.mac import in_header
from psp_harness.signing.scheme import declare


def _url_and_body(url: str, body: bytes) -> bytes:
    return url.encode() + body


SQUARE = declare(
    in_header("square", "x-square-hmacsha256-signature", written="base64", covers=_url_and_body, covers_url=True)
)
