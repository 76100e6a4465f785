from __future__ import annotations

import pytest
from sqlalchemy import text

from psp_harness.reference.client_errors import OutcomeUnknown
from psp_harness.reference.shop.refusals import Invalid, NotFound, WrongState
from psp_harness.reference.shop.shop import Shop
from psp_harness.reference.shop.tables import Table
from reference.shop.selling import LOST, Psp

PERSONAL = ("Ada Lovelace", "ada@example.org", "+44 20 7946 0000")


def everything(shop: Shop) -> str:
    """All that is in the database."""
    with shop.books.transaction() as session:
        rows = [session.execute(text(f"SELECT * FROM {name}")).all() for name in Table.metadata.tables]  # noqa: S608
    return str(rows)


@pytest.fixture
def customer_id(shop: Shop) -> str:
    """Ada."""
    name, email, phone = PERSONAL
    return shop.customers.register(name=name, email=email, phone=phone).id


def test_a_customer_is_known_here_and_at_the_psp(shop: Shop, psp: Psp, customer_id: str) -> None:
    """Under the same id."""
    assert psp.customers == {customer_id: "Ada Lovelace"}
    assert all(each in everything(shop) for each in PERSONAL)


def test_what_is_personal_is_gone_and_what_was_bought_stays(shop: Shop, psp: Psp, customer_id: str) -> None:
    """From every table; the order keeps its amount, and an id that says nothing."""
    order = shop.orders.place_order("cart-1", amount=6540, currency="EUR", customer_id=customer_id)
    shop.orders.confirm_order(order.id, payment_token="tok_1")
    assert shop.customers.redact(customer_id).status == "redacted"
    assert [each for each in PERSONAL if each in everything(shop)] == []
    assert psp.customers == {}
    assert (shop.orders.get(order.id).captured, shop.orders.get(order.id).customer_id) == (6540, customer_id)
    assert shop.refunds.refund_order(order.id, request="r-1", amount=6540).status == "succeeded"


def test_what_is_here_is_gone_before_the_psp_is_told(shop: Shop, psp: Psp, customer_id: str) -> None:
    """And if it was not told for certain, it is told again."""
    psp.before = LOST
    with pytest.raises(OutcomeUnknown):
        shop.customers.redact(customer_id)
    assert [each for each in PERSONAL if each in everything(shop)] == []
    assert psp.customers != {}
    assert shop.reconcile().settled == [customer_id]
    assert psp.customers == {}


def test_who_was_redacted_is_redacted_once(shop: Shop, psp: Psp, customer_id: str) -> None:
    """Again is no error, and no question."""
    for _ in range(2):
        assert shop.customers.redact(customer_id).status == "redacted"
    assert psp.count("delete_customer") == 1


def test_what_they_subscribed_to_ends(shop: Shop, psp: Psp, customer_id: str) -> None:
    """Nobody is charged whom nobody knows."""
    made = shop.subscriptions.subscribe("form-1", customer_id=customer_id, amount=900, currency="EUR", method="pm_1")
    shop.customers.redact(customer_id)
    with pytest.raises(WrongState, match="cancelled"):
        shop.subscriptions.charge(made.id, "2026-11")
    with pytest.raises(WrongState, match="redacted"):
        shop.subscriptions.subscribe("form-2", customer_id=customer_id, amount=900, currency="EUR", method="pm_1")
    assert "pm_1" not in everything(shop)
    assert psp.count("create_payment") == 0


def test_who_is_nobody_is_not_redacted(shop: Shop, psp: Psp) -> None:
    """And one without a name is not registered."""
    with pytest.raises(NotFound):
        shop.customers.redact("cus_0")
    with pytest.raises(Invalid):
        shop.customers.register(name="", email="ada@example.org")
    assert psp.calls == []
