"""The inbox: written together or not at all, applied once, never back, and only what fits."""

from __future__ import annotations

from pathlib import Path

import pytest

from psp_harness.profile import Told
from psp_harness.reference.receiver.inbox import TRANSITIONS, Inbox, TooEarly

ORDER = {"id": "o1", "amount": 1000, "currency": "EUR", "account": "a", "payment_id": "p1", "status": "pending"}
SAYS = {"reference": "o1", "id": "p1", "amount": 1000, "currency": "EUR", "account": "a"}


def told(means: str, **changes: object) -> Told:
    """An event about the order."""
    return Told(means, {key: value for key, value in {**SAYS, **changes}.items() if value is not None})


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    """With one order."""
    made = Inbox.open(str(tmp_path))
    made.add_orders([ORDER])
    return made


def kinds(inbox: Inbox) -> list[str]:
    """What was done, in order."""
    return [effect["kind"] for effect in inbox.effects()]


def state(inbox: Inbox) -> str:
    """What the order is."""
    return str(inbox.states()[0]["status"])


def test_an_event_is_applied_once_by_its_id(inbox: Inbox) -> None:
    """Told three times, and again after everything was opened anew."""
    for _ in range(3):
        inbox.take([("e1", told("payment-succeeded"))])
    assert (kinds(inbox), state(inbox)) == (["order-paid"], "paid")


def test_another_event_of_the_same_payment_pays_nothing_more(inbox: Inbox) -> None:
    """The order's state says that it is paid, whatever the event is called."""
    inbox.take([("e1", told("payment-succeeded")), ("e2", told("payment-succeeded"))])
    assert kinds(inbox) == ["order-paid"]


@pytest.mark.parametrize("late", ["payment-processing", "payment-failed", "other", ""])
def test_nothing_goes_back(inbox: Inbox, late: str) -> None:
    """What is told late changes nothing."""
    inbox.take([("e1", told("payment-succeeded")), ("e2", told(late))])
    assert (kinds(inbox), state(inbox)) == (["order-paid"], "paid")


def test_a_failed_payment_may_succeed_later(inbox: Inbox) -> None:
    """The customer tries another card."""
    inbox.take([("e1", told("payment-failed"))])
    assert (kinds(inbox), state(inbox)) == ([], "failed")
    inbox.take([("e2", told("payment-succeeded"))])
    assert (kinds(inbox), state(inbox)) == (["order-paid"], "paid")


def test_a_refund_before_its_payment_leaves_nothing_and_can_come_again(inbox: Inbox) -> None:
    """Its id is not kept either, nor what stood before it in the batch."""
    refund = ("e1", told("refund-succeeded", amount=300, refund_id="r1"))
    with pytest.raises(TooEarly):
        inbox.take([("e0", told("payment-failed")), refund])
    assert state(inbox) == "pending"
    inbox.take([("e2", told("payment-succeeded"))])
    inbox.take([refund])
    inbox.take([refund])
    assert kinds(inbox) == ["order-paid", "order-refunded"]


def test_refunds_never_exceed_what_was_paid(inbox: Inbox) -> None:
    """The one that is too much is taken, and not booked."""
    refunds = [(f"e{n}", told("refund-succeeded", amount=400, refund_id=f"r{n}")) for n in range(3)]
    inbox.take([("e9", told("payment-succeeded")), *refunds])
    assert [effect["amount"] for effect in inbox.effects()] == [1000, 400, 400]


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 999}, {"amount": 1001}, {"amount": "1000"}, {"amount": True}, {"amount": -1000}, {"currency": "USD"},
        {"account": "b"}, {"reference": "o2"},
    ],
)  # fmt: skip
def test_what_does_not_fit_the_order_changes_nothing(inbox: Inbox, changes: dict[str, object]) -> None:
    """Amount, currency, account and the order itself; it is taken all the same, for it will never fit."""
    inbox.take([("e1", told("payment-succeeded", **changes))])
    assert (kinds(inbox), state(inbox)) == ([], "pending")


def test_an_event_without_a_reference_is_of_the_payment_that_it_names(inbox: Inbox) -> None:
    """As GoCardless's are, which say no amount either."""
    nothing = {"reference": None, "amount": None, "currency": None, "account": None}
    inbox.take([("e1", told("payment-succeeded", **nothing, id="p2"))])
    assert kinds(inbox) == []
    inbox.take([("e2", told("payment-succeeded", **nothing))])
    assert kinds(inbox) == ["order-paid"]


def test_everything_is_on_the_disk_when_it_was_taken(tmp_path: Path) -> None:
    """Another one that opens the same folder knows the event, the order and the effect."""
    first = Inbox.open(str(tmp_path))
    first.add_orders([ORDER])
    first.take([("e1", told("payment-succeeded"))])
    second = Inbox.open(str(tmp_path))
    second.add_orders([ORDER])
    second.take([("e1", told("payment-succeeded"))])
    assert (kinds(second), state(second)) == (["order-paid"], "paid")


def test_no_transition_leads_back() -> None:
    """The table itself: from paid only to paid."""
    assert {after for (before, _), (after, _) in TRANSITIONS.items() if before == "paid"} == {"paid"}
