"""standardwebhooks 1.1.0 as its README uses it, in a Flask application: what it raises for a forgery is caught."""

from __future__ import annotations

import os
from collections.abc import Iterable

from flask import Request
from standardwebhooks import Webhook, WebhookVerificationError
from tests.real.apps.receiving import Refused, Told, shop

TYPES = {"payment.succeeded": "paid", "payment.failed": "failed", "refund.succeeded": "refunded"}


def read(request: Request) -> Iterable[Told]:
    """The event that its library verified."""
    try:
        event = Webhook(os.environ["PSP_WEBHOOK_SECRET"]).verify(request.get_data(), dict(request.headers))
    except WebhookVerificationError:
        raise Refused from None
    if not isinstance(event, dict) or not isinstance(event.get("data"), dict):
        raise Refused
    data = event["data"]
    kind = TYPES.get(event["type"], event["type"]) if event["mode"] == "test" else "live"
    yield Told(
        event["id"],
        kind,
        data.get("reference", ""),
        data.get("amount", 0),
        data.get("currency", ""),
        event["account"],
    )


app = shop(read)
