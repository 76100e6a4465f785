"""Whose a request is, what it came to, and what it is called: read from a history, never guessed from a key.

Requests were attributed to the steps that asked for them by operation and amount (see `Exchange.step`); effects are
attributed by kind and amount, and a refund's by its payment.
"""

from __future__ import annotations

from collections.abc import Iterator

from psp_harness.model import Answer, Effect, Exchange, History, Intent
from psp_harness.profile import Profile, meaning, values_of
from psp_harness.vocabulary import EFFECT_KIND, MOVES


def sent(history: History) -> Iterator[tuple[Intent, Exchange]]:
    """Each request that was to move money, with the step that asked for it, in order."""
    return ((intent, exchange) for intent, exchange in all_sent(history) if intent.operation in MOVES)


def all_sent(history: History) -> Iterator[tuple[Intent, Exchange]]:
    """Each request with the step that asked for it, reads among them."""
    for intent in history.intents:
        for exchange in history.attempts(intent):
            yield intent, exchange


def asks(intent: Intent) -> tuple[object, ...]:
    """All of a request but its tenant and key."""
    asked = (intent.operation, intent.amount, intent.odd_amount, intent.currency, intent.card, intent.captured_later)
    return (*asked, intent.reference, intent.payment, intent.chosen_id)


def effects_of(history: History, intent: Intent, profile: Profile) -> tuple[Effect, ...] | None:
    """What the subject did about one step: by kind and amount, and for a refund by its payment. None: unknown."""
    if history.effects is None:
        return None
    kind, amount, reference = EFFECT_KIND.get(intent.operation), intent.amount, intent.reference
    of_kind = [e for e in history.effects if e.kind == kind and (e.amount == amount or e.reference == reference)]
    if likes := _asked_alike(history, intent):
        if any(not e.reference for e in of_kind if e.amount == amount):
            return None  # whose of two like things it was, nobody can say
        of_kind = [e for e in of_kind if e.reference not in likes]
    if _asked_in_another_currency(history, intent):
        if any(not e.currency for e in of_kind):
            return None
        of_kind = [e for e in of_kind if e.currency.upper() == intent.currency]
    strays = [e for e in of_kind if _is_stray_of(intent, e, history)]
    alike = [e for e in of_kind if e.amount == amount and intent.odd_amount is None and e not in strays]
    if intent.payment is None:
        return (*alike, *strays)
    payment = next(other for other in history.intents if other.step == intent.payment)
    ids = ids_of(history, payment, profile)
    return (*(e for e in alike if e.payment_id in ids), *strays)


def _asked_alike(history: History, intent: Intent) -> frozenset[str]:
    """The references of others that are for the very same but for their reference."""
    alike = (
        other.reference
        for other in history.intents
        if other.amount == intent.amount and (other.operation, other.payment) == (intent.operation, intent.payment)
    )
    return frozenset(alike) - {intent.reference}


def _asked_in_another_currency(history: History, intent: Intent) -> bool:
    """Whether as much of the same was asked for in another currency."""
    alike = (i for i in history.intents if (i.operation, i.amount) == (intent.operation, intent.amount))
    return any(i.currency != intent.currency and i.payment == intent.payment for i in alike)


def _is_stray_of(intent: Intent, effect: Effect, history: History) -> bool:
    """It carries the step's reference, and an amount for which nobody asked under it; the first who asked has it."""
    if not effect.reference or effect.reference != intent.reference:
        return False
    asked = [each for each in history.intents if each.reference == intent.reference]
    meant = any(each.odd_amount is None and each.amount == effect.amount for each in asked)
    return not meant and asks(intent) == asks(asked[0])


def ids_of(history: History, intent: Intent, profile: Profile) -> frozenset[str]:
    """Every id that a payment is known by: those of the answers to its step, and those of its effects."""
    answered = (id_in(x.answer, intent, profile) for x in history.attempts(intent))
    done = effects_of(history, intent, profile) or ()
    return frozenset({*(found for found in answered if found), *(effect.id for effect in done)})


def captures_of(history: History, payment: Intent, profile: Profile) -> tuple[Effect, ...]:
    """What was taken of a payment that was authorised first."""
    ids = ids_of(history, payment, profile)
    return tuple(e for e in history.effects or () if e.kind == "capture" and e.payment_id in ids)


def id_in(answer: Answer | None, intent: Intent, profile: Profile) -> str:
    """The id of the resource that a 2xx answer names; empty where it names none."""
    if answer is None or not answer.accepted:
        return ""
    return str(values_of(profile, intent.operation, answer).get("id") or "")


def says_done(answer: Answer | None, intent: Intent, profile: Profile) -> bool:
    """Whether an accepted answer names something, and shows it as done; that of a capture shows its payment."""
    if answer is None or not id_in(answer, intent, profile):
        return False
    kind = intent.operation.removeprefix("create-") if intent.operation in MOVES - {"capture-payment"} else "payment"
    status = meaning(profile, kind, values_of(profile, intent.operation, answer).get("status"))
    return status in {"", "None", "succeeded", "partially_captured"}


def accepted_elsewhere(history: History, intent: Intent) -> bool:
    """Whether another request of this operation was accepted: who refuses everything proves nothing by that."""
    return any(
        other.operation == intent.operation and other.step != intent.step and x.answer is not None and x.answer.accepted
        for other, x in sent(history)
    )
