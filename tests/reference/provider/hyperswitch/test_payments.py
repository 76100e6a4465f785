"""Payments from their creation to their end, against crates/router/src/core/payments, release 2026.06.25.0."""

from __future__ import annotations

import json

import pytest

from psp_harness.model import Effect
from reference.provider.asking import Clock
from reference.provider.hyperswitch.shop import CARD, DECLINED, PAID_BY_CARD, Shop

OPEN = {"amount": 1000, "currency": "EUR"}


async def test_from_creation_to_confirmation(shop: Shop) -> None:
    """A payment waits for its method, then to be confirmed, and moves money only then, with what was said last."""
    made = await shop.yes("POST /payments", {**OPEN, "description": "first"})
    one = f"/payments/{made['payment_id']}"
    assert (made["status"], made["payment_method"], made["connector"]) == ("requires_payment_method", None, None)
    assert made["client_secret"].startswith(f"{made['payment_id']}_secret_")
    assert (await shop.no(f"POST {one}/confirm", {}))[:2] == (422, "IR_06")
    changed = await shop.yes(f"POST {one}", {"amount": 700, **PAID_BY_CARD, "description": "second"})
    assert (changed["status"], changed["amount"]) == ("requires_confirmation", 700)
    assert await shop.provider.effects() == ()
    done = await shop.yes(f"POST {one}/confirm", {})
    assert (done["status"], done["amount_received"], done["description"]) == ("succeeded", 700, "second")
    assert await shop.provider.effects() == (Effect("payment", made["payment_id"], 700, "EUR"),)
    assert await shop.yes(f"GET {one}") == done


async def test_a_card_is_not_shown_again(shop: Shop) -> None:
    """Of a card nothing is answered but its last digits and its expiry; and nothing else is kept."""
    paid = await shop.paid()
    assert paid["payment_method_data"]["card"]["last4"] == "4242"
    assert CARD["card_number"] not in json.dumps(paid)
    about = [json.dumps(dict(entry.about)) for entry in await shop.provider._store.entries()]
    assert not any(CARD["card_number"] in text or '"123"' in text for text in about)


async def test_confirmed_once(shop: Shop) -> None:
    """What is done is neither confirmed nor changed nor given up again: IR_16, and the state that it has."""
    one = f"/payments/{(await shop.paid())['payment_id']}"
    for verb, path in (("confirm", f"{one}/confirm"), ("update", one), ("cancel", f"{one}/cancel")):
        said = f"You cannot {verb} this payment because it has status succeeded"
        assert await shop.no(f"POST {path}", {}) == (400, "IR_16", said)


async def test_a_declined_card_is_no_error(shop: Shop) -> None:
    """200 with status `failed`, what the bank said, and no way on (manual retries are off)."""
    declined = await shop.yes("POST /payments", {**OPEN, "confirm": True, **DECLINED})
    assert (declined["status"], declined["error_message"]) == ("failed", "Card declined")
    again = await shop.no(f"POST /payments/{declined['payment_id']}/confirm", PAID_BY_CARD)
    assert again[:2] == (400, "IR_16")
    assert await shop.provider.effects() == ()


async def test_captured_in_parts(shop: Shop) -> None:
    """`manual_multiple`: part after part, never more than the rest; each part must say how much it is."""
    paid = await shop.paid(capture_method="manual_multiple")
    one = f"/payments/{paid['payment_id']}"
    assert (paid["status"], paid["amount_capturable"]) == ("requires_capture", 1000)
    assert await shop.no(f"POST {one}/capture", {}) == (400, "IR_04", "Missing required param: amount_to_capture")
    part = await shop.yes(f"POST {one}/capture", {"amount_to_capture": 300, "whatever": 1})
    assert (part["status"], part["amount_capturable"]) == ("partially_captured_and_capturable", 700)
    too_much = (422, "IR_06", "amount_to_capture is greater than amount")
    assert await shop.no(f"POST {one}/capture", {"amount_to_capture": 701}) == too_much
    given_up = await shop.yes(f"POST {one}/cancel", {"cancellation_reason": "sold out"})
    assert (given_up["status"], given_up["cancellation_reason"]) == ("partially_captured", "sold out")
    assert [effect.amount for effect in await shop.provider.effects()] == [300]


@pytest.mark.parametrize(("amount", "refused"), [(0, 422), (-1, 422)])
async def test_captures_are_of_something(shop: Shop, amount: int, refused: int) -> None:
    """IR_05, after the state was found to allow it: of a payment that is done it is IR_14."""
    one = f"/payments/{(await shop.paid(capture_method='manual'))['payment_id']}"
    said = await shop.no(f"POST {one}/capture", {"amount_to_capture": amount})
    assert said == (refused, "IR_05", "amount contains invalid data. Expected format is positive integer")
    await shop.yes(f"POST {one}/capture", {})
    assert (await shop.no(f"POST {one}/capture", {"amount_to_capture": amount}))[:2] == (400, "IR_14")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"amount": None}, (400, "IR_04", "Missing required param: amount")),
        ({"currency": None}, (400, "IR_04", "Missing required param: currency")),
        ({"amount": 1_000_000_000}, (400, "IR_16", "amount should not be more than 999999999")),
        ({"capture_method": "scheduled"}, (501, "IR_00")),
        ({"payment_method_data": None}, (422, "IR_06")),
        ({"amount_to_capture": 1001}, (422, "IR_05")),
        ({"amount_to_capture": 999}, (400, "IR_16")),
        ({"session_expiry": 59}, (400, "IR_16")),
        ({"setup_future_usage": "off_session"}, (400, "IR_16")),
        ({"client_secret": "x"}, (422, "IR_06", "client_secret is not a valid parameter")),
        ({"payment_method_data": {"card": {**CARD, "card_cvc": "12"}}}, (400, "IR_16", "Invalid card_cvc length")),
        ({"payment_method_data": {"card": {**CARD, "card_exp_month": "13"}}}, (400, "IR_16", "Invalid Expiry Month")),
        ({"payment_method_data": {"card": {**CARD, "card_exp_year": "x"}}}, (400, "IR_16", "Invalid Expiry Year")),
        ({"payment_method_data": {"card": {**CARD, "card_exp_year": "26"}}}, (400, "IR_16", "Card Expired")),
        ({"payment_method_data": {"card": {**CARD, "card_number": "4242424242424241"}}}, (400, "IR_06")),
        ({"amount": -1}, (400, "IR_06")),
        ({"amount": True}, (400, "IR_06")),
        ({"payment_id": "a b"}, (400, "IR_06")),
        ({"unheard_of": 1}, (400, "IR_06")),
        ({"description": "\ud800"}, (400, "IR_06")),
    ],
)
async def test_what_is_refused(shop: Shop, wrong: dict[str, object], said: tuple[object, ...]) -> None:
    """Each in its own words, and nothing is entered: the same id is free afterwards."""
    body = {"payment_id": "order_1", **OPEN, "confirm": True, **PAID_BY_CARD, **wrong}
    assert (await shop.no("POST /payments", body))[: len(said)] == said
    assert (await shop.paid(payment_id="order_1"))["status"] == "succeeded"


async def test_nothing_is_not_something(shop: Shop) -> None:
    """A payment of zero is taken, and moves nothing."""
    assert (await shop.paid(0))["status"] == "succeeded"
    assert await shop.provider.effects() == ()


async def test_both_shapes_of_an_error(shop: Shop) -> None:
    """What cannot be read has `error_type`, everything else has `type`; unknown routes and methods are told apart."""
    answers = [await shop.ask("POST /payments", body) for body in (b"{", b"[1]", b"")]
    assert [sorted(json.loads(each.body)["error"]) for each in answers] == [["code", "error_type", "message"]] * 3
    assert await shop.no("GET /nothing") == (404, "IR_02", "Unrecognized request URL")
    assert await shop.no("PATCH /payments") == (405, "IR_03", "The HTTP method is not applicable for this API")
    assert await shop.no("GET /payments/none") == (404, "HE_02", "Payment does not exist in our records")
    assert await shop.no("GET /refunds/none") == (404, "HE_02", "Refund does not exist in our records.")


async def test_a_missing_key_is_not_the_same_everywhere(shop: Shop) -> None:
    """401 where a secret key is wanted, 400 where the route first asks which kind it is; a wrong one is always 401."""
    nobody, wrong = Shop(shop.provider, None), Shop(shop.provider, "dev_wrong")
    assert (await nobody.no("POST /payments", OPEN))[:2] == (401, "IR_01")
    for route in ("GET /payments/x", "POST /payments/x", "POST /payments/x/confirm"):
        assert await nobody.no(route, {}) == (400, "IR_04", "Missing required param: api_key")
        assert (await wrong.no(route, {}))[:2] == (401, "IR_01")


async def test_payments_are_listed_newest_first(shop: Shop) -> None:
    """As many as are asked for, of one customer, and from one payment on; nobody else's."""
    ids = [(await shop.paid(customer_id=f"c{n % 2}"))["payment_id"] for n in range(4)]
    other = Shop(shop.provider, "dev_psp_harness_tenant_b")
    assert (await other.yes("GET /payments/list")) == {"size": 0, "data": []}

    async def listed(query: str) -> list[str]:
        return [each["payment_id"] for each in (await shop.yes(f"GET /payments/list?{query}"))["data"]]

    assert await listed("limit=3") == ids[:0:-1]
    assert await listed("customer_id=c0") == [ids[2], ids[0]]
    assert await listed(f"starting_after={ids[2]}") == [ids[1], ids[0]]
    assert (await shop.no("GET /payments/list?limit=101"))[:2] == (400, "IR_16")


async def test_every_answer_has_an_id_of_its_own(shop: Shop) -> None:
    """A UUID of version 7, whatever the caller calls its request, and the server's own header lines."""
    answers = [await shop.ask("GET /payments/list", x_request_id="mine") for _ in range(2)]
    ids = [answer.lines("x-request-id") for answer in answers]
    assert ids[0] != ids[1]
    assert {id_[0][14:15] for id_ in ids} == {b"7"}
    assert {answer.lines("via")[0] for answer in answers} == {b"HyperSwitch"}


async def test_the_docs_replay_a_confirmation(shop: Shop, clock: Clock) -> None:
    """With the header, under the profile of the documentation, the answer comes again; under that of the source, not."""
    made = await shop.yes("POST /payments", {**OPEN, **PAID_BY_CARD})
    confirm = f"POST /payments/{made['payment_id']}/confirm"
    first = await shop.ask(confirm, {}, idempotency_key="k")
    clock.now += 60
    again = await shop.ask(confirm, {}, idempotency_key="k")
    replays = not shop.provider._profile.has_defect("header-ignored")
    assert (again.status, again.body == first.body) == ((200, True) if replays else (400, False))
    assert len(await shop.provider.effects()) == 1
