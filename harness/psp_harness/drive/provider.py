"""Drive a provider: we are its client. All cases meet one provider, and none meets another's keys or amounts."""

from __future__ import annotations

import asyncio

from psp_harness.drive.ending import NothingThere, ended
from psp_harness.errors import NoAnswer, SubjectError
from psp_harness.model import Answer, Driven, Effect, Exchange, History, Intent
from psp_harness.plan import Plan, Planned, is_of_another_run, moments
from psp_harness.profile import is_in_flight, values_of
from psp_harness.subjects.provider import ProviderSubject
from psp_harness.vocabulary import EFFECT_KIND, OTHER_CURRENCIES

_ONLY_ATTEMPT = 1
"""Of each step: we try once."""


PERSISTS_SECONDS = 12.0
"""How long a request is sent again, at least, while another one with its key is said to be in flight: longer than a
lease should be, after which a key whose owner died is free."""

TIMES_AS_LONG = 3
"""As the slowest answer of the run: a provider that takes 8 s for a payment may be in flight for longer."""

PAUSE_SECONDS = 0.1

NO_ROUTE = frozenset({404, 405, 501})
"""What a PSP answers that has no such route."""

NOT_ABOUT_MONEY = frozenset({401, 408, 409, 429})
"""Refusals that have nothing to do with the currency that was asked for."""

OF_ITS_OWN = frozenset({"payment", "payout"})
"""Kinds of effects that are of no other one."""

BROKEN = 500
"""From this status on the provider says that the fault is its own."""


class ProviderCase:
    """One case of a provider."""

    def __init__(self, planned: Planned, plan: Plan, subject: ProviderSubject) -> None:
        self._planned, self._plan, self._subject = planned, plan, subject
        self._caller = subject.caller()
        self._ids: dict[int, str] = {}
        self._unanswered = self._errored = self._doubtful = ""

    async def send(self) -> None:
        """Send its steps, one moment after the other; what goes wrong is kept for the end."""
        try:
            self._doubtful = await self._steps()
        except SubjectError as error:
            self._errored = str(error)

    def end(self, effects: tuple[Effect, ...] | None, errored: str) -> Driven:
        """What it comes to, with everything that the provider did until after the last case."""
        case, intents = self._planned.case.id, self._planned.intents
        mine = self._told(self._of_this_case(effects))
        history = History(case, intents, {}, self._caller.exchanges, mine, self._subject.claims)
        if not (self._errored or errored) and (unclaimed := _not_claimed(self._planned.case.needs, history)):
            return Driven(history, unclaimed=unclaimed)
        doubtful = self._doubtful or self._unanswered or self._doubt(history)
        return ended(self._planned, history, errored=self._errored or errored, doubtful=doubtful)

    async def _steps(self) -> str:
        """Why the case could not go on, if so; what was recorded up to there still counts."""
        try:
            for moment in moments(self._planned.intents):
                await self._moment(moment)
        except NothingThere as error:
            return str(error)
        return ""

    async def _moment(self, moment: list[Intent]) -> None:
        if moment[0].operation == "advance-clock":
            await self._subject.advance_clock(moment[0].seconds)
            return
        asked = [intent for intent in moment if intent.operation != "restart-subject"]
        kills = [intent for intent in moment if intent.operation == "restart-subject"]
        await asyncio.gather(self._send(asked, killed=bool(kills)), *(self._restart(each) for each in kills))
        for intent in asked:
            if intent.manner.persists:
                await self._persist(intent)
            self._remember(intent)

    async def _restart(self, intent: Intent) -> None:
        await asyncio.sleep(intent.manner.after)
        assert self._subject.restart is not None, "the case needs `durable`"
        await self._subject.restart()

    async def _send(self, moment: list[Intent], *, killed: bool = False) -> None:
        """`killed`: the provider is killed meanwhile, and so owes no answer."""
        strikes = {strike.step: strike for strike in self._planned.strikes if strike.hits(strike.step, _ONLY_ATTEMPT)}
        outgoing = [self._subject.outgoing(i, await self._above_id(i), strikes.get(i.step)) for i in moment]
        try:
            await self._caller.together(outgoing)
        except SubjectError as error:
            if killed:
                return
            if not isinstance(error, NoAnswer):
                raise
            if not any(_is_forbidden_by_http(intent) for intent in moment):
                self._unanswered = self._unanswered or f"{error}{self._last_words()}"
        finally:
            self._subject.pace.saw(self._caller.exchanges)

    async def _persist(self, intent: Intent) -> None:
        """Send it again while the provider says that another one with its key is in flight; bounded."""
        patience = max(PERSISTS_SECONDS, TIMES_AS_LONG * self._subject.pace.slowest)
        deadline = self._caller.now() + min(patience, max(PERSISTS_SECONDS, self._subject.step_timeout))
        while self._caller.now() < deadline and is_in_flight(self._exchanges(intent)[-1].answer, self._plan.profile):
            await asyncio.sleep(PAUSE_SECONDS)
            await self._send([intent])

    def _remember(self, intent: Intent) -> None:
        """What the provider called it, if its answer was seen: what was lost is not known to a client."""
        for exchange in self._exchanges(intent):
            if exchange.seen is not None and exchange.seen.accepted:
                found = values_of(self._plan.profile, intent.operation, exchange.seen).get("id")
                self._ids |= {intent.step: str(found)} if found else {}

    async def _above_id(self, intent: Intent) -> str:
        """Of the payment or refund that a step is of: as it was answered; where that was lost, as its effect says."""
        of = intent.payment or intent.refund
        if of is None:
            return ""
        if of in self._ids:
            return self._ids[of]
        above = next(other for other in self._planned.intents if other.step == of)
        for effect in await self._subject.effects() or ():
            if effect.kind == EFFECT_KIND[above.operation] and effect.amount == above.amount:
                return effect.id
        seen = [x.seen for x in self._exchanges(above) if x.seen]
        said = f"it was answered {seen[0].status}: {seen[0].body[:120]!r}" if seen else "it was never answered"
        what = above.operation.removeprefix("create-")
        raise NothingThere(f"the {what} that {intent.operation} is of never came to be; {said}")

    def _exchanges(self, intent: Intent) -> list[Exchange]:
        return [exchange for exchange in self._caller.exchanges if exchange.step == intent.step]

    def _of_this_case(self, effects: tuple[Effect, ...] | None) -> tuple[Effect, ...] | None:
        """Attributed by id, payment id and amount, never by number; another run's reference is not ours."""
        if effects is None:
            return None
        mine = [e for e in effects if not is_of_another_run(e.reference, self._plan.run)]
        intents = self._planned.intents
        references = {intent.reference for intent in intents}
        amounts = {intent.amount for intent in intents if intent.payment is None}
        paid = {self._ids[intent.step] for intent in intents if intent.payment is None and intent.step in self._ids}
        paid |= {e.id for e in mine if e.kind in OF_ITS_OWN and e.amount in amounts}
        return tuple(
            effect
            for effect in mine
            if effect.reference in references or (effect.id if effect.kind in OF_ITS_OWN else effect.payment_id) in paid
        )

    def _told(self, effects: tuple[Effect, ...] | None) -> tuple[Effect, ...] | None:
        """None where a list does not show what was accepted: it does not say what the provider did.

        A route that was named with `--effects` promises to show every movement: there, what is missing did not happen.
        """
        if self._subject.effects_path is not None:
            return effects
        shown = {e.id for e in effects or ()} | {(e.kind, e.amount) for e in effects or ()}
        for intent in (each for each in self._planned.intents if self._leaves_an_effect(each)):
            known = {self._ids.get(intent.step), (EFFECT_KIND[intent.operation], intent.amount)}
            if any(x.answer and x.answer.accepted for x in self._exchanges(intent)) and not known & shown:
                return None
        return effects

    def _leaves_an_effect(self, intent: Intent) -> bool:
        """Not what is authorised alone or declined, nor a refund that fails afterwards."""
        payment = next((each for each in self._planned.intents if each.step == intent.payment), intent)
        moves = intent.operation in EFFECT_KIND and not intent.captured_later
        return moves and payment.card == "good"

    def _doubt(self, history: History) -> str:
        """No first request was accepted: perhaps the credential or the profile is not the right one."""
        first = [x for i in history.intents if i.moment == 1 for x in history.attempts(i)]
        answers = [x.answer for x in first if x.answer is not None]
        if not answers or any(answer.accepted for answer in answers):
            return ""
        told = f"a plain {first[0].operation} was answered {answers[0].status}: {answers[0].body[:200]!r}"
        return f"{told}{self._last_words() if answers[0].status >= BROKEN else ''}"

    def _last_words(self) -> str:
        """What the provider's process said last on its standard error, where it is one of ours."""
        said = self._subject.last_words()
        return f"; its process said last: {said!r}" if said else ""


def _not_claimed(needs: frozenset[str], history: History) -> str:
    """What the case is about and this provider does not do, in its own words: whoever says so breaks no promise."""
    for intent in history.intents:
        answers = [x.answer for x in history.attempts(intent) if x.answer is not None]
        if answers and all(_says_no(intent, answer, needs) for answer in answers):
            what = f"{intent.operation.removeprefix('create-')} in {intent.currency}"
            return f"not claimed here: a plain {what} was answered {answers[0].status}: {answers[0].body[:120]!r}"
    return ""


def _says_no(intent: Intent, answer: Answer, needs: frozenset[str]) -> bool:
    """To the currency of a payment; or to payouts, for which there is no route."""
    if intent.operation == "create-payout":
        return "payouts" in needs and answer.status in NO_ROUTE
    asked = intent.operation == "create-payment" and OTHER_CURRENCIES.get(intent.currency) in needs
    return asked and 400 <= answer.status < 500 and answer.status not in NOT_ABOUT_MONEY


def _is_forbidden_by_http(intent: Intent) -> bool:
    """A key with bytes that a header may not have (RFC 9110 section 5.5): a closed connection refuses it."""
    return any(byte < 0x20 or byte >= 0x7F for byte in intent.key or b"")
