"""What holds between payments and refunds, and between payments that are alike."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from psp_harness.model import History, Role
from psp_harness.profile import Profile
from psp_harness.rules import rule
from psp_harness.rules.attribution import asks, effects_of, sent
from psp_harness.rules.of_providers import Pair, Refunded, refunded
from psp_harness.rules.wording import done, named


def _one_after_the_other(history: History, profile: Profile) -> Iterator[Refunded]:
    return (one for one in refunded(history, profile) if not _together(one))


def _at_once(history: History, profile: Profile) -> Iterator[Refunded]:
    return (one for one in refunded(history, profile) if _together(one))


def _together(one: Refunded) -> bool:
    return any(first.overlaps(second) for first, second in combinations(one.asked, 2))


@rule(
    "refunds-never-exceed-the-captured-amount",
    role=Role.PROVIDER,
    on=_one_after_the_other,
    needs={"refunds"},
    needs_effects=True,
    source="failure mode R01",
    fix="compare each refund with what is left of the payment: captured, less every refund that has not failed",
)
def refunds_never_exceed_the_captured_amount(one: Refunded, profile: Profile) -> str | None:
    """The refunds of a payment never add up to more than was captured."""
    return _too_much(one)


@rule(
    "concurrent-refunds-never-exceed-the-captured-amount",
    role=Role.PROVIDER,
    on=_at_once,
    needs={"refunds"},
    needs_effects=True,
    source="failure mode R02",
    fix="lock the payment's row, or make the comparison a part of the write: two refunds never see the same remainder",
)
def concurrent_refunds_never_exceed_the_captured_amount(one: Refunded, profile: Profile) -> str | None:
    """Refunds that are in flight together never add up to more than was captured."""
    return _too_much(one)


def _too_much(one: Refunded) -> str | None:
    total = sum(effect.amount for effect in one.returned)
    if total <= one.captured:
        return None
    return f"{one.captured} was captured, and {total} was given back: {done(one.returned)}"


def _alike_with_two_keys(history: History, profile: Profile) -> Iterator[Pair]:
    for (first_intent, first), (second_intent, second) in combinations(sent(history), 2):
        two_keys = first_intent.key and second_intent.key and first_intent.key != second_intent.key
        alike = asks(first_intent) == asks(second_intent) and first_intent.tenant == second_intent.tenant
        accepted = first.answer is not None and first.answer.accepted
        if two_keys and alike and accepted:
            yield Pair(first, first_intent, second, second_intent, effects_of(history, first_intent, profile))


@rule(
    "different-keys-both-execute",
    role=Role.PROVIDER,
    on=_alike_with_two_keys,
    needs={"idempotency-key"},
    needs_effects=True,
    source="failure modes P26, P38",
    fix="recognise a repetition by its key alone, never by its content",
)
def different_keys_both_execute(pair: Pair, profile: Profile) -> str | None:
    """Two payments that are alike but for their keys are two payments."""
    count = len(pair.effects or ())
    if count >= 2:
        return None
    return (
        f"{named(pair.first_intent)} was asked for twice, with two keys, and happened {count} times: "
        f"{done(pair.effects or ())}"
    )
