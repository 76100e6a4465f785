"""A shop and its PSP's events: each is believed only if it fits, books once, ships once, and takes nothing back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from psp_harness.model import Books, Delivery, Exchange, History, Intent, Level, Role, Row
from psp_harness.profile import Profile
from psp_harness.rules import rule
from psp_harness.rules.of_shops import effects_about


@dataclass(frozen=True, slots=True)
class Told:
    """One event, the order that it is about, and what the settled books say of that."""

    delivery: Delivery
    attempts: tuple[Exchange, ...]
    order: Intent
    row: Row
    before: str
    """What the books called the order before."""
    charged: bool
    """The PSP holds money for it."""

    @property
    def exchanges(self) -> tuple[int, ...]:
        return tuple(x.number for x in self.attempts)

    @property
    def fits(self) -> bool:
        """It says what the order costs."""
        return (self.delivery.amount, self.delivery.currency) == (self.order.amount, self.order.currency)

    @property
    def taken(self) -> bool:
        """The shop said yes to it."""
        return any(x.seen is not None and x.seen.accepted for x in self.attempts)


def told(history: History, profile: Profile) -> Iterator[Told]:
    """Every event about an order that stands in the settled books."""
    by_step = {intent.step: intent for intent in history.intents}
    for intent in history.intents:
        order = by_step.get(intent.payment or 0)
        if intent.delivery is None or order is None or not history.books:
            continue
        rows = [r for r in history.books[-1].rows if r.kind == "order" and r.amount == order.amount]
        attempts = history.attempts(intent)
        if rows and attempts:
            before = _before(history, attempts[0].number, order.amount)
            charged = _charged(history, order, rows[0])
            yield Told(intent.delivery, attempts, order, rows[0], before, charged)


def _before(history: History, number: int, amount: int) -> str:
    seen = [b for b in history.books if b.seen < number]
    rows = [r for b in seen[-1:] for r in b.rows if r.kind == "order" and r.amount == amount]
    return rows[0].status if rows else ""


def _charged(history: History, order: Intent, row: Row) -> bool:
    """The PSP holds money for it, perhaps of another amount."""
    wish = [i for i in history.intents if i.operation == "confirm-order" and i.reference == order.reference]
    named = any(e.kind == "payment" and e.id == row.psp_id for e in history.effects or ())
    return named or bool(wish and effects_about(history, wish[0]))


def _late(history: History, profile: Profile) -> Iterator[Told]:
    """Of what was before: the order is paid already."""
    for each in told(history, profile):
        early = each.delivery.event in {"payment-processing", "payment-failed"}
        if early and each.delivery.genuine and each.before == "done":
            yield each


@rule(
    "a-late-event-takes-nothing-back",
    role=Role.SHOP,
    on=_late,
    needs={"webhooks", "failure-events"},
    money_risk=True,
    source="hyperswitch-docs, integration-guide/webhooks.md: apply only the newer state; failure mode W20",
    fix="let a table say from which state to which an order may go: what comes late changes nothing",
)
def a_late_event_takes_nothing_back(event: Told, profile: Profile) -> str | None:
    """An order that is paid stays paid when an event of what was before comes late."""
    if event.row.status == "done":
        return None
    return f"order {event.row.id} was paid, and is {event.row.status!r} since {event.delivery.event} came late"


def _unbelievable(history: History, profile: Profile) -> Iterator[Told]:
    """Forged, or of another amount than the order's; of an order for which nobody paid."""
    for each in told(history, profile):
        if (each.delivery.forged or not each.fits) and not each.charged:
            yield each


@rule(
    "an-event-that-does-not-fit-pays-nothing",
    role=Role.SHOP,
    on=_unbelievable,
    needs={"webhooks", "amounts-in-webhooks", "signed-webhooks"},
    money_risk=True,
    source="psp-harness: who pays one cent has not paid; failure modes W01, W25",
    fix="verify the signature, and compare amount and currency with the order's, before you call it paid",
)
def an_event_that_does_not_fit_pays_nothing(event: Told, profile: Profile) -> str | None:
    """An event that the PSP did not sign, or of another amount than the order's, does not pay it."""
    if event.row.status != "done":
        return None
    why = "that nobody signed" if event.delivery.forged else f"of {event.delivery.amount} {event.delivery.currency}"
    return f"order {event.row.id} of {event.order.amount} {event.order.currency} was paid by an event {why}"


@dataclass(frozen=True, slots=True)
class Settling:
    """An event that tells what the shop could not know, and what the books said when it had been taken."""

    event: Told
    status: str

    @property
    def exchanges(self) -> tuple[int, ...]:
        return self.event.exchanges


def _settling(history: History, profile: Profile) -> Iterator[Settling]:
    for each in told(history, profile):
        genuine = each.delivery.genuine and each.fits
        news = genuine and each.delivery.event == "payment-succeeded" and each.before == "in-doubt"
        after = [b for b in history.books if b.seen >= each.attempts[-1].number]
        rows = [r for b in after[:1] for r in b.rows if r.kind == "order" and r.amount == each.order.amount]
        if news and each.taken and rows and not history.ended:
            yield Settling(each, rows[0].status)


@rule(
    "what-an-event-tells-is-booked",
    role=Role.SHOP,
    level=Level.SHOULD,
    on=_settling,
    needs={"webhooks", "told-by-webhook"},
    money_risk=True,
    otherwise="no event came about what was in doubt",
    source="psp-harness: an event that was answered 2xx does not come again; failure mode W17",
    fix="apply what an event says, under the id of the event, and not of what it is about",
)
def what_an_event_tells_is_booked(settling: Settling, profile: Profile) -> str | None:
    """An order whose answer was lost is paid when the PSP's event says so and was taken, whatever was told before."""
    if settling.status == "done":
        return None
    row = settling.event.row
    return f"the event that order {row.id} is paid was answered 2xx, and the books still call it {settling.status!r}"


def _under_way(history: History, profile: Profile) -> Iterator[Settling]:
    """Told of an order that was not paid, and the first look since, where nothing else can have told the shop more."""
    for each in told(history, profile):
        genuine = each.delivery.genuine and each.delivery.event == "payment-processing"
        look = next((b for b in history.books if b.seen >= each.attempts[-1].number), None)
        if not genuine or each.before not in {"open", "in-doubt"} or look is None or history.ended:
            continue
        until = [x for x in history.exchanges if x.number <= look.seen and x not in each.attempts]
        others = [x for x in until if x.operation == "deliver-webhook"]
        answered = [x for x in until if x.seen is not None and x.seen.accepted]
        rows = [r for r in look.rows if r.kind == "order" and r.amount == each.order.amount]
        if rows and not others and not answered:
            yield Settling(each, rows[0].status)


@rule(
    "a-payment-under-way-pays-nothing",
    role=Role.SHOP,
    on=_under_way,
    needs={"webhooks", "pending-events"},
    money_risk=True,
    otherwise="no event came of a payment that is under way",
    source="hyperswitch-docs, integration-guide/webhooks.md: fulfil on payment_succeeded; failure modes R11, W22",
    fix="call an order paid when the PSP says that it is: of one that is under way nobody knows yet",
)
def a_payment_under_way_pays_nothing(settling: Settling, profile: Profile) -> str | None:
    """An order is not paid by the news that its payment is under way: it may still fail."""
    if settling.status != "done":
        return None
    return f"order {settling.event.row.id} is called paid, and all that was told is that its payment is under way"


@dataclass(frozen=True, slots=True)
class Shipped:
    """An order whose shop says how often its goods left."""

    row: Row
    charged: bool
    too_early: bool
    """They had left when the PSP had said yes to nothing yet."""
    owed: bool
    """Whoever waits for the PSP's event before goods leave has it, and not all was given back."""
    exchanges: tuple[int, ...]


def _shipped(history: History, profile: Profile) -> Iterator[Shipped]:
    for order in (i for i in history.intents if i.operation == "place-order"):
        for row in _rows_of(order, history.books[-1:]):
            if row.shipped is not None:
                mine = {i.step for i in history.intents if order.reference == i.reference or i.payment == order.step}
                early = _left_too_early(history, order, mine)
                owed = _is_told(history, profile, order) and not _is_given_back(history, row)
                exchanges = tuple(x.number for x in history.exchanges if x.step in mine)
                yield Shipped(row, _charged(history, order, row), early, owed, exchanges)


def _rows_of(order: Intent, looks: Sequence[Books]) -> list[Row]:
    return [row for books in looks for row in books.rows if row.kind == "order" and row.amount == order.amount]


def _left_too_early(history: History, order: Intent, mine: set[int]) -> bool:
    """A look found goods gone before the PSP had said yes to anything that may be of this order."""
    for books in history.books:
        asked = [x for x in history.exchanges if x.number <= books.seen and x.operation == "create-payment"]
        held = any(x.answer is not None and x.answer.accepted for x in asked if x.step is None or x.step in mine)
        if not held and any(row.shipped for row in _rows_of(order, [books])):
            return True
    return False


def _is_told(history: History, profile: Profile, order: Intent) -> bool:
    """An event that it is paid was taken; where the PSP sends none, its answer is all that there is."""
    return "webhooks" not in profile.features or any(
        each.delivery.genuine and each.delivery.event == "payment-succeeded" and each.fits and each.taken
        for each in told(history, profile)
        if each.order.step == order.step
    )


def _is_given_back(history: History, row: Row) -> bool:
    """As a whole: who has sent it back needs no goods."""
    rows = [each for each in history.books[-1].rows if each.kind == "refund" and each.order_id == row.id]
    return sum(each.amount for each in rows if each.status != "failed") >= row.amount


@rule(
    "an-order-is-shipped-once",
    role=Role.SHOP,
    on=_shipped,
    needs_effects=True,
    otherwise="the shop does not say how often goods left",
    source="psp-harness: the answer, its replay, the page customers return to and the webhook tell one thing; failure "
    "modes C28, W15, W22, W23",
    fix="ship in the transaction that moves the order to paid, and let only one such move be possible",
)
def an_order_is_shipped_once(order: Shipped, profile: Profile) -> str | None:
    """Goods leave once for an order that was paid, whoever says so and how often, and never for another."""
    count = order.row.shipped or 0
    if count > 1:
        return f"the goods of order {order.row.id} left {count} times"
    if count and not order.charged:
        return f"the goods of order {order.row.id} left, and nobody paid for it"
    return f"the goods of order {order.row.id} left before it was paid" if order.too_early else None


def _owed(history: History, profile: Profile) -> Iterator[Shipped]:
    return (each for each in _shipped(history, profile) if each.row.status == "done" and each.charged and each.owed)


@rule(
    "what-is-paid-is-shipped",
    role=Role.SHOP,
    level=Level.SHOULD,
    on=_owed,
    needs_effects=True,
    otherwise="the shop does not say how often goods left, or was told by no event that an order is paid",
    source="psp-harness: who has paid waits for the goods; failure modes W17, W18",
    fix="ship in the transaction that moves the order to paid, or look for what is paid and was not shipped",
)
def what_is_paid_is_shipped(order: Shipped, profile: Profile) -> str | None:
    """The goods of an order that is paid have left when all is settled, also where a crash came between the two."""
    if order.row.shipped:
        return None
    return f"order {order.row.id} is paid, the PSP has told of it, and its goods never left"
