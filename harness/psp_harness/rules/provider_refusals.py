"""What a provider must refuse: no key where one is required, another body under a used key, an id that exists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from psp_harness.model import Exchange, History, Level, Role
from psp_harness.profile import Profile, matches
from psp_harness.rules import rule
from psp_harness.rules.attribution import accepted_elsewhere, asks, effects_of, id_in, sent
from psp_harness.rules.of_providers import Pair, Refusable, retries, reuses
from psp_harness.rules.wording import done, key, named


def _with_key(history: History, profile: Profile, wanted: bytes | None) -> Iterator[Refusable]:
    for intent, exchange in sent(history):
        if intent.key == wanted and exchange.answer is not None and accepted_elsewhere(history, intent):
            yield Refusable(exchange, intent, effects_of(history, intent, profile))


def _without_key(history: History, profile: Profile) -> Iterator[Refusable]:
    return (one for one in _with_key(history, profile, None) if one.intent.chosen_id is None)


def _with_empty_key(history: History, profile: Profile) -> Iterator[Refusable]:
    return _with_key(history, profile, b"")


_REFUSE = "check the key before anything else happens, and answer 400"


@rule(
    "a-missing-key-is-refused",
    role=Role.PROVIDER,
    on=_without_key,
    needs={"key-required"},
    source="draft-ietf-httpapi-idempotency-key-header section 2.7; failure mode P23",
    fix=_REFUSE,
)
def a_missing_key_is_refused(one: Refusable, profile: Profile) -> str | None:
    """Where the PSP requires a key, a request without one is refused, and executes nothing."""
    return _executed(one, "has no key")


@rule(
    "an-empty-key-is-refused",
    role=Role.PROVIDER,
    on=_with_empty_key,
    needs={"key-required"},
    source="draft-ietf-httpapi-idempotency-key-header section 2.7; failure modes P24, P25",
    fix=_REFUSE,
)
def an_empty_key_is_refused(one: Refusable, profile: Profile) -> str | None:
    """Where the PSP requires a key, a request with an empty one is refused, and executes nothing."""
    return _executed(one, "has an empty key")


def _executed(one: Refusable, what: str) -> str | None:
    answer = one.exchange.answer
    if one.effects:
        return f"{named(one.intent)} {what}, and happened: {done(one.effects)}"
    if answer is not None and 400 <= answer.status < 500:
        return None
    return (
        f"{named(one.intent)} {what}, and was answered {answer.status if answer else 'nothing'}: expected a refusal "
        "(4xx)"
    )


@rule(
    "another-body-never-executes",
    role=Role.PROVIDER,
    on=reuses,
    needs={"idempotency-key", "mismatch-refused"},
    needs_effects=True,
    source="draft-ietf-httpapi-idempotency-key-header section 2.2; failure modes P01, P07",
    fix="store a fingerprint of the request with its key, and refuse another one before anything happens",
)
def another_body_never_executes(pair: Pair, profile: Profile) -> str | None:
    """Another body under a key that was used executes nothing."""
    made = pair.effects_of_second
    if not made:
        return None
    return (
        f"the key {key(pair.first_intent.key or b'')} was used for {named(pair.first_intent)}; with another body it "
        f"moved money again: {done(made)}"
    )


@rule(
    "another-body-is-refused",
    role=Role.PROVIDER,
    on=reuses,
    needs={"idempotency-key", "mismatch-refused"},
    source="draft-ietf-httpapi-idempotency-key-header section 2.7; failure modes P06, P40",
    fix="compare the fingerprint of the request with the stored one, and answer 4xx where they differ",
)
def another_body_is_refused(pair: Pair, profile: Profile) -> str | None:
    """Another body under a key that was used is answered with a refusal."""
    answer = pair.second.answer
    if answer is None or 400 <= answer.status < 500:
        return None
    shown = id_in(answer, pair.second_intent, profile)
    what = f"{answer.status}{f' and {shown}' if shown else ''}"
    return (
        f"the key {key(pair.first_intent.key or b'')} was used for {named(pair.first_intent)}; "
        f"with another {_other(pair)} it is answered {what}: expected a refusal (4xx)"
    )


def _other(pair: Pair) -> str:
    """What the second body asks for that the first one did not."""
    first, second = pair.first_intent, pair.second_intent
    if second.amount != first.amount:
        return f"amount ({second.amount})"
    return f"currency ({second.currency})" if second.currency != first.currency else "payment to give back"


# --- as documented ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal for a reason whose answer the profile documents."""

    exchange: Exchange
    reason: str

    @property
    def exchanges(self) -> tuple[int, ...]:
        return (self.exchange.number,)


def _documented(history: History, profile: Profile) -> Iterator[Refusal]:
    wanted = [
        *(
            (one.exchange, "key-missing")
            for one in _without_key(history, profile)
            if "key-required" in profile.features
        ),
        *((pair.second, "key-reused") for pair in reuses(history, profile)),
        *((pair.second, "duplicate") for pair in retries(history, profile)),
        *((exchange, "exceeds-captured") for exchange in _over_refunds(history)),
    ]
    for exchange, reason in wanted:
        if reason in profile.refusals and exchange.answer is not None and 400 <= exchange.answer.status < 500:
            yield Refusal(exchange, reason)


def _over_refunds(history: History) -> Iterator[Exchange]:
    """Refused refunds that came alone, after others had taken so much that this one was too much."""
    taken: dict[int, int] = {}
    paid = {intent.step: intent.amount for intent in history.intents if intent.payment is None}
    refunds = [(intent, exchange) for intent, exchange in sent(history) if intent.operation == "create-refund"]
    for intent, exchange in refunds:
        met = any(other is not exchange and other.overlaps(exchange) for _, other in refunds)
        if met or intent.payment is None or intent.odd_amount is not None or exchange.answer is None:
            continue
        if exchange.answer.accepted:
            taken[intent.payment] = taken.get(intent.payment, 0) + intent.amount
        elif taken.get(intent.payment, 0) + intent.amount > paid[intent.payment]:
            yield exchange


@rule(
    "refusals-are-answered-as-documented",
    role=Role.PROVIDER,
    level=Level.SHOULD,
    on=_documented,
    needs={"documented-refusals"},
    source="the profile's refusals; draft-ietf-httpapi-idempotency-key-header section 2.7; failure mode P40",
    fix="answer with the status and the code that your documentation names: clients branch on them",
)
def refusals_are_answered_as_documented(refusal: Refusal, profile: Profile) -> str | None:
    """A refusal has the status and the code that the PSP documents."""
    documented, answer = profile.refusals[refusal.reason], refusal.exchange.answer
    if answer is None or matches(documented, answer):
        return None
    statuses = " or ".join(str(status) for status in documented.status)
    return (
        f"{refusal.reason} is documented as {statuses} {documented.body!r}; the answer is {answer.status} "
        f"{answer.body[:200]!r}"
    )


# --- ids that the caller chooses --------------------------------------------------------------------------------------


def _same_chosen_id(history: History, profile: Profile) -> Iterator[Pair]:
    requests = [(intent, exchange) for intent, exchange in sent(history) if intent.chosen_id is not None]
    for (first_intent, first), (second_intent, second) in pairwise(requests):
        accepted = first.answer is not None and first.answer.accepted and first.ended <= second.began
        if accepted and asks(first_intent) == asks(second_intent):
            yield Pair(first, first_intent, second, second_intent, effects_of(history, first_intent, profile))


@rule(
    "one-chosen-id-has-one-effect",
    role=Role.PROVIDER,
    on=_same_chosen_id,
    needs={"client-ids"},
    needs_effects=True,
    source="the profile's client ids; failure mode P01",
    fix="make the id that the caller chooses the primary key, together with the tenant",
)
def one_chosen_id_has_one_effect(pair: Pair, profile: Profile) -> str | None:
    """A second request with an id that the caller chose is refused, and executes nothing."""
    answer = pair.second.answer
    if len(pair.effects or ()) > 1:
        return (
            f"the id {pair.first_intent.chosen_id} was used twice, and money moved {len(pair.effects or ())} times: "
            f"{done(pair.effects or ())}"
        )
    if answer is not None and answer.status >= 500:
        return (
            f"the second request with the id {pair.first_intent.chosen_id} was answered {answer.status}: expected a "
            "refusal (4xx)"
        )
    return None
