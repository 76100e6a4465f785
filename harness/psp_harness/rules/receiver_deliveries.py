"""Receivers do once what they are told often, and say yes to nothing that they could still lose."""

from __future__ import annotations

from collections.abc import Iterator

from psp_harness.model import History, Level, Role
from psp_harness.profile import Profile
from psp_harness.rules import rule
from psp_harness.rules.of_receivers import Again, Delivered, again, crashes, genuine, is_early, plain

_STANDARD = "Standard Webhooks 1.0.0"


def _in_sequence(history: History, profile: Profile) -> Iterator[Again]:
    return (each for each in again(history, profile) if not each.at_once and not each.late)


def _at_once(history: History, profile: Profile) -> Iterator[Again]:
    return (each for each in again(history, profile) if each.at_once)


def _late(history: History, profile: Profile) -> Iterator[Again]:
    return (each for each in again(history, profile) if each.late)


def _more_than_once(event: Again) -> str | None:
    """How often it was applied, if too often."""
    done, times = event.first.done, len(event.exchanges)
    if done < 2:
        return None
    what = "given back" if event.first.delivery.event.startswith("refund") else "paid"
    return f"order {event.first.delivery.order.id} was {what} {done} times: one event, delivered {times} times"


@rule(
    "a-redelivered-event-is-applied-once",
    role=Role.RECEIVER,
    on=_in_sequence,
    needs={"webhooks"},
    needs_effects=True,
    source=f"{_STANDARD}, webhook metadata: the id is the same no matter how many times; failure modes W15 and W17",
    fix="keep the event's id under a UNIQUE index, in the transaction that changes the order",
)
def a_redelivered_event_is_applied_once(event: Again, profile: Profile) -> str | None:
    """An event that is delivered again, with its own id and perhaps another one's of the delivery, is applied once."""
    return _more_than_once(event)


@rule(
    "events-at-once-are-applied-once",
    role=Role.RECEIVER,
    on=_at_once,
    needs={"webhooks"},
    needs_effects=True,
    source="docs.stripe.com/webhooks, handle duplicate events; failure mode W16",
    fix="let a UNIQUE index decide, not a look before the insert",
)
def events_at_once_are_applied_once(event: Again, profile: Profile) -> str | None:
    """An event that is delivered again while it is still being processed is applied once."""
    return _more_than_once(event)


@rule(
    "a-late-redelivery-is-applied-once",
    role=Role.RECEIVER,
    on=_late,
    needs={"webhooks", "webhook-horizon", "clock"},
    needs_effects=True,
    source="the PSP's retry schedule, as the profile has it; failure mode W28",
    fix="keep event ids for longer than the PSP delivers, and longer still where it can be told to by hand",
)
def a_late_redelivery_is_applied_once(event: Again, profile: Profile) -> str | None:
    """An event that is delivered again as late as the PSP still does is applied once."""
    return _more_than_once(event)


def _acknowledged_before(history: History, profile: Profile) -> Iterator[Again]:
    """Events that were answered 2xx, and delivered again later, though perhaps nobody saw that answer."""
    for each in again(history, profile):
        answer = each.first.attempts[0].answer
        if not each.at_once and len(each.deliveries) > 1 and answer is not None and answer.accepted:
            yield each


@rule(
    "a-redelivery-is-acknowledged",
    role=Role.RECEIVER,
    on=_acknowledged_before,
    needs={"webhooks"},
    source=f"{_STANDARD}: a retry has the same id and a timestamp of its own; failure mode W29",
    fix="answer 2xx to an event that you have: the PSP did not see your first answer, and comes again until it does",
)
def a_redelivery_is_acknowledged(event: Again, profile: Profile) -> str | None:
    """An event that was taken is answered 2xx again when it is delivered again."""
    last = event.deliveries[-1]
    return None if last.acknowledged else f"it was taken, and {last.said} when it came again"


# --- what was acknowledged is done --------------------------------------------------------------------------------


def _taken(history: History, profile: Profile) -> Iterator[Delivered]:
    """Genuine events of orders that were still open, once they were answered 2xx."""
    failed = {i.delivery.order.id for i in history.intents if i.delivery and i.delivery.event == "payment-failed"}
    for each in genuine(history, profile):
        moves = (
            each.delivery.event in {"payment-succeeded", "refund-succeeded"} and each.delivery.order.status == "pending"
        )
        if moves and each.delivery.order.id not in failed and _came_through(history, each):
            yield each


def _came_through(history: History, first: Delivered) -> bool:
    """Some delivery of the event was answered 2xx."""
    mine = [i for i in history.intents if i.delivery and i.delivery.event_id == first.delivery.event_id]
    answers = [x.seen for i in mine for x in history.attempts(i)]
    return any(seen is not None and seen.accepted for seen in answers)


def _lost(event: Delivered) -> str | None:
    if event.done:
        return None
    what = "given back" if event.delivery.event.startswith("refund") else "paid"
    return f"order {event.delivery.order.id} is not {what}, though a {event.delivery.event} of it was answered 2xx"


@rule(
    "an-acknowledged-event-takes-effect",
    role=Role.RECEIVER,
    on=lambda history, profile: (each for each in _taken(history, profile) if _is_plain(history, each)),
    needs={"webhooks"},
    needs_effects=True,
    source=f"{_STANDARD}, delivery success: the PSP never tells of it again; failure mode W30, its half inside",
    fix="answer 2xx once what the event changes is written",
)
def an_acknowledged_event_takes_effect(event: Delivered, profile: Profile) -> str | None:
    """An event that was answered 2xx has its effect."""
    return _lost(event)


def _is_plain(history: History, event: Delivered) -> bool:
    special = crashes(history, event) or is_early(history, event) or not event.delivery.order.known
    return not special


@rule(
    "an-acknowledged-event-survives-a-crash",
    role=Role.RECEIVER,
    on=lambda history, profile: (each for each in _taken(history, profile) if 0 in crashes(history, each)),
    needs={"webhooks", "durable"},
    needs_effects=True,
    source="hyperswitch-docs, integration-guide/webhooks.md: 2xx only after the event was accepted; failure mode W18",
    fix="write the event down before you answer 2xx, and let a worker go on from there",
)
def an_acknowledged_event_survives_a_crash(event: Delivered, profile: Profile) -> str | None:
    """An event that was answered 2xx has its effect, though the receiver was ended right after its answer."""
    return _lost(event)


@rule(
    "an-interrupted-event-can-come-again",
    role=Role.RECEIVER,
    on=lambda history, profile: (each for each in _taken(history, profile) if any(crashes(history, each))),
    needs={"webhooks", "durable"},
    needs_effects=True,
    source="psp-harness: an id that is marked before its event is applied is lost in a crash; failure mode W17",
    fix="mark the event's id in the transaction that changes the order, not before it",
)
def an_interrupted_event_can_come_again(event: Delivered, profile: Profile) -> str | None:
    """An event whose receiver was ended while it processed it has its effect when it is delivered again."""
    return _lost(event)


@rule(
    "a-refund-before-its-payment-is-not-lost",
    role=Role.RECEIVER,
    on=lambda history, profile: (
        each for each in _taken(history, profile) if is_early(history, each) and not crashes(history, each)
    ),
    needs={"webhooks", "refund-events"},
    needs_effects=True,
    source="hyperswitch-docs, integration-guide/webhooks.md: order is not guaranteed; failure mode W21",
    fix="keep an event that comes too early, or answer 409 or 503 and let the PSP come again",
)
def a_refund_before_its_payment_is_not_lost(event: Delivered, profile: Profile) -> str | None:
    """A refund whose event comes before that of its payment is booked in the end."""
    return _lost(event)


@rule(
    "an-event-before-the-answer-is-not-lost",
    role=Role.RECEIVER,
    on=lambda history, profile: (each for each in _taken(history, profile) if not each.delivery.order.known),
    needs={"webhooks", "references-in-webhooks", "known-orders"},
    needs_effects=True,
    source="docs.stripe.com/webhooks: events may come before the API's answer; failure mode W22",
    fix="find the order by your own reference, which you gave to the PSP, or answer 409 and let it come again",
)
def an_event_before_the_answer_is_not_lost(event: Delivered, profile: Profile) -> str | None:
    """An event that comes before the PSP's answer to the shop's own request pays its order all the same."""
    return _lost(event)


@rule(
    "other-events-are-acknowledged",
    role=Role.RECEIVER,
    level=Level.SHOULD,
    on=lambda history, profile: (each for each in plain(history, profile) if each.delivery.event == "other"),
    needs={"webhooks", "other-events"},
    source="razorpay.com/docs/webhooks/best-practices: an endpoint that keeps failing is disabled; failure mode W19",
    fix="answer 2xx to every genuine event, also of types that you do nothing about",
)
def other_events_are_acknowledged(event: Delivered, profile: Profile) -> str | None:
    """A genuine event of a type that moves no money is answered 2xx."""
    return None if event.acknowledged else f"it was {event.said}, and will come again and again"
