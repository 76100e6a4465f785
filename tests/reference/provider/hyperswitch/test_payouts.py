"""Payouts, against crates/router/src/core/payouts.rs:352-830 and payouts/helpers.rs:1309-1375, release 2026.06.25.0."""

from __future__ import annotations

import itertools

import pytest

from psp_harness.model import Effect
from psp_harness.reference.provider.bank import Delivery
from psp_harness.reference.provider.hyperswitch.payout_states import PAYOUT_MOVES, PayoutEvent, PayoutStatus
from psp_harness.reference.provider.ledger import Refusal
from psp_harness.reference.provider.states import move
from reference.provider.asking import Clock
from reference.provider.hyperswitch.shop import CARD, Shop
from reference.provider.listening import listening

OPEN = {"amount": 500, "currency": "EUR"}
TO_A_CARD = {
    "payout_type": "card",
    "payout_method_data": {"card": {"card_number": CARD["card_number"], "expiry_month": "3", "expiry_year": "2030"}},
}
DECLINED = {
    "payout_method_data": {"card": {"card_number": "4000000000000002", "expiry_month": "3", "expiry_year": "2030"}}
}


@pytest.mark.parametrize(("state", "event"), list(itertools.product(PayoutStatus, PayoutEvent)))
def test_payout_moves(state: PayoutStatus, event: PayoutEvent) -> None:
    """In each state each event leads to where the table says, or is refused; nothing leads out of what is over."""
    over = state in {PayoutStatus.SUCCESS, PayoutStatus.FAILED, PayoutStatus.CANCELLED}
    after = move(PAYOUT_MOVES, state, event)
    assert isinstance(after, Refusal) is ((state, event) not in PAYOUT_MOVES)
    assert isinstance(after, Refusal) or not over


async def test_from_creation_to_payment(shop: Shop) -> None:
    """It waits for where the money goes, to be confirmed, and to be fulfilled; then it has moved, once."""
    made = await shop.yes("POST /payouts/create", {**OPEN, "payout_id": "row_1"})
    one = "/payouts/row_1"
    assert made["status"] == "requires_payout_method_data"
    assert (await shop.no(f"POST {one}/confirm", {}))[:2] == (400, "IR_04")
    changed = await shop.yes(f"PUT {one}", {"amount": 400, **TO_A_CARD})
    assert (changed["status"], changed["amount"]) == ("requires_confirmation", 400)
    confirmed = await shop.yes(f"POST {one}/confirm", {"client_secret": made["client_secret"]})
    assert confirmed["status"] == "requires_fulfillment"
    assert await shop.provider.effects() == ()
    done = await shop.yes(f"POST {one}/fulfill", {"payout_id": "row_1"})
    assert done["status"] == "success"
    assert await shop.provider.effects() == (Effect("payout", "row_1", 400, "EUR"),)
    assert await shop.yes(f"GET {one}") == done
    assert (await shop.yes("GET /payouts/list"))["data"] == [done]


async def test_at_once(shop: Shop) -> None:
    """Confirmed with its creation and fulfilled by itself, it is one movement; to a card that refuses it, none."""
    at_once = {"confirm": True, "auto_fulfill": True}
    assert (await shop.yes("POST /payouts/create", {**OPEN, **at_once, **TO_A_CARD}))["status"] == "success"
    failed = await shop.yes("POST /payouts/create", {**OPEN, **at_once, **DECLINED})
    assert (failed["status"], failed["error_message"]) == ("failed", "Card declined")
    assert len(await shop.provider.effects()) == 1


async def test_a_payout_id_is_used_once(shop: Shop) -> None:
    """400, HE_01, with the id as Rust prints it; that comes before anything that is wrong with the rest."""
    await shop.yes("POST /payouts/create", {**OPEN, "payout_id": "row_1"})
    again = await shop.no("POST /payouts/create", {"payout_id": "row_1"})
    said = "The payout with the specified payout_id 'PayoutId(\"row_1\")' already exists in our records"
    assert again == (400, "HE_01", said)


async def test_what_is_over_stays_so(shop: Shop) -> None:
    """A payout that was given up, or paid, is neither changed nor confirmed nor given up nor paid again."""
    made = await shop.yes("POST /payouts/create", {**OPEN, **TO_A_CARD})
    one = f"/payouts/{made['payout_id']}"
    assert (await shop.yes(f"POST {one}/cancel", {}))["status"] == "cancelled"
    said = "You cannot confirm this payout because it has status cancelled"
    assert await shop.no(f"POST {one}/confirm", {}) == (400, "IR_16", said)
    update = f"Payout {made['payout_id']} cannot be updated for status cancelled"
    assert await shop.no(f"PUT {one}", {"amount": 1}) == (422, "IR_06", update)
    for verb in ("cancel", "fulfill"):
        assert (await shop.no(f"POST {one}/{verb}", {}))[:2] == (422, "IR_06")
    assert (await shop.no("POST /payouts/none/cancel", {}))[:2] == (404, "HE_02")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"amount": None}, (400, "IR_04")),
        ({"currency": None}, (400, "IR_04")),
        ({"amount": 0}, (422, "IR_05")),
        ({"confirm": True}, (400, "IR_04")),
        ({"unheard_of": 1}, (400, "IR_06")),
    ],
)
async def test_what_is_refused(shop: Shop, wrong: dict[str, object], said: tuple[int, str]) -> None:
    """Each in its own words."""
    assert (await shop.no("POST /payouts/create", {**OPEN, **wrong}))[:2] == said


async def test_money_that_takes_its_time_and_comes_back(shop: Shop, clock: Clock) -> None:
    """Initiated, there, and reversed; it counts as paid out only while it is there, and its shop is told each time."""
    shop.provider.bank.payouts = Delivery(takes=60, returns_after=3600)
    async with listening() as endpoint:
        await shop.provider.webhooks.register(endpoint.url)
        asked = {"amount": 500, "currency": "EUR", "confirm": True, "auto_fulfill": True, "payout_token": "good"}
        payout = await shop.yes("POST /payouts/create", asked)
        assert payout["status"] == "initiated"
        assert (await shop.no(f"POST /payouts/{payout['payout_id']}/cancel"))[0] == 422
        for passes, status, moved in ((59, "initiated", 0), (1, "success", 1), (3600, "reversed", 0)):
            await shop.provider.advance(passes)
            assert (await shop.yes(f"GET /payouts/{payout['payout_id']}"))["status"] == status
            assert len(await shop.provider.effects()) == moved
        await shop.provider.webhooks.settled()
        told = endpoint.means(shop.provider.webhooks.profile)
        assert told == ["payout-initiated", "payout-succeeded", "payout-reversed"]
        assert clock.now
        await shop.provider.webhooks.close()


async def test_money_that_does_not_arrive(shop: Shop, clock: Clock) -> None:
    """Also of a payout that was fulfilled by hand: it fails, and nothing was paid out."""
    asked = {"amount": 500, "currency": "EUR", "confirm": True, "payout_token": "good"}
    payout = (await shop.yes("POST /payouts/create", asked))["payout_id"]
    shop.provider.bank.payouts = Delivery(takes=60, yes=False)
    assert (await shop.yes(f"POST /payouts/{payout}/fulfill"))["status"] == "initiated"
    clock.now += 60
    assert (await shop.yes(f"GET /payouts/{payout}"))["status"] == "failed"
    assert await shop.provider.effects() == ()
