"""Customers, against crates/router/src/core/customers.rs:503-528 and 906-1126, release 2026.06.25.0."""

from __future__ import annotations

from reference.provider.hyperswitch.shop import Shop

JOAN = {
    "customer_id": "cus_1",
    "name": "Joan Miró",
    "email": "joan@example.com",
    "phone": "934439470",
    "address": {"line1": "Parc de Montjuïc", "city": "Barcelona", "country": "ES"},
    "metadata": {"tier": "gold"},
}
GONE = (400, "IR_11", "Customer has already been redacted")


async def test_made_read_and_changed(shop: Shop) -> None:
    """What was said last is shown; a second one with the id is IR_12, and another merchant sees nothing of it."""
    made = await shop.yes("POST /customers", JOAN)
    assert await shop.yes("GET /customers/cus_1") == made
    changed = await shop.yes("POST /customers/cus_1", {"email": "miro@example.com"})
    assert changed == {**made, "email": "miro@example.com"}
    assert (await shop.yes("GET /customers/list")) == [changed]
    assert await shop.no("POST /customers", JOAN) == (
        400,
        "IR_12",
        "Customer with the given `customer_id` already exists",
    )
    other = Shop(shop.provider, "dev_psp_harness_tenant_b")
    assert await other.no("GET /customers/cus_1") == (404, "HE_02", "Customer does not exist in our records")


async def test_deletion_redacts(shop: Shop) -> None:
    """The personal data are in no answer and in no entry of the books any more; country, metadata and payments stay."""
    await shop.yes("POST /customers", JOAN)
    await shop.yes("POST /customers/cus_1", {"email": "miro@example.com"})
    paid = await shop.paid(customer_id="cus_1")
    assert await shop.yes("DELETE /customers/cus_1") == {
        "customer_id": "cus_1",
        "customer_deleted": True,
        "address_deleted": True,
        "payment_methods_deleted": True,
    }
    (shown,) = await shop.yes("GET /customers/list")
    assert (shown["name"], shown["phone"], shown["description"]) == ("Redacted",) * 3
    assert shown["address"] == {"line1": "Redacted", "city": "Redacted", "country": "ES"}
    assert shown["metadata"] == {"tier": "gold"}
    books = [entry for entry in await shop.provider._store.entries() if entry.kind.startswith("customer")]
    kept = str([entry.about for entry in books])
    assert not [part for part in ("Joan", "joan@", "miro@", "93443", "Montju") if part in kept]
    assert (await shop.yes(f"GET /payments/{paid['payment_id']}"))["customer_id"] == "cus_1"


async def test_a_redacted_customer_is_gone(shop: Shop) -> None:
    """A second deletion, a read, a change, a new one with the id, and a payment of it are all IR_11."""
    await shop.yes("POST /customers", JOAN)
    await shop.yes("DELETE /customers/cus_1")
    assert await shop.no("DELETE /customers/cus_1") == GONE
    assert await shop.no("GET /customers/cus_1") == GONE
    assert await shop.no("POST /customers/cus_1", {"name": "x"}) == GONE
    assert await shop.no("POST /customers", JOAN) == GONE
    paying = {"amount": 1, "currency": "EUR", "customer_id": "cus_1"}
    assert await shop.no("POST /payments", paying) == GONE
    assert await shop.no("DELETE /customers/none") == (404, "HE_02", "Customer does not exist in our records")
