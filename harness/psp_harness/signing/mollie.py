"""Mollie's next-gen webhooks: `X-Mollie-Signature: sha256=<hex>`, HMAC-SHA256 of the body.

Source: mollie/mollie-api-php, src/Webhooks/SignatureValidator.php. Its older webhooks are not signed: `mollie_classic`.
"""

from __future__ import annotations

from psp_harness.signing.mac import in_header
from psp_harness.signing.scheme import declare

MOLLIE = declare(in_header("mollie", "X-Mollie-Signature", prefix=b"sha256="))
