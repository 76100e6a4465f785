"""Razorpay: `X-Razorpay-Signature`, hex HMAC-SHA256 of the body; the webhook's secret is not that of the API.

Source: razorpay 2.0.1, utility/utility.py; the event's id stands beside it in `x-razorpay-event-id`, unsigned.
"""

from __future__ import annotations

from psp_harness.signing.mac import in_header
from psp_harness.signing.scheme import declare

RAZORPAY = declare(in_header("razorpay", "X-Razorpay-Signature"))
