from __future__ import annotations

import pytest
from sqlalchemy import select

from psp_harness.reference.client_errors import OutcomeUnknown, Rejected
from psp_harness.reference.shop.refusals import Conflict, NotFound, TooMuch, WrongState
from psp_harness.reference.shop.shop import Shop
from psp_harness.reference.shop.tables import Evidence
from reference.shop.selling import LOST, Psp, of_dispute

RECEIPT = b"%PDF-1.7 a receipt"


@pytest.fixture
def order_id(shop: Shop) -> str:
    """An order of 65.40 EUR that is paid."""
    order = shop.orders.place_order("cart-1", amount=6540, currency="EUR")
    return shop.orders.confirm_order(order.id, payment_token="tok_1").id


@pytest.fixture
def dispute_id(shop: Shop, order_id: str) -> str:
    """A dispute of 20.00 EUR of it."""
    assert shop.take(*of_dispute("evt_1", "dp_1", order_id)) == "applied"
    return "dp_1"


def attach(shop: Shop, dispute_id: str, content: bytes = RECEIPT, kind: str = "receipt") -> Evidence:
    """A receipt."""
    return shop.disputes.attach(dispute_id, kind=kind, filename="receipt.pdf", content=content)


def test_what_is_disputed_is_not_refunded_as_well(shop: Shop, order_id: str, dispute_id: str) -> None:
    """Unless the dispute is won."""
    with pytest.raises(TooMuch, match="4540 is left"):
        shop.refunds.refund_order(order_id, request="r-1", amount=4541)
    shop.take(*of_dispute("evt_2", dispute_id, order_id, "won"))
    assert shop.refunds.refund_order(order_id, request="r-1", amount=6540).status == "succeeded"


@pytest.mark.parametrize("lost", ["lost", "expired", "accepted"])
def test_what_is_lost_stays_lost(lost: str, shop: Shop, order_id: str, dispute_id: str) -> None:
    """Whatever comes late, and however often it comes."""
    for number, status in enumerate((lost, "opened", "challenged", "won", lost)):
        assert shop.take(*of_dispute(f"evt_late_{number}", dispute_id, order_id, status)) == "applied"
    (order,) = shop.state()["orders"]
    assert (shop.disputes.get(dispute_id).status, order["disputed"]) == (lost, 2000)


@pytest.mark.parametrize(
    ("order", "amount"), [("ord_0", "2000"), (None, "6541"), (None, "0"), (None, "much"), (None, "-1")]
)
def test_a_dispute_that_does_not_fit_is_ignored(order: str | None, amount: str, shop: Shop, order_id: str) -> None:
    """Of no order of ours, of more than was captured, of nothing."""
    assert shop.take(*of_dispute("evt_1", "dp_1", order or order_id, amount=amount)) == "ignored"
    assert shop.state()["disputes"] == []


def test_a_dispute_before_its_payment_waits(shop: Shop) -> None:
    """For the payment."""
    order = shop.orders.place_order("cart-2", amount=6540, currency="EUR")
    assert shop.take(*of_dispute("evt_1", "dp_1", order.id)) == "received"
    shop.orders.confirm_order(order.id, payment_token="tok_1")
    shop.reconcile()
    assert [each["id"] for each in shop.state()["disputes"]] == ["dp_1"]


def test_it_is_answered_with_what_was_attached(shop: Shop, psp: Psp, dispute_id: str) -> None:
    """Once; and the bytes are dropped when the PSP has them."""
    evidence = attach(shop, dispute_id)
    assert (evidence.file_id, evidence.content, psp.files) == ("file_1", None, [RECEIPT])
    assert shop.disputes.challenge(dispute_id).status == "challenged"
    for again in (shop.disputes.challenge, shop.disputes.accept):
        with pytest.raises(WrongState, match="challenged"):
            again(dispute_id)
    assert psp.count("submit_evidence") == 1


def test_the_same_file_twice_is_one_and_another_is_refused(shop: Shop, psp: Psp, dispute_id: str) -> None:
    """Of each kind there is one."""
    assert attach(shop, dispute_id).id == attach(shop, dispute_id).id
    assert psp.count("upload_evidence") == 1
    with pytest.raises(Conflict, match="another file as receipt"):
        attach(shop, dispute_id, b"%PDF-1.7 another")
    assert attach(shop, dispute_id, kind="refund_policy").file_id == "file_2"


def test_an_upload_in_doubt_is_finished(shop: Shop, psp: Psp, dispute_id: str) -> None:
    """From the bytes that were kept."""
    psp.before = LOST
    with pytest.raises(OutcomeUnknown):
        attach(shop, dispute_id)
    (waiting,) = shop.disputes.in_doubt()
    assert shop.reconcile().settled == [waiting]
    assert psp.files == [RECEIPT]
    with shop.books.transaction() as session:
        assert [(each.content, each.file_id) for each in session.scalars(select(Evidence))] == [(None, "file_1")]


def test_a_lost_answer_to_the_answer_is_looked_up(shop: Shop, psp: Psp, dispute_id: str) -> None:
    """When somebody tries again: the PSP refuses, and says how the dispute stands."""
    attach(shop, dispute_id)
    psp.after = LOST
    with pytest.raises(OutcomeUnknown):
        shop.disputes.challenge(dispute_id)
    assert shop.disputes.challenge(dispute_id).status == "challenged"


def test_a_refusal_where_it_is_still_open_is_one(shop: Shop, psp: Psp, dispute_id: str) -> None:
    """Nothing is written down."""
    psp.before = Rejected(400, "IR_04", "no")
    with pytest.raises(Rejected):
        shop.disputes.accept(dispute_id)
    assert shop.disputes.accept(dispute_id).status == "accepted"


def test_a_file_that_is_refused_makes_room_for_another(shop: Shop, psp: Psp, dispute_id: str) -> None:
    """It would be refused again and again."""
    psp.before = Rejected(400, "IR_36", "File content type not found / valid")
    with pytest.raises(Rejected):
        attach(shop, dispute_id, b"a photograph of a letter")
    assert shop.disputes.in_doubt() == []
    assert attach(shop, dispute_id).file_id == "file_1"


def test_nothing_is_answered_without_evidence(shop: Shop, psp: Psp, dispute_id: str) -> None:
    """Nor where there is no dispute."""
    with pytest.raises(WrongState, match="without evidence"):
        shop.disputes.challenge(dispute_id)
    with pytest.raises(NotFound):
        attach(shop, "dp_0")
    assert psp.count("submit_evidence") == 0
