"""What holds between payments and refunds, and between payments that are alike."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from psp_harness.model import Exchange, History, Intent, Level, Role
from psp_harness.profile import Profile
from psp_harness.rules import rule
from psp_harness.rules.attribution import accepted_elsewhere, all_sent, asks, effects_of, id_in, says_done, sent
from psp_harness.rules.of_providers import Pair, Refunded, Refusable, refunded
from psp_harness.rules.provider_keys import syntax_fault
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


def _fitting(history: History, profile: Profile) -> Iterator[Refusable]:
    """Refunds that came alone, with a key of their own, and fit into what was paid as done and is not given back."""
    seen: set[tuple[str, bytes | str | None]] = set()
    for intent, exchange in sent(history):
        names = {(intent.tenant, name) for name in (intent.key, intent.chosen_id) if name is not None}
        fresh = not names & seen and _is_usable(intent, profile)
        seen |= names
        others = [(other, x) for other, x in all_sent(history) if x is not exchange]
        alone = not any(x.overlaps(exchange) for _, x in others)
        if intent.operation == "create-refund" and fresh and alone and intent.odd_amount is None and exchange.answer:
            before = [(other, x) for other, x in others if x.ended <= exchange.began]
            if intent.amount <= _left_for(intent, before, profile):
                yield Refusable(exchange, intent, None)


def _is_usable(intent: Intent, profile: Profile) -> bool:
    """Whether its key, or that it has none, is no reason to refuse it."""
    if intent.key is None:
        return "key-optional" in profile.features or not profile.takes_key(intent.operation)
    return not syntax_fault(intent, profile)


def _left_for(refund: Intent, before: list[tuple[Intent, Exchange]], profile: Profile) -> int:
    """What is left of a payment for certain: as it was answered, less every refund that was not refused."""
    left = 0
    for intent, exchange in before:
        accepted = exchange.answer is not None and exchange.answer.accepted
        if intent.step == refund.payment:
            plain = intent.tenant == refund.tenant and intent.card == "good" and not intent.captured_later
            left = intent.amount if accepted and plain and says_done(exchange.answer, intent, profile) else 0
        elif intent.payment == refund.payment and intent.operation == "create-refund":
            refused = exchange.answer is not None and 400 <= exchange.answer.status < 500
            left -= 0 if refused else intent.amount
    return left


@rule(
    "a-refund-that-fits-is-accepted",
    role=Role.PROVIDER,
    level=Level.SHOULD,
    on=_fitting,
    needs={"refunds"},
    source="failure modes R01, R11: what is left is counted wrongly in either direction",
    fix="count what is left of a payment as what was captured less the refunds that did not fail, each of them once",
)
def a_refund_that_fits_is_accepted(one: Refusable, profile: Profile) -> str | None:
    """A refund of no more than is left of a payment is accepted."""
    answer = one.exchange.answer
    if answer is None or answer.accepted or answer.status == 429:
        return None
    return f"{named(one.intent)} is no more than is left of its payment, and was answered {answer.status}"


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


def _of_others(history: History, profile: Profile) -> Iterator[Refusable]:
    """Refunds of another tenant's payment, whose owner was heard: who refuses everything proves nothing by that."""
    for intent, exchange in sent(history):
        payment = next((each for each in history.intents if each.step == intent.payment), intent)
        others = intent.operation == "create-refund" and payment.tenant != intent.tenant
        if not others or exchange.answer is None or not accepted_elsewhere(history, intent):
            continue
        shown = {id_in(x.answer, each, profile) for each, x in sent(history) if x is not exchange}
        if id_in(exchange.answer, intent, profile) not in shown - {
            ""
        }:  # a replay gives nothing back: others tell of it
            yield Refusable(exchange, intent, None)


@rule(
    "its-owner-alone-gives-a-payment-back",
    role=Role.PROVIDER,
    on=_of_others,
    needs={"refunds", "two-tenants"},
    money_risk=True,
    source="failure mode P12",
    fix="look a payment up by its id and by the account of whoever asks: what is another's is not there",
)
def its_owner_alone_gives_a_payment_back(one: Refusable, profile: Profile) -> str | None:
    """A payment of another tenant is not given back, whoever knows its id."""
    answer = one.exchange.answer
    if answer is None or not answer.accepted:
        return None
    made = id_in(answer, one.intent, profile)
    return f"{one.intent.tenant} gave back the payment of another tenant: {answer.status} {made}"
