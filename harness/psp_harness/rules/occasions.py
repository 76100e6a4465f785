"""What there is to judge, drawn from a history. An occasion that the history does not show is not yielded.

Nothing here decides what is right. Requests are attributed to the steps that asked for them by operation and amount
(see `Exchange.step`); two requests are duplicates because the case asked for the same thing twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from psp_harness.model import Answer, Effect, Exchange, History, Intent, Outcome
from psp_harness.profile import Profile, keys_of, values_of
from psp_harness.vocabulary import CREATES, EFFECT_KIND


@dataclass(frozen=True, slots=True)
class Post:
    """One request that moves money, and what asked for it (None: nobody did)."""

    exchange: Exchange
    intent: Intent | None
    keys: tuple[bytes, ...]

    @property
    def exchanges(self) -> tuple[int, ...]:
        return (self.exchange.number,)


@dataclass(frozen=True, slots=True)
class Call:
    """One step that a client was asked for: its attempts on the wire, what the client said, what it did."""

    intent: Intent
    attempts: tuple[Exchange, ...]
    keys: tuple[tuple[bytes, ...], ...]
    """Key lines by attempt."""
    outcome: Outcome | None
    effects: tuple[Effect, ...] | None
    history: History

    @property
    def exchanges(self) -> tuple[int, ...]:
        return tuple(attempt.number for attempt in self.attempts)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two requests of a provider's history, the earlier one accepted."""

    first: Exchange
    first_intent: Intent
    second: Exchange
    second_intent: Intent
    effects: tuple[Effect, ...] | None
    """Of this case; None: unknown."""

    @property
    def exchanges(self) -> tuple[int, ...]:
        return (self.first.number, self.second.number)


@dataclass(frozen=True, slots=True)
class Group:
    """Several requests that ask for one and the same thing, and what came of them."""

    intent: Intent
    members: tuple[Exchange, ...]
    effects: tuple[Effect, ...]

    @property
    def exchanges(self) -> tuple[int, ...]:
        return tuple(member.number for member in self.members)


@dataclass(frozen=True, slots=True)
class Refunded:
    """A payment, the refunds that were asked of it, and what was given back."""

    payment: Exchange
    captured: int
    asked: tuple[Exchange, ...]
    returned: tuple[Effect, ...]
    """Refunds that happened."""

    @property
    def exchanges(self) -> tuple[int, ...]:
        return (self.payment.number, *(refund.number for refund in self.asked))


# --- of a client ----------------------------------------------------------------------------------------------------


def posts(history: History, profile: Profile) -> Iterator[Post]:
    """Every complete request that would move money."""
    by_step = {intent.step: intent for intent in history.intents}
    for exchange in history.exchanges:
        if exchange.operation in CREATES and exchange.request is not None:
            intent = by_step.get(exchange.step) if exchange.step is not None else None
            yield Post(exchange, intent, tuple(keys_of(profile, exchange.request)))


def calls(history: History, profile: Profile) -> Iterator[Call]:
    """Every step that the client was asked for, sent or not."""
    for intent in history.intents:
        attempts = tuple(x for x in history.attempts(intent) if x.request is not None)
        if not attempts and intent.step not in history.outcomes:
            continue  # the case ended before this step
        keys = tuple(tuple(keys_of(profile, x.request)) for x in attempts if x.request is not None)
        yield Call(
            intent, attempts, keys, history.outcomes.get(intent.step), effects_of(history, intent, profile), history
        )


def calls_with_several_attempts(history: History, profile: Profile) -> Iterator[Call]:
    """Those in which the client tried again."""
    return (call for call in calls(history, profile) if len(call.attempts) > 1)


def pairs_of_calls(history: History, profile: Profile) -> Iterator[tuple[Call, Call]]:
    """Every two steps that both carried a key."""
    return combinations((call for call in calls(history, profile) if any(call.keys)), 2)


# --- of a provider --------------------------------------------------------------------------------------------------


def sent(history: History) -> Iterator[tuple[Intent, Exchange]]:
    """Each step with its one request, in order."""
    for intent in history.intents:
        for exchange in history.attempts(intent):
            yield intent, exchange


def retries(history: History, profile: Profile) -> Iterator[Pair]:
    """A request that the provider accepted, and the same one again with the same key after it had finished."""
    return (pair for pair in _pairs(history) if same_key(pair) and same_request(pair))


def reuses(history: History, profile: Profile) -> Iterator[Pair]:
    """A request that the provider accepted, and another body with the same key after it had finished."""
    return (pair for pair in _pairs(history) if same_key(pair) and not same_request(pair))


def strangers(history: History, profile: Profile) -> Iterator[Pair]:
    """A request that the provider accepted, and the same key and body from another tenant."""
    for pair in _pairs(history):
        one, other = pair.first_intent, pair.second_intent
        if one.tenant != other.tenant and one.key is not None and one.key == other.key and same_request(pair):
            yield pair


def _pairs(history: History) -> Iterator[Pair]:
    """Two requests of one operation: the first one accepted, and finished before the second one began."""
    for (intent, first), (other, second) in combinations(sent(history), 2):
        finished = first.answer is not None and first.answer.accepted and first.ended <= second.began
        if finished and intent.operation == other.operation:
            yield Pair(first, intent, second, other, history.effects)


def same_key(pair: Pair) -> bool:
    """One tenant, one key."""
    one, other = pair.first_intent, pair.second_intent
    return one.key is not None and one.key == other.key and one.tenant == other.tenant


def same_request(pair: Pair) -> bool:
    """They ask for one and the same thing."""
    return asks(pair.first_intent) == asks(pair.second_intent)


def asks(intent: Intent) -> tuple[object, ...]:
    """All of a request but its tenant and key."""
    return (intent.operation, intent.amount, intent.currency, intent.reference, intent.payment, intent.chosen_id)


def duplicates(history: History, profile: Profile) -> Iterator[Group]:
    """All requests of one tenant with one key and body, none of them in flight with another, one of them accepted."""
    for group in _groups(history, profile):
        alone = not any(one.overlaps(other) for one, other in combinations(group.members, 2))
        if alone and any(member.answer.accepted for member in _finished(group) if member.answer):
            yield group


def concurrent_duplicates(history: History, profile: Profile) -> Iterator[Group]:
    """Those of which at least two were in flight together, as the recorded times show, and one was accepted."""
    for group in _groups(history, profile):
        together = any(one.overlaps(other) for one, other in combinations(_finished(group), 2))
        if together and any(member.answer is not None and member.answer.accepted for member in group.members):
            yield group


def _finished(group: Group) -> list[Exchange]:
    return [member for member in group.members if member.answer is not None]


def _groups(history: History, profile: Profile) -> Iterator[Group]:
    """Effects are attributed by amount: nothing is told of a request that was asked for under another key, too."""
    alike: dict[tuple[object, ...], dict[tuple[object, ...], list[tuple[Intent, Exchange]]]] = {}
    for intent, exchange in sent(history):
        alike.setdefault(asks(intent), {}).setdefault((intent.tenant, intent.key), []).append((intent, exchange))
    for members, *under_another_key in (by_key.values() for by_key in alike.values()):
        intent = members[0][0]
        effects = effects_of(history, intent, profile)
        if len(members) > 1 and intent.key and effects is not None and not under_another_key:
            yield Group(intent, tuple(exchange for _, exchange in members), effects)


def refunded(history: History, profile: Profile) -> Iterator[Refunded]:
    """Every payment of which more was asked back than was captured."""
    for intent, payment in sent(history):
        if intent.operation != "create-payment" or history.effects is None:
            continue
        asked = [(other, x) for other, x in sent(history) if other.payment == intent.step and x.answer is not None]
        ids = ids_of(history, intent, profile)
        returned = tuple(e for e in history.effects if e.kind == "refund" and e.payment_id in ids)
        accepted = any(x.answer is not None and x.answer.accepted for _, x in asked)
        if accepted and sum(other.amount for other, _ in asked) > intent.amount:
            yield Refunded(payment, intent.amount, tuple(x for _, x in asked), returned)


# --- effects --------------------------------------------------------------------------------------------------------


def effects_of(history: History, intent: Intent, profile: Profile) -> tuple[Effect, ...] | None:
    """What the subject did about one step: by kind and amount, and for a refund by its payment. None: unknown."""
    if history.effects is None:
        return None
    of_kind = [e for e in history.effects if e.kind == EFFECT_KIND[intent.operation] and e.amount == intent.amount]
    if intent.payment is None:
        return tuple(of_kind)
    payment = next(other for other in history.intents if other.step == intent.payment)
    ids = ids_of(history, payment, profile)
    return tuple(e for e in of_kind if e.payment_id in ids)


def ids_of(history: History, intent: Intent, profile: Profile) -> frozenset[str]:
    """Every id that a payment is known by: those of the answers to its step, and those of its effects."""
    answered = (id_in(x.answer, intent, profile) for x in history.attempts(intent))
    done = effects_of(history, intent, profile) or ()
    return frozenset({*(found for found in answered if found), *(effect.id for effect in done)})


def id_in(answer: Answer | None, intent: Intent, profile: Profile) -> str:
    """The id of the resource that a 2xx answer names; empty where it names none."""
    if answer is None or not answer.accepted:
        return ""
    return str(values_of(profile, intent.operation, answer).get("id") or "")


def accepted_elsewhere(history: History, intent: Intent) -> bool:
    """Whether the history shows another request of this operation that was accepted: a subject that refuses everything
    proves nothing by refusing this one.
    """
    return any(
        other.operation == intent.operation and other.step != intent.step and x.answer is not None and x.answer.accepted
        for other, x in sent(history)
    )
