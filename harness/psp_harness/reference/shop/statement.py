"""What the books say, for people and for whoever holds them against the PSP's."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from psp_harness.reference.shop.disputes import disputed
from psp_harness.reference.shop.orders import IN_DOUBT
from psp_harness.reference.shop.refunds import refunded
from psp_harness.reference.shop.states import OrderStatus, RefundStatus
from psp_harness.reference.shop.subscriptions import subscription_of
from psp_harness.reference.shop.tables import Customer, Dispute, Order, Payout, Refund, Subscription

_OPEN = {*IN_DOUBT, OrderStatus.AUTHORISED}


def statement(session: Session) -> dict[str, Any]:
    """Every order, refund, payout and dispute; amounts in minor units."""
    return {
        "orders": [of_order(session, order) for order in session.scalars(select(Order).order_by(Order.id))],
        "refunds": [of_refund(refund) for refund in session.scalars(select(Refund).order_by(Refund.id))],
        "payouts": [of_payout(payout) for payout in session.scalars(select(Payout).order_by(Payout.id))],
        "disputes": [of_dispute(dispute) for dispute in session.scalars(select(Dispute).order_by(Dispute.id))],
    }


def of_order(session: Session, order: Order) -> dict[str, Any]:
    """An order: what was `captured`, what was `refunded` of that or is `disputed`, and what is `in_doubt`.

    `subscription_id` is null where it is no period of one.
    """
    open_ = OrderStatus(order.status) in _OPEN
    return {
        "id": order.id,
        "checkout": order.checkout,
        "subscription_id": subscription_of(session, order),
        "amount": order.amount,
        "currency": order.currency,
        "status": order.status,
        "captured": order.captured,
        "refunded": refunded(session, order.id, RefundStatus.SUCCEEDED),
        "disputed": disputed(session, order.id),
        "in_doubt": order.amount if open_ else refunded(session, order.id, RefundStatus.PENDING),
    }


def of_refund(refund: Refund) -> dict[str, Any]:
    """A refund; `psp_id` is what the PSP calls it, null as long as it has not said so."""
    return {
        "id": refund.id,
        "order_id": refund.order_id,
        "request": refund.request,
        "amount": refund.amount,
        "status": refund.status,
        "psp_id": refund.psp_id,
    }


def of_payout(payout: Payout) -> dict[str, Any]:
    """A payout; not where it went."""
    return {
        "id": payout.id,
        "request": payout.request,
        "amount": payout.amount,
        "currency": payout.currency,
        "status": payout.status,
    }


def of_customer(customer: Customer) -> dict[str, Any]:
    """A customer, by an id and a status: nothing personal is said again."""
    return {"id": customer.id, "status": customer.status}


def of_subscription(subscription: Subscription) -> dict[str, Any]:
    """A subscription; not how it is paid."""
    return {
        "id": subscription.id,
        "request": subscription.request,
        "customer_id": subscription.customer_id,
        "amount": subscription.amount,
        "currency": subscription.currency,
        "status": subscription.status,
    }


def of_dispute(dispute: Dispute) -> dict[str, Any]:
    """A dispute; its id is the PSP's."""
    return {"id": dispute.id, "order_id": dispute.order_id, "amount": dispute.amount, "status": dispute.status}
