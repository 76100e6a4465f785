"""What the provider says under each profile, against what the vendor's documentation or source says, byte for byte."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import psp_harness.reference.provider
from psp_harness.model import Answer, Request
from psp_harness.profile import Refusal, load, matches, names
from reference.provider.asking import Begin, Caller
from reference.provider.asking import body as _body

HYPERSWITCH = ("hyperswitch", "hyperswitch-docs")


def body(answer: Answer) -> Any:
    """Read an answer's JSON."""
    return _body(answer)


def test_no_module_names_a_psp() -> None:
    """The code of the provider knows no PSP: what it says under which profile is data. One alone has a room, and a door."""
    (root,) = psp_harness.reference.provider.__path__
    known = {Path(root, "apis.py"), *Path(root, "hyperswitch").iterdir()}
    modules = [path.read_text(encoding="utf-8").lower() for path in Path(root).rglob("*.py") if path not in known]
    assert len(modules) > 10
    assert not [name for name in ("stripe", "hyperswitch", "adyen", "paypal") if any(name in text for text in modules)]


# --- Hyperswitch: crates/router and crates/hyperswitch_domain_models, release 2026.06.25.0 ---------------------------


@pytest.mark.parametrize("profile", HYPERSWITCH)
async def test_hyperswitch_without_a_key(begin: Begin, profile: str) -> None:
    """A missing and a wrong api-key are the same 401, IR_01 (services/authentication.rs:688-728)."""
    caller = begin(profile)
    for lines in ((), ((b"api-key", b"dev_wrong"),)):
        answer = await caller.send(Request("POST", "/payments", lines, b'{"amount":1,"currency":"EUR"}'))
        assert answer.status == 401
        assert answer.body == (
            b'{"error":{"type":"invalid_request","message":"API key not provided or invalid API key used",'
            b'"code":"IR_01"}}'
        )


@pytest.mark.parametrize("profile", HYPERSWITCH)
async def test_hyperswitch_refuses_a_payment_id_twice(begin: Begin, profile: str) -> None:
    """A second payment with an id that exists is 400, HE_01, with the reason as Rust prints it (errors/actix.rs)."""
    caller = begin(profile)
    assert (await caller.pay("a", chosen_id="order_1")).status == 200
    answer = await caller.pay("b", chosen_id="order_1", amount=7)
    assert answer.status == 400
    assert answer.body == (
        b'{"error":{"type":"invalid_request","message":"The payment with the specified payment_id already exists '
        b'in our records","code":"HE_01","reason":"PaymentId(\\"order_1\\") already exists"}}'
    )
    assert len(await caller.provider.effects()) == 1


@pytest.mark.parametrize("profile", HYPERSWITCH)
async def test_hyperswitch_refuses_a_refund_id_twice(begin: Begin, profile: str) -> None:
    """A repeated partial refund is HE_01, but the repeat of a full one is IR_13 (core/refunds.rs:1350-1361, :1423)."""
    caller = begin(profile)
    payment = await caller.paid(1000)
    assert (await caller.refund(payment, 300, "a", chosen_id="row-1")).status == 200
    again = await caller.refund(payment, 300, "b", chosen_id="row-1")
    assert again.status == 400
    assert again.body == (
        b'{"error":{"type":"invalid_request","message":"Duplicate refund request. Refund already attempted with the '
        b'refund ID","code":"HE_01"}}'
    )
    assert (await caller.refund(payment, 700, "c", chosen_id="row-2")).status == 200
    full = await caller.refund(payment, 700, "d", chosen_id="row-2")
    assert full.body == (
        b'{"error":{"type":"invalid_request","message":"The refund amount exceeds the amount captured","code":"IR_13"}}'
    )


async def test_hyperswitch_refund_ids_are_any_text(begin: Begin) -> None:
    """A refund id may be any text of up to 64 bytes, and is found again when a path spells it with percent signs."""
    caller = begin("hyperswitch")
    refund = await caller.refund(await caller.paid(), 1, chosen_id="row 1/é")
    assert (await caller.get("get-refund", "row%201%2F%C3%A9")).body == refund.body
    assert (await caller.refund(await caller.paid(), 1, chosen_id="é" * 33)).status == 422


async def test_hyperswitch_refunds_what_succeeded_only(begin: Begin) -> None:
    """A refund of a payment that failed is IR_14 and says the state that it has (core/refunds.rs:58-151)."""
    caller = begin("hyperswitch")
    declined = await caller.pay("a", token=caller.profile.cards["declined"])
    assert (declined.status, body(declined)["status"]) == (200, "failed")
    answer = await caller.refund(caller.id_of("create-payment", declined), 1)
    assert answer.status == 400
    assert answer.body == (
        b'{"error":{"type":"invalid_request","message":"This Payment could not be refund because it has a status of '
        b'failed. The expected state is succeeded, partially_captured","code":"IR_14"}}'
    )
    assert await caller.provider.effects() == ()


async def test_hyperswitch_names_the_kind_of_a_json_error_differently(begin: Begin) -> None:
    """What cannot be deserialised is 400, IR_06, with `error_type` where other errors have `type` (utils.rs:68-116)."""
    caller = begin("hyperswitch")
    for wrong in ({"amount": "10"}, {"chosen_id": "not an id"}, {"chosen_id": "x" * 65}):
        answer = await caller.pay(**wrong)
        assert answer.status == 400
        error = body(answer)["error"]
        assert (error["error_type"], error["code"], "type" in error) == ("invalid_request", "IR_06", False)


async def test_hyperswitch_payments(begin: Begin) -> None:
    """Ids are `pay_` and 20 letters and digits, times have milliseconds and Z, and nulls are written out."""
    payment = body(await begin("hyperswitch").pay())
    assert re.fullmatch("pay_[0-9a-zA-Z]{20}", payment["payment_id"])
    assert payment["created"] == "2027-01-15T08:00:00.000Z"
    assert (payment["error_code"], payment["error_message"]) == (None, None)
    assert (payment["amount_received"], payment["merchant_id"]) == (1000, "tenant-a")


async def test_hyperswitch_does_not_read_the_header(begin: Begin) -> None:
    """The same key sent twice charges twice: the header protects nothing (lib.rs:61, the only mention, is unused)."""
    caller = begin("hyperswitch")
    first, second = await caller.pay(), await caller.pay()
    assert (first.status, second.status) == (200, 200)
    assert body(first)["payment_id"] != body(second)["payment_id"]
    assert len(await caller.provider.effects()) == 2


async def test_hyperswitch_as_its_documentation_has_it(begin: Begin) -> None:
    """A request with a known key gets the original response, and there is no new transaction (FAQ:914-927)."""
    caller = begin("hyperswitch-docs")
    first, again = await caller.pay(), await caller.pay()
    assert (again.status, again.body) == (first.status, first.body)
    assert len(await caller.provider.effects()) == 1


async def test_hyperswitch_refunds_race(begin: Begin) -> None:
    """Two refunds of 60 on 100 succeed together (issue #13182); one after the other, the second does not."""
    caller = begin("hyperswitch")
    together, apart = await caller.paid(10_000), await caller.paid(10_000)
    answers = await asyncio.gather(caller.refund(together, 6_000), caller.refund(together, 6_000))
    assert [answer.status for answer in answers] == [200, 200]
    assert [(await caller.refund(apart, 6_000)).status for _ in range(2)] == [200, 400]


async def test_a_race_takes_no_id_twice(begin: Begin) -> None:
    """Refunds that race past the amount still meet the unique id: one of two with one refund_id is HE_01."""
    caller = begin("hyperswitch")
    payment = await caller.paid(10_000)
    answers = await asyncio.gather(*(caller.refund(payment, 10, chosen_id="row") for _ in range(2)))
    assert sorted(answer.status for answer in answers) == [200, 400]


async def test_no_race_where_none_is_listed(begin: Begin) -> None:
    """Under the profile without the defect the same two refunds give back one."""
    caller = begin("hyperswitch-docs")
    payment = await caller.paid(10_000)
    answers = await asyncio.gather(caller.refund(payment, 6_000, "a"), caller.refund(payment, 6_000, "b"))
    assert sorted(answer.status for answer in answers) == [200, 400]


# --- Stripe: docs.stripe.com/api/idempotent_requests, docs.stripe.com/error-low-level --------------------------------


async def test_stripe_another_body(begin: Begin) -> None:
    """Other parameters under a used key are 400, an `idempotency_error` in Stripe's own words."""
    caller = begin("stripe")
    await caller.pay("order-1")
    answer = await caller.pay("order-1", amount=7)
    assert answer.status == 400
    assert answer.body == (
        b'{"error":{"type":"idempotency_error","message":"Keys for idempotent requests can only be used with the same '
        b"parameters they were first used with. Try using a key other than 'order-1' if you meant to execute a "
        b'different request."}}'
    )


async def test_stripe_another_endpoint(begin: Begin) -> None:
    """The same key on another endpoint is an `idempotency_error`, too."""
    caller = begin("stripe")
    payment = caller.id_of("create-payment", await caller.pay("order-1"))
    answer = await caller.refund(payment, 100, "order-1")
    assert (answer.status, body(answer)["error"]["type"]) == (400, "idempotency_error")
    assert len(await caller.provider.effects()) == 1


async def test_stripe_replay(begin: Begin) -> None:
    """A replay has the first status and body and the line `Idempotent-Replayed: true`, which the first has not."""
    caller = begin("stripe")
    first, again = await caller.pay(), await caller.pay()
    assert (again.status, again.body) == (first.status, first.body)
    assert (first.lines("Idempotent-Replayed"), again.lines("Idempotent-Replayed")) == ([], [b"true"])


async def test_stripe_in_flight(begin: Begin) -> None:
    """A duplicate in flight is 409 with type `idempotency_error` and code `idempotency_key_in_use`."""
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def processing() -> None:
        reached.set()
        await go_on.wait()

    caller = begin("stripe", processing=processing)
    first = asyncio.create_task(caller.pay("order-1"))
    await reached.wait()
    answer = await caller.pay("order-1")
    go_on.set()
    await first
    assert answer.status == 409
    assert answer.body == (
        b'{"error":{"type":"idempotency_error","code":"idempotency_key_in_use","message":"There is currently another '
        b"in-progress request using this Idempotent Key (that probably means you submitted twice, and the other "
        b'request is still going through): order-1. Please try again later."}}'
    )


async def test_stripe_without_a_key(begin: Begin) -> None:
    """Without a key nothing is deduplicated."""
    caller = begin("stripe")
    assert (await caller.pay(None)).body != (await caller.pay(None)).body


async def test_stripe_messages(begin: Begin) -> None:
    """Bodies are forms, currencies are written in lower case, ids begin with `pi_` and `re_`, metadata stays text."""
    caller = begin("stripe")
    request = caller.request("create-payment", "k", {"amount": 1000, "currency": "EUR", "reference": "0123"})
    assert request.body.startswith(b"amount=1000&currency=eur&confirm=true")
    payment = body(await caller.send(request))
    assert re.fullmatch("pi_[0-9a-zA-Z]{20}", payment["id"])
    assert (payment["currency"], payment["metadata"], payment["created"]) == (
        "eur",
        {"reference": "0123"},
        1_800_000_000,
    )
    refund = body(await caller.refund(payment["id"], 10, reference="77"))
    assert refund["id"].startswith("re_")
    assert refund["metadata"] == {"reference": "77"}


async def test_stripe_lists(begin: Begin) -> None:
    """Lists are newest first; `limit` and `starting_after` page through them, and `has_more` says when to stop."""
    caller = begin("stripe")
    ids = [await caller.paid() for _ in range(5)][::-1]

    async def page(query: str) -> tuple[list[str], bool]:
        answer = body(await caller.get("list-payments", query=query))
        return [item["id"] for item in answer["data"]], answer["has_more"]

    assert await page("") == (ids, False)
    assert await page("?limit=5") == (ids, False)
    assert await page("?limit=2") == (ids[:2], True)
    assert await page(f"?limit=2&starting_after={ids[1]}") == (ids[2:4], True)
    assert await page(f"?limit=2&starting_after={ids[3]}") == (ids[4:], False)
    for wrong in ("?limit=0", "?limit=101", "?limit=x", "?limit=10000000000", "?starting_after=none"):
        assert (await caller.get("list-payments", query=wrong)).status == 400


# --- draft-ietf-httpapi-idempotency-key-header-07, section 2.7 -------------------------------------------------------


async def test_ietf_problems(begin: Begin) -> None:
    """Missing is 400, another payload 422, each as a problem document with the title of the draft's examples."""
    caller = begin("ietf-draft")
    assert (await caller.pay()).status == 201
    for answer, status, title in (
        (await caller.pay(None), 400, "Idempotency-Key is missing"),
        (await caller.pay(amount=7), 422, "Idempotency-Key is already used"),
    ):
        assert (answer.status, answer.lines("content-type")) == (status, [b"application/problem+json"])
        assert (body(answer)["title"], set(body(answer))) == (title, {"type", "title", "detail"})


async def test_ietf_in_flight(begin: Begin) -> None:
    """A duplicate in flight is 409, `A request is outstanding for this Idempotency-Key`."""
    answers: list[Answer] = []

    async def duplicate() -> None:
        answers.append(await caller.pay())

    caller = begin("ietf-draft", processing=duplicate)
    await caller.pay()
    assert (answers[0].status, body(answers[0])["title"]) == (409, "A request is outstanding for this Idempotency-Key")


async def test_ietf_keys_are_quoted(begin: Begin) -> None:
    """The header field is a Structured Field string: a bare key is refused with 400 and moves nothing (section 2.1)."""
    caller = begin("ietf-draft")
    request = caller.request("create-payment", "8e03978e", {"amount": 1000, "currency": "EUR"})
    assert request.lines("idempotency-key") == [b'"8e03978e"']
    bare = (request.headers[0], (b"Idempotency-Key", b"8e03978e"))
    assert (await caller.send(Request("POST", "/payments", bare, request.body))).status == 400
    assert await caller.provider.effects() == ()


# --- generic: the text of its contract -------------------------------------------------------------------------------


async def test_generic_messages(begin: Begin) -> None:
    """A payment has id, amount, currency, reference, status; a refund also its payment, in whose currency it is."""
    caller = begin()
    payment = body(await caller.pay(reference="order-1"))
    assert payment == {
        "id": payment["id"],
        "amount": 1000,
        "currency": "EUR",
        "reference": "order-1",
        "status": "succeeded",
    }
    refund = body(await caller.refund(payment["id"], 400))
    assert refund == {
        "id": refund["id"],
        "payment_id": payment["id"],
        "amount": 400,
        "currency": "EUR",
        "status": "succeeded",
    }


async def test_generic_codes(begin: Begin) -> None:
    """Too much is 422 `amount_exceeds_captured`, a reused key 422 `idempotency_key_reused`, a missing key 400."""
    caller = begin()
    payment = await caller.paid(100)
    await caller.pay("used")
    exceeding, reused = await caller.refund(payment, 101), await caller.pay("used", amount=1)
    assert (exceeding.status, body(exceeding)["code"]) == (422, "amount_exceeds_captured")
    assert (reused.status, body(reused)["code"]) == (422, "idempotency_key_reused")
    assert (await caller.pay(None)).status == 400


# --- every profile ---------------------------------------------------------------------------------------------------


async def refused(caller: Caller) -> Mapping[str, Answer]:
    """One answer for each reason that can be brought about from outside, in every profile that can."""
    payment = await caller.paid(100)
    nobody = Caller(caller.profile, caller.provider)
    request = nobody.request("create-payment", "k", {"amount": 1, "currency": "EUR"})
    read = {"not-found": await caller.get("get-payment", "none")} if "get-payment" in caller.profile.operations else {}
    return {
        **read,
        "unauthorized": await caller.send(Request("POST", request.target, request.headers[1:], request.body)),
        "invalid": await caller.pay("x", amount=-1),
        "exceeds-captured": await caller.refund(payment, 101),
    }


@pytest.mark.parametrize("profile", names())
async def test_refusals_are_those_of_the_profile(begin: Begin, profile: str) -> None:
    """Every refusal is read back as the one that the profile describes, or as `invalid` where it has no own words."""
    caller = begin(profile)
    for reason, answer in (await refused(caller)).items():
        wording = load(profile).refusals.get(reason) or load(profile).refusals["invalid"]
        assert isinstance(wording, Refusal)
        assert matches(wording, answer), reason
        assert json.loads(answer.body)
