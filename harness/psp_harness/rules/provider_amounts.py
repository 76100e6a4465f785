"""Which amounts move money: positive integers in minor units, and those that were asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psp_harness.model import Exchange, History, Intent, Role
from psp_harness.profile import Profile, values_of
from psp_harness.rules import rule
from psp_harness.rules.attribution import accepted_elsewhere, id_in, sent
from psp_harness.rules.of_providers import Refusable
from psp_harness.rules.wording import named
from psp_harness.vocabulary import CREATES


def _odd_amounts(history: History, profile: Profile) -> Iterator[Refusable]:
    for intent, exchange in sent(history):
        if intent.odd_amount is None or exchange.answer is None or not accepted_elsewhere(history, intent):
            continue
        least = profile.operations[intent.operation].least_amount
        if not (intent.odd_amount == "0" and least == 0):
            yield Refusable(exchange, intent, None)


@rule(
    "only-positive-integers-move-money",
    role=Role.PROVIDER,
    on=_odd_amounts,
    source="failure mode R03",
    fix="accept an amount that is an integer above zero, and refuse everything else before it is compared or converted",
)
def only_positive_integers_move_money(one: Refusable, profile: Profile) -> str | None:
    """An amount that is no positive integer of minor units is refused."""
    answer = one.exchange.answer
    if answer is not None and 400 <= answer.status < 500:
        return None
    said = f"{answer.status if answer else 0} {id_in(answer, one.intent, profile)}".strip()
    return f"the amount {one.intent.odd_amount} was answered {said}: expected a refusal (4xx)"


@dataclass(frozen=True, slots=True)
class Shown:
    """A request that shared its key with no other, and what its answer shows of it."""

    exchange: Exchange
    intent: Intent
    amount: object
    currency: object
    of: Intent | None
    """The payment that a refund gives back."""

    @property
    def exchanges(self) -> tuple[int, ...]:
        return (self.exchange.number,)


def _shown(history: History, profile: Profile) -> Iterator[Shown]:
    """Accepted requests whose key came first with them: what a repetition is shown is for other rules."""
    seen: set[tuple[str, bytes]] = set()
    for intent, exchange in sent(history):
        if intent.operation not in CREATES:
            continue  # a capture is answered with its payment
        repeated = intent.key is not None and (intent.tenant, intent.key) in seen
        seen |= {(intent.tenant, intent.key)} if intent.key is not None else set()
        rivals = any(
            i.moment == intent.moment or exchange.overlaps(x)
            for i, x in sent(history)
            if (i.tenant, i.key) == (intent.tenant, intent.key) and x is not exchange
        )
        if repeated or rivals or intent.odd_amount is not None:
            continue
        if exchange.answer is not None and exchange.answer.accepted:
            values = values_of(profile, intent.operation, exchange.answer)
            of = next((each for each in history.intents if each.step == intent.payment), None)
            if values.keys() & {"amount", "currency"}:
                yield Shown(exchange, intent, values.get("amount"), values.get("currency"), of)


@rule(
    "the-answer-is-about-what-was-asked",
    role=Role.PROVIDER,
    on=_shown,
    source="failure modes R04, R06",
    fix="look a refund up by its own key and never by its payment, and give it that payment's currency and unit",
)
def the_answer_is_about_what_was_asked(one: Shown, profile: Profile) -> str | None:
    """The answer to a request with a key of its own shows the amount and the currency that were asked for."""
    currency = (one.of or one.intent).currency
    if isinstance(one.amount, int) and one.amount != one.intent.amount:
        return f"{named(one.intent)} was answered with one of {one.amount}"
    if isinstance(one.currency, str) and one.currency and one.currency != currency:
        return f"{named(one.intent)} is in {currency}, and was answered with one in {one.currency}"
    return None
