"""Disputes: told by the PSP, answered with evidence, or accepted. What is disputed is not refunded as well.

Evidence has two phases, too: its bytes are written down, then the PSP gets them; when it says that it has them, they
are dropped here. What it was given twice, because an answer was lost, it has twice, and uses once.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from psp_harness.reference.client_errors import Rejected
from psp_harness.reference.shop.books import Books
from psp_harness.reference.shop.psp import DisputeProvider
from psp_harness.reference.shop.refusals import NOT_JUDGED, Conflict, NotFound, WrongState, expect_word
from psp_harness.reference.shop.states import DISPUTE_MOVES, DisputeEvent, DisputeStatus, after
from psp_harness.reference.shop.tables import Dispute, Evidence

SAYS: Mapping[str, DisputeEvent] = {
    "dispute_challenged": DisputeEvent.CHALLENGE,
    "dispute_accepted": DisputeEvent.ACCEPT,
    "dispute_expired": DisputeEvent.EXPIRE,
    "dispute_lost": DisputeEvent.LOSE,
    "dispute_won": DisputeEvent.WIN,
    "dispute_cancelled": DisputeEvent.CANCEL,
}
"""What a dispute's status means; every other one: it is open."""

NOT_OURS = frozenset({status for status in DisputeStatus if status not in {DisputeStatus.WON, DisputeStatus.CANCELLED}})
"""States in which the money of a dispute is gone, or may go."""


class Disputes:
    """What customers want back through their banks."""

    def __init__(self, books: Books, psp: DisputeProvider) -> None:
        self._books, self._psp = books, psp

    def attach(self, dispute_id: str, *, kind: str, filename: str, content: bytes) -> Evidence:
        """A file for the answer to a dispute; the same file twice is one.

        Raises `NotFound`, `Invalid`, `WrongState` for a dispute that was answered, `Conflict` where there is another
        file of that kind, and what `client_errors` names; then `settle` does it.
        """
        digest = hashlib.sha256(content).hexdigest()
        with self._books.transaction() as session:
            _expect_open(session, dispute_id)
            self._books.add_once(
                session,
                Evidence,
                id=f"evi_{secrets.token_hex(12)}",
                dispute_id=dispute_id,
                kind=expect_word("kind", kind),
                filename=expect_word("filename", filename),
                digest=digest,
                content=content,
                file_id=None,
            )
            evidence = session.scalars(_of(dispute_id).where(Evidence.kind == kind)).one()
        if evidence.digest != digest:
            raise Conflict(f"dispute {dispute_id!r} has another file as {kind}")
        return self.settle(evidence.id)

    def settle(self, evidence_id: str) -> Evidence:
        """Let the PSP have a file, if it has not said that it has it."""
        evidence = self._evidence(evidence_id)
        if evidence.file_id is not None:
            return evidence
        try:
            file_id = self._psp.upload_evidence(
                evidence.dispute_id, kind=evidence.kind, filename=evidence.filename, content=evidence.content or b""
            )
        except Rejected as error:
            if error.status not in NOT_JUDGED:  # it will never be taken, and another file may have its place
                self._drop(evidence_id)
            raise
        with self._books.transaction() as session:
            evidence = session.get_one(Evidence, evidence_id, with_for_update=True)
            evidence.file_id, evidence.content = evidence.file_id or file_id, None
        return evidence

    def challenge(self, dispute_id: str) -> Dispute:
        """Answer a dispute with all that was attached to it, once. Raises as `attach` does."""
        with self._books.transaction() as session:
            _expect_open(session, dispute_id)
            attached = list(session.scalars(_of(dispute_id).order_by(Evidence.kind)))
        if not attached:
            raise WrongState(f"dispute {dispute_id!r}", "without evidence")
        files = {each.kind: str(self.settle(each.id).file_id) for each in attached}
        return self._ask(dispute_id, lambda: self._psp.submit_evidence(dispute_id, files))

    def accept(self, dispute_id: str) -> Dispute:
        """Let the customer have the money. Raises `NotFound`, `WrongState`, and what `client_errors` names."""
        with self._books.transaction() as session:
            _expect_open(session, dispute_id)
        return self._ask(dispute_id, lambda: self._psp.accept_dispute(dispute_id))

    def get(self, dispute_id: str) -> Dispute:
        """It as it stands; raises `NotFound`."""
        with self._books.transaction() as session:
            return locked(session, dispute_id)

    def in_doubt(self) -> list[str]:
        """The evidence of open disputes that the PSP may not have."""
        with self._books.transaction() as session:
            waiting = select(Evidence.id).join(Dispute).where(Evidence.file_id.is_(None))
            return list(session.scalars(waiting.where(Dispute.status == DisputeStatus.OPENED).order_by(Evidence.id)))

    def _ask(self, dispute_id: str, call: Callable[[], str]) -> Dispute:
        try:
            status = call()
        except Rejected as error:  # this request did nothing; an earlier one may have
            status = self._psp.get_dispute(dispute_id)
            if status not in SAYS:
                raise error from None
        with self._books.transaction() as session:
            dispute = locked(session, dispute_id)
            apply(dispute, SAYS.get(status))
        return dispute

    def _drop(self, evidence_id: str) -> None:
        with self._books.transaction() as session:
            session.execute(delete(Evidence).where(Evidence.id == evidence_id, Evidence.file_id.is_(None)))

    def _evidence(self, evidence_id: str) -> Evidence:
        with self._books.transaction() as session:
            return session.get_one(Evidence, evidence_id)


def locked(session: Session, dispute_id: str) -> Dispute:
    """The dispute's row, which nobody else changes until the transaction ends; raises `NotFound`."""
    dispute = session.get(Dispute, dispute_id, with_for_update=True)
    if dispute is None:
        raise NotFound(f"there is no dispute {dispute_id!r}")
    return dispute


def apply(dispute: Dispute, event: DisputeEvent | None) -> bool:
    """Let an event happen to a dispute, if its state allows it; whether anything changed."""
    status = after(DISPUTE_MOVES, DisputeStatus(dispute.status), event) if event is not None else None
    if status is None:
        return False
    dispute.status = status
    return True


def disputed(session: Session, order_id: str) -> int:
    """What of an order is gone by disputes, or may go; minor units."""
    of_order = select(func.sum(Dispute.amount)).where(Dispute.order_id == order_id, Dispute.status.in_(NOT_OURS))
    return int(session.scalar(of_order) or 0)


def _expect_open(session: Session, dispute_id: str) -> None:
    dispute = locked(session, dispute_id)
    if dispute.status != DisputeStatus.OPENED:
        raise WrongState(f"dispute {dispute_id!r}", dispute.status)


def _of(dispute_id: str) -> Select[Evidence]:
    return select(Evidence).where(Evidence.dispute_id == dispute_id)
