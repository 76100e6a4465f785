"""Disputes: listed, read, accepted, and answered with evidence (crates/router/src/core/disputes.rs).

The banks open them and close them: here, `POST /psp-harness/disputes`, which no PSP has.
"""

from __future__ import annotations

from typing import Final

import msgspec

from psp_harness.model import Answer
from psp_harness.reference.provider.api import Work, World
from psp_harness.reference.provider.disputes import (
    DISPUTE_MOVES,
    DisputeEvent,
    DisputeStanding,
    DisputeStatus,
    challenge_by,
    evidence_of,
    of_dispute,
)
from psp_harness.reference.provider.hyperswitch.asked import Asked, Door, Route
from psp_harness.reference.provider.hyperswitch.bodies import answer, limit_of, read, when
from psp_harness.reference.provider.ledger import Entry, Ledger, Place, Refusal
from psp_harness.reference.provider.standing import of_payment
from psp_harness.reference.provider.states import move
from psp_harness.reference.provider.stores import Effected
from psp_harness.template import Json

NO_DISPUTE: Final = Refusal("no-dispute", "Dispute does not exist in our records")
NOT_NOW: Final = Refusal("dispute-status", "Dispute status validation failed")

_OPEN_STAGES: Final = frozenset({"pre_dispute", "dispute", "pre_arbitration", "arbitration"})
"""In which a dispute can be accepted and answered (core/utils.rs: should_proceed_with_accept_dispute)."""

TEXTS: Final = frozenset(
    {"access_activity_log", "billing_address", "cancellation_policy_disclosure", "cancellation_rebuttal"}
    | {"customer_email_address", "customer_name", "customer_purchase_ip", "product_description", "service_date"}
    | {"refund_policy_disclosure", "refund_refusal_explanation", "shipping_address", "shipping_carrier"}
    | {"shipping_date", "shipping_tracking_number", "uncategorized_text"}
)
"""Evidence that is a text (SubmitEvidenceRequest)."""

FILES: Final = frozenset(
    {"cancellation_policy", "customer_communication", "customer_signature", "receipt", "refund_policy"}
    | {"service_documentation", "shipping_documentation", "invoice_showing_distinct_transactions"}
    | {"recurring_transaction_agreement", "uncategorized_file"}
)
"""Evidence that is a file (EvidenceType)."""


class _Submitted(msgspec.Struct):
    """SubmitEvidenceRequest; its other members are `TEXTS` and `FILES`."""

    dispute_id: str


async def found(world: World, tenant: str, id_: str) -> tuple[Entry, Ledger] | Refusal:
    """A dispute, and the ledger of its payment."""
    seen = await world.store.ledger(Place(tenant, "dispute", id_))
    if seen.existing is None:
        return NO_DISPUTE
    return seen.existing, await world.store.ledger(Place(tenant, "dispute", id_, seen.existing.of))


def shown(world: World, dispute: Entry, ledger: Ledger, *more: Entry) -> dict[str, Json]:
    """DisputeResponse. The amount is a text, as no other of this API is."""
    later = (*ledger.beside, *more)
    standing = of_dispute(dispute, later, world.now())
    payment = dispute.of.partition("/")[2]
    return {
        "dispute_id": dispute.id,
        "payment_id": payment,
        "attempt_id": f"{payment}_1",
        "amount": str(dispute.amount),
        "currency": dispute.currency,
        "dispute_stage": dispute.about["stage"],
        "dispute_status": f"dispute_{standing.status}",
        "connector": "psp_harness",
        "connector_status": standing.status.value,
        "connector_dispute_id": f"{dispute.id}_1",
        "connector_reason": dispute.about["reason"],
        "connector_reason_code": None,
        "challenge_required_by": when(challenge_by(dispute)),
        "connector_created_at": when(dispute.created),
        "connector_updated_at": when(standing.since),
        "created_at": when(dispute.created),
        "profile_id": None,
        "merchant_connector_id": None,
        "is_already_refunded": _is_refunded(ledger, later, world.now()),
    }


def _is_refunded(ledger: Ledger, later: tuple[Entry, ...], now: float) -> bool:
    """Lost and refunded together are more than was captured."""
    return ledger.above is not None and of_payment(ledger.above, later, now).left < 0


async def retrieve(world: World, asked: Asked) -> Answer | Refusal:
    """GET /disputes/{dispute_id}."""
    seen = await found(world, asked.tenant, asked.path["dispute_id"])
    return seen if isinstance(seen, Refusal) else answer(shown(world, *seen))


async def list_(world: World, asked: Asked) -> Answer | Refusal:
    """GET /disputes/list: newest first; by status and stage, where that is asked."""
    limit = limit_of(asked.query)
    if isinstance(limit, Refusal):
        return limit
    books = [entry for entry in await world.store.entries() if entry.tenant == asked.tenant]
    disputes = [entry for entry in reversed(books) if entry.kind == "dispute"]
    told = [shown(world, each, _ledger(each, books)) for each in disputes]
    wanted = {name: asked.query[name] for name in ("dispute_status", "dispute_stage") if name in asked.query}
    return answer([each for each in told if all(each[name] == value for name, value in wanted.items())][:limit])


def _ledger(dispute: Entry, books: list[Entry]) -> Ledger:
    above = next((entry for entry in books if entry.name == dispute.of), None)
    return Ledger(dispute, above, tuple(entry for entry in books if entry.of == dispute.of))


async def accept(world: World, asked: Asked) -> Work | Refusal:
    """POST /disputes/accept/{dispute_id}."""
    return await moved(world, asked.tenant, asked.path["dispute_id"], DisputeEvent.ACCEPT, {})


async def submit(world: World, asked: Asked) -> Work | Refusal:
    """POST /disputes/evidence: texts, and ids of files that were uploaded before."""
    body = read(asked.body, _Submitted)
    if isinstance(body, Refusal):
        return body
    members = asked.body if isinstance(asked.body, dict) else {}
    told = {name: str(text) for name, text in members.items() if name in TEXTS | FILES and text is not None}
    for name in FILES & told.keys():
        if (await world.store.ledger(Place(asked.tenant, "file", told[name]))).existing is None:
            return Refusal("no-file", "File does not exist in our records")
    return await moved(world, asked.tenant, body.dispute_id, DisputeEvent.CHALLENGE, {"evidence": told})


async def moved(world: World, tenant: str, id_: str, event: DisputeEvent, about: dict[str, object]) -> Work | Refusal:
    """What happens to a dispute, by the shop or by the bank."""
    seen = await found(world, tenant, id_)
    if isinstance(seen, Refusal):
        return seen
    dispute, _ = seen
    place = Place(tenant, "dispute-move", world.fresh_id("dmv_"), dispute.of)

    def on(ledger: Ledger) -> Effected | Refusal:
        standing = of_dispute(dispute, ledger.beside, world.now())
        by_the_shop = event in {DisputeEvent.ACCEPT, DisputeEvent.CHALLENGE}
        if not may(dispute, standing, event) or (by_the_shop and dispute.about["stage"] not in _OPEN_STAGES):
            return NOT_NOW
        said = {"dispute": dispute.id, "event": event.value, **about}
        entry = Entry(place.tenant, place.kind, place.id, place.of, created=world.now(), about=said)
        return Effected(entry, answer(shown(world, dispute, ledger, entry)))

    return Work(place, on)


def may(dispute: Entry, standing: DisputeStanding, event: DisputeEvent) -> bool:
    """Whether that can happen to a dispute that stands so."""
    return not isinstance(move(DISPUTE_MOVES, standing.status, event), Refusal) and dispute.kind == "dispute"


def is_open(dispute: Entry, ledger: Ledger, now: float) -> bool:
    """Whether evidence can be attached: in the stage `dispute` alone, and before any was submitted."""
    opened = of_dispute(dispute, ledger.beside, now).status is DisputeStatus.OPENED
    return opened and dispute.about["stage"] == "dispute"


def attached(dispute: Entry, ledger: Ledger) -> dict[str, str]:
    """Its files, by type."""
    return evidence_of(dispute, ledger.beside)


ROUTES: Final = (
    Route("list-disputes", "GET", "/disputes/list", Door.SECRET, show=list_),
    Route("accept-dispute", "POST", "/disputes/accept/{dispute_id}", Door.SECRET, prepare=accept),
    Route("submit-evidence", "POST", "/disputes/evidence", Door.SECRET, prepare=submit),
)

ONE: Final = (Route("get-dispute", "GET", "/disputes/{dispute_id}", Door.SECRET, show=retrieve),)
"""It fits every path of two parts, and so comes last."""
