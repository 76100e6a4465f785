"""The PSP's webhooks to a shop: about what really happened, signed, and again until somebody takes them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from psp_harness.drive.ending import NothingThere
from psp_harness.errors import SubjectError
from psp_harness.model import Answer, Delivery, Done, Effect, Intent, Order, Request, Row
from psp_harness.profile import Profile, values_of
from psp_harness.rules.of_shops import PAYS
from psp_harness.subjects.composing import compose
from psp_harness.subjects.delivering import Sender
from psp_harness.subjects.shop import Shop, ShopSubject
from psp_harness.vocabulary import EFFECT_KIND, WISHES
from psp_harness.wire.caller import raw_bytes, target_of
from psp_harness.wire.server import Server

TRIES = 4
"""Deliveries of one event at most, as long as no 2xx comes."""

PAUSE_SECONDS = 0.1
"""Between two of them."""

HAPPENS_SECONDS = 3.0
"""So long a webhook waits for what it tells of, where that was asked for, and may still come."""

WORKER_SECONDS = 0.5
"""So long without a resume: a shop whose worker asks by itself is met as it is, before it looks after anything."""

GLANCE_SECONDS = 0.02
"""Between two looks at whether it happened."""

URL = "https://shop.example/webhooks"
"""Where a shop takes them, as far as a PSP signs that."""

T = TypeVar("T")


class Surely(Protocol):
    """Asks the shop, and once more where its process was ended meanwhile."""

    async def __call__(self, ask: Callable[[Shop], Awaitable[T]]) -> T: ...


@dataclass(frozen=True, slots=True)
class Events:
    """Delivers the webhooks of one case."""

    subject: ShopSubject
    sender: Sender | None
    """Of this case alone: what comes again has the bytes of this case, not of another payment with its name."""
    profile: Profile
    server: Server
    psp: Any
    surely: Surely

    async def deliver(self, intent: Intent, asked: Sequence[Intent], order_id: str) -> None:
        """One event, until a 2xx comes; `order_id` is what the shop calls the order that it is about.

        Raises `SubjectError` where the shop does not say what it answers.
        """
        assert intent.delivery is not None
        assert self.sender is not None
        delivery = await self._about(
            intent, replace(intent.delivery, order=replace(intent.delivery.order, id=order_id)), asked
        )
        for attempt in range(TRIES):
            await asyncio.sleep(PAUSE_SECONDS if attempt else 0)
            request = self.sender.request(replace(intent, delivery=delivery), URL, time.time())
            answer = await self._told(intent, request)
            if answer.accepted or not delivery.genuine:
                return

    async def refund(self, intent: Intent, asked: Sequence[Intent]) -> str:
        """Give back a part of an order at the PSP's own desk: what the PSP calls that. Raises `NothingThere`."""
        order = Order(intent.reference, intent.amount, intent.currency, "")
        payment = await self._happened(intent, "payment", order, asked, intent.payment)
        if payment is None:
            raise NothingThere("there is no payment of which a part could be given back")
        wanted = replace(intent, operation="create-refund", key=intent.reference.encode())
        target = target_of("http://psp.example")
        credential = self.subject.credentials["tenant-a"]
        answer: Answer = await self.psp.handle(compose(self.profile, wanted, payment.id, credential, target))
        named = str(values_of(self.profile, "create-refund", answer).get("id") or "")
        if not answer.accepted or not named:
            raise NothingThere(f"the PSP's own desk answered {answer.status}: {answer.body[:120]!r}")
        return named

    async def _told(self, intent: Intent, request: Request) -> Answer:
        """Give it to the shop, and write both down as an exchange."""
        draft = self.server.begin()
        draft.step, draft.operation, draft.request, draft.sent = (
            intent.step,
            intent.operation,
            request,
            raw_bytes(request),
        )
        lines = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in request.headers]
        params = {"headers": lines, "body": request.body.decode()}
        outcome = await self.surely(lambda shop: shop.do("deliver-webhook", params))
        status = outcome.values.get("status") if isinstance(outcome, Done) else None
        if type(status) is not int:
            raise SubjectError(
                f"'deliver-webhook' was answered {outcome!r}; expected ok with a status",
                do='answer {"ok": {"status": 200}} with the status that the PSP would see',
            )
        draft.answer = draft.seen = Answer(status)
        draft.ended = self.server.now()
        return draft.answer

    async def _about(self, intent: Intent, delivery: Delivery, asked: Sequence[Intent]) -> Delivery:
        """The event with the ids of what happened; of what did not happen, with ids that nobody knows."""
        payment = await self._happened(intent, "payment", delivery.order, asked, intent.payment)
        refund, about = None, next(each for each in asked if each.step == (intent.refund or intent.payment))
        if intent.refund is not None:
            order = replace(delivery.order, amount=about.amount)
            refund = await self._happened(intent, "refund", order, asked, intent.refund)
        fits = (delivery.amount, delivery.currency) == (about.amount, about.currency)
        if delivery.genuine and fits and (payment is None or (intent.refund is not None and refund is None)):
            raise NothingThere(f"the PSP has nothing to tell of: no {about.operation} of {about.amount} happened")
        own = delivery.order.id if "client-ids" in self.profile.features else f"pay_{delivery.event_id}"
        known = payment.id if payment else own
        thing = refund or payment
        reference = (thing.reference if thing else "") or delivery.order.id
        order = replace(delivery.order, payment_id=known, id=reference)
        return replace(delivery, order=order, refund_id=refund.id if refund else "")

    async def _happened(
        self, intent: Intent, kind: str, order: Order, asked: Sequence[Intent], step: int | None
    ) -> Effect | None:
        """The effect that it tells of; waited for where it was asked for, and may still come.

        That is so while it is asked for in the same moment, and while the shop's books say so: it may have a worker
        that asks the PSP a little later, or ask when it resumes.
        """
        placed = next((each for each in asked if each.step == step), None)
        amount = placed.amount if placed is not None else order.amount
        wished = [i for i in asked if _makes(i) == kind and i.amount == amount]
        found = await self._effect(kind, amount)
        if found is not None or not wished:
            return found
        if any(i.moment == intent.moment for i in wished):
            return await self._comes(kind, amount, HAPPENS_SECONDS, _surely_comes)
        found = await self._comes(kind, amount, WORKER_SECONDS, lambda: self._stands_as(kind, amount, "in-doubt"))
        if found is None and await self._stands_as(kind, amount, "in-doubt", "open"):
            await self.surely(Shop.resume)
            found = await self._comes(kind, amount, HAPPENS_SECONDS, lambda: self._stands_as(kind, amount, "in-doubt"))
        return found

    async def _comes(
        self, kind: str, amount: int, seconds: float, may_come: Callable[[], Awaitable[bool]]
    ) -> Effect | None:
        """The effect, waited for as long as it may come."""
        deadline = time.monotonic() + seconds
        while True:
            goes_on = await may_come() and time.monotonic() < deadline
            found = await self._effect(kind, amount)  # after the books: what they call settled is there by then
            if found is not None or not goes_on:
                return found
            await asyncio.sleep(GLANCE_SECONDS)

    async def _effect(self, kind: str, amount: int) -> Effect | None:
        effects: Sequence[Effect] = await self.psp.effects()
        return next((each for each in effects if each.kind == kind and each.amount == amount), None)

    async def _stands_as(self, kind: str, amount: int, *statuses: str) -> bool:
        """Whether the shop's books have a row about it with one of these."""
        rows, _ = await self.surely(Shop.state)
        return any(_moves(row) == kind and row.amount == amount and row.status in statuses for row in rows)


async def _surely_comes() -> bool:
    return True


def _makes(intent: Intent) -> str:
    """The kind of effect that a step asks for; empty where it moves no money."""
    return EFFECT_KIND[WISHES[intent.operation]] if intent.operation in WISHES else ""


def _moves(row: Row) -> str:
    """The kind of effect that a row is about."""
    return "payment" if row.kind in PAYS else row.kind
