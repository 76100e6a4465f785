"""Adyen 16.0.0 as its README uses it, in a Flask application: the whole notification is given to its verifier."""

from __future__ import annotations

import os
from collections.abc import Iterable

from Adyen.util import is_valid_hmac_notification
from flask import Request
from tests.real.apps.receiving import Refused, Told, shop


def read(request: Request) -> Iterable[Told]:
    """The items of a notification that its library verified."""
    message = request.get_json(silent=True)
    try:
        valid = is_valid_hmac_notification(message, os.environ["PSP_WEBHOOK_SECRET"])
        items = [each["NotificationRequestItem"] for each in message["notificationItems"]]
    except (ValueError, TypeError, LookupError):
        raise Refused from None
    if not valid or message["live"] != "false":
        raise Refused
    for item in items:
        kind = {"AUTHORISATION": "paid", "REFUND": "refunded"}.get(item["eventCode"], "")
        name = f"{item['pspReference']}:{item['eventCode']}:{item['success']}"
        amount = item["amount"]
        yield Told(
            name,
            kind if item["success"] == "true" else "failed",
            item["merchantReference"],
            amount["value"],
            amount["currency"],
            item["merchantAccountCode"],
        )


app = shop(read)
