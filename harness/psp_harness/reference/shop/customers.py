"""Customers: what is personal of them stands in one row, and is written over, here first and then at the PSP.

Orders, refunds and payments stay: the law wants them kept, and they say nothing of the customer but an id.
"""

from __future__ import annotations

import secrets

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from psp_harness.reference.shop.books import Books
from psp_harness.reference.shop.psp import CustomerProvider
from psp_harness.reference.shop.refusals import NotFound, WrongState, expect_word
from psp_harness.reference.shop.states import CustomerStatus, SubscriptionStatus
from psp_harness.reference.shop.tables import Customer, Subscription

REDACTED = "Redacted"


class Customers:
    """Who buys."""

    def __init__(self, books: Books, psp: CustomerProvider) -> None:
        self._books, self._psp = books, psp

    def register(self, *, name: str, email: str, phone: str = "") -> Customer:
        """A customer, here and at the PSP. Raises `Invalid`, and what `client_errors` names; then it is here alone."""
        with self._books.transaction() as session:
            customer = Customer(
                id=f"cus_{secrets.token_hex(12)}",
                name=expect_word("name", name),
                email=expect_word("email", email),
                phone=phone,
                status=CustomerStatus.ACTIVE,
            )
            session.add(customer)
        self._psp.create_customer(customer.id, name=name, email=email, phone=phone)
        return customer

    def redact(self, customer_id: str) -> Customer:
        """Forget what is personal, and end what the customer subscribed to. Raises `NotFound`, and `client_errors`.

        What is here is gone before the PSP is told; if that does not come about, `settle` tells it again.
        """
        with self._books.transaction() as session:
            customer = locked(session, customer_id)
            if customer.status == CustomerStatus.ACTIVE:
                customer.name = customer.email = customer.phone = REDACTED
                customer.status = CustomerStatus.REDACTING
            theirs = update(Subscription).where(Subscription.customer_id == customer_id)
            session.execute(theirs.values(status=SubscriptionStatus.CANCELLED, method=REDACTED))
        return self.settle(customer_id) if customer.status == CustomerStatus.REDACTING else customer

    def settle(self, customer_id: str) -> Customer:
        """Tell the PSP to forget a customer, and write down that it has."""
        self._psp.delete_customer(customer_id)
        with self._books.transaction() as session:
            customer = locked(session, customer_id)
            customer.status = CustomerStatus.REDACTED
        return customer

    def in_doubt(self) -> list[str]:
        """Those whom the PSP may still know."""
        with self._books.transaction() as session:
            redacting = select(Customer.id).where(Customer.status == CustomerStatus.REDACTING)
            return list(session.scalars(redacting.order_by(Customer.id)))


def locked(session: Session, customer_id: str) -> Customer:
    """The customer's row, which nobody else changes until the transaction ends; raises `NotFound`."""
    customer = session.get(Customer, customer_id, with_for_update=True)
    if customer is None:
        raise NotFound(f"there is no customer {customer_id!r}")
    return customer


def expect_active(session: Session, customer_id: str) -> Customer:
    """A customer who may be charged; raises `NotFound`, and `WrongState` for one who was redacted."""
    customer = locked(session, customer_id)
    if customer.status != CustomerStatus.ACTIVE:
        raise WrongState(f"customer {customer_id!r}", customer.status)
    return customer
