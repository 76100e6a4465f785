"""Disputes: a customer's bank takes the money of a payment back, unless the shop shows that it was earned. Pure.

A dispute is an entry of its payment, and so is everything that happens to it: it is read, as a payment is, from what
was entered of it later and from the clock. Only one that is lost has cost the shop its money.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from psp_harness.reference.provider.ledger import Entry, Refusal
from psp_harness.reference.provider.states import move


class DisputeStatus(StrEnum):
    """The states of a dispute."""

    OPENED = "opened"
    CHALLENGED = "challenged"
    """The shop has sent its evidence."""
    ACCEPTED = "accepted"
    """The shop gives in."""
    EXPIRED = "expired"
    """The shop said nothing until it was too late."""
    CANCELLED = "cancelled"
    """The bank gives in."""
    WON = "won"
    """By the shop."""
    LOST = "lost"


class DisputeEvent(StrEnum):
    """What can happen to a dispute."""

    CHALLENGE = "challenge"
    ACCEPT = "accept"
    EXPIRE = "expire"
    CANCEL = "cancel"
    WIN = "win"
    LOSE = "lose"


_S, _E = DisputeStatus, DisputeEvent

DISPUTE_MOVES: Mapping[tuple[DisputeStatus, DisputeEvent], DisputeStatus] = {
    (_S.OPENED, _E.CHALLENGE): _S.CHALLENGED,
    (_S.CHALLENGED, _E.CHALLENGE): _S.CHALLENGED,
    (_S.OPENED, _E.ACCEPT): _S.ACCEPTED,
    (_S.CHALLENGED, _E.ACCEPT): _S.ACCEPTED,
    (_S.OPENED, _E.EXPIRE): _S.EXPIRED,
    (_S.OPENED, _E.CANCEL): _S.CANCELLED,
    (_S.CHALLENGED, _E.CANCEL): _S.CANCELLED,
    (_S.OPENED, _E.LOSE): _S.LOST,
    (_S.CHALLENGED, _E.LOSE): _S.LOST,
    (_S.CHALLENGED, _E.WIN): _S.WON,
}

Stage = Literal["pre_dispute", "dispute", "pre_arbitration", "arbitration", "dispute_reversal"]
"""How far the bank has taken it."""


@dataclass(frozen=True, slots=True)
class DisputeStanding:
    """A dispute as it stands."""

    status: DisputeStatus
    since: float
    """Since when; seconds since 1970."""


def of_dispute(dispute: Entry, later: Iterable[Entry], now: float) -> DisputeStanding:
    """How a dispute stands; `later` are the entries of its payment, in order."""
    standing = DisputeStanding(DisputeStatus.OPENED, dispute.created)
    for entry in later:
        if entry.kind == "dispute-move" and entry.about["dispute"] == dispute.id:
            standing = _expired(standing, dispute, entry.created)
            after = move(DISPUTE_MOVES, standing.status, DisputeEvent(str(entry.about["event"])))
            assert not isinstance(after, Refusal), f"the books hold a move of a dispute that was {standing.status}"
            standing = DisputeStanding(after, entry.created)
    return _expired(standing, dispute, now)


def _expired(standing: DisputeStanding, dispute: Entry, now: float) -> DisputeStanding:
    until = challenge_by(dispute)
    if standing.status is DisputeStatus.OPENED and now >= until:
        return DisputeStanding(DISPUTE_MOVES[DisputeStatus.OPENED, DisputeEvent.EXPIRE], until)
    return standing


def challenge_by(dispute: Entry) -> float:
    """Until when the shop may say something."""
    return float(str(dispute.about["challenge_by"]))


def lost_of(entries: Iterable[Entry], now: float) -> int:
    """The money that lost disputes have taken from a payment, out of the entries of it; minor units."""
    later = tuple(entries)
    disputes = (entry for entry in later if entry.kind == "dispute")
    return sum(each.amount for each in disputes if of_dispute(each, later, now).status is DisputeStatus.LOST)


def evidence_of(dispute: Entry, later: Iterable[Entry]) -> dict[str, str]:
    """What is attached to a dispute: by its type, the file's id; what was attached last counts."""
    attached: dict[str, str] = {}
    for entry in later:
        if entry.about.get("dispute") != dispute.id:
            continue
        type_ = str(entry.about.get("evidence_type", ""))
        if entry.kind == "file" and type_:
            attached[type_] = entry.id
        elif entry.kind == "evidence-removed":
            attached.pop(type_, None)
    return attached
