"""What a provider must not refuse: what was refused before, what has no key, and what only looks like a repetition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from psp_harness.model import Effect, Exchange, History, Intent, Role
from psp_harness.profile import Profile, is_in_flight
from psp_harness.rules import rule
from psp_harness.rules.attribution import accepted_elsewhere, asks, effects_of, id_in, sent
from psp_harness.rules.of_providers import Group, Pair, concurrent_duplicates
from psp_harness.rules.wording import done, key, named


@dataclass(frozen=True, slots=True)
class Corrected:
    """A request that was refused before anything happened, and a good one with its key."""

    refused: Exchange
    corrected: Exchange
    intent: Intent

    @property
    def exchanges(self) -> tuple[int, ...]:
        return (self.refused.number, self.corrected.number)


def _corrected(history: History, profile: Profile) -> Iterator[Corrected]:
    for (intent, first), (other, second) in combinations(sent(history), 2):
        bad = first.answer is not None and first.answer.status in _BEFORE and first.ended <= second.began
        shared = intent.key and (intent.key, intent.tenant) == (other.key, other.tenant)
        mended = intent.odd_amount is not None and other.odd_amount is None and second.answer is not None
        if bad and shared and mended and accepted_elsewhere(history, other):
            yield Corrected(first, second, other)


_BEFORE = frozenset({400, 401, 404, 422})
"""Refusals that come before anything happened."""


@rule(
    "a-refused-request-frees-its-key",
    role=Role.PROVIDER,
    on=_corrected,
    needs={"refusals-free-the-key"},
    source="the profile; failure mode P22",
    fix="store answers under a key only from the moment in which something can have happened",
)
def a_refused_request_frees_its_key(one: Corrected, profile: Profile) -> str | None:
    """After a request was refused for what it asked, the corrected one executes under the same key."""
    answer, before = one.corrected.answer, one.refused.answer
    if answer is not None and (answer.accepted or answer.status == 429):
        return None
    was, now = (each.status if each else 0 for each in (before, answer))
    return f"an impossible amount was answered {was}; {named(one.intent)} with the same key was then answered {now}"


def _keyless(history: History, profile: Profile) -> Iterator[Pair]:
    for (intent, first), (other, second) in combinations(sent(history), 2):
        alike = asks(intent) == asks(other) and intent.tenant == other.tenant
        keyless = intent.key is None and other.key is None and intent.chosen_id is None
        if alike and keyless and first.answer is not None and first.answer.accepted:
            yield Pair(first, intent, second, other, effects_of(history, intent, profile))


@rule(
    "requests-without-a-key-all-execute",
    role=Role.PROVIDER,
    on=_keyless,
    needs={"key-optional"},
    source="failure mode P26",
    fix="recognise a repetition by its key alone: without one, every request is a new one",
)
def requests_without_a_key_all_execute(pair: Pair, profile: Profile) -> str | None:
    """Where a key is optional, two requests without one are two payments."""
    first, second = (id_in(x.answer, pair.first_intent, profile) for x in (pair.first, pair.second))
    if second and first != second:
        return None
    status = pair.second.answer.status if pair.second.answer else "nothing"
    return f"{named(pair.first_intent)} was asked for twice without a key; the second was answered {status} {second}"


@rule(
    "duplicates-in-flight-wait-or-are-told-so",
    role=Role.PROVIDER,
    on=concurrent_duplicates,
    needs={"idempotency-key"},
    source="draft-ietf-httpapi-idempotency-key-header section 2.7; failure mode P35",
    fix="answer a duplicate of a request in flight as documented (409), or let it wait and give it the first answer",
)
def duplicates_in_flight_wait_or_are_told_so(group: Group, profile: Profile) -> str | None:
    """A duplicate that meets the first request in flight gets its answer, or is told that it is in flight: no error."""
    documented = profile.in_flight is not None
    answers = [member.answer for member in group.members if member.answer is not None]
    wrong = sorted({a.status for a in answers if not (a.accepted or a.status == 429 or is_in_flight(a, profile))})
    wrong = [status for status in wrong if documented or status >= 500]
    if not wrong:
        return None
    return (
        f"{named(group.intent)} was sent {len(group.members)} times at once; some were answered "
        f"{', '.join(map(str, wrong))}"
    )


@dataclass(frozen=True, slots=True)
class Rivals:
    """Requests with one key and different bodies that are in flight together, and what came of them."""

    intents: tuple[Intent, ...]
    members: tuple[Exchange, ...]
    effects: tuple[Effect, ...]

    @property
    def exchanges(self) -> tuple[int, ...]:
        return tuple(member.number for member in self.members)


def _rivals(history: History, profile: Profile) -> Iterator[Rivals]:
    for (intent, first), (other, second) in combinations(sent(history), 2):
        shared = intent.key and (intent.key, intent.tenant) == (other.key, other.tenant)
        apart = intent.operation == other.operation and intent.amount != other.amount
        answered = first.answer is not None and second.answer is not None
        if shared and apart and answered and first.overlaps(second):
            mine, theirs = (effects_of(history, each, profile) for each in (intent, other))
            if mine is not None and theirs is not None and _one_accepted(first, second):
                yield Rivals((intent, other), (first, second), (*mine, *theirs))


def _one_accepted(*exchanges: Exchange) -> bool:
    return any(exchange.answer is not None and exchange.answer.accepted for exchange in exchanges)


@rule(
    "another-body-in-flight-never-executes",
    role=Role.PROVIDER,
    on=_rivals,
    needs={"idempotency-key", "mismatch-refused"},
    needs_effects=True,
    source="draft-ietf-httpapi-idempotency-key-header section 2.2; failure mode P10",
    fix="compare the fingerprint when the key is claimed, not only when the answer is there",
)
def another_body_in_flight_never_executes(rivals: Rivals, profile: Profile) -> str | None:
    """Of two bodies that come with one key at once, at most one executes."""
    if len(rivals.effects) <= 1:
        return None
    return (
        f"two bodies with the key {key(rivals.intents[0].key or b'')} came at once, and both happened: "
        f"{done(rivals.effects)}"
    )


@rule(
    "another-body-in-flight-never-gets-the-answer",
    role=Role.PROVIDER,
    on=_rivals,
    needs={"idempotency-key", "mismatch-refused"},
    needs_effects=True,
    source="draft-ietf-httpapi-idempotency-key-header section 2.2; failure modes P06, P10",
    fix="compare the fingerprint before a request waits for the answer of another one",
)
def another_body_in_flight_never_gets_the_answer(rivals: Rivals, profile: Profile) -> str | None:
    """Of two bodies that come with one key at once, neither is answered with what the other one asked for."""
    shown = [id_in(x.answer, i, profile) for x, i in zip(rivals.members, rivals.intents, strict=True)]
    if not shown[0] or shown[0] != shown[1]:
        return None
    asked = " and ".join(named(intent) for intent in rivals.intents)
    return (
        f"{asked} came at once with the key {key(rivals.intents[0].key or b'')}, and both were answered with {shown[0]}"
    )
