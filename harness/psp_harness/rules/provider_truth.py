"""What a provider says, and what it did: an answer is true, and so is a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psp_harness.model import Effect, Exchange, History, Intent, Role
from psp_harness.profile import Profile, is_in_flight, values_of
from psp_harness.rules import rule
from psp_harness.rules.attribution import asks, effects_of, id_in, says_done, sent
from psp_harness.rules.of_providers import Refusable
from psp_harness.rules.wording import done, named
from psp_harness.vocabulary import CREATES


@dataclass(frozen=True, slots=True)
class Answered:
    """A request whose answer says that the money moved."""

    exchange: Exchange
    intent: Intent
    effects: tuple[Effect, ...]
    """What came of it."""
    all_effects: tuple[Effect, ...]
    """Of this case."""
    shown: int
    """How many things were shown as done to those who asked for the same."""

    @property
    def exchanges(self) -> tuple[int, ...]:
        return (self.exchange.number,)


def _said_done(history: History, profile: Profile) -> Iterator[Answered]:
    """Requests whose answer says that the money moved, a replay's as well."""
    shown: dict[tuple[object, ...], set[str]] = {}
    for intent, exchange in sent(history):
        if says_done(exchange.answer, intent, profile):
            shown.setdefault(asks(intent), set()).add(id_in(exchange.answer, intent, profile))
    for intent, exchange in sent(history):
        if history.effects is None or exchange.answer is None or not exchange.answer.accepted:
            continue
        of = next((each for each in history.intents if each.step == intent.payment), intent)
        if says_done(exchange.answer, intent, profile) and of.card != "refund-fails":
            mine, ids = effects_of(history, intent, profile) or (), shown[asks(intent)]
            yield Answered(exchange, intent, mine, history.effects, len(ids))


@rule(
    "what-is-answered-happened",
    role=Role.PROVIDER,
    on=_said_done,
    needs_effects=True,
    source="failure modes P32, R07: an answer without its effect is money that a shop believes to have",
    fix="make the effect and the stored answer durable in one step, and answer after it",
)
def what_is_answered_happened(one: Answered, profile: Profile) -> str | None:
    """A payment or refund that was answered as done did happen, in the amount and currency of the answer."""
    shown = id_in(one.exchange.answer, one.intent, profile)
    same = [effect for effect in one.all_effects if effect.id == shown]
    if same and one.intent.operation in CREATES and not one.intent.captured_later:
        return _differs(one, same, profile)
    if len(one.effects) >= one.shown or one.intent.odd_amount is not None:
        return None
    return f"{named(one.intent)} was answered as done ({shown}), and no such money moved"


def _differs(one: Answered, same: list[Effect], profile: Profile) -> str | None:
    """What the answer says of a thing and what its effect says are one."""
    answer = one.exchange.answer
    said = values_of(profile, one.intent.operation, answer) if answer is not None else {}
    amount, currency = said.get("amount"), str(said.get("currency") or "").upper()
    amounts, currencies = {effect.amount for effect in same}, {effect.currency.upper() for effect in same} - {""}
    if type(amount) is int and amount not in amounts:
        return f"the answer says {amount}, and {done(same)} moved"
    if currency and currencies and currency not in currencies:
        return f"the answer says {currency}, and the money moved in {', '.join(sorted(currencies))}"
    return None


def _refused(history: History, profile: Profile) -> Iterator[Refusable]:
    """Things that were refused each time they were asked for, beside others that were not."""
    asked: dict[tuple[object, ...], list[Refusable]] = {}
    for intent, exchange in sent(history):
        asked.setdefault(asks(intent), []).append(Refusable(exchange, intent, effects_of(history, intent, profile)))
    for several in asked.values():
        answers = [one.exchange.answer for one in several]
        said_no = all(a is not None and 400 <= a.status < 500 and not is_in_flight(a, profile) for a in answers)
        if said_no and several[-1].effects is not None:
            yield several[-1]


@rule(
    "a-refusal-moves-nothing",
    role=Role.PROVIDER,
    on=_refused,
    needs_effects=True,
    source="the invariant that holds for every PSP: a request that is refused executes nothing",
    fix="decide before anything happens, and undo nothing afterwards: refuse first, move money last",
)
def a_refusal_moves_nothing(one: Refusable, profile: Profile) -> str | None:
    """What was refused did not happen."""
    if not one.effects:
        return None
    status = one.exchange.answer.status if one.exchange.answer else 0
    return f"{named(one.intent)} was refused ({status}), and money moved: {done(one.effects)}"
