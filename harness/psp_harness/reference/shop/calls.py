"""What can be asked of the shop over HTTP: a JSON object in, a call of one of its parts, a status and an object out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from psp_harness.reference.shop.answers import created, there
from psp_harness.reference.shop.polling import poll
from psp_harness.reference.shop.psp import Capture
from psp_harness.reference.shop.refusals import Invalid, NotFound, WrongState
from psp_harness.reference.shop.shop import OPEN, Shop
from psp_harness.reference.shop.statement import (
    of_customer,
    of_dispute,
    of_order,
    of_payout,
    of_refund,
    of_subscription,
)
from psp_harness.reference.shop.tables import Order

Body = Mapping[str, Any]
Told = tuple[int, Mapping[str, Any]]


def pay(shop: Shop, body: Body) -> Told:
    """The order of a checkout, confirmed: whoever submits it again is told how it stands."""
    order = shop.orders.place_order(
        body.get("checkout", ""),
        amount=body.get("amount", 0),
        currency=_text(body, "currency"),
        capture=_capture(body),
    )
    try:
        shop.orders.confirm_order(order.id, payment_token=body.get("payment_token"))
    except WrongState:
        return there(order_of(shop, order.id))
    return created(order_of(shop, order.id))


def capture(shop: Shop, body: Body) -> Told:
    """The money of an authorised order, taken."""
    order = shop.captures.capture_order(_text(body, "order_id"), amount=body.get("amount"))
    return there(order_of(shop, order.id))


def void(shop: Shop, body: Body) -> Told:
    """An order given up, before its money was taken."""
    return there(order_of(shop, shop.captures.cancel_order(_text(body, "order_id")).id))


def refund(shop: Shop, body: Body) -> Told:
    """A refund, made: whoever asks for it again is told how it stands."""
    asked = {"request": _text(body, "request"), "amount": body.get("amount", 0)}
    return created(of_refund(shop.refunds.refund_order(_text(body, "order_id"), **asked)))


def pay_out(shop: Shop, body: Body) -> Told:
    """A payout, made: whoever asks for it again is told how it stands."""
    asked = {"amount": body.get("amount", 0), **{name: _text(body, name) for name in ("currency", "destination")}}
    return created(of_payout(shop.payouts.pay_out(_text(body, "request"), **asked)))


def register(shop: Shop, body: Body) -> Told:
    """A customer."""
    said = {name: _text(body, name) for name in ("name", "email", "phone")}
    return 201, of_customer(shop.customers.register(**said))


def redact(shop: Shop, customer_id: str) -> Told:
    """What is personal of a customer, gone."""
    return 200, of_customer(shop.customers.redact(customer_id))


def subscribe(shop: Shop, body: Body) -> Told:
    """A subscription: whoever asks for it again is told how it stands."""
    asked = {name: _text(body, name) for name in ("customer_id", "currency", "method")}
    return 201, of_subscription(
        shop.subscriptions.subscribe(_text(body, "request"), amount=body.get("amount", 0), **asked)
    )


def charge(shop: Shop, body: Body) -> Told:
    """One period of a subscription, paid: whoever asks for it again is told how it stands."""
    order_id, subscription_id = "", _text(body, "subscription_id")
    try:
        order_id = shop.subscriptions.due(subscription_id, _text(body, "period")).id
        shop.subscriptions.collect(subscription_id, order_id)
    except WrongState:
        if not order_id:
            raise
        return there(order_of(shop, order_id))
    return created(order_of(shop, order_id))


def end(shop: Shop, subscription_id: str) -> Told:
    """A subscription, ended."""
    return 200, of_subscription(shop.subscriptions.cancel(subscription_id))


def challenge(shop: Shop, body: Body) -> Told:
    """A dispute, answered with what was attached to it."""
    return 200, of_dispute(shop.disputes.challenge(_text(body, "dispute_id")))


def accept(shop: Shop, body: Body) -> Told:
    """A dispute, accepted: the customer has the money."""
    return 200, of_dispute(shop.disputes.accept(_text(body, "dispute_id")))


def dispute_of(shop: Shop, dispute_id: str) -> Told:
    """A dispute as it stands."""
    return 200, of_dispute(shop.disputes.get(dispute_id))


def reconcile(shop: Shop, _: Body) -> Told:
    """What is in doubt, looked after."""
    return 200, asdict(shop.reconcile())


def decided(shop: Shop, order_id: str, seconds: float) -> Told:
    """An order; while its end is open, the PSP is asked again, for so long."""
    if seconds and order_of(shop, order_id)["status"] in OPEN:
        poll(lambda: shop.orders.settle(order_id), lambda order: order.status not in OPEN, within_seconds=seconds)
    return there(order_of(shop, order_id))


def refund_of(shop: Shop, refund_id: str) -> Told:
    """A refund as it stands."""
    return there(of_refund(shop.refunds.get(refund_id)))


def payout_of(shop: Shop, payout_id: str) -> Told:
    """A payout as it stands."""
    return there(of_payout(shop.payouts.get(payout_id)))


def ready(shop: Shop, _: str) -> Told:
    """Whether its database answers."""
    try:
        with shop.books.transaction() as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        return 503, {"database": False, "message": type(error).__name__}
    return 200, {"database": True}


def order_of(shop: Shop, order_id: str) -> Mapping[str, Any]:
    """An order as it stands; raises `NotFound`."""
    with shop.books.snapshot() as session:
        order = session.get(Order, order_id)
        if order is None:
            raise NotFound(f"there is no order {order_id!r}")
        return of_order(session, order)


def _capture(body: Body) -> Capture:
    match body.get("capture", "automatic"):
        case "automatic":
            return "automatic"
        case "manual":
            return "manual"
        case other:
            raise Invalid(f"capture {other!r}: expected 'automatic' or 'manual'")


def _text(body: Body, name: str) -> str:
    return str(body.get(name, ""))
