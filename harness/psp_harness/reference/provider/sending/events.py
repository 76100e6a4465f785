"""Which events the books come to: one for each change of state that the PSP tells of. Pure.

An event's id, time and body follow from the entries alone, so that every process that shares the books, and one that
was killed and started again, tells the same event by the same id.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from psp_harness.profile import Webhooks
from psp_harness.reference.provider.disputes import of_dispute
from psp_harness.reference.provider.ledger import Entry
from psp_harness.reference.provider.standing import moments_of, of_payment, of_refund
from psp_harness.reference.provider.states import PaymentStatus, RefundStatus

PAYMENT_TOLD_OF: Mapping[str, tuple[str, ...]] = {
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
    """The payment, the refund, …"""
    amount: int
    """Minor units."""
    captured: int = 0
    """Of a payment, so far."""


@dataclass(frozen=True, slots=True)
class State:
    """How something stands, as far as it is told."""

    told: tuple[str, ...]
    """As which event; the first for which the PSP has one."""
    amount: int
    captured: int = 0


Reader = Callable[[Entry, Sequence[Entry], float], State]
"""How an entry stands, from what is entered of it later (of a dispute: of its payment), at a time."""


def events_of(entries: Iterable[Entry], webhooks: Webhooks, further: Mapping[str, Reader]) -> list[Event]:
    """Every event of these books, also those that time alone will bring, in the order of their times.

    One of a kind for each thing that it can happen to, ever: a second capture of a part is not told again.
    `further`: how those kinds of entries stand that not every PSP has.
    """
    told: dict[str, Event] = {}
    for about, at, state in _states(list(entries), {**READERS, **further}):
        event = _event(about, at, state, webhooks)
        if event is not None:
            told.setdefault(event.id, event)
    return sorted(told.values(), key=lambda event: event.at)


def _event(about: Entry, at: float, state: State, webhooks: Webhooks) -> Event | None:
    means = next((each for each in state.told if each in webhooks.events), None)
    if means is None:
        return None
    name = "\0".join((about.tenant, about.name, repr(about.created), means))
    id_ = f"evt_{hashlib.sha256(name.encode()).hexdigest()[:32]}"
    return Event(id_, means, at, about, state.amount, state.captured)


def _states(entries: Sequence[Entry], readers: Mapping[str, Reader]) -> Iterator[tuple[Entry, float, State]]:
    later: defaultdict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        later[entry.tenant, entry.of].append(entry)
    for entry in entries:
        if reader := readers.get(entry.kind):
            above = entry.of if entry.kind == "dispute" else entry.name
            yield from _of_one(entry, later[entry.tenant, above], reader)


def _of_one(about: Entry, later: Sequence[Entry], reader: Reader) -> Iterator[tuple[Entry, float, State]]:
    """Each time that it is told as something else: when it is made, by a later entry, or by time alone."""
    moments = [at for entry in (about, *later) for at in moments_of(entry)]
    by_entry = [(about.created, 0), *((entry.created, number) for number, entry in enumerate(later, 1))]
    by_time = [(at, sum(entry.created <= at for entry in later)) for at in moments]
    before: tuple[str, ...] | None = None
    for at, known in sorted(by_entry + by_time):
        if at < about.created:
            continue
        state = reader(about, later[:known], at)
        if state.told != before:
            yield about, at, state
        before = state.told


def _payment(payment: Entry, later: Sequence[Entry], now: float) -> State:
    standing = of_payment(payment, later, now)
    return State(PAYMENT_TOLD_OF.get(standing.status, ()), standing.amount, standing.captured)


def _refund(refund: Entry, _: Sequence[Entry], now: float) -> State:
    return State(REFUND_TOLD_OF.get(of_refund(refund, now), ()), refund.amount)


def _dispute(dispute: Entry, later: Sequence[Entry], now: float) -> State:
    return State((f"dispute-{of_dispute(dispute, later, now).status}",), dispute.amount)


READERS: Mapping[str, Reader] = {"payment": _payment, "refund": _refund, "dispute": _dispute}
"""By kind of entry."""
