"""Payouts in two phases, as refunds: first the pending row, then the PSP, with that row's id as key."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from psp_harness.reference.client_errors import Rejected
from psp_harness.reference.shop.asking import Asking
from psp_harness.reference.shop.books import Books
from psp_harness.reference.shop.psp import PayoutProvider, PayoutTold
from psp_harness.reference.shop.refusals import NOT_JUDGED, Conflict, Mismatch, NotFound, expect_amount, expect_word
from psp_harness.reference.shop.states import PAYOUT_MOVES, PayoutEvent, PayoutStatus, after
from psp_harness.reference.shop.tables import Payout

SAYS: Mapping[str, PayoutEvent] = {
    "success": PayoutEvent.SUCCEED,
    "reversed": PayoutEvent.REVERSE,
    **dict.fromkeys(("failed", "cancelled", "expired", "ineligible"), PayoutEvent.FAIL),
}
"""What a payout's status means; every other one: it is pending (crates/common_enums/src/enums.rs:9030-9045)."""


class Payouts:
    """What goes out."""

    def __init__(self, books: Books, psp: PayoutProvider) -> None:
        self._books, self._psp = books, psp
        self._asking = Asking()

    def pay_out(self, request: str, *, amount: int, currency: str, destination: str) -> Payout:
        """Send `amount` minor units; the same `request` is the same payout, however often it comes.

        Raises `Invalid`, `Conflict`, and what `client_errors` names. Unless the PSP said no for certain it
        stays pending.
        """
        with self._asking.about(request):
            payout, opened = self.open_payout(request, amount=amount, currency=currency, destination=destination)
            return self.send_payout(payout.id) if opened else payout

    def open_payout(self, request: str, *, amount: int, currency: str, destination: str) -> tuple[Payout, bool]:
        """Phase 1: the pending row, and whether it is a new one."""
        wanted = (expect_amount(amount), expect_word("currency", currency).upper(), expect_word("to", destination))
        with self._books.transaction() as session:
            new = self._books.add_once(
                session,
                Payout,
                id=f"out_{secrets.token_hex(12)}",
                request=expect_word("request", request),
                **dict(zip(("amount", "currency", "destination"), wanted, strict=True)),
                status=PayoutStatus.PENDING,
            )
            payout = session.scalars(select(Payout).where(Payout.request == request)).one()
        if (payout.amount, payout.currency, payout.destination) != wanted:
            raise Conflict(f"payout {request!r} was asked for before, of {payout.amount} {payout.currency}")
        return payout, new

    def send_payout(self, payout_id: str) -> Payout:
        """Phase 2: ask the PSP, with the row's id as key, and write down what it says."""
        payout = self.get(payout_id)
        try:
            told = self._psp.create_payout(
                payout.id, amount=payout.amount, currency=payout.currency, destination=payout.destination
            )
        except Rejected as error:
            return self._after_a_no(payout.id, error)
        return self.book(payout.id, told)

    def settle(self, payout_id: str) -> Payout:
        """Find out about a pending payout: read it, and where the PSP has none, ask for it with its own key."""
        return self._read(payout_id) or self.send_payout(payout_id)

    def book(self, payout_id: str, told: PayoutTold) -> Payout:
        """Write down what the PSP says of a payout. Raises `Mismatch` where it is not the row's."""
        with self._books.transaction() as session:
            payout = locked(session, payout_id)
            if (told.amount, told.currency) != (payout.amount, payout.currency):
                theirs, ours = f"{told.amount} {told.currency}", f"{payout.amount} {payout.currency}"
                raise Mismatch(payout.id, theirs, ours)
            apply(payout, SAYS.get(told.status))
        return payout

    def get(self, payout_id: str) -> Payout:
        """It as it stands; raises `NotFound`."""
        with self._books.transaction() as session:
            return locked(session, payout_id)

    def in_doubt(self) -> list[str]:
        """The payouts whose outcome is open."""
        with self._books.transaction() as session:
            pending = session.scalars(select(Payout).where(Payout.status == PayoutStatus.PENDING).order_by(Payout.id))
            return [each.id for each in pending if each.request not in self._asking]

    def _after_a_no(self, payout_id: str, error: Rejected) -> Payout:
        """A refusal says nothing of an earlier request under this key: only where there is none, it is one."""
        if (made := self._read(payout_id)) is not None:
            return made
        if error.status not in NOT_JUDGED:
            with self._books.transaction() as session:
                apply(locked(session, payout_id), PayoutEvent.FAIL)
        raise error

    def _read(self, payout_id: str) -> Payout | None:
        try:
            told = self._psp.get_payout(payout_id)
        except Rejected as error:
            if error.status != 404:
                raise
            return None
        return self.book(payout_id, told)


def locked(session: Session, payout_id: str) -> Payout:
    """The payout's row, which nobody else changes until the transaction ends; raises `NotFound`."""
    payout = session.get(Payout, payout_id, with_for_update=True)
    if payout is None:
        raise NotFound(f"there is no payout {payout_id!r}")
    return payout


def apply(payout: Payout, event: PayoutEvent | None) -> bool:
    """Let an event happen to a payout, if its state allows it; whether anything changed."""
    status = after(PAYOUT_MOVES, PayoutStatus(payout.status), event) if event is not None else None
    if status is None:
        return False
    payout.status = status
    return True
