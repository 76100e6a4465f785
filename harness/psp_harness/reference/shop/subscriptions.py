"""Subscriptions: the payment of each period is an order, placed once and paid once, under that order's id as key.

So there is no second way to money beside `Orders.pay`: what guards one payment guards all of them. The customer is
away when a period is charged, so it is the shop that asks again where it is certain that the PSP did nothing.
"""

from __future__ import annotations

import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from psp_harness.reference.shop.books import Books
from psp_harness.reference.shop.customers import expect_active
from psp_harness.reference.shop.orders import Orders
from psp_harness.reference.shop.psp import PaymentProvider
from psp_harness.reference.shop.refusals import Conflict, NotFound, WrongState, expect_amount, expect_word
from psp_harness.reference.shop.states import OrderStatus, SubscriptionStatus
from psp_harness.reference.shop.tables import Order, Subscription

OF = ":"
"""Between a subscription and a period, in the checkout of the order of that period; no id of ours has one."""


class Subscriptions:
    """What is paid again and again."""

    def __init__(self, books: Books, orders: Orders, psp: PaymentProvider) -> None:
        self._books, self._orders, self._psp = books, orders, psp

    def subscribe(self, request: str, *, customer_id: str, amount: int, currency: str, method: str) -> Subscription:
        """A subscription of `amount` minor units for each period; the same `request` is the same one.

        Raises `Invalid`, `NotFound`, `WrongState` for a customer who was redacted, and `Conflict`.
        """
        wanted = (customer_id, expect_amount(amount), expect_word("currency", currency).upper())
        with self._books.transaction() as session:
            expect_active(session, customer_id)
            self._books.add_once(
                session,
                Subscription,
                id=f"sub_{secrets.token_hex(12)}",
                request=expect_word("request", request),
                **dict(zip(("customer_id", "amount", "currency"), wanted, strict=True)),
                method=expect_word("method", method),
                status=SubscriptionStatus.ACTIVE,
            )
            made = session.scalars(select(Subscription).where(Subscription.request == request)).one()
        if (made.customer_id, made.amount, made.currency) != wanted:
            raise Conflict(f"subscription {request!r} was asked for before, of {made.amount} {made.currency}")
        return made

    def charge(self, subscription_id: str, period: str) -> Order:
        """The payment of a period, such as `2026-11`. Raises what `due` and `collect` do."""
        return self.collect(subscription_id, self.due(subscription_id, period).id)

    def due(self, subscription_id: str, period: str) -> Order:
        """The order of a period: the same one, whoever asks for it. Raises `NotFound`, and `WrongState` if it ended."""
        subscription = self._active(subscription_id)
        return self._orders.place_order(
            f"{subscription_id}{OF}{expect_word('period', period)}",
            amount=subscription.amount,
            currency=subscription.currency,
            customer_id=subscription.customer_id,
        )

    def collect(self, subscription_id: str, order_id: str) -> Order:
        """Ask the PSP for the money of a period that is due. Raises as `Orders.pay` does."""
        subscription = self._active(subscription_id)
        return self._orders.pay(
            order_id,
            lambda order: self._psp.create_subscription_payment(
                order.id,
                amount=order.amount,
                currency=order.currency,
                customer_id=subscription.customer_id,
                method=subscription.method,
            ),
        )

    def settle(self, order_id: str) -> Order:
        """Find out about an order in doubt; a period that the PSP does not know is asked for with its own key.

        Any other order that it does not know is left to its customer. Raises as `Orders.settle` and `collect` do, but
        not where the subscription ended or somebody else asks.
        """
        order = self._orders.settle(order_id)
        with self._books.transaction() as session:
            subscription_id = subscription_of(session, order)
        if order.status != OrderStatus.CREATED or subscription_id is None:
            return order
        try:
            return self.collect(subscription_id, order_id)
        except WrongState:
            return self._orders.get(order_id)

    def cancel(self, subscription_id: str) -> Subscription:
        """End it: no period of it is charged from now on. Again is no error; raises `NotFound`."""
        with self._books.transaction() as session:
            subscription = _locked(session, subscription_id)
            subscription.status = SubscriptionStatus.CANCELLED
        return subscription

    def _active(self, subscription_id: str) -> Subscription:
        with self._books.transaction() as session:
            subscription = _locked(session, subscription_id)
        if subscription.status != SubscriptionStatus.ACTIVE:
            raise WrongState(f"subscription {subscription_id!r}", subscription.status)
        return subscription


def subscription_of(session: Session, order: Order) -> str | None:
    """The id of the subscription whose period an order is, if it is one."""
    name, separator, _ = order.checkout.partition(OF)
    return name if separator and session.get(Subscription, name) is not None else None


def _locked(session: Session, subscription_id: str) -> Subscription:
    subscription = session.get(Subscription, subscription_id, with_for_update=True)
    if subscription is None:
        raise NotFound(f"there is no subscription {subscription_id!r}")
    return subscription
