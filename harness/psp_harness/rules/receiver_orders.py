"""Receivers hold an event against the order that it names: state, amount, currency, account, mode."""

from __future__ import annotations

from collections.abc import Iterator

from psp_harness.model import History, Level, Role
from psp_harness.profile import Profile
from psp_harness.rules import rule
from psp_harness.rules.of_receivers import (
    MEANS_PAID,
    MEANS_UNPAID,
    PAID,
    Booked,
    Delivered,
    Ended,
    booked,
    delivered,
    ends,
    genuine,
    strange,
)


def _differs(event: Delivered) -> set[str]:
    """In what it does not fit its order, but for being of a second payment."""
    told, order = event.delivery, event.delivery.order
    pairs = {
        "amount": (told.amount, order.amount),
        "currency": (told.currency, order.currency),
        "account": (told.tenant, order.tenant),
        "mode": (told.mode, "test"),
    }
    return {name for name, (said, wanted) in pairs.items() if said != wanted}


def _strange(*names: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
    def on(history: History, profile: Profile) -> Iterator[Delivered]:
        return (each for each in strange(history, profile) if _differs(each) & set(names))

    return on


def _paid(event: Delivered, why: str) -> str | None:
    is_paid = event.done or event.marked_paid
    return f"order {event.delivery.order.id} was paid by an event {why}" if is_paid else None


@rule(
    "another-amount-pays-nothing",
    role=Role.RECEIVER,
    on=_strange("amount", "currency"),
    needs={"webhooks", "amounts-in-webhooks", "known-orders"},
    needs_effects=True,
    source="psp-harness: who pays one cent has not paid; failure mode W25",
    fix="compare amount and currency of the event with those of the order before you ship",
)
def another_amount_pays_nothing(event: Delivered, profile: Profile) -> str | None:
    """An event of another amount or currency than the order's does not pay it."""
    told, order = event.delivery, event.delivery.order
    return _paid(event, f"of {told.amount} {told.currency}, and costs {order.amount} {order.currency}")


@rule(
    "another-accounts-event-moves-nothing",
    role=Role.RECEIVER,
    on=_strange("account"),
    needs={"webhooks", "accounts-in-webhooks", "known-orders", "two-tenants"},
    needs_effects=True,
    source="psp-harness: one endpoint may be told of several accounts' payments; failure mode W26",
    fix="compare the account that the event names with the order's",
)
def another_accounts_event_moves_nothing(event: Delivered, profile: Profile) -> str | None:
    """An event that names another account pays no order of this one."""
    return _paid(event, f"of account {profile.accounts.get(event.delivery.tenant, '')!r}, which is not its own")


@rule(
    "the-other-mode-moves-nothing",
    role=Role.RECEIVER,
    level=Level.SHOULD,
    on=_strange("mode"),
    needs={"webhooks", "modes-in-webhooks"},
    needs_effects=True,
    source="docs.stripe.com/connect/webhooks: check livemode, for both kinds may come; failure mode W14",
    fix="compare the event's mode with that in which you run",
)
def the_other_mode_moves_nothing(event: Delivered, profile: Profile) -> str | None:
    """An event of the live mode moves nothing in a shop that runs in the test mode, and so the other way."""
    return _paid(event, f"of mode {event.delivery.mode!r}, while it runs in the test mode")


@rule(
    "what-is-booked-is-what-was-told",
    role=Role.RECEIVER,
    on=booked,
    needs={"webhooks", "amounts-in-webhooks"},
    needs_effects=True,
    source="psp-harness: the books are what the shop knows of its money; failure modes R06, W25",
    fix="book the amount and currency of the event, in minor units, once they fit the order's",
)
def what_is_booked_is_what_was_told(books: Booked, profile: Profile) -> str | None:
    """What is booked on an order has the amount and the currency that the PSP told of: of a refund, its own."""
    currencies = {"", books.order.currency}
    wrong = [e for e in books.effects if e.amount not in books.told or e.currency.upper() not in currencies]
    if not wrong:
        return None
    what = "paid" if books.kind == PAID else "given back"
    told = ", ".join(map(str, books.told))
    return (
        f"order {books.order.id} was booked as {what} with {wrong[0].amount} {wrong[0].currency}, and the PSP told of "
        f"{told} {books.order.currency}"
    )


def _refund_failed(history: History, profile: Profile) -> Iterator[Delivered]:
    """Refunds of which the PSP told that they failed, of orders for which it told of no other refund."""
    returned = {i.delivery.order.id for i in history.intents if i.delivery and i.delivery.event == "refund-succeeded"}
    for each in genuine(history, profile):
        if each.delivery.event == "refund-failed" and each.delivery.order.id not in returned:
            yield each


@rule(
    "a-refund-that-failed-gives-nothing-back",
    role=Role.RECEIVER,
    on=_refund_failed,
    needs={"webhooks", "refund-failure-events"},
    needs_effects=True,
    source="docs.adyen.com/online-payments/refund: REFUND with success=false; the event types in the profiles",
    fix="look at what the event says of the refund, and not only that it is about one",
)
def a_refund_that_failed_gives_nothing_back(event: Delivered, profile: Profile) -> str | None:
    """A refund of which the PSP tells that it failed is not booked as money that went back."""
    if not event.done:
        return None
    return f"order {event.delivery.order.id} was booked as given back by an event that says that the refund failed"


def _paid_already(history: History, profile: Profile) -> Iterator[Delivered]:
    for each in genuine(history, profile):
        if each.delivery.event == "payment-succeeded" and each.delivery.order.status == "paid":
            yield each


@rule(
    "an-order-is-paid-once-whoever-says-so",
    role=Role.RECEIVER,
    on=_paid_already,
    needs={"webhooks", "known-orders"},
    needs_effects=True,
    source="psp-harness: the API's answer, the page customers return to and the webhook tell one thing; modes W22, W23",
    fix="let the order's state decide who ships: paid once, by whoever comes first",
)
def an_order_is_paid_once_whoever_says_so(event: Delivered, profile: Profile) -> str | None:
    """An order that the API's answer or the return page has paid is not paid again by the event."""
    return _paid(event, "though it had been paid before the event came")


def _never_paid(history: History, profile: Profile) -> Iterator[Delivered]:
    """Payments of which the PSP told that they failed or are under way, and nothing else."""
    by_order: dict[str, set[str]] = {}
    for each in delivered(history, profile):
        by_order.setdefault(each.delivery.order.id, set()).add(each.delivery.event)
    for each in genuine(history, profile):
        if by_order[each.delivery.order.id] <= {"payment-failed", "payment-processing"}:
            yield each


@rule(
    "only-a-payment-that-succeeded-pays",
    role=Role.RECEIVER,
    on=_never_paid,
    needs={"webhooks", "failure-events"},
    needs_effects=True,
    source="the PSP's event types, as the profile has them",
    fix="ship on the event that says that the money came, and on no other",
)
def only_a_payment_that_succeeded_pays(event: Delivered, profile: Profile) -> str | None:
    """A payment that failed, or is still under way, pays no order."""
    return _paid(event, f"that says {event.delivery.event}")


def _unsigned(history: History, profile: Profile) -> Iterator[Delivered]:
    return (each for each in delivered(history, profile) if each.delivery.forged == "unsigned")


@rule(
    "an-unsigned-webhook-is-asked-back",
    role=Role.RECEIVER,
    on=_unsigned,
    needs={"webhooks", "unsigned-webhooks"},
    needs_effects=True,
    source="docs.mollie.com/overview/webhooks: use the id to fetch the status; failure mode W24",
    fix="ask the PSP what became of the payment, and believe its answer and not the webhook",
)
def an_unsigned_webhook_is_asked_back(event: Delivered, profile: Profile) -> str | None:
    """A webhook without a signature moves only what the PSP says when it is asked."""
    return _paid(event, "that nobody signed, while the PSP says that the payment is still under way")


def _second_payment(history: History, profile: Profile) -> Iterator[Delivered]:
    """Payments of orders that another payment had paid."""
    for each in strange(history, profile):
        if each.delivery.duplicate and each.delivery.event == "payment-succeeded":
            yield each


@rule(
    "a-second-payment-ships-nothing",
    role=Role.RECEIVER,
    on=_second_payment,
    needs={"webhooks"},
    needs_effects=True,
    source="psp-harness: one order is sent once, however often a customer pays for it; failure mode R08",
    fix="let the order's state decide who ships, and give the second payment back",
)
def a_second_payment_ships_nothing(event: Delivered, profile: Profile) -> str | None:
    """A second payment for an order that was paid does not send its goods again."""
    if event.done < 2:
        return None
    return f"order {event.delivery.order.id} was paid {event.done} times over: by its own payment and by a second one"


def _is_telling(state: str) -> bool:
    return state in MEANS_PAID | MEANS_UNPAID


def _settled(history: History, profile: Profile) -> Iterator[Ended]:
    """Orders of which a genuine event said that they are paid, and a later one something that comes before that."""
    for each in (ended for ended in ends(history, profile) if _is_telling(ended.state)):
        events = [told.delivery.event for told in each.told if told.delivery.genuine and told.acknowledged]
        if "payment-succeeded" in events:
            later = set(events[events.index("payment-succeeded") + 1 :])
            if later & {"payment-processing", "payment-failed"}:
                yield each


@rule(
    "an-order-never-goes-back",
    role=Role.RECEIVER,
    on=_settled,
    needs={"webhooks", "failure-events", "order-states"},
    source="hyperswitch-docs, integration-guide/webhooks.md: apply only the newer state; failure mode W20",
    fix="let a table say from which state to which an order may go: what comes late changes nothing",
)
def an_order_never_goes_back(order: Ended, profile: Profile) -> str | None:
    """An order that is paid stays paid when an event of what was before comes late."""
    if order.state in MEANS_UNPAID:
        return f"order {order.order.id} was paid, and is {order.state!r} since an earlier event came late"
    return None


def _given_back_twice_paid(history: History, profile: Profile) -> Iterator[Ended]:
    """Orders that were paid twice, and of which the second payment alone was given back.

    Where the receiver has a word of its own for such an order, nobody can say whether it is still to be sent.
    """
    for each in ends(history, profile):
        taken = [told.delivery for told in each.told if told.delivery.genuine and told.acknowledged]
        paid = any(told.event == "payment-succeeded" and not told.duplicate for told in taken)
        returned = [told for told in taken if told.event == "refund-succeeded"]
        if paid and returned and all(told.duplicate for told in returned) and _is_telling(each.state):
            yield each


@rule(
    "a-duplicate-given-back-leaves-its-order-paid",
    role=Role.RECEIVER,
    on=_given_back_twice_paid,
    needs={"webhooks", "refund-events", "payments-in-refund-events", "order-states"},
    source="psp-harness: who pays twice and gets one of the two back has paid; failure mode R08",
    fix="look which payment a refund is of: the order goes back with the payment that paid it, and with no other",
)
def a_duplicate_given_back_leaves_its_order_paid(order: Ended, profile: Profile) -> str | None:
    """An order that was paid twice stays paid when the second payment is given back."""
    if order.state not in MEANS_UNPAID:
        return None
    second = next(told.delivery.payment_id for told in order.told if told.delivery.duplicate)
    return (
        f"order {order.order.id} was paid by {order.order.payment_id}, and is {order.state!r} since {second}, a second "
        "payment for it, was given back"
    )
