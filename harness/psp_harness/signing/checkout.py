"""Checkout.com: `Cko-Signature`, hex HMAC-SHA256 of the body; the key is the webhook's own secret."""

from __future__ import annotations

from psp_harness.signing.mac import in_header
from psp_harness.signing.scheme import declare

CHECKOUT = declare(in_header("checkout", "Cko-Signature"))
