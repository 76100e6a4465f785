"""A payment as an answer shows it: PaymentsResponse, as far as this provider has something to say.

What is not known yet is null, and written out (release 2026.06.25.0; the OpenAPI document says otherwise of
`payment_method`, and is wrong there).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from psp_harness.profile import wording
from psp_harness.reference.provider.api import World
from psp_harness.reference.provider.hyperswitch.bodies import when
from psp_harness.reference.provider.hyperswitch.cards import DECLINED
from psp_harness.reference.provider.hyperswitch.refunds_shown import shown as refund_shown
from psp_harness.reference.provider.ledger import Entry
from psp_harness.reference.provider.standing import of_payment
from psp_harness.reference.provider.states import PaymentStatus
from psp_harness.template import Json

CONNECTOR: Final = "psp_harness"
"""What this provider calls the one acquirer that it has."""

_UNSAID: Final = frozenset(
    {"customer_id", "description", "email", "name", "phone", "return_url", "setup_future_usage", "off_session"}
    | {"payment_method", "payment_method_type", "payment_method_data", "payment_token", "authentication_type"}
    | {"statement_descriptor_name", "statement_descriptor_suffix", "shipping", "billing", "order_details", "metadata"}
    | {"merchant_order_reference_id", "profile_id", "mandate_id", "next_action", "disputes", "attempts", "mandate_data"}
)
"""Members that are null until something is known of them."""


def shown(world: World, payment: Entry, later: Iterable[Entry]) -> dict[str, Json]:
    """PaymentsResponse."""
    later = tuple(later)
    standing = of_payment(payment, later, world.now())
    details = details_of(payment, later)
    last = [payment, *(entry for entry in later if entry.kind != "refund")][-1]
    failed = standing.status is PaymentStatus.FAILED
    confirmed = any(entry.kind == "confirmation" for entry in later) or "opens" not in payment.about
    money = {
        "payment_id": payment.id,
        "merchant_id": payment.tenant,
        "status": wording(world.profile, "payment", standing.status),
        "amount": standing.amount,
        "net_amount": standing.amount,
        "amount_capturable": standing.capturable,
        "amount_received": standing.captured,
        "processor_merchant_id": payment.tenant,
        "connector": CONNECTOR if confirmed else None,
        "client_secret": payment.about["client_secret"],
        "created": when(payment.created),
        "currency": _last_currency(payment, later),
    }
    return {
        **money,
        **dict.fromkeys(sorted(_UNSAID)),
        "capture_method": "automatic",
        **details,
        "refunds": [refund_shown(world, entry, ()) for entry in later if entry.kind == "refund"] or None,
        "captures": _captures(payment, later),
        "mandate_id": mandate_of(payment, later) or details.get("mandate_id"),
        "cancellation_reason": _cancellation_reason(later),
        "error_code": "card_declined" if failed else None,
        "error_message": DECLINED["declined"] if failed else None,
        "connector_transaction_id": f"{payment.id}_1" if confirmed and not failed else None,
        "attempt_count": 1,
        "expires_on": when(float(str(payment.about["expires"]))),
        "updated": when(last.created),
        "modified_at": when(last.created),
    }


def mandate_of(payment: Entry, later: Iterable[Entry]) -> Json:
    """The id of the mandate that the customer gave with it."""
    given = (entry.about.get("mandate") for entry in (payment, *later))
    return next((each["id"] for each in given if isinstance(each, Mapping)), None)


def details_of(payment: Entry, later: Iterable[Entry]) -> dict[str, Json]:
    """What was said of a payment beside the money; what was said last counts."""
    said: dict[str, Json] = {}
    for entry in (payment, *later):
        details = entry.about.get("details")
        if isinstance(details, Mapping) and entry.kind in {"payment", "update", "confirmation"}:
            said |= details
    return said


def _last_currency(payment: Entry, later: Iterable[Entry]) -> str:
    return [payment.currency, *(e.currency for e in later if e.kind in {"update", "confirmation"})][-1]


def _captures(payment: Entry, later: Iterable[Entry]) -> Json:
    """Of a payment that is captured in parts, each part."""
    parts = [entry for entry in later if entry.kind == "capture"]
    if payment.about.get("capture") != "in-parts" or not parts:
        return None
    return [
        {
            "capture_id": entry.id,
            "status": "charged",
            "amount": entry.amount,
            "currency": entry.currency,
            "connector": CONNECTOR,
            "authorized_attempt_id": f"{payment.id}_1",
            "capture_sequence": number,
        }
        for number, entry in enumerate(parts, 1)
    ]


def _cancellation_reason(later: Iterable[Entry]) -> Json:
    return next((entry.about.get("cancellation_reason") for entry in later if entry.kind == "cancellation"), None)
