"""A refund as an answer shows it: RefundResponse, as far as this provider has something to say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from psp_harness.profile import wording
from psp_harness.reference.provider.api import World
from psp_harness.reference.provider.hyperswitch.bodies import when
from psp_harness.reference.provider.ledger import Entry
from psp_harness.reference.provider.standing import of_refund
from psp_harness.template import Json


def shown(world: World, refund: Entry, later: Iterable[Entry]) -> dict[str, Json]:
    """RefundResponse; `later` are the updates of it."""
    details: dict[str, Json] = {}
    for entry in (refund, *later):
        said = entry.about.get("details")
        details |= said if isinstance(said, Mapping) else {}
    return {
        "refund_id": refund.id,
        "payment_id": refund.of.partition("/")[2],
        "amount": refund.amount,
        "currency": refund.currency,
        "status": wording(world.profile, "refund", of_refund(refund, world.now())),
        "reason": None,
        "metadata": None,
        **details,
        "error_message": None,
        "error_code": None,
        "created_at": when(refund.created),
        "updated_at": when([refund, *later][-1].created),
        "connector": "psp_harness",
        "profile_id": None,
        "merchant_connector_id": None,
        "connector_refund_id": f"{refund.id}_1",
    }
