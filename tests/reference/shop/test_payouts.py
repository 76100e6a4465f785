from __future__ import annotations

import pytest

from psp_harness.reference.client_errors import OutcomeUnknown, PaymentError, RateLimited, Rejected, Unreachable
from psp_harness.reference.shop.psp import PayoutTold
from psp_harness.reference.shop.refusals import Conflict, Invalid, Mismatch, NotFound
from psp_harness.reference.shop.shop import Shop
from psp_harness.reference.shop.tables import Payout
from reference.shop.selling import LOST, Psp, of_payout


def paid_out(shop: Shop, request: str = "payroll-1", amount: int = 5000) -> Payout:
    """A payout of 50 EUR."""
    return shop.payouts.pay_out(request, amount=amount, currency="EUR", destination="tok_1")


def test_the_row_is_there_before_the_psp_is_asked_and_its_id_is_the_key(shop: Shop, psp: Psp) -> None:
    """Two phases."""
    payout, opened = shop.payouts.open_payout("payroll-1", amount=5000, currency="EUR", destination="tok_1")
    assert (opened, psp.calls) == (True, [])
    assert shop.payouts.send_payout(payout.id).status == "succeeded"
    assert psp.calls == [("create_payout", payout.id)]


def test_a_request_that_comes_twice_is_one_payout(shop: Shop, psp: Psp) -> None:
    """With another amount it is refused."""
    assert paid_out(shop).id == paid_out(shop).id
    with pytest.raises(Conflict, match="5000 EUR"):
        paid_out(shop, amount=1)
    assert psp.count("create_payout") == 1


@pytest.mark.parametrize(
    ("when", "error"),
    [("before", LOST), ("after", LOST), ("before", Unreachable("gone")), ("before", RateLimited(429, "", "", 1))],
)
def test_a_payout_in_doubt_is_picked_up_with_its_own_key(when: str, error: PaymentError, shop: Shop, psp: Psp) -> None:
    """Read first, and asked for only where the PSP has none."""
    setattr(psp, when, error)
    with pytest.raises(type(error)):
        paid_out(shop)
    (pending,) = shop.payouts.in_doubt()
    assert shop.reconcile().settled == [pending]
    assert list(psp.payouts) == [pending]
    assert {key for name, key in psp.calls if name == "create_payout"} == {pending}


@pytest.mark.parametrize(("status", "says"), [("failed", "failed"), ("expired", "failed"), ("initiated", "pending")])
def test_what_the_psp_says_of_it_is_written_down(status: str, says: str, shop: Shop, psp: Psp) -> None:
    """What is not decided stays pending."""
    psp.says = status
    assert paid_out(shop).status == says


def test_a_refusal_is_a_failure_and_another_payout_has_another_key(shop: Shop, psp: Psp) -> None:
    """If it is certain that there is none under this id."""
    psp.before = Rejected(422, "IR_06", "no")
    with pytest.raises(Rejected):
        paid_out(shop)
    assert shop.payouts.in_doubt() == []
    assert paid_out(shop, "payroll-1-again").status == "succeeded"


def test_the_repeat_of_a_payout_that_happened_is_believed_to_have_happened(shop: Shop, psp: Psp) -> None:
    """It is refused as a duplicate."""
    payout, _ = shop.payouts.open_payout("payroll-1", amount=5000, currency="EUR", destination="tok_1")
    psp.payouts[payout.id] = PayoutTold(payout.id, "success", 5000, "EUR")
    assert shop.payouts.send_payout(payout.id).status == "succeeded"


def test_a_payout_that_comes_back_is_reversed_and_stays_so(shop: Shop) -> None:
    """Told by a webhook, after it had succeeded."""
    payout = paid_out(shop)
    for number, status in enumerate(("reversed", "success")):
        assert shop.take(*of_payout(f"evt_{number}", payout.id, status)) == "applied"
    assert shop.payouts.get(payout.id).status == "reversed"


@pytest.mark.parametrize(("payout_id", "amount"), [("out_0", 5000), (None, 4999)])
def test_an_event_that_does_not_fit_does_nothing(payout_id: str | None, amount: int, shop: Shop) -> None:
    """Of another payout, of another amount."""
    payout = paid_out(shop)
    assert shop.take(*of_payout("evt_1", payout_id or payout.id, "reversed", amount)) == "ignored"
    assert shop.payouts.get(payout.id).status == "succeeded"


def test_a_payout_of_another_amount_is_not_the_row_s(shop: Shop, psp: Psp) -> None:
    """It stays pending, loudly."""
    psp.after = LOST
    with pytest.raises(OutcomeUnknown):
        paid_out(shop)
    (pending,) = shop.payouts.in_doubt()
    psp.payouts[pending] = PayoutTold(pending, "success", 1, "EUR")
    with pytest.raises(Mismatch, match="the PSP says 1 EUR"):
        shop.payouts.settle(pending)


def test_what_cannot_be_is_refused(shop: Shop, psp: Psp) -> None:
    """And the PSP is not asked."""
    with pytest.raises(Invalid):
        paid_out(shop, amount=0)
    with pytest.raises(NotFound):
        shop.payouts.send_payout("out_0")
    assert psp.calls == []
