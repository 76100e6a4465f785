from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from psp_harness.model import Effect
from psp_harness.reference.provider.ledger import Entry, Refusal
from psp_harness.reference.provider.standing import FAILS_AFTER, PaymentStanding, effects_of, of_payment, of_refund
from psp_harness.reference.provider.states import (
    PAYMENT_MOVES,
    REFUND_MOVES,
    PaymentEvent,
    PaymentStatus,
    RefundEvent,
    RefundStatus,
    move,
)


def payment(capture: str = "at-once", fate: str = "") -> Entry:
    """Build a payment of 10.00."""
    return Entry("tenant-a", "payment", "pay", "", 1000, "EUR", "order-1", 0.0, {"capture": capture, "fate": fate})


def of_it(kind: str, amount: int = 0, **about: object) -> Entry:
    """Build an entry of that payment."""
    return Entry("tenant-a", kind, f"{kind}-{amount}", "payment/pay", amount, "EUR", about=about)


@pytest.mark.parametrize(("state", "event"), list(itertools.product(PaymentStatus, PaymentEvent)))
def test_payment_moves(state: PaymentStatus, event: PaymentEvent) -> None:
    """In each state each event either leads to the state that the table names, or is refused as the wrong state."""
    after = move(PAYMENT_MOVES, state, event)
    if (state, event) in PAYMENT_MOVES:
        assert after == PAYMENT_MOVES[state, event]
    else:
        assert isinstance(after, Refusal)
        assert (after.reason, after.about["status"]) == ("wrong-state", state.value)


def test_what_is_over_is_over() -> None:
    """Nothing leads out of a payment that failed or is void, nor out of a refund that failed."""
    ends = {PaymentStatus.FAILED, PaymentStatus.CANCELLED}
    assert {state for state, _ in PAYMENT_MOVES} & ends == set()
    assert [move(REFUND_MOVES, RefundStatus.FAILED, event) for event in RefundEvent if isinstance(event, Refusal)] == []
    assert {state for state, _ in REFUND_MOVES} == set(RefundStatus) - {RefundStatus.FAILED}


def test_every_state_is_reached() -> None:
    """The tables name no state that nothing leads to, but those in which everything begins."""
    assert set(PAYMENT_MOVES.values()) == set(PaymentStatus)
    assert set(REFUND_MOVES.values()) == set(RefundStatus) - {RefundStatus.PENDING}


@pytest.mark.parametrize(
    ("born", "later", "wanted"),
    [
        (payment(), [], PaymentStanding(PaymentStatus.SUCCEEDED, 1000, captured=1000)),
        (payment(fate="declined"), [], PaymentStanding(PaymentStatus.FAILED, 1000)),
        (payment("later"), [], PaymentStanding(PaymentStatus.AUTHORIZED, 1000)),
        (payment("later"), [of_it("cancellation")], PaymentStanding(PaymentStatus.CANCELLED, 1000)),
        (payment("later"), [of_it("capture", 300)], PaymentStanding(PaymentStatus.PARTIALLY_CAPTURED, 1000, 300)),
        (payment("in-parts"), [of_it("capture", 300)], PaymentStanding(PaymentStatus.CAPTURABLE, 1000, 300)),
        (
            payment("in-parts"),
            [of_it("capture", 300), of_it("capture", 700), of_it("refund", 200)],
            PaymentStanding(PaymentStatus.SUCCEEDED, 1000, 1000, 200),
        ),
    ],
)
def test_how_a_payment_stands(born: Entry, later: list[Entry], wanted: PaymentStanding) -> None:
    """Its status and its sums follow from its entries alone."""
    assert replace(of_payment(born, later, 0.0), capture=wanted.capture) == wanted


def test_what_is_left_to_capture() -> None:
    """All of it at first; nothing once it was captured in one go; the rest where it is captured in parts."""
    part = [of_it("capture", 300)]
    standings = (of_payment(payment("later"), [], 0), of_payment(payment("later"), part, 0))
    assert [standing.capturable for standing in standings] == [1000, 0]
    assert of_payment(payment("in-parts"), part, 0).capturable == 700


def test_a_refund_that_fails_looks_done_at_first() -> None:
    """Time alone makes it fail, and no entry says so."""
    refund = of_it("refund", 10, fate="refund-fails")
    assert [of_refund(refund, now) for now in (0.0, FAILS_AFTER)] == [RefundStatus.SUCCEEDED, RefundStatus.FAILED]


def test_what_moves_money() -> None:
    """Payments that were captured at once, captures, and refunds that did not fail; nothing else."""
    books = [
        payment(), payment(fate="declined"), payment("later"), of_it("capture", 300), of_it("cancellation"),
        of_it("refund", 10), of_it("refund", 20, fate="refund-fails"),
    ]  # fmt: skip
    assert effects_of(books, FAILS_AFTER) == (
        Effect("payment", "pay", 1000, "EUR", "", "order-1"),
        Effect("capture", "capture-300", 300, "EUR", "pay"),
        Effect("refund", "refund-10", 10, "EUR", "pay"),
    )


def test_a_payment_moves_when_it_is_confirmed() -> None:
    """Made without a method it waits; changed, it has the last amount; its confirmation is the movement of money."""
    waiting = Entry(
        "tenant-a", "payment", "pay", "", 1000, "EUR", "order-1", about={"opens": "requires_payment_method"}
    )
    later = [of_it("update", 700, method=True), of_it("confirmation", 700, capture="at-once")]
    statuses = [of_payment(waiting, later[:count], 0.0).status.value for count in range(3)]
    assert statuses == ["requires_payment_method", "requires_confirmation", "succeeded"]
    assert of_payment(waiting, later, 0.0).captured == 700
    assert effects_of([waiting, *later], 0.0) == (Effect("payment", "pay", 700, "EUR"),)


def test_a_declined_confirmation_moves_nothing() -> None:
    """Nor does one of a payment that is captured later, whose method it names itself."""
    waiting = Entry("tenant-a", "payment", "pay", "", 1000, "EUR", about={"opens": "requires_payment_method"})
    for about, status in (({"fate": "declined"}, "failed"), ({"capture": "later"}, "authorized")):
        confirmation = of_it("confirmation", 1000, method=True, **about)
        assert of_payment(waiting, [confirmation], 0.0).status.value == status
        assert effects_of([waiting, confirmation], 0.0) == ()


def test_a_refund_that_is_settled_later_takes_its_amount_at_once() -> None:
    """It is pending and no money moved; nobody else can be given that money meanwhile."""
    refund = of_it("refund", 300, settles_after=60)
    assert [of_refund(refund, now) for now in (0.0, 60.0)] == [RefundStatus.PENDING, RefundStatus.SUCCEEDED]
    assert of_payment(payment(), [refund], 0.0).left == 700
    assert [len(effects_of([refund], now)) for now in (0.0, 60.0)] == [0, 1]


def test_what_takes_no_time_is_done_whatever_the_clock_says() -> None:
    """Of two processes one clock is behind: what the other one has entered is not still under way for that."""
    ahead = replace(payment(), created=5.0)
    refund = replace(of_it("refund", 10), created=5.0)
    assert of_payment(ahead, [refund], 0.0) == PaymentStanding(PaymentStatus.SUCCEEDED, 1000, 1000, given_back=10)
    assert of_refund(refund, 0.0) is RefundStatus.SUCCEEDED


def test_a_payout_that_takes_no_time_is_paid_by_any_clock() -> None:
    """As payments and refunds are; one that takes its time is not."""
    about = {"paid": True}
    payout = Entry("tenant-a", "payout", "out", "", 400, "EUR", created=100.0, about=about)
    slow = Entry("tenant-a", "payout", "slow", "", 400, "EUR", created=100.0, about={**about, "takes": 60.0})
    assert [effect.id for effect in effects_of([payout, slow], 0.0)] == ["out"]
