"""Drive a shop: we are its PSP and its customers, and end its process where the case says so. Each has its own PSP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from psp_harness.drive.ending import NothingThere, ended
from psp_harness.drive.shop_events import PAUSE_SECONDS, Events
from psp_harness.drive.whole_refunds import amount_left
from psp_harness.errors import SubjectError
from psp_harness.model import (
    Answer,
    Books,
    Claims,
    Done,
    Driven,
    Failed,
    History,
    Intent,
    Outcome,
    Refused,
    Request,
    Row,
)
from psp_harness.plan import Plan, Planned, moments
from psp_harness.plan.points import Point
from psp_harness.profile import operation_of
from psp_harness.rules.of_shops import ROW_KIND, rows_in
from psp_harness.subjects.addresses import our_psp
from psp_harness.subjects.shop import EndAt, Shop, ShopSubject
from psp_harness.vocabulary import WISHES
from psp_harness.wire.server import Server

LOOKS = (0.0, 0.1, 1.0)
"""So often a shop that is in doubt is told to look after it: a PSP that answers leaves no reason for more. So many
seconds it then has, if it only wakes a worker; one that finds out at once waits for nothing."""

OWED_SECONDS = 1.0
"""So long may a worker take for what it was told by webhook."""

T = TypeVar("T")


async def introduce_shop(subject: ShopSubject) -> Claims:
    """What a shop says of itself, asked once before anything is planned. Raises `SubjectError`."""
    async with (
        Server(_nobody, lambda _: (None, None), (), patience=subject.answer_timeout) as server,
        subject.shop(server.base_url) as shop,
    ):
        await shop.start()
        return shop.claims


async def _nobody(request: Request) -> Answer:  # noqa: ARG001 - whatever it asks, nobody is there
    raise ConnectionAbortedError


class ShopCase:
    """One case of a shop; at a point, its process is ended there, started again, and asked again."""

    def __init__(self, planned: Planned, plan: Plan, subject: ShopSubject, point: Point | None = None) -> None:
        self._planned, self._profile, self._subject, self._point = planned, plan.profile, subject, point
        self._psp = our_psp(plan.profile, subject.credentials)
        self._asked: list[Intent] = []
        self._outcomes: dict[int, Outcome] = {}
        self._books: list[Books] = []
        self._order_ids: dict[int, str] = {}
        """By the step that placed it: what the shop calls an order."""
        self._lives = 0
        """How often its process was ended."""
        self._is_down = self._is_settled = False
        self._starting = asyncio.Lock()
        self._shop: Shop

    async def drive(self) -> Driven:
        """Ask its steps, one moment after the other, and write down what happened."""
        errored = doubtful = ""
        server = Server(
            self._psp.handle,
            self._classify,
            self._planned.strikes,
            patience=self._subject.answer_timeout,
            end_sender=self._end,
        )
        async with server, self._subject.shop(server.base_url) as shop:
            self._shop, self._server = shop, server
            self._events = Events(
                self._subject, self._subject.fresh_sender(), self._profile, server, self._psp, self._surely
            )
            try:
                await self._begin()
                try:
                    await self._steps()
                except NothingThere as error:
                    doubtful = str(error)
                await self._settle()
            except SubjectError as error:
                errored = str(error)
        history = await self._history()
        errored = errored or "; ".join(server.broken)
        found = ended(self._planned, history, errored=errored, doubtful=self._doubt() or doubtful)
        never = self._point is not None and self._point.kind == "commit" and not self._lives
        return replace(found, unexercised="the commit never happened this time") if never else found

    async def _history(self) -> History:
        effects = await self._psp.effects()
        await self._psp.close()
        return History(
            self._planned.case.id,
            self._planned.intents,
            self._outcomes,
            self._server.exchanges,
            effects,
            self._shop.claims if self._shop.claims.name else Claims(self._subject.address),
            self._shop.notes,
            books=tuple(self._books) if self._is_settled else (),  # what it believed on the way proves nothing
            ended=self._lives,
        )

    # --- what is asked --------------------------------------------------------------------------------------------

    async def _steps(self) -> None:
        for moment in moments(self._planned.intents):
            self._asked += moment
            for result in await asyncio.gather(*(self._ask(intent) for intent in moment), return_exceptions=True):
                if isinstance(result, BaseException):
                    raise result
            told = any(i.delivery is not None and i.delivery.genuine for i in moment)
            await self._look(OWED_SECONDS if told else 0.0)

    async def _settle(self) -> None:
        """Let it look after what is in doubt; what it believes then is what it is judged by."""
        await self._look()
        if self._is_still_to_be_sent():
            await self._surely(Shop.resume)
            await self._look()
        for seconds in LOOKS:
            if not _is_in_doubt(self._books[-1].rows):
                break
            await self._surely(Shop.resume)
            await self._look(seconds)
        self._is_settled = True

    def _is_still_to_be_sent(self) -> bool:
        """Something was asked for, and its row is open: the shop may send it when it resumes."""
        wished = (intent for intent in self._asked if intent.operation in ROW_KIND)
        return any(row.status == "open" for intent in wished for row in rows_in(self._books[-1], intent))

    async def _ask(self, intent: Intent) -> None:
        await asyncio.sleep(intent.manner.after)
        match intent.operation:
            case "crash-and-restart":
                await self._end()
                await self._surely(Shop.resume)
            case "resume":
                await self._surely(Shop.resume)
            case "deliver-webhook":
                await self._tell(intent)
            case "refund-at-psp":
                self._outcomes[intent.step] = Done({"refund_id": await self._events.refund(intent, self._asked)})
            case operation:
                params = self._params(intent)
                outcome = await self._surely(lambda shop: shop.do(operation, params))
                self._outcomes[intent.step] = outcome
                if operation == "place-order":
                    self._order_ids[intent.step] = self._called(intent, outcome)

    def _called(self, intent: Intent, outcome: Outcome) -> str:
        """What the shop calls an order; where it refuses a form that came before, it is the order of that form.

        The answer to that one may be lost with its process: then the order is called as it was asked for.
        """
        if isinstance(outcome, Done) and outcome.values.get("order_id"):
            return str(outcome.values["order_id"])
        before = [i.step for i in self._asked if i.reference == intent.reference and i.step in self._order_ids]
        return self._order_ids[before[0]] if before else intent.reference

    async def _tell(self, intent: Intent) -> None:
        """Deliver its webhook, unless there is nothing to tell because the shop gave it up after a crash."""
        try:
            await self._events.deliver(intent, self._asked, self._order_ids.get(intent.payment or 0, ""))
        except NothingThere:
            if not self._lives or not await self._gave_up(intent):
                raise

    async def _gave_up(self, intent: Intent) -> bool:
        """Whether it calls the payment or refund failed that the event would be about, and that never happened."""
        rows, _ = await self._surely(Shop.state)
        amounts = {each.amount for each in self._asked if each.step in {intent.payment, intent.refund}}
        return any(row.status == "failed" and row.amount in amounts for row in rows)

    def _params(self, intent: Intent) -> dict[str, object]:
        money: dict[str, object] = {"amount": intent.amount, "currency": intent.currency}
        order = self._order_ids.get(intent.payment or 0, "")
        match intent.operation:
            case "place-order":
                return {"order_id": intent.reference, **money}
            case "confirm-order":
                return {"order_id": order}
            case "refund-order":
                return {"order_id": order, "request_id": intent.reference, **money}
            case "payout":
                return {"request_id": intent.reference, **money}
            case _:
                return {"subscription_id": intent.reference, **money}

    async def _look(self, seconds: float = 0.0) -> None:
        """What it believes now; or, as long as it is in doubt, when it had that much time for what it was told."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            rows, commits = await self._surely(Shop.state)
            if not _is_in_doubt(rows) or asyncio.get_running_loop().time() >= deadline:
                break
            await asyncio.sleep(PAUSE_SECONDS)
        self._books.append(Books(rows, self._asked[-1].step, len(self._server.exchanges), commits))

    # --- its process ----------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        end_at = EndAt(self._point.number, self._point.when) if self._point and self._point.kind == "commit" else None
        try:
            await self._shop.start(end_at)
        except SubjectError:
            if not await self._is_back(0):
                raise

    async def _end(self) -> None:
        """End it as a crash does."""
        self._is_down = True
        await self._shop.end()

    async def _surely(self, ask: Callable[[Shop], Awaitable[T]]) -> T:
        """Ask; where its process was ended meanwhile, start it again, let it look after things, and ask again."""
        life = self._lives
        try:
            return await ask(self._shop)
        except SubjectError:
            if not await self._is_back(life):
                raise
        return await ask(self._shop)

    async def _is_back(self, life: int) -> bool:
        """Start it again, if it was we who ended it, or asked it to end itself; once, whoever comes first."""
        async with self._starting:
            if self._lives != life:
                return True
            ended_itself = self._point is not None and self._point.kind == "commit" and not self._lives
            if not self._is_down and not (ended_itself and self._shop.is_over):
                return False
            if not self._is_down:
                await self._shop.end()
            self._is_down = False
            self._lives += 1
            await self._shop.start()
            await self._shop.resume()
            return True

    # --- what it comes to -----------------------------------------------------------------------------------------

    def _classify(self, request: Request) -> tuple[int | None, str | None]:
        """By operation and amount, among the steps that were asked: the first that asked for it."""
        found = operation_of(self._profile, request)
        if found is None:
            return None, None
        operation, values = found
        amount = values.get("amount")
        if amount is None and self._profile.operations[operation].whole_without_amount:
            amount = amount_left(self._profile, values, self._asked, self._server.exchanges)
        same = (i.step for i in self._asked if WISHES.get(i.operation) == operation and i.amount == amount)
        return next(same, None), operation

    def _is_done_later(self, intent: Intent, outcome: Outcome) -> bool:
        """A shop that does it a little later, and says until then that it cannot tell, is set up right.

        One that says that it did not work, or that it did nothing, is not excused by having done it.
        """
        if not (self._is_settled and intent.operation in ROW_KIND and _cannot_tell(outcome)):
            return False
        return any(row.status == "done" for row in rows_in(self._books[-1], intent))

    def _doubt(self) -> str:
        """A plain step that did not work, though nothing was in its way: the shop is perhaps not set up right."""
        first: set[str] = set()
        for intent in self._planned.intents:
            fresh = f"{intent.operation}{intent.reference}" not in first
            first.add(f"{intent.operation}{intent.reference}")
            outcome = self._outcomes.get(intent.step)
            undisturbed = not self._planned.strikes and not self._lives and fresh
            if outcome is None or isinstance(outcome, Done) or not undisturbed:
                continue
            if not self._is_done_later(intent, outcome):
                said = f"refused ({outcome.message})" if isinstance(outcome, Refused) else str(outcome)
                return f"a plain {intent.operation} did not work: the shop reports {said}"
        return ""


def _is_in_doubt(rows: Iterable[Row]) -> bool:
    return any(row.status == "in-doubt" for row in rows)


def _cannot_tell(outcome: Outcome) -> bool:
    return isinstance(outcome, Failed) and outcome.kind == "unknown"
