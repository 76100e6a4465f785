"""Receivers that are right in a way of their own: they queue, keep what is early, have no ids, or say little."""

from __future__ import annotations

import asyncio

from psp_harness.miniatures.declaration import miniature
from psp_harness.miniatures.receivers import NOT_YET, PAYS, REFUNDS, REFUSED, TAKEN, CarefulReceiver, Event, Order
from psp_harness.model import Answer, Request, Role


@miniature("receiver-with-a-queue", role=Role.RECEIVER)
class ReceiverWithAQueue(CarefulReceiver):
    """Writes down what it believes, answers 202, and lets a worker do it a little later, in the order of arrival."""

    delay = 0.05
    """Seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.working: set[asyncio.Task[Answer]] = set()

    async def take(self, event: Event, request: Request) -> Answer:
        task = asyncio.create_task(self.later(event, request))
        self.working.add(task)
        task.add_done_callback(self.working.discard)
        return Answer(202)

    async def later(self, event: Event, request: Request) -> Answer:
        """The worker's part."""
        await asyncio.sleep(self.delay)
        return await super().take(event, request)

    def is_early(self, order: Order, event: Event) -> bool:
        """Nothing comes again that was answered 202: what is early is kept."""
        if super().is_early(order, event):
            order["early"].append(event)
        return False

    def apply(self, order: Order, event: Event) -> None:
        if event in order["early"] and order["status"] != "paid":
            return
        super().apply(order, event)
        if event["type"] == PAYS:
            for kept in order["early"]:
                super().apply(order, kept)


@miniature("receiver-that-keeps-early-refunds", role=Role.RECEIVER)
class KeepsEarlyRefunds(CarefulReceiver):
    """Takes a refund whose payment it has not heard of, and books it when the payment comes."""

    def too_early(self, order: Order, event: Event) -> Answer:
        order["early"].append(event)
        self.seen[event["id"]] = self.now()
        return TAKEN

    def apply(self, order: Order, event: Event) -> None:
        super().apply(order, event)
        for kept in order["early"] if event["type"] == PAYS else ():
            super().apply(order, kept)


@miniature("receiver-without-event-ids", role=Role.RECEIVER)
class StateAlone(CarefulReceiver):
    """Keeps no ids of events: the order's state and the refund's id say what was done already."""

    async def take(self, event: Event, request: Request) -> Answer:
        answer = await super().take(event, request)
        self.seen.clear()
        return answer


@miniature("receiver-that-says-yes-to-forgers", role=Role.RECEIVER)
class DropsQuietly(CarefulReceiver):
    """Answers 200 to what it does not believe, and does nothing: a forger learns nothing."""

    async def webhook(self, request: Request) -> Answer:
        return await super().webhook(request) if self.believes(request) else TAKEN


@miniature("receiver-that-refuses-in-flight", role=Role.RECEIVER)
class RefusesInFlight(CarefulReceiver):
    """Answers 409 to an event that another request is working on, so that the PSP comes again."""

    slow = 0.15
    """Seconds that its work takes."""

    def __init__(self) -> None:
        super().__init__()
        self.at_work: set[str] = set()

    async def take(self, event: Event, request: Request) -> Answer:
        name = event["id"]
        if name in self.at_work:
            return NOT_YET
        self.at_work.add(name)
        try:
            await asyncio.sleep(0 if name in self.seen else self.slow)
            return await super().take(event, request)
        finally:
            self.at_work.discard(name)


@miniature("receiver-that-answers-204", role=Role.RECEIVER)
class NoContent(CarefulReceiver):
    """Says 204 and nothing else, and 401 to what it does not believe."""

    async def webhook(self, request: Request) -> Answer:
        answer = await super().webhook(request)
        return {TAKEN: Answer(204), REFUSED: Answer(401)}.get(answer, answer)


@miniature("receiver-that-does-not-say-what-it-did", role=Role.RECEIVER)
class SilentReceiver(CarefulReceiver):
    """Has no route that says what it did: of it nothing is known but its answers."""

    silent = True
    """The harness does not ask it."""


@miniature("receiver-that-calls-orders-off", role=Role.RECEIVER)
class CallsOrdersOff(CarefulReceiver):
    """Calls an order off when the payment that paid it is given back as a whole, and keeps quiet about any other."""

    def apply(self, order: Order, event: Event) -> None:
        about = event["data"].get("payment_id")
        if order.setdefault("paid_by", about) != about:
            return
        super().apply(order, event)
        if event["type"] == REFUNDS and event["data"]["amount"] == order["amount"]:
            order["status"] = "refunded"
