"""GoCardless: `Webhook-Signature`, hex HMAC-SHA256 of the body. Source: gocardless_pro 3.22.0, webhooks.py."""

from __future__ import annotations

from psp_harness.signing.mac import in_header
from psp_harness.signing.scheme import declare

GOCARDLESS = declare(in_header("gocardless", "Webhook-Signature"))
