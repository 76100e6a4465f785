from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from psp_harness.miniatures import MINIATURES

CORRECT = ["careful-gateway", "waits-in-flight", "stores-text", "one-at-a-time"]
DAY = 24 * 60 * 60


@pytest.fixture(params=CORRECT)
def shop(request: pytest.FixtureRequest, till: Any) -> Any:
    """Each correct provider in turn."""
    return till(MINIATURES[request.param].make())


async def test_a_payment_is_captured_at_once(shop: Any) -> None:
    """A payment is answered 201 with what was asked, can be read, and is one effect."""
    made = await shop.pay()
    assert made.status_code == 201
    payment = made.json()
    assert payment == {
        "id": payment["id"], "amount": 1000, "currency": "EUR", "reference": "order-1", "status": "succeeded",
    }  # fmt: skip
    assert (await shop.send("GET", f"/payments/{payment['id']}")).json() == payment
    assert (await shop.send("GET", "/payments")).json() == {"data": [payment]}
    assert [(e["kind"], e["id"], e["amount"]) for e in await shop.effects()] == [("payment", payment["id"], 1000)]


async def test_a_refund_names_its_payment_and_has_its_currency(shop: Any) -> None:
    """A refund is answered 201, can be read, and is an effect of its payment."""
    paid = (await shop.pay()).json()["id"]
    made = await shop.refund(paid, "key-2", 400)
    refund = made.json()
    assert made.status_code == 201
    assert (refund["payment_id"], refund["amount"], refund["currency"]) == (paid, 400, "EUR")
    assert (await shop.send("GET", f"/refunds/{refund['id']}")).json() == refund
    assert (await shop.send("GET", "/refunds")).json() == {"data": [refund]}
    assert [(e["kind"], e["payment_id"]) for e in await shop.effects()][1:] == [("refund", paid)]


async def test_a_retry_gets_the_first_answer_and_has_no_effect(shop: Any) -> None:
    """The same key and body again: status and JSON body of the first answer, and one effect."""
    first, again = await shop.pay(), await shop.pay()
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert len(await shop.effects()) == 1


async def test_bodies_are_compared_as_json(shop: Any) -> None:
    """Another order of members, and white space, are the same request; `1` and `true` are not."""
    headers = [("Idempotency-Key", "k")]
    texts = [
        '{"amount":1000,"currency":"EUR","x":1}',
        '{ "x": 1, "currency": "EUR",\n "amount": 1000 }',
        '{"amount":1000,"currency":"EUR","x":true}',
    ]
    answers = [await shop.send("POST", "/payments", content=text, headers=headers) for text in texts]
    assert [answer.status_code for answer in answers] == [201, 201, 422]
    assert len(await shop.effects()) == 1


async def test_another_body_is_refused_and_never_executes(shop: Any) -> None:
    """Another amount under a used key is 422 `idempotency_key_reused`."""
    await shop.pay(amount=1000)
    other = await shop.pay(amount=1001)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert [e["amount"] for e in await shop.effects()] == [1000]


async def test_concurrent_duplicates_have_one_effect(shop: Any) -> None:
    """Eight at once: every 2xx names one payment, the others are 409."""
    answers = await asyncio.gather(*(shop.pay() for _ in range(8)))
    assert {a.status_code for a in answers} <= {201, 409}
    assert len({a.json()["id"] for a in answers if a.status_code == 201}) == 1
    assert len(await shop.effects()) == 1


async def test_concurrent_duplicates_wait_or_are_refused(till: Any) -> None:
    """The careful gateway answers 409 in flight; the one that waits gives all of them the first answer."""
    careful, waits = (till(MINIATURES[name].make()) for name in CORRECT[:2])
    refused = await asyncio.gather(*(careful.pay() for _ in range(3)))
    waited = await asyncio.gather(*(waits.pay() for _ in range(3)))
    assert sorted(a.status_code for a in refused) == [201, 409, 409]
    assert [a.status_code for a in waited] == [201, 201, 201]


async def test_who_waited_for_a_refused_request_takes_its_place(till: Any) -> None:
    """Two copies of a refund that is too much are both refused as that, and the key is free."""
    shop = till(MINIATURES["waits-in-flight"].make())
    paid = (await shop.pay()).json()["id"]
    answers = await asyncio.gather(*(shop.refund(paid, "k", 1001) for _ in range(2)))
    assert [a.json()["code"] for a in answers] == ["amount_exceeds_captured"] * 2
    assert (await shop.refund(paid, "k", 1000)).status_code == 201


@pytest.mark.parametrize(
    "lines",
    [[], [b""], [b"   "], [b"a,b"], [b"a b"], [b"k" * 256], ["ключ".encode()], [b"a", b"a"], [b"a\x7f"]],
    ids=["missing", "empty", "blank", "comma", "space", "long", "non-ascii", "twice", "control"],
)
async def test_a_key_that_is_none_is_400(shop: Any, lines: list[bytes]) -> None:
    """One line of 1 to 255 characters %x21-7E without comma; anything else is refused, without effect."""
    headers = [("Idempotency-Key", line) for line in lines]
    answer = await shop.send("POST", "/payments", json={"amount": 1, "currency": "EUR"}, headers=headers)
    assert answer.status_code == 400
    assert await shop.effects() == []


@pytest.mark.parametrize("line", [b" key ", b"k" * 255, b"!~"])
async def test_a_key_within_the_limits_is_accepted(shop: Any, line: bytes) -> None:
    """The longest key is one, and spaces around a key are not part of it."""
    headers = [("Idempotency-Key", line)]
    first = await shop.send("POST", "/payments", json={"amount": 1, "currency": "EUR"}, headers=headers)
    again = await shop.post("/payments", {"amount": 1, "currency": "EUR"}, line.strip().decode())
    assert first.status_code == 201
    assert again.json() == first.json()


@pytest.mark.parametrize("amount", [True, "10", 1.5, 0, -1, None])
async def test_an_amount_is_a_positive_integer(shop: Any, amount: object) -> None:
    """Anything else is 400 and leaves the key free."""
    bad = await shop.post("/payments", {"amount": amount, "currency": "EUR"}, "key-1")
    assert bad.status_code == 400
    assert (await shop.pay("key-1")).status_code == 201


@pytest.mark.parametrize("text", ["", "[]", "{", '{"amount":1}', '{"amount":1,"currency":"EUR","reference":7}'])
async def test_a_body_is_an_object_of_the_right_members(shop: Any, text: str) -> None:
    """No JSON, no object, no currency, a reference that is no string: 400."""
    answer = await shop.send("POST", "/payments", content=text, headers=[("Idempotency-Key", "k")])
    assert answer.status_code == 400


async def test_a_key_belongs_to_its_tenant(shop: Any) -> None:
    """Another tenant's request with the same key and body executes, and nobody sees the other's payment."""
    mine, theirs = (await shop.pay()).json()["id"], (await shop.pay(tenant="tenant-b")).json()["id"]
    assert mine != theirs
    assert (await shop.send("GET", f"/payments/{mine}", tenant="tenant-b")).status_code == 404
    assert (await shop.refund(mine, "k", 1, tenant="tenant-b")).status_code == 404
    assert len((await shop.send("GET", "/payments")).json()["data"]) == 1


async def test_a_key_belongs_to_its_route(shop: Any) -> None:
    """The payment's key on a refund executes."""
    paid = (await shop.pay("k")).json()["id"]
    assert (await shop.refund(paid, "k", 1)).json()["id"] != paid


async def test_different_keys_both_execute(shop: Any) -> None:
    """Two payments that are alike but for their keys are two."""
    ids = {(await shop.pay(key)).json()["id"] for key in ("a", "b", "A")}
    assert len(ids) == 3


@pytest.mark.parametrize("authorization", [[], ["Bearer nobody"], ["Bearer tenant-a", "Bearer tenant-b"]])
async def test_an_unknown_tenant_is_401(shop: Any, authorization: list[str]) -> None:
    """Also where the key is missing and the body is none: 401 comes first."""
    transport = httpx.ASGITransport(app=shop.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://psp") as client:
        answer = await client.post("/payments", headers=[("Authorization", value) for value in authorization])
    assert answer.status_code == 401


async def test_refunds_never_exceed_the_captured_amount(shop: Any) -> None:
    """What is too much is 422 `amount_exceeds_captured`, and its key is free for another body."""
    paid = (await shop.pay(amount=1000)).json()["id"]
    assert (await shop.refund(paid, "a", 600)).status_code == 201
    too_much = await shop.refund(paid, "b", 401)
    assert (too_much.status_code, too_much.json()["code"]) == (422, "amount_exceeds_captured")
    assert (await shop.refund(paid, "b", 400)).status_code == 201


async def test_concurrent_refunds_never_exceed_the_captured_amount(shop: Any) -> None:
    """Of four refunds of 400 at once, two fit into 1000."""
    paid = (await shop.pay(amount=1000)).json()["id"]
    answers = await asyncio.gather(*(shop.refund(paid, f"k{n}", 400) for n in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 422, 422]


async def test_a_refund_of_nothing_is_404(shop: Any) -> None:
    """An unknown payment, and a refund's id in its place; an unknown route too."""
    paid = (await shop.pay()).json()["id"]
    refund = (await shop.refund(paid, "a", 1)).json()["id"]
    assert (await shop.refund("nothing", "b", 1)).status_code == 404
    assert (await shop.refund(refund, "c", 1)).status_code == 404
    assert (await shop.send("GET", "/payouts")).status_code == 404


async def test_keys_live_24_hours_from_the_first_request(shop: Any) -> None:
    """A replay after 23 h does not prolong the key: after 25 h it is a new payment, which is kept in its turn."""
    first = (await shop.pay()).json()["id"]
    await shop.send("POST", "/clock", json={"advance": 23 * 3600})
    assert (await shop.pay()).json()["id"] == first
    await shop.send("POST", "/clock", json={"advance": 2 * 3600})
    second = (await shop.pay()).json()["id"]
    assert second != first
    assert (await shop.pay()).json()["id"] == second


async def test_a_cancelled_request_frees_its_key(till: Any) -> None:
    """Whoever is cancelled before the effect leaves nothing in flight."""
    shop = till(MINIATURES["careful-gateway"].make())
    task = asyncio.create_task(shop.pay())
    async with asyncio.timeout(5):
        while not shop.app.kept:
            await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (await shop.pay()).status_code == 201
    assert len(await shop.effects()) == 1


async def test_replays_are_equal_as_json_and_only_one_is_equal_in_bytes(till: Any) -> None:
    """The careful gateway gives the members in another order; the one that stores text gives the same bytes."""
    careful, text = (till(MINIATURES[name].make()) for name in ("careful-gateway", "stores-text"))
    assert (await careful.pay()).content != (await careful.pay()).content
    assert (await text.pay()).content == (await text.pay()).content


async def test_who_refuses_everything_has_no_effects(till: Any) -> None:
    """400 for the best of payments."""
    shop = till(MINIATURES["refuses-everything"].make())
    assert (await shop.pay()).status_code == 400
    assert await shop.effects() == []


def test_a_provider_answers_on_a_real_socket(psp: Any) -> None:
    """Over HTTP as over ASGI, with the lifespan of an application."""
    headers = {"Authorization": "Bearer tenant-a", "Idempotency-Key": "k"}
    answer = httpx.post(f"{psp.base_url}/payments", json={"amount": 1, "currency": "EUR"}, headers=headers)
    assert answer.status_code == 201
    assert json.loads(answer.content)["status"] == "succeeded"


def test_each_provider_is_made_afresh() -> None:
    """Two of one miniature share nothing."""
    one, other = (MINIATURES["careful-gateway"].make() for _ in range(2))
    assert one is not other
    assert one.kept is not other.kept  # type: ignore[attr-defined]
