"""What a key belongs to: an operation, beside the tenant; and what it is no business of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from psp_harness.model import Exchange, History, Intent, Role
from psp_harness.profile import Profile
from psp_harness.rules import rule
from psp_harness.rules.attribution import all_sent, id_in, ids_of
from psp_harness.rules.wording import key, named
from psp_harness.vocabulary import CREATES, MOVES


@dataclass(frozen=True, slots=True)
class Crossing:
    """An accepted request, and one for another operation with its key."""

    first: Exchange
    first_intent: Intent
    second: Exchange
    second_intent: Intent
    about: frozenset[str]
    """Of a read: the ids of the payment that it asks for."""

    @property
    def exchanges(self) -> tuple[int, ...]:
        return (self.first.number, self.second.number)


def _crossings(history: History, profile: Profile) -> Iterator[Crossing]:
    for (intent, first), (other, second) in combinations(all_sent(history), 2):
        shared = intent.key is not None and (intent.key, intent.tenant) == (other.key, other.tenant)
        finished = first.answer is not None and first.answer.accepted and second.answer is not None
        if shared and finished and intent.operation in MOVES and intent.operation != other.operation:
            paid = next((i for i in history.intents if i.step == other.payment), intent)
            yield Crossing(first, intent, second, other, ids_of(history, paid, profile))


def _other_creates(history: History, profile: Profile) -> Iterator[Crossing]:
    return (each for each in _crossings(history, profile) if each.second_intent.operation in CREATES)


def _reads(history: History, profile: Profile) -> Iterator[Crossing]:
    return (each for each in _crossings(history, profile) if each.second_intent.operation == "get-payment")


@rule(
    "another-operation-never-gets-the-answer",
    role=Role.PROVIDER,
    on=_other_creates,
    needs={"idempotency-key", "payment-keys", "refunds"},
    source="failure modes P08, P11",
    fix="make the route a part of what the key is looked up by, or of the fingerprint",
)
def another_operation_never_gets_the_answer(crossing: Crossing, profile: Profile) -> str | None:
    """A request for another operation with a key that was used is never answered with the first one's resource."""
    first, second = crossing.first.answer, crossing.second.answer
    mine = id_in(first, crossing.first_intent, profile)
    if first is None or second is None or not second.accepted:
        return None
    if id_in(second, crossing.second_intent, profile) != mine and second.body != first.body:
        return None
    return (
        f"{named(crossing.second_intent)} was sent with the key {key(crossing.first_intent.key or b'')} of "
        f"{named(crossing.first_intent)}, and was answered with {mine}: nothing was given back"
    )


@rule(
    "a-key-belongs-to-its-operation",
    role=Role.PROVIDER,
    on=_other_creates,
    needs={"keys-by-operation", "refunds"},
    source="the profile's key scope; failure modes P08, P11",
    fix="make the route a part of what the key is looked up by",
)
def a_key_belongs_to_its_operation(crossing: Crossing, profile: Profile) -> str | None:
    """Where a key belongs to its operation, the same key on another route executes."""
    answer = crossing.second.answer
    if answer is not None and answer.accepted:
        return None
    return (
        f"{named(crossing.second_intent)} shares its key with a payment, and was answered "
        f"{answer.status if answer else 0}"
    )


@rule(
    "a-read-is-never-answered-from-a-key",
    role=Role.PROVIDER,
    on=_reads,
    needs={"idempotency-key", "keys-in-headers", "reads"},
    source="failure mode P39",
    fix="look at the key of methods that create alone; GET is idempotent by itself",
)
def a_read_is_never_answered_from_a_key(crossing: Crossing, profile: Profile) -> str | None:
    """A GET that carries a used key is answered with what it asks for."""
    answer = crossing.second.answer
    shown = id_in(answer, crossing.second_intent, profile)
    if answer is not None and answer.accepted and shown in crossing.about:
        return None
    return (
        f"GET of another payment with the key of {named(crossing.first_intent)} was answered "
        f"{answer.status if answer else 0} {shown}"
    )
