"""Drive a client: we are its PSP. Each case has a PSP of its own, with nothing in its books."""

from __future__ import annotations

import asyncio

from psp_harness.drive.ending import NothingThere, ended
from psp_harness.errors import SubjectError
from psp_harness.model import Claims, Done, Driven, Effect, Exchange, History, Intent, Outcome, Refused, Request
from psp_harness.plan import Plan, Planned, moments
from psp_harness.profile import Profile, in_flight_answer, operation_of
from psp_harness.rules.wording import fault_of
from psp_harness.subjects.addresses import our_psp
from psp_harness.subjects.client import ClientSubject, Session
from psp_harness.vocabulary import OTHER_CURRENCIES
from psp_harness.wire import tls
from psp_harness.wire.server import Server

NOBODY_LISTENS = "connection-refused"
"""The one fault that strikes before there is a connection: on the first step alone."""

OVER_TLS = "tls"
"""A case that needs this feature is one in which the PSP speaks https."""


async def introduce(subject: ClientSubject, profile: Profile) -> Claims:
    """What a client says of itself, asked once before anything is planned. Raises `SubjectError`."""
    psp = our_psp(profile, subject.credentials)
    try:
        async with (
            Server(psp.handle, lambda _: (None, None), (), patience=subject.answer_timeout) as server,
            subject.session(server.base_url) as session,
        ):
            await session.stop()
            return session.claims
    finally:
        await psp.close()


class ClientCase:
    """One case of a client."""

    def __init__(self, planned: Planned, plan: Plan, subject: ClientSubject) -> None:
        self._planned, self._profile, self._subject = planned, plan.profile, subject
        self._psp = our_psp(plan.profile, subject.credentials)
        self._outcomes: dict[int, Outcome] = {}
        self._claims = Claims(subject.address)
        self._notes: tuple[str, ...] = ()
        self._booked: tuple[Effect, ...] | None = None
        self._asked: list[Intent] = []
        self._now: list[int] = []
        """The steps that are being asked."""
        self._authority = tls.authority() if OVER_TLS in planned.case.needs else None
        self._unheard = [strike.step for strike in planned.strikes if strike.fault == NOBODY_LISTENS]
        self._session: Session
        self._ended = 0
        """How often the client was ended."""

    async def drive(self) -> Driven:
        """Ask its steps, one moment after the other, and write down what happened."""
        errored = doubtful = ""
        server = Server(
            self._psp.handle,
            self._classify,
            self._planned.strikes,
            patience=self._subject.answer_timeout,
            end_sender=self._end,
            in_flight=in_flight_answer(self._profile),
            listens=not self._unheard,
            secure=self._authority.server if self._authority else None,
            asked=lambda: self._now,
        )
        async with server:
            try:
                await self._steps(server)
            except NothingThere as error:
                doubtful = str(error)
            except SubjectError as error:
                errored = str(error)
        history = await self._history(server.exchanges)
        errored = errored or "; ".join(server.broken)
        if not errored and (unclaimed := _currency_refused(self._planned.case.needs, history)):
            return Driven(history, unclaimed=unclaimed)
        return ended(self._planned, history, errored=errored, doubtful=doubtful or self._doubt(history))

    async def _history(self, exchanges: tuple[Exchange, ...]) -> History:
        effects = await self._psp.effects()
        await self._psp.close()
        case, intents = self._planned.case.id, self._planned.intents
        said = self._outcomes, exchanges, effects, self._claims, self._notes
        return History(case, intents, *said, ended=self._ended, booked=self._booked)

    async def _steps(self, server: Server) -> None:
        async with self._subject.session(server.base_url, self._authority) as session:
            self._session, self._claims = session, session.claims
            try:
                for moment in moments(self._planned.intents):
                    if moment[0].operation == "advance-clock":
                        await self._psp.advance(moment[0].seconds)
                        continue
                    self._expect_answers_before(moment)
                    self._asked += moment
                    self._now = [intent.step for intent in moment]
                    await self._moment(moment)
                    if moment[0].step in self._unheard:
                        server.refused(moment[0].step, NOBODY_LISTENS)
                        await server.listen()
                self._booked = await session.booked()
                await session.stop()
            finally:
                self._notes += session.channel.notes()

    def _expect_answers_before(self, moment: list[Intent]) -> None:
        """What looks like a thing that is asked for now was answered: what comes late of it would pass for this one."""
        for intent in moment:
            for other in self._asked:
                alike = (other.operation, other.amount) == (intent.operation, intent.amount)
                if alike and other.reference != intent.reference and not isinstance(self._outcomes[other.step], Done):
                    raise NothingThere(f"a plain {other.operation}, before one that looks like it, did not work")

    async def _moment(self, moment: list[Intent]) -> None:
        lives = self._ended

        async def ask(intent: Intent) -> None:
            payment_id = await self._payment_id(intent)
            try:
                self._outcomes[intent.step] = await self._session.do(intent, payment_id)
            except SubjectError:
                if self._ended == lives:
                    raise

        for result in await asyncio.gather(*(ask(intent) for intent in moment), return_exceptions=True):
            if isinstance(result, BaseException):
                raise result
        if self._ended > lives:
            await self._session.start_again(await self._subject.open_channel(self._session.environment))

    async def _end(self) -> None:
        """End the client while it waits for its answer; what it was asked for then has no outcome."""
        self._ended += 1
        self._notes += self._session.channel.notes()
        await self._session.end()

    async def _payment_id(self, intent: Intent) -> str:
        """The payment to refund: as the client was told, or, where that was lost, as the PSP recorded it."""
        if intent.payment is None:
            return ""
        told = self._outcomes.get(intent.payment)
        if isinstance(told, Done) and told.values.get("payment_id"):
            return str(told.values["payment_id"])
        payment = next(other for other in self._planned.intents if other.step == intent.payment)
        for effect in await self._psp.effects():
            if effect.kind == "payment" and effect.amount == payment.amount:
                return str(effect.id)
        raise NothingThere(f"the payment to refund never came to be: the client reports {told!r}")

    def _classify(self, request: Request) -> tuple[int | None, str | None]:
        """By operation and amount, the last step that was asked for that: never by the key, never by arrival."""
        found = operation_of(self._profile, request)
        if found is None:
            return None, None
        operation, values = found
        latest = reversed(self._asked)
        same = (i.step for i in latest if i.operation == operation and i.amount == values.get("amount"))
        return next(same, None), operation

    def _doubt(self, history: History) -> str:
        """A plain step that did not work, though nothing was in its way: the client is perhaps not set up right."""
        for intent in history.intents:
            attempts, outcome = history.attempts(intent), history.outcomes.get(intent.step)
            struck = any(x.fault for x in history.exchanges if x.step == intent.step)
            plain = not struck and not fault_of(intent.key, self._profile)
            if plain and _is_first_of_its_key(intent, history.intents) and not isinstance(outcome, Done):
                return (
                    f"a plain {intent.operation} did not work: the client reports {_said(outcome)}; "
                    f"{_answered(attempts)}"
                )
        return ""


def _currency_refused(needs: frozenset[str], history: History) -> str:
    """Why the case asks for a currency in which this client sends nothing: whoever says so breaks no promise."""
    sent = any(x.operation == "create-payment" for x in history.exchanges)
    for intent in (each for each in history.intents if each.operation == "create-payment" and not sent):
        outcome = history.outcomes.get(intent.step)
        if isinstance(outcome, Refused) and OTHER_CURRENCIES.get(intent.currency) in needs:
            return f"not claimed here: asked for a payment in {intent.currency}, it refused: {outcome.message}"
    return ""


def _is_first_of_its_key(intent: Intent, intents: tuple[Intent, ...]) -> bool:
    return intent.key is not None and all(other.key != intent.key for other in intents if other.step < intent.step)


def _said(outcome: Outcome | None) -> str:
    if outcome is None or isinstance(outcome, Done):
        return "nothing"
    kind = "that it refused" if isinstance(outcome, Refused) else outcome.kind
    return f"{kind} ({outcome.message})"


def _answered(attempts: tuple[Exchange, ...]) -> str:
    answers = [x.answer for x in attempts if x.answer is not None]
    return f"our PSP answered {answers[0].status}: {answers[0].body[:120]!r}" if answers else "nothing reached our PSP"
