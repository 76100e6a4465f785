from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psp_harness.reference.provider.engine import Terms, decide
from psp_harness.reference.provider.ledger import Entry, Ledger, Place, Refusal
from psp_harness.reference.provider.orders import CancelOrder, CaptureOrder, Order, PaymentOrder, RefundOrder
from psp_harness.reference.provider.standing import FAILS_AFTER, Capture, Fate, of_payment

NOW = Terms(7.0)
PAYMENT = Entry("tenant-a", "payment", "pay", "", 1000, "EUR", None, 0.0, {"capture": "at-once", "fate": ""})
AUTHORISED = replace(PAYMENT, about={"capture": "later", "fate": ""})
IN_PARTS = replace(PAYMENT, about={"capture": "in-parts", "fate": ""})
DECLINED = replace(PAYMENT, about={"capture": "at-once", "fate": "declined"})


def entry(kind: str, amount: int = 0, **more: object) -> Entry:
    """Build an entry of `PAYMENT`."""
    return Entry("tenant-a", kind, f"{kind}-{amount}", PAYMENT.name, amount, "EUR", **more)  # type: ignore[arg-type]


def place(kind: str, id_: str = "new") -> Place:
    """Build a place below `PAYMENT`."""
    return Place("tenant-a", kind, id_, PAYMENT.name)


def ask(order: Order, above: Entry | None, *beside: Entry, existing: Entry | None = None) -> Entry | Refusal:
    """Decide on what stands there."""
    kinds = {CaptureOrder: "capture", CancelOrder: "cancellation", RefundOrder: "refund"}
    return decide(order, Ledger(existing, above, beside), place(kinds[type(order)]), NOW)


@given(captured=st.integers(1, 5000), amounts=st.lists(st.integers(1, 2000), max_size=20))
def test_refunds_never_exceed_the_captured_amount(captured: int, amounts: list[int]) -> None:
    """Whatever is asked for, what is given back is at most what was captured; and what fits is never refused."""
    payment, given_back = replace(PAYMENT, amount=captured), ()
    for amount in amounts:
        made = ask(RefundOrder("pay", amount), payment, *given_back)
        assert isinstance(made, Entry) == (sum(each.amount for each in given_back) + amount <= captured)
        given_back += (made,) if isinstance(made, Entry) else ()
    assert sum(each.amount for each in given_back) <= captured


@given(amounts=st.lists(st.integers(1, 700), max_size=10), capture=st.sampled_from([Capture.LATER, Capture.IN_PARTS]))
def test_captures_never_exceed_what_was_authorised(amounts: list[int], capture: Capture) -> None:
    """In one go or in parts, what is captured is at most what was authorised; in one go, it is captured once."""
    payment, taken = replace(PAYMENT, about={"capture": capture.value}), ()
    for amount in amounts:
        made = ask(CaptureOrder("pay", amount), payment, *taken)
        taken += (made,) if isinstance(made, Entry) else ()
    assert sum(each.amount for each in taken) <= payment.amount
    assert capture is Capture.IN_PARTS or len(taken) <= 1


@pytest.mark.parametrize(
    ("order", "above", "beside", "reason"),
    [
        (RefundOrder("pay", 1), None, (), "not-found"),
        (RefundOrder("pay", 1), DECLINED, (), "not-refundable"),
        (RefundOrder("pay", 1), AUTHORISED, (), "not-refundable"),
        (RefundOrder("pay", 1), AUTHORISED, (entry("cancellation"),), "not-refundable"),
        (RefundOrder("pay", 1001), PAYMENT, (), "exceeds-captured"),
        (RefundOrder("pay", 401), PAYMENT, (entry("refund", 600),), "exceeds-captured"),
        (RefundOrder("pay", 301), AUTHORISED, (entry("capture", 300),), "exceeds-captured"),
        (CaptureOrder("pay", 1), None, (), "not-found"),
        (CaptureOrder("pay", 1), PAYMENT, (), "not-capturable"),
        (CaptureOrder("pay", 1), DECLINED, (), "not-capturable"),
        (CaptureOrder("pay", 1001), AUTHORISED, (), "exceeds-authorised"),
        (CaptureOrder("pay", 1), AUTHORISED, (entry("capture", 300),), "not-capturable"),
        (CaptureOrder("pay", 1), AUTHORISED, (entry("cancellation"),), "not-capturable"),
        (CaptureOrder("pay", 701), IN_PARTS, (entry("capture", 300),), "exceeds-authorised"),
        (CaptureOrder("pay"), IN_PARTS, (entry("capture", 1000),), "not-capturable"),
        (CancelOrder("pay"), None, (), "not-found"),
        (CancelOrder("pay"), PAYMENT, (), "not-cancellable"),
        (CancelOrder("pay"), AUTHORISED, (entry("capture", 300),), "not-cancellable"),
        (CancelOrder("pay"), AUTHORISED, (entry("cancellation"),), "not-cancellable"),
    ],
)
def test_what_cannot_happen(order: Order, above: Entry | None, beside: tuple[Entry, ...], reason: str) -> None:
    """Money moves out of no state but the right one, and never more of it than there is."""
    refused = ask(order, above, *beside)
    assert isinstance(refused, Refusal)
    assert refused.reason == reason


def test_what_was_not_named_is_all_of_it() -> None:
    """A capture without an amount takes what is left to capture."""
    first = ask(CaptureOrder("pay"), AUTHORISED)
    rest = ask(CaptureOrder("pay"), IN_PARTS, entry("capture", 300))
    assert isinstance(first, Entry)
    assert isinstance(rest, Entry)
    assert (first.amount, rest.amount) == (1000, 700)


def test_a_refund_without_an_amount_is_of_all_that_is_left() -> None:
    """The whole, or the rest; and of nothing nothing goes back."""
    whole = ask(RefundOrder("pay"), PAYMENT)
    rest = ask(RefundOrder("pay"), PAYMENT, entry("refund", 600))
    nothing = ask(RefundOrder("pay"), PAYMENT, entry("refund", 1000))
    assert [getattr(each, "amount", None) for each in (whole, rest)] == [1000, 400]
    assert isinstance(nothing, Refusal)
    assert nothing.reason == "exceeds-captured"


def test_the_amount_of_a_refund_is_looked_at_before_its_id() -> None:
    """The repeat of a full refund is told that it asks for too much; of a small one, that its id is taken."""
    full, small = entry("refund", 1000), entry("refund", 1)
    too_much = ask(RefundOrder("pay", 1000), PAYMENT, full, existing=full)
    taken = ask(RefundOrder("pay", 1), PAYMENT, small, existing=small)
    assert [getattr(each, "reason", "") for each in (too_much, taken)] == ["exceeds-captured", "duplicate-refund-id"]


def test_refunds_that_failed_leave_the_money() -> None:
    """A refund that came back does not count against what is left; before that, it does."""
    payment = replace(PAYMENT, about={"capture": "at-once", "fate": "refund-fails"})
    first = ask(RefundOrder("pay", 1000), payment)
    assert isinstance(first, Entry)
    assert of_payment(payment, [first], first.created + FAILS_AFTER - 1).left == 0
    assert of_payment(payment, [first], first.created + FAILS_AFTER).left == 1000


def test_what_is_of_a_payment_is_in_its_currency() -> None:
    """Nobody but the payment says in which currency it is captured and given back."""
    wanted = Entry("tenant-a", "refund", "new", "payment/pay", 10, "EUR", None, 7.0)
    assert ask(RefundOrder("pay", 10), PAYMENT) == wanted
    assert ask(CaptureOrder("pay", 10), AUTHORISED) == replace(wanted, kind="capture")


def test_a_payment_id_is_taken_once() -> None:
    """A second payment with an id that exists is refused, and says which."""
    refused = decide(PaymentOrder(1, "EUR"), Ledger(existing=PAYMENT), Place("tenant-a", "payment", "pay"), NOW)
    assert isinstance(refused, Refusal)
    assert (refused.reason, refused.about) == ("duplicate-payment-id", {"id": "pay"})


def test_a_payment_keeps_what_its_words_came_to() -> None:
    """How it is captured and what its card does stand in its entry."""
    terms = Terms(7.0, Capture.LATER, Fate.DECLINED)
    made = decide(PaymentOrder(5, "EUR", "order-1"), Ledger(), Place("tenant-a", "payment", "pay"), terms)
    about = {"capture": "later", "fate": "declined"}
    assert made == Entry("tenant-a", "payment", "pay", "", 5, "EUR", "order-1", 7.0, about)
