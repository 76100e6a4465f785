"""What there is to judge of a receiver: what was delivered, what it answered, and what it did with the order.

Nothing here decides what is right. Everything is attributed by the order's id: what a webhook was about is known from
the case, never read from its bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from psp_harness.model import Delivery, Effect, Exchange, History, Intent, Order, Refused
from psp_harness.profile import Profile
from psp_harness.vocabulary import JUNK

PAID, REFUNDED = "order-paid", "order-refunded"
"""Kinds of effect: the shop ships, or books that money went back."""

MEANS_PAID = frozenset({"paid", "succeeded", "captured", "fulfilled", "shipped"})
"""States in which a customer has paid, in words that say nothing else."""

MEANS_UNPAID = frozenset(
    {"pending", "unpaid", "failed", "declined", "expired", "void", "voided", "cancelled", "canceled", "refunded"}
)
"""States in which nothing is sent. A word that is in neither proves nothing: `processing`, `open`, `new` and `complete`
mean both, for an order may be complete before it is paid, and open when it is.
"""


@dataclass(frozen=True, slots=True)
class Delivered:
    """One webhook, each time that it was delivered, and what was done with its order in the whole case."""

    delivery: Delivery
    attempts: tuple[Exchange, ...]
    effects: tuple[Effect, ...] | None
    """Of its order; None: unknown."""
    body: str
    """How its bytes were written, if in an unusual way."""
    state: str = ""
    """What the receiver calls the order in the end, in small letters; empty: it does not say."""

    @property
    def exchanges(self) -> tuple[int, ...]:
        return tuple(x.number for x in self.attempts)

    @property
    def marked_paid(self) -> bool:
        """The order was open, and in the end it is paid, by the receiver's own word."""
        return self.delivery.order.status == "pending" and self.state in MEANS_PAID

    @property
    def answered(self) -> tuple[int, ...]:
        """The statuses, in order."""
        return tuple(x.answer.status for x in self.attempts if x.answer is not None)

    @property
    def said(self) -> str:
        """What it was answered last, in words."""
        return f"answered {self.answered[-1]}" if self.answered else "not answered"

    @property
    def acknowledged(self) -> bool:
        """A 2xx was seen."""
        return any(x.seen is not None and x.seen.accepted for x in self.attempts)

    @property
    def done(self) -> int:
        """How often the effect of such an event was seen on its order."""
        kind = REFUNDED if self.delivery.event.startswith("refund") else PAID
        return len([e for e in self.effects or () if e.kind == kind])


@dataclass(frozen=True, slots=True)
class Again:
    """An event that was delivered more than once, and what was done with its order."""

    deliveries: tuple[Delivered, ...]
    at_once: bool
    """Two of them were in flight at one moment, as the recorded times show."""
    late: bool
    """The receiver's clock was advanced between two of them."""

    @property
    def exchanges(self) -> tuple[int, ...]:
        return tuple(number for each in self.deliveries for number in each.exchanges)

    @property
    def first(self) -> Delivered:
        """What was delivered first."""
        return self.deliveries[0]


@dataclass(frozen=True, slots=True)
class Booked:
    """What a receiver booked on one order, of one kind; and which amounts the PSP told of it."""

    order: Order
    kind: str
    effects: tuple[Effect, ...]
    told: tuple[int, ...]
    """In the order in which they were told."""
    exchanges: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """An order, every webhook about it, and what the receiver says that it is in the end."""

    order: Order
    told: tuple[Delivered, ...]
    state: str
    """In small letters."""

    @property
    def exchanges(self) -> tuple[int, ...]:
        return tuple(number for each in self.told for number in each.exchanges)


def delivered(history: History, profile: Profile) -> Iterator[Delivered]:
    """Every webhook that reached the receiver, or that it refused to be started for."""
    for intent in history.intents:
        if intent.delivery is not None:
            found = _delivered(history, intent, intent.delivery)
            if found.attempts or isinstance(history.outcomes.get(intent.step), Refused):
                yield found


def _delivered(history: History, intent: Intent, delivery: Delivery) -> Delivered:
    effects, state = _about(history, delivery), history.states.get(delivery.order.id, "").lower()
    return Delivered(delivery, history.attempts(intent), effects, intent.manner.body, state)


def _about(history: History, delivery: Delivery) -> tuple[Effect, ...] | None:
    """What was done with its order; of several refunds each has its own, which its amount tells from the others'."""
    effects = effects_of(history, delivery.order)
    if effects is None or delivery.event != "refund-succeeded":
        return effects
    told = (i.delivery for i in history.intents if i.delivery and i.delivery.order == delivery.order)
    others = {each.amount for each in told if each.event == delivery.event} - {delivery.amount}
    return tuple(e for e in effects if e.kind != REFUNDED or e.amount not in others)


def effects_of(history: History, order: Order) -> tuple[Effect, ...] | None:
    """What was done with an order; None where nobody can say."""
    if history.effects is None:
        return None
    return tuple(effect for effect in history.effects if order.id in {effect.id, effect.reference})


def forged(history: History, profile: Profile) -> Iterator[Delivered]:
    """Webhooks that the PSP did not send, about orders of which it told nothing else."""
    told = {i.delivery.order.id for i in history.intents if i.delivery is not None and i.delivery.genuine}
    for each in delivered(history, profile):
        if each.delivery.forged and each.delivery.order.id not in told:
            yield each


def genuine(history: History, profile: Profile) -> Iterator[Delivered]:
    """First deliveries of what the PSP sent, which fit an order that it may be told of."""
    seen: set[str] = set()
    for each in delivered(history, profile):
        fresh = each.delivery.event_id not in seen
        seen.add(each.delivery.event_id)
        if each.delivery.genuine and fresh and fits(each.delivery):
            yield each


def fits(delivery: Delivery) -> bool:
    """What the event says is what the order says, and it is of its own payment, of this shop and this mode."""
    order = delivery.order
    money = delivery.event.startswith("refund") or delivery.amount == order.amount
    return (
        money
        and not delivery.duplicate
        and (delivery.currency, delivery.tenant, delivery.mode) == (order.currency, order.tenant, "test")
    )


def plain(history: History, profile: Profile) -> Iterator[Delivered]:
    """Those that nothing is in the way of: a fault, a crash, a copy in flight, an order or payment still to come."""
    at_once = [event for moment in moments_of(history) for event in moment if moment.count(event) > 1]
    for each in genuine(history, profile):
        told = each.delivery
        waits = told.until_acknowledged or not told.order.known or is_early(history, each) or told.event_id in at_once
        if each.answered and told.ends is None and not waits and each.attempts[0].fault is None:
            yield each


def booked(history: History, profile: Profile) -> Iterator[Booked]:
    """What was booked on each order of which nothing but what fits was told; payments, and money that went back."""
    misfits = {each.delivery.order.id for each in delivered(history, profile) if not _may_be_booked(each.delivery)}
    events = list(genuine(history, profile))
    for order in (each for each in history.orders if each.id not in misfits):
        for kind, means in ((PAID, "payment-succeeded"), (REFUNDED, "refund-succeeded")):
            mine = [each for each in events if each.delivery.order == order and each.delivery.event == means]
            done = tuple(e for e in effects_of(history, order) or () if e.kind == kind)
            if mine and done:
                told = tuple(each.delivery.amount for each in mine)
                yield Booked(order, kind, done, told, tuple(n for each in mine for n in each.exchanges))


def _may_be_booked(delivery: Delivery) -> bool:
    return delivery.genuine and fits(delivery)


def moments_of(history: History) -> list[list[str]]:
    """The events that were released together, by their ids."""
    grouped: dict[int, list[str]] = {}
    for intent in history.intents:
        if intent.delivery is not None:
            grouped.setdefault(intent.moment, []).append(intent.delivery.event_id)
    return list(grouped.values())


def is_early(history: History, event: Delivered) -> bool:
    """It tells of a refund whose payment was told of later."""
    if not event.delivery.event.startswith("refund"):
        return False
    names = [i.delivery.event for i in history.intents if i.delivery and i.delivery.order == event.delivery.order]
    return "payment-succeeded" not in names[: names.index(event.delivery.event)]


def crashes(history: History, event: Delivered) -> list[float]:
    """After how many seconds its receiver was ended, each time."""
    mine = [i.delivery for i in history.intents if i.delivery and i.delivery.event_id == event.delivery.event_id]
    return [each.ends for each in mine if each.ends is not None]


def strange(history: History, profile: Profile) -> Iterator[Delivered]:
    """What the PSP sent, and does not fit the order that it names."""
    for each in delivered(history, profile):
        if each.delivery.genuine and not fits(each.delivery):
            yield each


def junk(history: History, profile: Profile) -> Iterator[Delivered]:
    """What is not even well formed: the line of the signature may be missing, too."""
    return (
        each for each in delivered(history, profile) if each.delivery.forged in {"unsigned", *JUNK} and each.answered
    )


def again(history: History, profile: Profile) -> Iterator[Again]:
    """Events of which the PSP told more than once, each time with the same id."""
    by_event: dict[str, list[Delivered]] = {}
    at: dict[str, set[float]] = {}
    for intent in history.intents:
        told = intent.delivery
        if told is not None and told.genuine and fits(told) and history.attempts(intent):
            by_event.setdefault(told.event_id, []).append(_delivered(history, intent, told))
            at.setdefault(told.event_id, set()).add(intent.at)
    for event, group in by_event.items():
        if sum(len(each.attempts) for each in group) > 1:
            every = [x for each in group for x in each.attempts if x.answer is not None]
            at_once = any(one.overlaps(other) for one, other in combinations(every, 2))
            yield Again(tuple(group), at_once, len(at[event]) > 1)


def ends(history: History, profile: Profile) -> Iterator[Ended]:
    """Orders of which the receiver says what they are."""
    told = list(delivered(history, profile))
    for order in history.orders:
        mine = tuple(each for each in told if each.delivery.order == order)
        if order.id in history.states and mine:
            yield Ended(order, mine, history.states[order.id].lower())
