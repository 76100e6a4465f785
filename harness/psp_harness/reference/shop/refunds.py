"""Refunds in two phases: first the pending row, in a transaction of its own; then the PSP, with that row's id as key.

Whatever happens between the two, the row is there, and whoever picks it up asks with the same key.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from psp_harness.reference.client_errors import Declined, Rejected
from psp_harness.reference.shop import orders
from psp_harness.reference.shop.asking import Asking
from psp_harness.reference.shop.books import Books
from psp_harness.reference.shop.disputes import disputed
from psp_harness.reference.shop.psp import RefundProvider
from psp_harness.reference.shop.refusals import (
    NOT_JUDGED,
    Conflict,
    Mismatch,
    NotFound,
    TooMuch,
    WrongState,
    expect_amount,
    expect_word,
)
from psp_harness.reference.shop.states import REFUND_MOVES, OrderStatus, RefundEvent, RefundStatus, after
from psp_harness.reference.shop.tables import Order, Refund

SAYS: Mapping[str, RefundEvent] = {"succeeded": RefundEvent.SUCCEED, "failed": RefundEvent.FAIL}
"""What a refund's status means; every other one: it is pending."""


class Refunds:
    """What goes back."""

    def __init__(self, books: Books, psp: RefundProvider) -> None:
        self._books, self._psp = books, psp
        self._asking = Asking()

    def refund_order(self, order_id: str, *, request: str, amount: int) -> Refund:
        """Give back `amount` minor units of an order; the same `request` is the same refund, however often it comes.

        Raises what `open_refund` and `send_refund` do.
        """
        with self._asking.about((order_id, request)):
            refund, opened = self.open_refund(order_id, request=request, amount=amount)
            return self.send_refund(refund.id) if opened else refund

    def open_refund(self, order_id: str, *, request: str, amount: int) -> tuple[Refund, bool]:
        """Phase 1: the pending row, and whether it is a new one. The order is locked while its rest is counted.

        Raises `NotFound`, `WrongState` for an order that is not paid, `TooMuch`, `Invalid`, and `Conflict` where the
        request came before with another amount.
        """
        expect_amount(amount)
        with self._books.transaction() as session:
            order = orders.locked(session, order_id)
            same = _requested(session, order_id, expect_word("request", request))
            if same is None:
                _expect_rest(session, order, amount)
                return self._write(session, order_id, request, amount), True
        if same.amount != amount:
            raise Conflict(f"refund {request!r} was asked for before, of {same.amount}")
        return same, False

    def send_refund(self, refund_id: str) -> Refund:
        """Phase 2: ask the PSP, with the row's id as key, and write down what it says.

        Raises what `client_errors` names. Unless the PSP said no for certain the row stays pending, for `settle`.
        """
        refund = self.get(refund_id)
        try:
            psp_id, status = self._psp.create_refund(refund.id, payment_id=refund.order_id, amount=refund.amount)
        except Declined:
            self._move(refund.id, RefundEvent.FAIL)
            raise
        except Rejected as error:
            return self._after_a_no(refund.id, error)
        return self.book(refund.id, psp_id, status)

    def settle(self, refund_id: str) -> Refund:
        """Find out about a pending refund: read it, and where the PSP has none, ask for it with its own key.

        One that the PSP has named is read by that name, and never asked for: it is there.
        """
        refund = self.get(refund_id)
        if refund.psp_id is not None:
            return self._read(refund.id, refund.psp_id) or refund
        return self._read(refund.id, refund.id) or self.send_refund(refund.id)

    def book(self, refund_id: str, psp_id: str, status: str) -> Refund:
        """Write down what the PSP says of a refund."""
        with self._books.transaction() as session:
            refund = locked(session, refund_id)
            refund.psp_id = psp_id
            apply(refund, SAYS.get(status))
        return refund

    def get(self, refund_id: str) -> Refund:
        """It as it stands; raises `NotFound`."""
        with self._books.transaction() as session:
            return locked(session, refund_id)

    def in_doubt(self) -> list[str]:
        """The refunds whose outcome is open."""
        with self._books.transaction() as session:
            pending = session.scalars(select(Refund).where(Refund.status == RefundStatus.PENDING).order_by(Refund.id))
            return [each.id for each in pending if (each.order_id, each.request) not in self._asking]

    def _after_a_no(self, refund_id: str, error: Rejected) -> Refund:
        """A refusal says nothing of an earlier request under this key: only where there is none, it is one."""
        if (made := self._read(refund_id, refund_id)) is not None:
            return made
        if error.status in NOT_JUDGED:
            raise error
        self._move(refund_id, RefundEvent.FAIL)
        raise error

    def _read(self, refund_id: str, psp_id: str) -> Refund | None:
        try:
            told = self._psp.get_refund(psp_id)
        except Rejected as error:
            if error.status != 404:
                raise
            return None
        with self._books.transaction() as session:
            refund = locked(session, refund_id)
            if (told.payment_id, told.amount) != (refund.order_id, refund.amount):
                raise Mismatch(
                    refund.id, f"{told.amount} of {told.payment_id}", f"{refund.amount} of {refund.order_id}"
                )
        return self.book(refund_id, told.refund_id, told.status)

    def _move(self, refund_id: str, event: RefundEvent) -> None:
        with self._books.transaction() as session:
            apply(locked(session, refund_id), event)

    def _write(self, session: Session, order_id: str, request: str, amount: int) -> Refund:
        refund = Refund(
            id=f"ref_{secrets.token_hex(12)}",
            order_id=order_id,
            request=request,
            amount=amount,
            status=RefundStatus.PENDING,
            psp_id=None,
        )
        session.add(refund)
        return refund


def locked(session: Session, refund_id: str) -> Refund:
    """The refund's row, which nobody else changes until the transaction ends; raises `NotFound`."""
    refund = session.get(Refund, refund_id, with_for_update=True)
    if refund is None:
        raise NotFound(f"there is no refund {refund_id!r}")
    return refund


def apply(refund: Refund, event: RefundEvent | None) -> bool:
    """Let an event happen to a refund, if its state allows it; whether anything changed."""
    status = after(REFUND_MOVES, RefundStatus(refund.status), event) if event is not None else None
    if status is None:
        return False
    refund.status = status
    return True


def refunded(session: Session, order_id: str, *statuses: RefundStatus) -> int:
    """The sum of an order's refunds in these states, in minor units."""
    of_order = select(func.sum(Refund.amount)).where(Refund.order_id == order_id, Refund.status.in_(statuses))
    return int(session.scalar(of_order) or 0)


def _expect_rest(session: Session, order: Order, amount: int) -> None:
    if order.status != OrderStatus.PAID:
        raise WrongState(f"order {order.id!r}", order.status)
    rest = order.captured - refunded(session, order.id, RefundStatus.PENDING, RefundStatus.SUCCEEDED)
    rest -= disputed(session, order.id)
    if amount > rest:
        raise TooMuch(f"refund of {amount}: {rest} is left of order {order.id!r}")


def _requested(session: Session, order_id: str, request: str) -> Refund | None:
    return session.scalars(select(Refund).where(Refund.order_id == order_id, Refund.request == request)).first()
