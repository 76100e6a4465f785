"""The whole shop: its parts on one database, and how it looks after what is in doubt."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from psp_harness.model import Headers
from psp_harness.reference.client_errors import PaymentError, RateLimited
from psp_harness.reference.shop.books import Books
from psp_harness.reference.shop.captures import Captures
from psp_harness.reference.shop.customers import Customers
from psp_harness.reference.shop.disputes import Disputes
from psp_harness.reference.shop.inbox import APPLIED, RECEIVED, Inbox
from psp_harness.reference.shop.locks import Locks, NoLocks
from psp_harness.reference.shop.orders import IN_DOUBT, Orders
from psp_harness.reference.shop.payouts import Payouts
from psp_harness.reference.shop.psp import Psp
from psp_harness.reference.shop.refunds import Refunds
from psp_harness.reference.shop.statement import statement
from psp_harness.reference.shop.states import PayoutStatus, RefundStatus
from psp_harness.reference.shop.subscriptions import Subscriptions
from psp_harness.reference.shop.tables import Customer, Dispute, Order, Payout, Refund
from psp_harness.reference.shop.telling import applying

OPEN = frozenset({*IN_DOUBT, RefundStatus.PENDING, PayoutStatus.PENDING})
"""States of which the end is not known."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The class of each part: who wants another behaviour gives a subclass of one of them."""

    books: type[Books] = Books
    orders: type[Orders] = Orders
    captures: type[Captures] = Captures
    refunds: type[Refunds] = Refunds
    payouts: type[Payouts] = Payouts
    customers: type[Customers] = Customers
    disputes: type[Disputes] = Disputes
    subscriptions: type[Subscriptions] = Subscriptions
    inbox: type[Inbox] = Inbox


@dataclass(slots=True)
class Reconciled:
    """What `reconcile` found out, and what stayed open."""

    settled: list[str] = field(default_factory=list)
    open: dict[str, str] = field(default_factory=dict)
    """By the id of an order or refund, or the name of an event: why nobody can say yet."""
    retry_after_seconds: float = 0.0
    """Where the PSP had enough of questions: how long it is not to be asked."""


class Shop:
    """One shop, on one database, with one PSP."""

    def __init__(
        self,
        database_url: str,
        psp: Psp,
        *,
        webhook_secrets: Sequence[str] = (),
        account: str = "",
        locks: Locks | None = None,
        parts: Parts = Parts(),
    ) -> None:
        """Raises `UsageError` for a database that it cannot use; migrations are applied here."""
        self._locks = locks or NoLocks()
        self._one_at_a_time = threading.Lock()
        self.books = parts.books(database_url)
        self.books.prepare()
        self.orders = parts.orders(self.books, psp)
        self.captures = parts.captures(self.orders, psp)
        self.refunds = parts.refunds(self.books, psp)
        self.payouts = parts.payouts(self.books, psp)
        self.customers = parts.customers(self.books, psp)
        self.subscriptions = parts.subscriptions(self.books, self.orders, psp)
        self.disputes = parts.disputes(self.books, psp)
        self.inbox = parts.inbox(self.books, webhook_secrets, applying(self.books), account=account)

    def close(self) -> None:
        """Give the database back."""
        self.books.close()

    def take(self, headers: Headers, body: bytes) -> str:
        """Take a webhook: write it down, then apply it. The status of the event; raises `NotBelieved`."""
        return self.apply(self.inbox.receive(headers, body))

    def apply(self, name: str) -> str:
        """Apply an event that was received; its status then."""
        status = self.inbox.apply(name)
        if status == APPLIED:
            self._apply_waiting()  # of what came too early, some may be in time now
        return status

    def reconcile(self) -> Reconciled:
        """Find out about everything that is in doubt: at the start, after a crash, and from time to time.

        Payments are read; refunds, payouts and the periods of subscriptions are read, and asked for with their own key
        where the PSP has none; events that were received are applied. What cannot be told yet stays as it is. Of
        several processes that share locks one does it at a time.
        """
        found = Reconciled()
        with self._one_at_a_time, self._locks.held("reconcile") as mine:
            if mine:
                self._settle_all(found)
                found.open |= dict.fromkeys(self._apply_waiting(), "it came too early")
        return found

    def state(self) -> dict[str, Any]:
        """Everything, as `statement` has it."""
        with self.books.snapshot() as session:
            return statement(session)

    def _apply_waiting(self) -> list[str]:
        """The names of those that still wait."""
        return [name for name in self.inbox.waiting() if self.inbox.apply(name) == RECEIVED]

    def _settle_all(self, found: Reconciled) -> None:
        for name, settle in self._doubts():
            try:
                status = settle(name).status
            except RateLimited as error:
                found.open[name] = str(error)
                found.retry_after_seconds = error.retry_after_seconds or 0.0
                return  # it would say the same of all the others
            except PaymentError as error:
                found.open[name] = str(error)
            else:
                if status in OPEN:
                    found.open[name] = f"it is {status}"
                else:
                    found.settled.append(name)

    def _doubts(self) -> Iterator[tuple[str, Callable[[str], Order | Refund | Payout | Customer | Dispute]]]:
        yield from ((order, self.subscriptions.settle) for order in self.orders.in_doubt())
        yield from ((refund, self.refunds.settle) for refund in self.refunds.in_doubt())
        yield from ((payout, self.payouts.settle) for payout in self.payouts.in_doubt())
        yield from ((customer, self.customers.settle) for customer in self.customers.in_doubt())
        yield from ((evidence, self._upload) for evidence in self.disputes.in_doubt())

    def _upload(self, evidence_id: str) -> Dispute:
        return self.disputes.get(self.disputes.settle(evidence_id).dispute_id)
