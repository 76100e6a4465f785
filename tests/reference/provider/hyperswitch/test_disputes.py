"""Disputes as the banks open them and Hyperswitch shows them: evidence, files, deadlines, and the money of a lost one."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from psp_harness.model import Answer, Request
from psp_harness.reference.provider.disputes import DISPUTE_MOVES, DisputeEvent, DisputeStatus
from psp_harness.reference.provider.disputing import WEEK, Closing, Opening
from psp_harness.reference.provider.ledger import Entry, Refusal
from reference.provider.asking import Clock
from reference.provider.hyperswitch.messages import wrong_with
from reference.provider.hyperswitch.shop import Shop
from reference.provider.listening import listening

PNG = b"\x89PNG\r\n\x1a\n\x00\xff\r\n\n"
NOT_NOW = (400, "HE_03", "Dispute status validation failed")


async def disputed(shop: Shop, amount: int | None = None, **more: Any) -> str:
    """The id of a dispute about a payment of 10.00."""
    payment = (await shop.paid())["payment_id"]
    opened = await shop.provider.disputes.open(Opening(payment, amount, **more))
    assert isinstance(opened, Entry), opened
    return opened.id


async def form(shop: Shop, route: str, content: bytes | None = PNG, **fields: str) -> Answer:
    """A form with a file, as a client writes it."""
    method, _, path = route.partition(" ")
    files = {"file": ("receipt.png", content)} if content is not None else {"other": ("x", b"x")}
    sent = httpx.Request(method, "http://psp" + path, files=files, data=fields)
    lines = ((b"api-key", str(shop.api_key).encode()), (b"content-type", sent.headers["content-type"].encode()))
    answer = await shop.provider.handle(Request(method, path, lines, sent.read()))
    assert wrong_with(method, path, answer) == []
    return answer


async def attached(shop: Shop, dispute: str, type_: str = "receipt") -> str:
    """The id of a file that is attached to it."""
    answer = await form(shop, "PUT /disputes/evidence", dispute_id=dispute, evidence_type=type_)
    assert answer.status == 200, answer
    return str(json.loads(answer.body)["file_id"])


async def test_a_dispute_is_shown(shop: Shop) -> None:
    """By its id and in the list; the amount is a text of minor units."""
    dispute = await disputed(shop, 400)
    told = await shop.yes(f"GET /disputes/{dispute}")
    assert (told["amount"], told["currency"], told["dispute_stage"]) == ("400", "EUR", "dispute")
    assert (told["dispute_status"], told["is_already_refunded"]) == ("dispute_opened", False)
    assert await shop.yes("GET /disputes/list") == [told]
    assert await shop.yes("GET /disputes/list?dispute_status=dispute_won") == []
    assert await shop.no("GET /disputes/dp_x") == (404, "HE_04", "Dispute does not exist in our records")
    other = Shop(shop.provider, "dev_psp_harness_tenant_b")
    assert (await other.no(f"GET /disputes/{dispute}"))[0] == 404


async def test_evidence_is_attached_shown_and_submitted(shop: Shop) -> None:
    """A file goes in as a form and comes out byte for byte; then the dispute is challenged, and its evidence is fixed."""
    dispute = await disputed(shop)
    file = await attached(shop, dispute)
    downloaded = await shop.ask(f"GET /files/{file}")
    assert (downloaded.body, downloaded.lines("content-type")) == (PNG, [b"image/png"])
    (block,) = await shop.yes(f"GET /disputes/evidence/{dispute}")
    assert (block["evidence_type"], block["file_metadata_response"]["file_id"]) == ("receipt", file)
    assert block["file_metadata_response"]["file_size"] == len(PNG)
    told = {"dispute_id": dispute, "receipt": file, "customer_name": "Joan Miró"}
    assert (await shop.yes("POST /disputes/evidence", told))["dispute_status"] == "dispute_challenged"
    late = await form(shop, "PUT /disputes/evidence", dispute_id=dispute, evidence_type="receipt")
    assert (late.status, json.loads(late.body)["error"]["code"]) == (400, "HE_03")
    taken_off = {"dispute_id": dispute, "evidence_type": "receipt"}
    assert await shop.no("DELETE /disputes/evidence", taken_off) == NOT_NOW
    assert (await shop.yes("POST /disputes/evidence", told))["dispute_status"] == "dispute_challenged"


async def test_evidence_is_taken_off(shop: Shop) -> None:
    """As long as nothing was submitted."""
    dispute = await disputed(shop)
    await attached(shop, dispute, "customer_communication")
    taken_off = {"dispute_id": dispute, "evidence_type": "customer_communication"}
    assert (await shop.ask("DELETE /disputes/evidence", taken_off)).status == 200
    assert await shop.yes(f"GET /disputes/evidence/{dispute}") == []
    assert (await shop.no("DELETE /disputes/evidence", taken_off))[:2] == (404, "HE_04")


@pytest.mark.parametrize(
    ("route", "content", "fields", "code"),
    [
        ("PUT /disputes/evidence", b"", {"evidence_type": "receipt"}, "IR_33"),
        ("PUT /disputes/evidence", b"plain text", {"evidence_type": "receipt"}, "IR_36"),
        ("PUT /disputes/evidence", PNG, {"evidence_type": "selfie"}, "IR_04"),
        ("PUT /disputes/evidence", None, {"evidence_type": "receipt"}, "IR_04"),
        ("POST /files", PNG, {}, "IR_35"),
        ("POST /files", None, {"purpose": "dispute_evidence"}, "IR_33"),
    ],
)
async def test_a_wrong_upload(route: str, content: bytes | None, fields: dict[str, str], code: str, shop: Shop) -> None:
    """Each its own code, and nothing is kept (core/files/helpers.rs, api_error_response.rs)."""
    dispute = await disputed(shop)
    answer = await form(shop, route, content, dispute_id=dispute, **fields)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, code)
    assert await shop.yes(f"GET /disputes/evidence/{dispute}") == []


async def test_a_file_of_no_dispute(shop: Shop) -> None:
    """IR_34 without one, 404 for one that there is not; JSON is no form."""
    purpose = {"purpose": "dispute_evidence"}
    assert json.loads((await form(shop, "POST /files", **purpose)).body)["error"]["code"] == "IR_34"
    assert (await form(shop, "POST /files", dispute_id="dp_x", **purpose)).status == 404
    assert (await shop.no("POST /files", purpose))[1] == "IR_35"
    assert (await shop.no("GET /files/file_x")) == (404, "HE_04", "File does not exist in our records")


async def test_a_file_that_is_uploaded_is_submitted_by_its_id(shop: Shop) -> None:
    """One that there is not is 404."""
    dispute = await disputed(shop)
    uploaded = await form(shop, "POST /files", purpose="dispute_evidence", dispute_id=dispute)
    file = json.loads(uploaded.body)["file_id"]
    assert await shop.yes(f"GET /disputes/evidence/{dispute}") == []
    unknown = {"dispute_id": dispute, "receipt": "file_x"}
    assert (await shop.no("POST /disputes/evidence", unknown))[0] == 404
    assert (await shop.yes("POST /disputes/evidence", {"dispute_id": dispute, "receipt": file}))[
        "dispute_id"
    ] == dispute


async def test_an_accepted_dispute_is_over(shop: Shop) -> None:
    """Nothing more can be said of it."""
    dispute = await disputed(shop)
    assert (await shop.yes(f"POST /disputes/accept/{dispute}"))["dispute_status"] == "dispute_accepted"
    assert await shop.no(f"POST /disputes/accept/{dispute}") == NOT_NOW
    assert await shop.no("POST /disputes/evidence", {"dispute_id": dispute}) == NOT_NOW


@pytest.mark.parametrize("stage", ["pre_dispute", "pre_arbitration", "arbitration", "dispute_reversal"])
async def test_stages(stage: Any, shop: Shop) -> None:
    """Files are attached in the stage `dispute` alone; a reversal is neither accepted nor answered."""
    dispute = await disputed(shop, stage=stage)
    attaching = await form(shop, "PUT /disputes/evidence", dispute_id=dispute, evidence_type="receipt")
    assert attaching.status == 400
    accepting = await shop.ask(f"POST /disputes/accept/{dispute}")
    assert accepting.status == (400 if stage == "dispute_reversal" else 200)


async def test_silence_ends_a_dispute(shop: Shop, clock: Clock) -> None:
    """A week, by the provider's clock."""
    dispute = await disputed(shop)
    clock.now += WEEK - 1
    assert (await shop.yes(f"GET /disputes/{dispute}"))["dispute_status"] == "dispute_opened"
    clock.now += 1
    assert (await shop.yes(f"GET /disputes/{dispute}"))["dispute_status"] == "dispute_expired"
    assert await shop.no("POST /disputes/evidence", {"dispute_id": dispute}) == NOT_NOW


async def test_what_a_lost_dispute_took_cannot_be_given_back_again(shop: Shop) -> None:
    """Refunds and lost disputes together are never more than was captured; a won one takes nothing."""
    dispute = await disputed(shop, 700)
    payment = (await shop.yes(f"GET /disputes/{dispute}"))["payment_id"]
    await shop.provider.disputes.close(Closing(dispute, "lose"))
    assert (await shop.yes(f"GET /disputes/{dispute}"))["dispute_status"] == "dispute_lost"
    assert (await shop.no("POST /refunds", {"payment_id": payment, "amount": 301}))[1] == "IR_13"
    assert (await shop.yes("POST /refunds", {"payment_id": payment, "amount": 300}))["status"] == "succeeded"


async def test_a_dispute_of_what_was_refunded_says_so(shop: Shop) -> None:
    """The money is gone twice, and the flag is how a shop learns of it."""
    dispute = await disputed(shop, 700)
    payment = (await shop.yes(f"GET /disputes/{dispute}"))["payment_id"]
    await shop.yes("POST /refunds", {"payment_id": payment, "amount": 600})
    await shop.provider.disputes.close(Closing(dispute, "lose"))
    assert (await shop.yes(f"GET /disputes/{dispute}"))["is_already_refunded"] is True


async def test_banks_dispute_what_was_captured(shop: Shop) -> None:
    """Not more, and not what is only held; and decide what is open, once."""
    payment = (await shop.paid())["payment_id"]
    held = (await shop.paid(capture_method="manual"))["payment_id"]
    for wrong in (Opening(payment, 1001), Opening(held), Opening("pay_x")):
        assert isinstance(await shop.provider.disputes.open(wrong), Refusal)
    opened = await shop.provider.disputes.open(Opening(payment))
    assert isinstance(opened, Entry)
    assert opened.amount == 1000
    assert isinstance(await shop.provider.disputes.close(Closing(opened.id, "win")), Refusal)
    assert isinstance(await shop.provider.disputes.close(Closing(opened.id, "cancel")), Entry)
    assert isinstance(await shop.provider.disputes.close(Closing(opened.id, "lose")), Refusal)


async def test_disputes_and_payouts_are_told_of(shop: Shop) -> None:
    """Opened, challenged and lost; expired by time alone; and a payout that was made."""
    async with listening() as endpoint:
        await shop.provider.webhooks.register(endpoint.url)
        dispute = await disputed(shop)
        await shop.yes("POST /disputes/evidence", {"dispute_id": dispute, "uncategorized_text": "it was delivered"})
        await shop.provider.disputes.close(Closing(dispute, "lose"))
        second = await disputed(shop, challenge_within=60)
        paid_out = {"amount": 500, "currency": "EUR", "confirm": True, "auto_fulfill": True, "payout_token": "good"}
        payout = await shop.yes("POST /payouts/create", paid_out)
        await shop.provider.advance(61)
        await shop.provider.webhooks.settled()
        facts = shop.provider.webhooks.profile
        told = [(values.get("dispute_id"), means) for means, values in endpoint.told(facts)]
        assert [m for id_, m in told if id_ == dispute] == ["dispute-opened", "dispute-challenged", "dispute-lost"]
        assert [m for id_, m in told if id_ == second] == ["dispute-opened", "dispute-expired"]
        outs = [values for means, values in endpoint.told(facts) if means == "payout-succeeded"]
        assert [(values["payout_id"], values["amount"]) for values in outs] == [(payout["payout_id"], 500)]
        await shop.provider.webhooks.close()


def test_no_move_leads_out_of_what_is_over() -> None:
    """Only what is opened or challenged can become something else."""
    assert {status for status, _ in DISPUTE_MOVES} == {DisputeStatus.OPENED, DisputeStatus.CHALLENGED}
    assert {event for _, event in DISPUTE_MOVES} == set(DisputeEvent)
