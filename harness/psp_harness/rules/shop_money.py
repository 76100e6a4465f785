"""A shop moves money once for each wish, and its books say of it what is true, whatever happened in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psp_harness.model import Effect, Failed, History, Level, Refused, Role, Row
from psp_harness.profile import Profile
from psp_harness.rules import rule
from psp_harness.rules.of_shops import (
    PAYS,
    ROW_KIND,
    Believed,
    GivenBack,
    Happened,
    Said,
    Uncertain,
    Wish,
    at_risk,
    at_the_psp,
    believed,
    denied,
    given_back,
    granted,
    happened,
    rows_of,
    settled_late,
    uncertain,
    wishes,
)
from psp_harness.rules.wording import done, is_currency
from psp_harness.vocabulary import WISHES

_CALM = "no case asked for anything twice, lost an answer or ended the shop's process"


def _payments(history: History, profile: Profile) -> Iterator[Wish]:
    return (wish for wish in at_risk(history, profile) if WISHES[wish.intent.operation] == "create-payment")


@rule(
    "an-order-is-charged-once",
    role=Role.SHOP,
    on=_payments,
    needs_effects=True,
    otherwise=_CALM,
    source="Hyperswitch, Idempotency FAQ; failure modes C06, C13 to C15, C30, C31, R12",
    fix="let the order's row say that it is being paid, committed before you ask, and ask with its id as the key",
)
def an_order_is_charged_once(wish: Wish, profile: Profile) -> str | None:
    """An order or a subscription's period is charged once, whoever presses again and whatever was lost in between."""
    return _twice(wish)


def _refunds(history: History, profile: Profile) -> Iterator[Wish]:
    return (wish for wish in at_risk(history, profile) if wish.intent.operation == "refund-order")


@rule(
    "a-refund-is-given-once",
    role=Role.SHOP,
    on=_refunds,
    needs={"refunds"},
    needs_effects=True,
    otherwise=_CALM,
    source="psp-harness: money that went back twice does not return; failure modes C14, C15, R04, R07",
    fix="write a pending row for the refund first, commit it, and ask with that row's id as the key, each time",
)
def a_refund_is_given_once(wish: Wish, profile: Profile) -> str | None:
    """A refund is given once, whoever presses again and whatever was lost in between."""
    return _twice(wish)


def _payouts(history: History, profile: Profile) -> Iterator[Wish]:
    return (wish for wish in at_risk(history, profile) if wish.intent.operation == "payout")


@rule(
    "a-payout-is-sent-once",
    role=Role.SHOP,
    on=_payouts,
    needs={"payouts", "pays-out"},
    needs_effects=True,
    otherwise=_CALM,
    source="Hyperswitch crates/router/src/core/payouts.rs: a payout has an id of the caller's; failure modes C14, C15",
    fix="write a pending row for the payout first, commit it, and send that row's id, each time",
)
def a_payout_is_sent_once(wish: Wish, profile: Profile) -> str | None:
    """A payout is sent once, whoever runs the payroll again and whatever was lost in between."""
    return _twice(wish)


def _twice(wish: Wish) -> str | None:
    if len(wish.effects) <= 1:
        return None
    happened_ = f"happened {len(wish.effects)} times: {done(wish.effects)}"
    again = ", and again when its process had been ended and started" if wish.history.ended else ""
    return f"{wish.called} was asked for {_times(wish.asked)}{again}, and {happened_}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


@rule(
    "money-that-moved-has-one-row",
    role=Role.SHOP,
    on=happened,
    needs_effects=True,
    source="psp-harness: the books are what the shop knows; failure modes C15, C24, C28, R07, R09",
    fix="write the row before you ask, keep it whatever comes back, and hold the PSP's id in it by a UNIQUE index",
)
def money_that_moved_has_one_row(moved: Happened, profile: Profile) -> str | None:
    """Each movement of money stands in the shop's books once: as done, or as in doubt."""
    what = f"{moved.effect.kind} {moved.effect.id} of {moved.effect.amount}"
    if not moved.rows and moved.at_the_psp:
        return None  # it is to be told of, and that is for another rule
    if not moved.rows:
        return f"{what} happened, and no row of the shop's books says so"
    if len(moved.rows) > 1:
        return f"{what} happened once, and stands in the books {len(moved.rows)} times: {_rows(moved.rows)}"
    if moved.rows[0].status in {"failed", "open"}:
        return f"{what} happened, and the books call it {moved.rows[0].status!r}: {_rows(moved.rows)}"
    return None


@rule(
    "a-refund-goes-back-to-who-paid",
    role=Role.SHOP,
    on=given_back,
    needs={"refunds"},
    needs_effects=True,
    otherwise="nothing was given back",
    source="psp-harness: another customer's money is no less lost; failure mode R08",
    fix="take the payment from the row of the order that is given back, and the refund's row from that order, too",
)
def a_refund_goes_back_to_who_paid(given: GivenBack, profile: Profile) -> str | None:
    """A refund is given from the payment of the order for which it was wished, and is booked under that order."""
    wished = f"{given.wish.called} was wished for the order of {given.order.amount}"
    if given.wrong:
        return f"{wished}, and was given from another's: {done(given.wrong)}"
    return f"{wished}, and stands in the books under another's: {_rows(given.elsewhere)}" if given.elsewhere else None


def _at_the_desk(history: History, profile: Profile) -> Iterator[Happened]:
    """Refunds for which the shop was not asked, and of which it was told."""
    told = {i.refund for i in history.intents if i.delivery is not None and i.delivery.genuine and history.attempts(i)}
    amounts = {i.amount for i in history.intents if i.step in told}
    return (each for each in happened(history, profile) if each.at_the_psp and each.effect.amount in amounts)


@rule(
    "a-refund-made-at-the-psp-is-booked",
    role=Role.SHOP,
    level=Level.SHOULD,
    on=_at_the_desk,
    needs={"refunds", "webhooks", "refund-events"},
    needs_effects=True,
    source="psp-harness: support staff give money back in the PSP's dashboard; failure mode R09",
    fix="give an event's refund that you do not know a row of its own, once, by a UNIQUE index on the PSP's id",
)
def a_refund_made_at_the_psp_is_booked(moved: Happened, profile: Profile) -> str | None:
    """A refund that was made at the PSP's own desk stands in the books when the PSP has told of it."""
    if moved.rows:
        return None
    return f"refund {moved.effect.id} of {moved.effect.amount} was made at the PSP and told of, and no row says so"


def _rows(rows: tuple[Row, ...]) -> str:
    return ", ".join(f"{row.kind} {row.id} ({row.status})" for row in rows)


@rule(
    "a-row-that-is-done-is-money-that-moved",
    role=Role.SHOP,
    on=believed,
    needs_effects=True,
    source="psp-harness: who ships what nobody paid has lost the goods; failure modes R11, W01, W25",
    fix="call it done when the PSP says so of this payment, and compare amount and currency",
)
def a_row_that_is_done_is_money_that_moved(row: Believed, profile: Profile) -> str | None:
    """What the books call done did happen at the PSP, with the same amount, and in the currency that they name."""
    told = f"{row.row.kind} {row.row.id} of {row.row.amount} is done in the books"
    if not row.effects:
        return f"{told}, and no such money moved"
    if all(effect.amount != row.row.amount for effect in row.effects):
        return f"{told}, and what moved is {done(row.effects)}"
    said, moved = row.row.currency.upper(), {effect.currency.upper() for effect in row.effects}
    if is_currency(said) and said not in moved and all(moved):
        return f"{told} in {said}, and what moved is {done(row.effects)} in {' and '.join(sorted(moved))}"
    return None


@dataclass(frozen=True, slots=True)
class Account:
    """One order or subscription when all is settled: what moved, and what the books say."""

    called: str
    """As people call it."""
    orders: tuple[Row, ...]
    refunds: tuple[Row, ...]
    captured: tuple[Effect, ...]
    returned: tuple[Effect, ...]
    exchanges: tuple[int, ...]


def _booked(history: History, effect: Effect) -> bool:
    """Whether it counts in the shop's books; only what the shop was not asked for may be missing there."""
    return effect.id not in at_the_psp(history) or bool(rows_of(effect, history.books[-1]))


def _accounts(history: History, profile: Profile) -> Iterator[Account]:
    found = list(wishes(history, profile))
    for wish in (each for each in found if ROW_KIND[each.intent.operation] in PAYS and history.books):
        mine = [
            each
            for each in found
            if each.intent.operation == "refund-order" and each.intent.payment == wish.intent.payment
        ]
        ids = {row.id for row in wish.rows}
        refunds = tuple(r for r in history.books[-1].rows if r.kind == "refund" and r.order_id in ids)
        paid = {effect.id for effect in wish.effects}
        back = (e for e in history.effects or () if e.kind == "refund" and e.payment_id in paid)
        returned = tuple(e for e in back if _booked(history, e))
        exchanges = tuple(n for each in (wish, *mine) for n in each.exchanges)
        yield Account(wish.called, wish.rows, refunds, wish.effects, returned, exchanges)


@rule(
    "the-books-balance",
    role=Role.SHOP,
    on=_accounts,
    needs_effects=True,
    source="psp-harness: ordered = captured - refunded + in doubt",
    fix="compare your books with the PSP's each night, order by order",
)
def the_books_balance(account: Account, profile: Profile) -> str | None:
    """What the PSP holds of an order or a period is what the books say: paid less refunded, within what is in doubt."""
    kept = _sum(account.captured) - _sum(account.returned)
    paid, doubt = _of(account.orders, "done"), _of(account.orders, "in-doubt")
    back, maybe = _of(account.refunds, "done"), _of(account.refunds, "in-doubt")
    if paid - back - maybe <= kept <= paid + doubt - back:
        return None
    return (
        f"of {account.called} the PSP holds {kept}, and the books say: {paid} paid, {back} given "
        f"back, {doubt + maybe} in doubt"
    )


def _sum(effects: tuple[Effect, ...]) -> int:
    return sum(effect.amount for effect in effects)


def _of(rows: tuple[Row, ...], status: str) -> int:
    return sum(row.amount for row in rows if row.status == status)


@rule(
    "a-lost-answer-is-in-doubt",
    role=Role.SHOP,
    on=uncertain,
    money_risk=True,
    otherwise="no answer was lost, or the shop had found out before anybody looked",
    source="failure modes C24, C25, C32, R07",
    fix="leave the row as it was written before you asked, and find out: it has neither failed nor never been there",
)
def a_lost_answer_is_in_doubt(case: Uncertain, profile: Profile) -> str | None:
    """Where the answer was lost, the books say that it is in doubt: it has not failed, and it is not forgotten."""
    wrong = [each for each in case.said if isinstance(each, Failed) and each.kind != "unknown"]
    if case.row is None:
        return f"the answer on {case.wish.called} was lost, and nothing in the books says that money may have moved"
    if case.row.status in {"failed", "open"}:
        return (
            f"the answer on {case.wish.called} was lost, and the books call it {case.row.status!r}{_truth(case.wish)}"
        )
    if wrong or any(isinstance(each, Refused) for each in case.said[:1]):
        return f"the answer on {case.wish.called} was lost, and the shop says that it did not happen{_truth(case.wish)}"
    return None


def _truth(wish: Wish) -> str:
    return f"; in truth it happened: {done(wish.effects)}" if wish.effects else ""


@rule(
    "a-no-means-that-nothing-happened",
    role=Role.SHOP,
    on=denied,
    needs_effects=True,
    otherwise="the shop said no to nothing",
    source="psp-harness: who is told no pays again, elsewhere; failure modes C24, R12",
    fix="answer from the row, after you wrote into it what the PSP said",
)
def a_no_means_that_nothing_happened(answer: Said, profile: Profile) -> str | None:
    """What the shop calls failed for certain, or refused, has not happened by then, as far as the PSP has told it."""
    if not answer.knew:
        return None
    what = done(answer.wish.effects)
    return f"{answer.wish.called} happened, the PSP said so, and the shop says that it did not: {what}"


@rule(
    "a-yes-means-that-something-was-done",
    role=Role.SHOP,
    on=granted,
    needs_effects=True,
    otherwise="the shop said yes to nothing",
    source="psp-harness: who is told yes asks no more; failure modes C11, R04",
    fix="answer yes when the row of this very wish is there, and the PSP was asked or is about to be",
)
def a_yes_means_that_something_was_done(answer: Said, profile: Profile) -> str | None:
    """Where the shop says yes, the PSP was asked for this very thing, or the books say that it is to be."""
    if answer.knew:
        return None
    return f"the shop said yes to {answer.wish.called}; nobody asked the PSP, and no row says that somebody will"


@rule(
    "nothing-stays-in-doubt",
    role=Role.SHOP,
    level=Level.SHOULD,
    on=settled_late,
    money_risk=True,
    otherwise="no answer was lost",
    source="psp-harness: a PSP that answers leaves no reason for doubt; failure mode W30",
    fix="look for what is in doubt when you start and from time to time: read it, or ask again with its own key",
)
def nothing_stays_in_doubt(wish: Wish, profile: Profile) -> str | None:
    """What was in doubt is found out about, without anybody pressing again and without a webhook."""
    if all(row.status != "in-doubt" for row in wish.rows):
        return None
    return f"{wish.called} is still in doubt, though the PSP answers and the shop was told to look"
