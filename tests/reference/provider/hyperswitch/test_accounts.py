"""The set-up of a client: its account, its keys, its connectors, and what is left of a key that is revoked."""

from __future__ import annotations

from datetime import UTC, datetime

from reference.provider.asking import Clock
from reference.provider.hyperswitch.shop import ADMIN, PAID_BY_CARD, Shop

KEYS = "/api_keys/tenant-a"
NEVER = {"name": "ci", "expiration": "never"}
NOBODY = (401, "IR_01", "API key not provided or invalid API key used")


async def test_from_nothing_to_a_payment(shop: Shop) -> None:
    """An account, a key and a connector are made by the admin; with that key the merchant is paid."""
    admin = Shop(shop.provider, ADMIN)
    account = await admin.yes("POST /accounts", {"merchant_id": "m_1", "merchant_name": "Galeria"})
    assert (account["merchant_id"], account["publishable_key"][:7]) == ("m_1", "pk_dev_")
    assert (await admin.no("POST /accounts", {"merchant_id": "m_1"}))[:2] == (400, "HE_01")
    key = await admin.yes("POST /api_keys/m_1", NEVER)
    merchant = Shop(shop.provider, key["api_key"])
    connector = {"connector_type": "payment_processor", "connector_name": "stripe_test"}
    secret = {"connector_account_details": {"auth_type": "HeaderKey", "api_key": "sk_test"}}
    made = await merchant.yes("POST /account/m_1/connectors", {**connector, **secret})
    assert (made["status"], made["connector_account_details"]) == ("active", None)
    assert await merchant.yes("GET /account/m_1/connectors") == [made]
    assert (await merchant.paid())["merchant_id"] == "m_1"
    changed = await admin.yes("POST /accounts/m_1", {"webhook_details": {"webhook_url": "http://127.0.0.1/hook"}})
    assert await merchant.yes("GET /accounts/m_1") == changed
    path = f"/account/m_1/connectors/{made['merchant_connector_id']}"
    assert (await merchant.yes(f"DELETE {path}"))["deleted"] is True
    assert (await merchant.no(f"GET {path}"))[0] == 404


async def test_each_door_has_its_key(shop: Shop) -> None:
    """A merchant is no admin, no other merchant, and the admin is no merchant."""
    admin = Shop(shop.provider, ADMIN)
    await admin.yes("POST /accounts", {"merchant_id": "m_1"})
    assert await shop.no(f"POST {KEYS}", NEVER) == NOBODY
    assert await shop.no("POST /accounts", {"merchant_id": "m_2"}) == NOBODY
    assert (await shop.no("GET /accounts/m_1"))[:2] == (403, "IR_22")
    assert await admin.no("POST /payments", {"amount": 1, "currency": "EUR"}) == NOBODY
    assert (await admin.no("POST /api_keys/none", NEVER))[0] == 404


async def test_a_key_is_told_once(shop: Shop) -> None:
    """Afterwards its beginning is shown, also of one that was changed; its plain text stands nowhere."""
    admin = Shop(shop.provider, ADMIN)
    made = await admin.yes(f"POST {KEYS}", NEVER)
    one = f"{KEYS}/{made['key_id']}"
    changed = await admin.yes(f"POST {one}", {"name": "cd"})
    assert await admin.yes(f"GET {one}") == changed
    assert await admin.yes(f"GET {KEYS}/list") == [changed]
    assert (changed["name"], made["api_key"].startswith(changed["prefix"])) == ("cd", True)
    books = str(await shop.provider._store.entries())
    assert made["api_key"] not in books


async def test_a_revoked_key_opens_nothing_and_replays_nothing(shop: Shop) -> None:
    """Its requests are 401 as those of nobody, also those that were answered before, under their idempotency keys."""
    admin = Shop(shop.provider, ADMIN)
    made = await admin.yes(f"POST {KEYS}", NEVER)
    old = Shop(shop.provider, made["api_key"])
    body = {"amount": 1000, "currency": "EUR", "confirm": True, **PAID_BY_CARD}
    first = await old.yes("POST /payments", body, idempotency_key="k")
    one = f"{KEYS}/{made['key_id']}"
    assert await admin.yes(f"DELETE {one}") == {"merchant_id": "tenant-a", "key_id": made["key_id"], "revoked": True}
    assert await old.no("POST /payments", body, idempotency_key="k") == NOBODY
    assert await old.no(f"GET /payments/{first['payment_id']}") == NOBODY
    assert (await admin.no(f"GET {one}"))[0] == (await admin.no(f"DELETE {one}"))[0] == 404
    assert await admin.yes(f"GET {KEYS}/list") == []
    assert len(await shop.provider.effects()) == 1


async def test_a_new_key_of_the_merchant_is_the_same_merchant(shop: Shop) -> None:
    """Rotated, not revoked: a retry with the new key and the old idempotency key charges once, where those count."""
    admin = Shop(shop.provider, ADMIN)
    keys = [Shop(shop.provider, (await admin.yes(f"POST {KEYS}", NEVER))["api_key"]) for _ in range(2)]
    body = {"amount": 1000, "currency": "EUR", "confirm": True, "payment_id": "order_1", **PAID_BY_CARD}
    answers = [await key.ask("POST /payments", body, idempotency_key="k") for key in keys]
    assert answers[0].status == 200
    assert answers[1].status == (400 if shop.provider._profile.has_defect("header-ignored") else 200)
    assert len(await shop.provider.effects()) == 1


async def test_a_key_ends(shop: Shop, clock: Clock) -> None:
    """At its time, given with or without a zone, it is nobody's."""
    admin = Shop(shop.provider, ADMIN)
    ends = datetime.fromtimestamp(clock.now + 60, UTC)
    keys = [
        Shop(shop.provider, (await admin.yes(f"POST {KEYS}", {"name": "x", "expiration": text}))["api_key"])
        for text in (ends.isoformat(), ends.replace(tzinfo=None).isoformat())
    ]
    assert [(await key.ask("GET /payments/list")).status for key in keys] == [200, 200]
    assert (await admin.no(f"POST {KEYS}", {"name": "x", "expiration": "soon"}))[:2] == (400, "IR_06")
    clock.now += 60
    assert [(await key.ask("GET /payments/list")).status for key in keys] == [401, 401]


async def test_a_publishable_key_needs_the_client_secret(shop: Shop, clock: Clock) -> None:
    """A browser confirms its own payment, sees no other, and none when the session is over; it cannot create one."""
    admin = Shop(shop.provider, ADMIN)
    account = await admin.yes("POST /accounts", {"merchant_id": "m_1"})
    merchant = Shop(shop.provider, (await admin.yes("POST /api_keys/m_1", NEVER))["api_key"])
    browser = Shop(shop.provider, account["publishable_key"])
    made, other = [await merchant.yes("POST /payments", {"amount": 1, "currency": "EUR"}) for _ in range(2)]
    confirm = f"POST /payments/{made['payment_id']}/confirm"
    assert await browser.no(confirm, PAID_BY_CARD) == (400, "IR_04", "Missing required param: client_secret")
    assert (await browser.no(confirm, {**PAID_BY_CARD, "client_secret": other["client_secret"]}))[:2] == (400, "IR_09")
    assert await browser.no("POST /payments", {"amount": 1, "currency": "EUR"}) == NOBODY
    done = await browser.yes(confirm, {**PAID_BY_CARD, "client_secret": made["client_secret"]})
    assert done["status"] == "succeeded"
    read = f"GET /payments/{made['payment_id']}?client_secret={made['client_secret']}"
    assert await browser.yes(read) == done
    clock.now += 901
    assert (await browser.no(read))[:2] == (400, "IR_08")
