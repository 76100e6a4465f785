"""Which events the books come to: one for each change of state that the PSP tells of. Pure.

An event's id, time and body follow from the entries alone, so that every process that shares the books, and one that
was killed and started again, tells the same event by the same id.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from psp_harness.profile import Webhooks
from psp_harness.reference.provider.ledger import Entry
from psp_harness.reference.provider.standing import moments_of, of_payment, of_refund
from psp_harness.reference.provider.states import PaymentStatus, RefundStatus

TOLD_OF: Mapping[str, tuple[str, ...]] = {
    PaymentStatus.PROCESSING: ("payment-processing",),
    PaymentStatus.AUTHORIZED: ("payment-authorized",),
    PaymentStatus.SUCCEEDED: ("payment-succeeded",),
    PaymentStatus.PARTIALLY_CAPTURED: ("payment-captured", "payment-succeeded"),
    PaymentStatus.CAPTURABLE: ("payment-captured",),
    PaymentStatus.CANCELLED: ("payment-cancelled",),
    PaymentStatus.FAILED: ("payment-failed",),
}
"""What a payment's new state is told as; the first for which the PSP has an event, or nothing. That it waits for the
shop is told by none."""

REFUND_TOLD_OF: Mapping[str, tuple[str, ...]] = {
    RefundStatus.SUCCEEDED: ("refund-succeeded",),
    RefundStatus.FAILED: ("refund-failed",),
}
"""What a refund's new state is told as. That one is pending is told by no PSP here."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to what the entry is about."""

    id: str
    means: str
    """`payment-succeeded`, …"""
    at: float
    """Seconds since 1970, of the provider's clock."""
    about: Entry
    """The payment, or the refund."""
    amount: int
    """Minor units."""
    captured: int = 0
    """Of a payment, so far."""


def events_of(entries: Iterable[Entry], webhooks: Webhooks) -> list[Event]:
    """Every event of these books, also those that time alone will bring, in the order of their times."""
    told = [_event(state, webhooks) for state in _states(list(entries))]
    return sorted((event for event in told if event is not None), key=lambda event: event.at)


@dataclass(frozen=True, slots=True)
class _State:
    """How something began to stand."""

    about: Entry
    at: float
    told: tuple[str, ...]
    amount: int
    captured: int = 0


def _event(state: _State, webhooks: Webhooks) -> Event | None:
    means = next((each for each in state.told if each in webhooks.events), None)
    if means is None:
        return None
    about = state.about
    name = "\0".join((about.tenant, about.name, repr(about.created), means))
    id_ = f"evt_{hashlib.sha256(name.encode()).hexdigest()[:32]}"
    return Event(id_, means, state.at, about, state.amount, state.captured)


def _states(entries: Sequence[Entry]) -> Iterator[_State]:
    later: defaultdict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        later[entry.tenant, entry.of].append(entry)
    for entry in entries:
        if entry.kind == "payment":
            yield from _of_a_payment(entry, later[entry.tenant, entry.name])
        elif entry.kind == "refund":
            yield from _of_a_refund(entry)


def _of_a_payment(payment: Entry, later: Sequence[Entry]) -> Iterator[_State]:
    """Each time that its status becomes another: when it is made, by a later entry, or by time alone."""
    by_entry = [(payment.created, 0), *((entry.created, number) for number, entry in enumerate(later, 1))]
    moments = [at for entry in (payment, *later) for at in moments_of(entry)]
    by_time = [(at, sum(entry.created <= at for entry in later)) for at in moments]
    before: PaymentStatus | None = None
    for at, known in sorted(by_entry + by_time):
        standing = of_payment(payment, later[:known], at)
        if standing.status is not before:
            yield _State(payment, at, TOLD_OF.get(standing.status, ()), standing.amount, standing.captured)
        before = standing.status


def _of_a_refund(refund: Entry) -> Iterator[_State]:
    before: RefundStatus | None = None
    for at in (refund.created, *moments_of(refund)):
        status = of_refund(refund, at)
        if status is not before:
            yield _State(refund, at, REFUND_TOLD_OF.get(status, ()), refund.amount)
        before = status
