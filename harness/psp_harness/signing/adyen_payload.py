"""Adyen's banking and management webhooks: `HmacSignature`, base64 HMAC-SHA256 of the body; the key is written in hex.

Source: Adyen 16.0.0, util.py, `is_valid_hmac_payload`.
"""

from __future__ import annotations

from psp_harness.signing.mac import in_header
from psp_harness.signing.scheme import declare

ADYEN_PAYLOAD = declare(in_header("adyen-payload", "HmacSignature", written="base64", key=bytes.fromhex))
