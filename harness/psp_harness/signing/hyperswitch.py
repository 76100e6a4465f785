"""Hyperswitch: `X-Webhook-Signature-512`, hex HMAC-SHA512 of the body; the key is the `payment_response_hash_key`.

Source: crates/router/src/core/webhooks/types.rs:36-68 and lib.rs:78, release 2026.06.25.0.
"""

from __future__ import annotations

from psp_harness.signing.mac import in_header
from psp_harness.signing.scheme import declare

HYPERSWITCH = declare(in_header("hyperswitch", "X-Webhook-Signature-512", algorithm="sha512"))
