"""Receivers in profile `generic` that believe the right webhooks, and have one fault each in what they do with them."""

from __future__ import annotations

import asyncio

from psp_harness.miniatures.declaration import miniature
from psp_harness.miniatures.receivers import (
    PAYS,
    REFUNDS,
    REFUSED,
    TAKEN,
    CarefulReceiver,
    Event,
    Order,
)
from psp_harness.model import Answer, Request, Role

MEET = 0.15
"""Seconds: long enough for requests to meet, also on a busy machine."""

MARKS = {
    "a-forged-webhook-moves-nothing",
    "the-empty-secret-signs-nothing",
    "only-the-signed-bytes-count",
    "a-stale-webhook-moves-nothing",
    "a-webhook-of-the-future-moves-nothing",
    "only-the-signed-time-counts",
    "another-version-proves-nothing",
    "another-amount-pays-nothing",
    "another-accounts-event-moves-nothing",
    "the-other-mode-moves-nothing",
}
"""What is seen of a state that is written too early: everything that should not have paid did."""

# --- what they do twice ---------------------------------------------------------------------------------------------


def is_of_its_payment(order: Order, event: Event) -> bool:
    """It tells of the payment that the order has, and not of a second one."""
    return order.get("payment_id") in {None, event["data"]["payment_id"]}


class _NoState(CarefulReceiver):
    """Only the event's id says whether something was done: the order's state is not asked, once it was told to pay."""

    def apply(self, order: Order, event: Event) -> None:
        if event["type"] == PAYS and order["status"] == "paid" and "told" in order:
            if is_of_its_payment(order, event):
                self.book("order-paid", order, event)
        elif event["type"] == REFUNDS:
            self.book("order-refunded", order, event)
        else:
            order["told"] = True
            super().apply(order, event)


@miniature(
    "applies-every-delivery",
    role=Role.RECEIVER,
    mode="W15",
    breaks={
        "a-late-redelivery-is-applied-once",
        "a-redelivered-event-is-applied-once",
        "events-at-once-are-applied-once",
    },
)
class AppliesEveryDelivery(_NoState):
    """Keeps no ids of events, and does what it is told as often as it is told."""

    async def take(self, event: Event, request: Request) -> Answer:
        self.seen.clear()
        return await super().take(event, request)


@miniature("looks-before-it-writes", role=Role.RECEIVER, mode="W16", breaks={"events-at-once-are-applied-once"})
class LooksBeforeItWrites(CarefulReceiver):
    """Looks whether the event was taken and the order is paid, works, and writes: two at once both find nothing."""

    async def take(self, event: Event, request: Request) -> Answer:
        order = self.order_of(event)
        if order is None or event["type"] != PAYS or event["id"] in self.seen or order["status"] == "paid":
            return await super().take(event, request)
        if not self.fits(order, event):
            return TAKEN
        await asyncio.sleep(MEET)
        self.seen[event["id"]], order["status"] = self.now(), "paid"
        self.book("order-paid", order, event)
        return TAKEN


@miniature(
    "knows-deliveries-not-events",
    role=Role.RECEIVER,
    mode="W17",
    breaks={
        "a-late-redelivery-is-applied-once",
        "a-redelivered-event-is-applied-once",
        "events-at-once-are-applied-once",
    },
)
class KnowsDeliveriesNotEvents(_NoState):
    """Keeps the id of the delivery, which is another one when the PSP tells of the same event again."""

    def name(self, event: Event, request: Request) -> str:
        return b"".join(request.lines("delivery-id")).decode()


@miniature("forgets-after-a-day", role=Role.RECEIVER, mode="W28", breaks={"a-late-redelivery-is-applied-once"})
class ForgetsAfterADay(_NoState):
    """Forgets the ids of events after a day, though the PSP delivers for three."""

    kept = 24 * 60 * 60
    """Seconds."""

    async def take(self, event: Event, request: Request) -> Answer:
        self.seen = {name: since for name, since in self.seen.items() if self.now() - since < self.kept}
        return await super().take(event, request)


@miniature("refuses-redeliveries", role=Role.RECEIVER, mode="W29", breaks={"a-redelivery-is-acknowledged"})
class RefusesRedeliveries(CarefulReceiver):
    """Takes an event that comes again for an attack, and refuses it: the PSP comes again and again."""

    async def take(self, event: Event, request: Request) -> Answer:
        return REFUSED if event["id"] in self.seen else await super().take(event, request)


# --- what they lose -------------------------------------------------------------------------------------------------


@miniature("refuses-other-events", role=Role.RECEIVER, mode="W19", breaks={"other-events-are-acknowledged"})
class RefusesOtherEvents(CarefulReceiver):
    """Answers 400 to every type of event that it does nothing about."""

    async def take(self, event: Event, request: Request) -> Answer:
        known = event["type"].startswith(("payment.", "refund."))
        return await super().take(event, request) if known else REFUSED


@miniature(
    "says-yes-whatever-goes-wrong",
    role=Role.RECEIVER,
    mode="W18",
    breaks={"an-acknowledged-event-takes-effect", "a-refund-before-its-payment-is-not-lost"},
)
class SaysYesWhateverGoesWrong(CarefulReceiver):
    """Answers 200 also where its work fails, as that on refunds does: the PSP never comes again."""

    async def take(self, event: Event, request: Request) -> Answer:
        try:
            return await super().take(event, request)
        except NotImplementedError:
            return TAKEN

    def apply(self, order: Order, event: Event) -> None:
        if event["type"] == REFUNDS:
            raise NotImplementedError
        super().apply(order, event)


@miniature("drops-early-refunds", role=Role.RECEIVER, mode="W21", breaks={"a-refund-before-its-payment-is-not-lost"})
class DropsEarlyRefunds(CarefulReceiver):
    """Says yes to a refund whose payment it has not heard of, and forgets it."""

    def too_early(self, order: Order, event: Event) -> Answer:
        self.seen[event["id"]] = self.now()
        return TAKEN


@miniature(
    "knows-payments-by-the-psps-id",
    role=Role.RECEIVER,
    mode="W22",
    breaks={"an-event-before-the-answer-is-not-lost"},
)
class KnowsPaymentsByThePspsId(CarefulReceiver):
    """Finds the order by the PSP's id of the payment, which it does not know before the PSP's answer; and says yes."""

    def order_of(self, event: Event) -> Order | None:
        asked = event["data"].get("payment_id")
        return next((order for order in self.orders.values() if order.get("payment_id") == asked), None)


# --- what they do not compare ---------------------------------------------------------------------------------------


@miniature("last-event-wins", role=Role.RECEIVER, mode="W20", breaks={"an-order-never-goes-back"})
class LastEventWins(CarefulReceiver):
    """Gives the order the state of whatever event came last."""

    def apply(self, order: Order, event: Event) -> None:
        super().apply(order, event)
        late = {"payment.failed": "failed", "payment.processing": "pending"}
        order["status"] = late.get(event["type"], order["status"])


@miniature("ships-again", role=Role.RECEIVER, mode="W23", breaks={"an-order-is-paid-once-whoever-says-so"})
class ShipsAgain(CarefulReceiver):
    """Ships for every event of a payment, also where the page to which the customer returned has shipped already."""

    def apply(self, order: Order, event: Event) -> None:
        if event["type"] == PAYS and order["status"] == "paid" and is_of_its_payment(order, event):
            self.book("order-paid", order, event)
        else:
            super().apply(order, event)


@miniature(
    "any-refund-cancels", role=Role.RECEIVER, mode="R08", breaks={"a-duplicate-given-back-leaves-its-order-paid"}
)
class AnyRefundCancels(CarefulReceiver):
    """Calls an order off when all of its amount is given back, whichever payment that is of."""

    def apply(self, order: Order, event: Event) -> None:
        super().apply(order, event)
        if event["type"] == REFUNDS and event["data"]["amount"] == order["amount"]:
            order["status"] = "refunded"


@miniature("ships-for-each-payment", role=Role.RECEIVER, mode="R08", breaks={"a-second-payment-ships-nothing"})
class ShipsForEachPayment(CarefulReceiver):
    """Goes by the payment and not by the order: who pays twice gets the goods twice."""

    def apply(self, order: Order, event: Event) -> None:
        if event["type"] == PAYS and order["status"] == "paid" and not is_of_its_payment(order, event):
            self.book("order-paid", order, event)
        else:
            super().apply(order, event)


@miniature("marks-before-it-verifies", role=Role.RECEIVER, mode="W01", breaks=MARKS)
class MarksBeforeItVerifies(CarefulReceiver):
    """Calls the order paid, and then looks at the signature: nothing leaves, and the page says that all is well."""

    async def webhook(self, request: Request) -> Answer:
        event = self.read(request.body)
        order = self.order_of(event) if event is not None else None
        if order is not None and event is not None and event["type"] == PAYS and order["status"] == "pending":
            order["shown"] = "paid"
        return await super().webhook(request)

    def state_of(self, order: Order) -> str:
        return str(order.get("shown", order["status"]))


@miniature("any-amount", role=Role.RECEIVER, mode="W25", breaks={"another-amount-pays-nothing"})
class AnyAmount(CarefulReceiver):
    """Ships whatever was paid, in whichever currency."""

    def is_enough(self, order: Order, event: Event) -> bool:
        return type(event["data"].get("amount")) is int


@miniature("books-one-cent", role=Role.RECEIVER, mode="W25", breaks={"what-is-booked-is-what-was-told"})
class BooksOneCent(CarefulReceiver):
    """Compares the event's amount, and books another column."""

    def book(self, kind: str, order: Order, event: Event) -> None:
        super().book(kind, order, {**event, "data": {**event["data"], "amount": 1}})


@miniature("books-the-whole-order-back", role=Role.RECEIVER, mode="R06", breaks={"what-is-booked-is-what-was-told"})
class BooksTheWholeOrderBack(CarefulReceiver):
    """Knows no partial refunds: whatever goes back, the whole order is booked as given back."""

    def book(self, kind: str, order: Order, event: Event) -> None:
        super().book(kind, order, {**event, "data": {**event["data"], "amount": order["amount"]}})


@miniature("failed-refunds-count", role=Role.RECEIVER, mode="W25", breaks={"a-refund-that-failed-gives-nothing-back"})
class FailedRefundsCount(CarefulReceiver):
    """Books every event of a refund, without a look at what it says of it."""

    def apply(self, order: Order, event: Event) -> None:
        super().apply(order, {**event, "type": REFUNDS} if event["type"].startswith("refund.") else event)


@miniature("any-account", role=Role.RECEIVER, mode="W26", breaks={"another-accounts-event-moves-nothing"})
class AnyAccount(CarefulReceiver):
    """Takes an event of any account that its endpoint is told of."""

    def fits(self, order: Order, event: Event) -> bool:
        return super().fits(order, {**event, "account": order["account"]})


@miniature("failures-pay", role=Role.RECEIVER, mode="W25", breaks={"only-a-payment-that-succeeded-pays"})
class FailuresPay(CarefulReceiver):
    """Ships on every event of a payment, without a look at what it says of it."""

    def apply(self, order: Order, event: Event) -> None:
        about = event["type"].startswith("payment.")
        super().apply(order, {**event, "type": PAYS} if about and order["status"] == "pending" else event)
