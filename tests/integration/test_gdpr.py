"""B7: a customer is forgotten, here and at the PSP; and what is personal or secret is in no evidence, report or log."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text

from integration.psps import Provider
from integration.shops import Running, serving
from psp_harness.pytest_plugin.psp import Psp
from psp_harness.reference.shop.settings import Settings
from psp_harness.reference.shop.tables import Table
from reference.shop.selling import SECRET, webhook

pytestmark = [pytest.mark.integration, pytest.mark.psp(profile="hyperswitch")]

ADA = {"name": "Ada Lovelace", "email": "ada@example.org", "phone": "+442079460000"}


def kept(database: str) -> str:
    """All that a database has."""
    engine = create_engine(database.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        rows = [connection.execute(text(f"SELECT * FROM {name}")).all() for name in Table.metadata.tables]  # noqa: S608
    engine.dispose()
    return str(rows)


def personal(where: str) -> list[str]:
    """What of Ada is in a text."""
    return [each for each in ADA.values() if each in where]


async def theirs(provider: Provider, customer_id: str) -> httpx.Response:
    """What the PSP knows of a customer."""
    return await provider.http.get(f"/customers/{customer_id}", headers={"api-key": provider.token})


async def test_a_customer_is_forgotten_and_what_they_paid_is_not(
    told: Running, provider: Provider, database: str
) -> None:
    """Neither here nor at the PSP is anything of her; orders and money stay as they are."""
    customer_id = (await told.http.post("/api/v1/customers", json=ADA)).json()["id"]
    assert (await theirs(provider, customer_id)).json()["email"] == ADA["email"]
    order_id = await told.paid()
    gone = await told.http.delete(f"/api/v1/customers/{customer_id}")
    assert gone.json() == {"id": customer_id, "status": "redacted"}
    assert personal(await asyncio.to_thread(kept, database)) == []
    assert personal((await theirs(provider, customer_id)).text) == []
    assert (await told.order(order_id))["captured"] == 6540
    assert len(await provider.effects()) == 1


async def test_who_is_forgotten_is_no_longer_charged(told: Running, provider: Provider) -> None:
    """Their subscription ends with them."""
    customer_id = (await told.http.post("/api/v1/customers", json=ADA)).json()["id"]
    asked = {"request": "f-1", "customer_id": customer_id, "amount": 900, "currency": "EUR", "method": "pm_1"}
    made = (await told.http.post("/api/v1/subscriptions", json=asked)).json()
    paid = await told.http.post("/api/v1/charges", json={"subscription_id": made["id"], "period": "2026-11"})
    assert (paid.status_code, paid.json()["captured"]) == (201, 900)
    await told.http.delete(f"/api/v1/customers/{customer_id}")
    again = await told.http.post("/api/v1/charges", json={"subscription_id": made["id"], "period": "2026-12"})
    assert again.status_code == 409
    assert len(await provider.effects()) == 1


async def test_while_the_psp_is_away_nobody_is_remembered_here(
    settings: Settings, provider: Provider, database: str
) -> None:
    """And it is told when it is back."""
    async with serving(settings) as shop:
        customer_id = (await shop.http.post("/api/v1/customers", json=ADA)).json()["id"]
        await provider.limit(0, 60)
        assert (await shop.http.delete(f"/api/v1/customers/{customer_id}")).status_code == 503
        assert personal(await asyncio.to_thread(kept, database)) == []
        await provider.unlimit()
        assert (await shop.reconcile())["settled"] == [customer_id]
    assert personal((await theirs(provider, customer_id)).text) == []


async def test_of_a_webhook_nothing_personal_is_kept(told: Running, database: str) -> None:
    """Whatever the PSP tells."""
    thing = {"payment_id": "ord_0", "status": "succeeded", "amount": 1, "currency": "EUR", **ADA, "billing": ADA}
    assert (await told.deliver(webhook("evt_1", "payment_details", thing))).status_code == 200
    assert personal(await asyncio.to_thread(kept, database)) == []


async def test_no_secret_is_shown_in_a_failure(settings: Settings, psp: Psp, shop: Running) -> None:
    """Neither by the settings of a shop nor in the picture of an exchange."""
    assert [each for each in (SECRET, settings.psp_api_key, settings.database_url) if each in repr(settings)] == []
    await shop.paid()
    with pytest.raises(AssertionError) as failed:
        psp.assert_attempts(9)
    assert psp.token not in str(failed.value)


def test_no_card_number_is_in_the_fixtures_and_tests() -> None:
    """What looks like one is a test card that the PSP publishes, or adds up to nothing."""
    here = Path(__file__).parents[1]
    found = [
        number
        for path in [*here.rglob("*.py"), *(here.parent / "fixtures").rglob("*.json")]
        for number in re.findall(r"(?<![\d.\w])[3-6]\d{15}(?![\d\w])", path.read_text(encoding="utf-8"))
        if _adds_up(number)
    ]
    assert [number for number in found if not number.startswith(_TEST_CARDS)] == []


_TEST_CARDS = ("4242", "4111", "40000", "5555", "5105")


def _adds_up(number: str) -> bool:
    """By its last digit (ISO/IEC 7812-1 annex B)."""
    digits = [int(digit) for digit in reversed(number)]
    return (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0
