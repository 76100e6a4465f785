"""What an event does to what it is of: what does not fit does nothing, and nothing goes back.

Orders and refunds are found by ids of the shop's own, which the PSP was given; a refund that the PSP made by itself (at
its dashboard, say) gets a row here, once, by the UNIQUE index on what the PSP calls it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from psp_harness.reference.shop import disputes, orders, payouts, refunds
from psp_harness.reference.shop.books import Books
from psp_harness.reference.shop.events import Event
from psp_harness.reference.shop.inbox import Applies, DoesNotFit, TooEarly
from psp_harness.reference.shop.states import DisputeStatus, OrderEvent, OrderStatus, RefundStatus
from psp_harness.reference.shop.tables import Dispute, Order, Payout, Refund


def applying(books: Books) -> Mapping[str, Applies]:
    """By what an event is of."""
    return {
        "payment": _payment,
        "refund": lambda session, event: _refund(books, session, event),
        "payout": _payout,
        "dispute": lambda session, event: _dispute(books, session, event),
    }


def _payment(session: Session, event: Event) -> None:
    order = _order(session, event.about)
    _expect(event, order.amount, order.currency)
    captured, status = event.facts.get("amount_received"), str(event.facts.get("status"))
    if status == "partially_captured" and captured is None:
        raise DoesNotFit("it does not say how much was captured: the payment is read instead")
    says = orders.SAYS.get(status, OrderEvent.PROCESS)
    orders.apply(order, says, captured if isinstance(captured, int) else order.amount)


def _refund(books: Books, session: Session, event: Event) -> None:
    order = _order(session, str(event.facts.get("payment_id")))
    own = session.get(Refund, event.about, with_for_update=True)
    refund = own or _adopted(books, session, event, order)
    if refund.order_id != order.id:
        raise DoesNotFit(f"refund {refund.id!r} is of order {refund.order_id!r}")
    _expect(event, refund.amount, order.currency)
    refund.psp_id = event.about
    refunds.apply(refund, refunds.SAYS.get(str(event.facts.get("status"))))


def _adopted(books: Books, session: Session, event: Event, order: Order) -> Refund:
    """The row of a refund that the shop did not ask for. The index lets there be one."""
    amount = event.amount()
    if order.status != OrderStatus.PAID:
        raise TooEarly(f"a refund of order {order.id!r}, which is {order.status}")
    if not isinstance(amount, int) or amount <= 0:
        raise DoesNotFit(f"a refund of {amount!r}")
    own = f"ref_{secrets.token_hex(12)}"
    new = books.add_once(
        session,
        Refund,
        id=own,
        order_id=order.id,
        request=f"psp:{own}",
        amount=amount,
        status=RefundStatus.PENDING,
        psp_id=event.about,
    )
    found = Refund.id == own if new else Refund.psp_id == event.about
    return session.scalars(select(Refund).where(found).with_for_update()).one()


def _payout(session: Session, event: Event) -> None:
    payout = session.get(Payout, event.about, with_for_update=True)
    if payout is None:
        raise DoesNotFit(f"there is no payout {event.about!r}")
    _expect(event, payout.amount, payout.currency)
    payouts.apply(payout, payouts.SAYS.get(str(event.facts.get("status"))))


def _dispute(books: Books, session: Session, event: Event) -> None:
    order = _order(session, str(event.facts.get("payment_id")))
    amount = event.amount()
    if not order.captured:
        raise TooEarly(f"a dispute of order {order.id!r}, which is {order.status}")
    if not isinstance(amount, int) or not 0 < amount <= order.captured:
        raise DoesNotFit(f"a dispute of {amount!r}, where {order.captured} was captured")
    opened = {"order_id": order.id, "amount": amount, "status": DisputeStatus.OPENED}
    books.add_once(session, Dispute, id=event.about, **opened)
    dispute = disputes.locked(session, event.about)
    if dispute.order_id != order.id:
        raise DoesNotFit(f"dispute {dispute.id!r} is of order {dispute.order_id!r}")
    _expect(event, dispute.amount, order.currency)
    disputes.apply(dispute, disputes.SAYS.get(str(event.facts.get("dispute_status"))))


def _order(session: Session, order_id: str) -> Order:
    order = session.get(Order, order_id, with_for_update=True)
    if order is None:
        raise DoesNotFit(f"there is no order {order_id!r}")
    return order


def _expect(event: Event, amount: int, currency: str) -> None:
    said = (event.amount(), str(event.facts.get("currency")).upper())
    if said != (amount, currency):
        raise DoesNotFit(f"it says {said[0]!r} {said[1]}, the shop knows {amount} {currency}")
