"""Drive a receiver: we are the PSP that delivers, and whoever would like to be. Its clock is the PSP's, too."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack

from psp_harness.drive.ending import ended
from psp_harness.errors import NoAnswer, NotStarted, SubjectError
from psp_harness.model import Answer, Delivery, Driven, Effect, History, Intent, Outcome, Refused
from psp_harness.plan import Plan, Planned, moments
from psp_harness.rules.of_receivers import PAID, REFUNDED, fits
from psp_harness.subjects.asked import Asked
from psp_harness.subjects.receiver import Receiver, ReceiverSubject, Said
from psp_harness.wire.caller import Caller, Outgoing, raw_bytes

_ONLY_ATTEMPT = 1
"""Of each step: what is delivered again is a step of its own, or the PSP's own doing."""

SETTLE_SECONDS = 0.3
"""What a receiver of its own case does so late after the last answer is still held against it."""

OWED_SECONDS = 3.0
"""So long may a worker take for what was acknowledged: nobody waits for it who owes nothing."""

TRIES = 4
"""Deliveries of one event at most, as long as no 2xx comes and the clock stands still between them."""

BUSY = frozenset({429, 503})
"""What a receiver answers that has no time just now (RFC 6585 section 4, RFC 9110 section 15.6.4)."""

PAUSE_SECONDS = 0.15
"""Between two of them, where there is no clock to advance."""


MEANS = {"payment-succeeded": PAID, "refund-succeeded": REFUNDED}
"""What is done about an event that was taken."""

NOBODY = frozenset({404, 405})
"""What a server answers that takes nothing at a path (RFC 9110 sections 15.5.5 and 15.5.6)."""


def refuse_unmet(driven: Iterable[Driven], address: str) -> None:
    """Raise `SubjectError` if every webhook was answered as where nobody takes any: then there is nobody to judge."""
    exchanges = [exchange for each in driven for exchange in each.history.exchanges]
    answers = [exchange.answer for exchange in exchanges if exchange.answer is not None]
    if answers and all(answer.status in NOBODY for answer in answers):
        problem = f"every webhook to {address} was answered 404 or 405: nobody takes any there"
        raise SubjectError(problem, do="name where they go: --webhook PATH, or the address itself")


class ReceiverCase:
    """One case of a receiver."""

    def __init__(self, planned: Planned, plan: Plan, subject: ReceiverSubject, asked: Asked) -> None:
        self._planned, self._plan, self._subject, self._asked = planned, plan, subject, asked
        self._caller: Caller | None = None
        self._outcomes: dict[int, Outcome] = {}
        self._own: Said | None = None
        self._errored = self._doubtful = ""
        self._ends = any(i.delivery and i.delivery.ends is not None for i in planned.intents)
        self._asked.know(planned.orders)

    @property
    def is_shared(self) -> bool:
        """It meets the receiver that all cases meet, whose effects are read after the last of them."""
        return self._subject.standing is not None and not (self._planned.case.secretless or self._ends)

    async def send(self) -> None:
        """Deliver its webhooks, one moment after the other; what goes wrong is kept for the end."""
        try:
            async with AsyncExitStack() as stack:
                receiver = await self._started(stack)
                if receiver is not None:
                    await self._steps(receiver)
        except SubjectError as error:
            self._errored = str(error)

    async def _started(self, stack: AsyncExitStack) -> Receiver | None:
        """The receiver; None where it refuses to start without a secret, which is right."""
        secret = "" if self._planned.case.secretless else None
        opening = self._subject.receiver(self._planned.orders, secret, ends=self._ends)
        try:
            return await stack.enter_async_context(opening)
        except NotStarted as error:
            if secret is None:
                raise
            self._outcomes = {intent.step: Refused(str(error)) for intent in self._planned.intents}
            return None

    async def _steps(self, receiver: Receiver) -> None:
        self._caller = self._subject.caller(receiver.url)
        for moment in moments(self._planned.intents):
            if moment[0].operation == "advance-clock":
                await receiver.advance(moment[0].seconds)
            else:
                await self._moment(receiver, moment)
        if not self.is_shared:
            await asyncio.sleep(SETTLE_SECONDS)
            self._own = await said_in_the_end(receiver, [self])

    async def _moment(self, receiver: Receiver, moment: Sequence[Intent]) -> None:
        first = moment[0].delivery
        assert first is not None
        for intent in moment:
            if intent.delivery and intent.delivery.genuine:
                self._asked.happened(intent.delivery)
        if first.ends is not None:
            await self._interrupted(receiver, moment, first.ends)
        elif first.until_acknowledged:
            await self._until_acknowledged(receiver, moment[0])
        else:
            await self._deliver(receiver, moment)
            if len(moment) == 1 and first.genuine:
                await self._while_busy(receiver, moment[0])

    async def _deliver(self, receiver: Receiver, moment: Sequence[Intent]) -> None:
        assert self._caller is not None
        now = receiver.clock.now()
        strikes = {each.step: each for each in self._planned.strikes if each.hits(each.step, _ONLY_ATTEMPT)}
        outgoing = []
        for intent in moment:
            request = self._subject.sender.request(intent, receiver.url, now)
            strike = strikes.get(intent.step)
            outgoing.append(
                Outgoing(intent.step, intent.operation, request, raw_bytes(request), strike, intent.manner.after)
            )
        try:
            await self._caller.together(outgoing)
        except NoAnswer as error:
            self._doubtful = self._doubtful or str(error)

    async def _until_acknowledged(self, receiver: Receiver, intent: Intent) -> None:
        """As the PSP does: again after each of its waits, which pass on the receiver's clock, if it has one."""
        waits = self._subject.sender.facts.retry_seconds
        for attempt in range(TRIES):
            await self._deliver(receiver, [intent])
            if self._is_acknowledged(intent) or attempt == TRIES - 1:
                return
            if "clock" in self._subject.features and self._planned.case.alone and attempt < len(waits):
                await receiver.advance(waits[attempt])
            else:
                await asyncio.sleep(PAUSE_SECONDS)

    async def _while_busy(self, receiver: Receiver, intent: Intent) -> None:
        """A receiver that has no time just now is asked again, as the PSP would."""
        for _ in range(TRIES - 1):
            last = self._answers(intent)[-1:]
            if not last or last[0].status not in BUSY:
                return
            await asyncio.sleep(PAUSE_SECONDS)
            await self._deliver(receiver, [intent])

    def _answers(self, intent: Intent) -> list[Answer]:
        mine = self._caller.exchanges if self._caller else ()
        return [x.answer for x in mine if x.step == intent.step and x.answer is not None]

    def _is_acknowledged(self, intent: Intent) -> bool:
        if self._caller is None:
            return False
        mine = [x for x in self._caller.exchanges if x.step == intent.step]
        return any(x.seen is not None and x.seen.accepted for x in mine)

    async def _interrupted(self, receiver: Receiver, moment: Sequence[Intent], seconds: float) -> None:
        """End its process so long after the webhook was sent, or once it was answered; and start it again."""
        sending = asyncio.create_task(self._deliver(receiver, moment))
        try:
            if seconds:
                await asyncio.wait({sending}, timeout=seconds)
            else:
                await sending
        finally:
            await receiver.crash()
            await asyncio.gather(sending, return_exceptions=True)
        assert self._caller is not None
        self._caller.move(self._subject.target(receiver.url))

    def is_owed(self, said: Said) -> bool:
        """Something was acknowledged, and is not done: perhaps not yet."""
        owed = Counter(
            (told.order.id, MEANS[told.event])
            for told in self._acknowledged().values()
            if told.event in MEANS and told.genuine and fits(told) and told.order.status == "pending"
        )
        done = Counter((name, e.kind) for e in said.effects for name in {e.id, e.reference})
        return any(done[what] < count for what, count in owed.items())

    def _acknowledged(self) -> dict[str, Delivery]:
        """The events that were answered 2xx, each once."""
        mine = [intent for intent in self._planned.intents if intent.delivery is not None]
        return {i.delivery.event_id: i.delivery for i in mine if i.delivery and self._is_acknowledged(i)}

    # --- what it comes to -----------------------------------------------------------------------------------------

    def end(self, shared: Said | None, errored: str) -> Driven:
        """Its history, with what the receiver that all cases meet did until after the last of them."""
        said = shared if self.is_shared else self._own
        orders = {order.id for order in self._planned.orders}
        exchanges = self._caller.exchanges if self._caller else ()
        history = History(
            self._planned.case.id,
            self._planned.intents,
            self._outcomes,
            exchanges,
            None if said is None and not self._outcomes else _of_orders(said, orders),
            self._subject.claims,
            orders=self._planned.orders,
            states={name: state for name, state in ((said and said.states) or {}).items() if name in orders},
        )
        doubtful = "" if self._ends else self._doubtful
        unread = errored if self.is_shared else ""
        return ended(self._planned, history, errored=self._errored or unread, doubtful=doubtful or _doubt(history))


async def said_in_the_end(receiver: Receiver, cases: Sequence[ReceiverCase]) -> Said | None:
    """What it did, once nothing is owed in any of the cases; or when it has had its time."""
    deadline = asyncio.get_running_loop().time() + OWED_SECONDS
    said = await receiver.said()
    while said is not None and asyncio.get_running_loop().time() < deadline:
        if not any(case.is_owed(said) for case in cases):
            break
        await asyncio.sleep(PAUSE_SECONDS)
        said = await receiver.said()
    return said


def _of_orders(said: Said | None, orders: set[str]) -> tuple[Effect, ...]:
    """Attributed by the order's id, never by their number."""
    return tuple(effect for effect in (said.effects if said else ()) if {effect.id, effect.reference} & orders)


def _doubt(history: History) -> str:
    """No plain webhook of the first moment was taken: perhaps secret, path or profile are not the right ones."""
    first = [i for i in history.intents if i.moment == 1 and i.delivery is not None and _is_plain(i.delivery)]
    answers = [x.answer for intent in first for x in history.attempts(intent) if x.answer is not None]
    if not answers or any(answer.accepted or answer.status in BUSY for answer in answers):
        return ""
    return f"a plain webhook was answered {answers[0].status}: {answers[0].body[:200]!r}"


def _is_plain(delivery: Delivery) -> bool:
    """Every receiver that is set up right takes it at once."""
    paid = delivery.event == "payment-succeeded" and delivery.order.known
    return delivery.genuine and fits(delivery) and paid and not delivery.rotated
