"""Mandates: agreed to once, charged again under, for so much, and until they are revoked."""

from __future__ import annotations

from typing import Any

import pytest

from psp_harness.reference.provider.bank import Verdict
from reference.provider.asking import Clock
from reference.provider.hyperswitch.shop import DECLINED, TENANT_A, Shop

AGREES = {
    "customer_id": "cus_1",
    "setup_future_usage": "off_session",
    "customer_acceptance": {"acceptance_type": "offline"},
}
INACTIVE = (400, "IR_16", "mandate is not active")


async def agreed(shop: Shop, **more: Any) -> str:
    """The id of a mandate of `cus_1`."""
    return str((await shop.paid(**AGREES, **more))["mandate_id"])


def limited(kind: str, amount: int) -> dict[str, Any]:
    """Terms of a mandate."""
    return {"mandate_data": {"mandate_type": {kind: {"amount": amount, "currency": "EUR"}}}}


def charge(mandate: str, amount: int = 1000, **more: Any) -> dict[str, Any]:
    """A payment under it, as for a period."""
    told = {"amount": amount, "currency": "EUR", "confirm": True, "off_session": True, "customer_id": "cus_1"}
    return {**told, "mandate_id": mandate, **more}


async def test_a_period_is_charged_once_under_its_payment_id(shop: Shop) -> None:
    """The customer is not asked again, and the same period is not charged again."""
    mandate = await agreed(shop)
    period = charge(mandate, payment_id="sub_1_2026-11")
    paid = await shop.yes("POST /payments", period)
    assert (paid["status"], paid["mandate_id"]) == ("succeeded", mandate)
    assert (await shop.no("POST /payments", period))[1] == "HE_01"
    assert (await shop.yes("POST /payments", charge(mandate, payment_id="sub_1_2026-12")))["status"] == "succeeded"
    assert len(await shop.provider.effects()) == 3


async def test_a_mandate_is_shown_and_revoked_once(shop: Shop) -> None:
    """By its id, and among its customer's; after that nothing is charged under it."""
    mandate = await agreed(shop)
    told = await shop.yes(f"GET /mandates/{mandate}")
    assert (told["mandate_id"], told["status"], told["card"]["last4_digits"]) == (mandate, "active", "4242")
    assert await shop.yes("GET /customers/cus_1/mandates") == [told]
    revoked = {"mandate_id": mandate, "status": "revoked", "error_code": None, "error_message": None}
    assert await shop.yes(f"POST /mandates/revoke/{mandate}") == revoked
    assert (await shop.no(f"POST /mandates/revoke/{mandate}"))[:2] == (400, "HE_03")
    assert (await shop.yes(f"GET /mandates/{mandate}"))["status"] == "revoked"
    assert await shop.no("POST /payments", charge(mandate)) == INACTIVE


async def test_what_a_mandate_is_not(shop: Shop) -> None:
    """Unknown, another customer's, not meant to be off session, not confirmed: each its own no."""
    mandate = await agreed(shop)
    assert await shop.no("POST /payments", charge("man_x")) == (404, "HE_02", "Mandate does not exist in our records")
    assert (await shop.no("GET /mandates/man_x"))[0] == 404
    other = "customer_id must match mandate customer_id"
    assert await shop.no("POST /payments", charge(mandate, customer_id="cus_2")) == (400, "IR_16", other)
    assert (await shop.no("POST /payments", charge(mandate, off_session=False)))[1] == "IR_16"
    assert (await shop.no("POST /payments", charge(mandate, confirm=False)))[1] == "IR_16"
    assert (await shop.no("POST /payments", charge(mandate, off_session=None)))[1] == "IR_04"
    assert len(await shop.provider.effects()) == 1
    assert (await Shop(shop.provider, "dev_psp_harness_tenant_b").no(f"GET /mandates/{mandate}"))[0] == 404


async def test_single_use_and_its_amount(shop: Shop) -> None:
    """One payment, of no more than was agreed."""
    mandate = await agreed(shop, **limited("single_use", 500))
    assert (await shop.no("POST /payments", charge(mandate, 501)))[:2] == (400, "HE_03")
    assert (await shop.no("POST /payments", charge(mandate, 100, currency="USD")))[:2] == (400, "HE_03")
    assert (await shop.yes("POST /payments", charge(mandate, 400)))["status"] == "succeeded"
    assert await shop.no("POST /payments", charge(mandate, 100)) == INACTIVE


async def test_multi_use_is_for_so_much_in_all(shop: Shop) -> None:
    """What was charged under it counts; by `recurring_details` too."""
    mandate = await agreed(shop, **limited("multi_use", 1000))
    details = {"mandate_id": None, "recurring_details": {"type": "mandate_id", "data": mandate}}
    assert (await shop.yes("POST /payments", charge(mandate, 600, **details)))["status"] == "succeeded"
    assert (await shop.no("POST /payments", charge(mandate, 401, **details)))[1] == "HE_03"
    assert (await shop.yes("POST /payments", charge(mandate, 400)))["status"] == "succeeded"


async def test_a_mandate_is_as_good_as_its_payment(shop: Shop, clock: Clock) -> None:
    """Pending while that is processed, inactive where it was declined, none where nobody agreed."""
    shop.provider.bank.payments = Verdict(60)
    mandate = await agreed(shop)
    assert (await shop.yes(f"GET /mandates/{mandate}"))["status"] == "pending"
    assert await shop.no("POST /payments", charge(mandate)) == INACTIVE
    clock.now += 60
    assert (await shop.yes(f"GET /mandates/{mandate}"))["status"] == "active"
    shop.provider.bank.payments = Verdict()
    declined = await shop.yes("POST /payments", {"amount": 5, "currency": "EUR", "confirm": True, **AGREES, **DECLINED})
    assert (await shop.yes(f"GET /mandates/{declined['mandate_id']}"))["status"] == "inactive"
    assert (await shop.paid())["mandate_id"] is None


async def test_a_payment_that_is_confirmed_later_makes_one_then(shop: Shop) -> None:
    """Not before."""
    made = await shop.paid(confirm=False, customer_id="cus_1")
    assert made["mandate_id"] is None
    confirmed = await shop.yes(f"POST /payments/{made['payment_id']}/confirm", AGREES)
    mandate = confirmed["mandate_id"]
    assert (await shop.yes("POST /payments", charge(mandate)))["status"] == "succeeded"


@pytest.mark.parametrize("revoked", [True, False])
async def test_a_customer_who_can_be_charged_is_not_deleted(revoked: bool, shop: Shop) -> None:
    """Before the mandate is revoked (core/customers.rs:906-1126)."""
    await shop.yes("POST /customers", {"customer_id": "cus_1", "name": "Joan Miró"})
    mandate = await agreed(shop)
    if revoked:
        await shop.yes(f"POST /mandates/revoke/{mandate}")
        assert (await shop.yes("DELETE /customers/cus_1"))["customer_deleted"] is True
    else:
        assert (await shop.no("DELETE /customers/cus_1"))[:2] == (400, "IR_10")
    assert shop.api_key == TENANT_A
