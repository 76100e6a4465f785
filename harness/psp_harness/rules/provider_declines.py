"""What a PSP makes of a bank that says no: nothing moves, another card can pay, what failed later counts no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from psp_harness.model import Answer, Effect, Exchange, History, Intent, Role
from psp_harness.profile import Profile, meaning, values_of
from psp_harness.rules import rule
from psp_harness.rules.attribution import all_sent, effects_of, id_in, sent
from psp_harness.rules.of_providers import Pair, Refusable
from psp_harness.rules.wording import done, named

_NOT_JUDGED = frozenset({401, 403, 404, 405, 429})
"""Of who asks, where, or how often: such an answer says nothing of the card."""


def _judged(exchange: Exchange) -> bool:
    """The PSP looked at the payment, whatever came of it."""
    answer = exchange.answer
    return answer is not None and answer.status not in _NOT_JUDGED and answer.status < 500


def _declined(history: History, profile: Profile) -> Iterator[Refusable]:
    for intent, exchange in sent(history):
        if intent.card == "declined" and _judged(exchange):
            yield Refusable(exchange, intent, effects_of(history, intent, profile))


@rule(
    "a-decline-moves-no-money",
    role=Role.PROVIDER,
    on=_declined,
    needs={"declines"},
    needs_effects=True,
    source="failure mode R12",
    fix="enter the payment as failed, keep that answer with its key, and let no retry of it reach the bank again",
)
def a_decline_moves_no_money(one: Refusable, profile: Profile) -> str | None:
    """A payment that the bank declines moves nothing and is never answered as done, however often it comes."""
    if one.effects:
        return f"{named(one.intent)} was declined, and happened: {done(one.effects)}"
    answer = one.exchange.answer
    status = values_of(profile, one.intent.operation, answer).get("status") if answer else None
    if answer is None or not answer.accepted or meaning(profile, "payment", status) != "succeeded":
        return None
    return f"{named(one.intent)} is paid with a card that is declined, and was answered as done"


def _paid_after_a_decline(history: History, profile: Profile) -> Iterator[Pair]:
    for (intent, first), (other, second) in combinations(sent(history), 2):
        same = (intent.reference, intent.tenant) == (other.reference, other.tenant)
        anew = intent.card == "declined" and other.card == "good" and intent.key != other.key
        if same and anew and _judged(first) and _judged(second):
            yield Pair(first, intent, second, other, effects_of(history, other, profile))


@rule(
    "a-declined-payment-can-be-paid-with-another-key",
    role=Role.PROVIDER,
    on=_paid_after_a_decline,
    needs={"declines", "idempotency-key"},
    source="failure mode R12",
    fix="keep a decline with its own key and nothing else: another key is another attempt of the customer",
)
def a_declined_payment_can_be_paid_with_another_key(pair: Pair, profile: Profile) -> str | None:
    """After a decline, the order can be paid with another card and another key, once."""
    answer = pair.second.answer
    if answer is None or not answer.accepted:
        return (
            f"{named(pair.second_intent)} was declined, and with another key and a good card answered {_status(answer)}"
        )
    if pair.effects is not None and len(pair.effects) > 1:
        return f"{named(pair.second_intent)} was paid once after a decline, and happened {len(pair.effects)} times"
    return None


def _status(answer: Answer | None) -> str:
    return str(answer.status) if answer is not None else "nothing"


@dataclass(frozen=True, slots=True)
class ReadLater:
    """A refund that is documented to fail, and how it was shown after it had to have failed."""

    refund: Exchange
    intent: Intent
    read: Exchange
    shown: str
    """Its status, in our words."""
    effects: tuple[Effect, ...] | None
    """The refund, if it still counts."""

    @property
    def exchanges(self) -> tuple[int, ...]:
        return (self.refund.number, self.read.number)


def _failed_later(history: History, profile: Profile) -> Iterator[ReadLater]:
    by_step = {intent.step: intent for intent in history.intents}
    accepted = {i.step: (i, x) for i, x in sent(history) if x.answer is not None and x.answer.accepted}
    for intent, read in all_sent(history):
        if intent.operation != "get-refund" or intent.refund not in accepted or read.answer is None:
            continue
        refund, exchange = accepted[intent.refund]
        card = by_step[refund.payment].card if refund.payment else ""
        if card == "refund-fails" and intent.at > refund.at:
            status = values_of(profile, "get-refund", read.answer).get("status")
            name = id_in(exchange.answer, refund, profile)
            effects = None if history.effects is None else tuple(e for e in history.effects if e.id == name)
            yield ReadLater(exchange, refund, read, meaning(profile, "refund", status), effects)


@rule(
    "a-refund-that-failed-is-not-done",
    role=Role.PROVIDER,
    on=_failed_later,
    needs={"refunds-that-fail", "refund-reads", "clock"},
    source="the profile's test cards; failure mode R11",
    fix="let a refund that comes back change its state and its booking, whatever it was answered at first",
)
def a_refund_that_failed_is_not_done(one: ReadLater, profile: Profile) -> str | None:
    """A refund that came back after it was answered is shown as failed, and counts as money given back no more."""
    if one.shown != "failed":
        return f"{named(one.intent)} is documented to fail, and days later it is shown as {one.shown!r}"
    return f"{named(one.intent)} is shown as failed, and is still booked: {done(one.effects)}" if one.effects else None


def _asked_again_after_a_failure(history: History, profile: Profile) -> Iterator[Pair]:
    for one in _failed_later(history, profile):
        for intent, exchange in sent(history):
            later = intent.operation == "create-refund" and exchange.began >= one.read.ended
            if one.shown == "failed" and later and intent.payment == one.intent.payment and exchange.answer:
                yield Pair(one.refund, one.intent, exchange, intent, history.effects)


@rule(
    "what-a-failed-refund-held-can-be-given-back-again",
    role=Role.PROVIDER,
    on=_asked_again_after_a_failure,
    needs={"refunds-that-fail", "refund-reads", "clock"},
    source="failure mode R11",
    fix="count what is left of a payment without the refunds that failed",
)
def what_a_failed_refund_held_can_be_given_back_again(pair: Pair, profile: Profile) -> str | None:
    """After a refund has failed, its amount can be given back by another one."""
    answer = pair.second.answer
    if answer is None or answer.accepted:
        return None
    return f"{named(pair.first_intent)} has failed, and {named(pair.second_intent)} was then answered {answer.status}"
