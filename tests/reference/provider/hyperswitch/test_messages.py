"""The schemas of Hyperswitch's messages, and the whole suite held against them."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from jsonschema import Draft202012Validator

from psp_harness.model import Answer, Role
from psp_harness.profile import load
from psp_harness.reference.provider.app import asgi
from psp_harness.reference.provider.hyperswitch.router import ROUTES
from psp_harness.reference.provider.ledger import Refusal
from psp_harness.run import Job, run
from reference.provider.hyperswitch.messages import DOCUMENT, MESSAGES, NO_JSON, wrong_with
from reference.provider.hyperswitch.shop import Shop

PAYMENT = "GET", "/payments/pay_1"


async def test_health(shop: Shop) -> None:
    """Without a key: a sentence in plain text, and booleans by component; where the store is away, 500 and HE_00."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(asgi(shop.provider)), base_url="http://psp") as http:
        alive, ready = await http.get("/health"), await http.get("/health/ready")
    assert (alive.status_code, alive.text) == (200, "health is good")
    assert (ready.status_code, ready.json()) == (200, {"database": True})
    away = shop.provider.refuse(Refusal("not-ready", "it is gone"))
    assert (away.status, json.loads(away.body)["error"]) == (
        500,
        {"type": "api", "message": "database health check failed with error: it is gone", "code": "HE_00"},
    )


def test_every_route_has_a_message() -> None:
    """And every message that is no part of another, nor an error, is that of a route."""
    Draft202012Validator.check_schema(DOCUMENT)
    assert {route.operation for route in ROUTES} == MESSAGES.keys() | NO_JSON
    assert set(MESSAGES.values()) <= DOCUMENT["$defs"].keys()


@pytest.mark.parametrize("profile", ["hyperswitch", "hyperswitch-docs"])
def test_the_whole_suite_is_answered_in_these_messages(profile: str) -> None:
    """Each answer of the reference provider in each case, also to keys and amounts that are none.

    What is no HTTP at all its server refuses, in plain text, and without the header line that every answer has.
    """
    report = asyncio.run(run(Job(Role.PROVIDER, "reference:provider", load(profile), jobs=2)))
    answers = [
        (x.request, x.answer)
        for history in report.histories.values()
        for x in history.exchanges
        if x.request is not None and x.answer is not None and x.answer.lines("x-request-id")
    ]
    assert len(answers) > 100
    problems = {
        problem for request, answer in answers for problem in wrong_with(request.method, request.target, answer)
    }
    assert problems == set()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"error": {"message": "no", "code": "IR_06"}},
        {"error": {"type": "invalid_request", "error_type": "invalid_request", "message": "no", "code": "IR_06"}},
        {"error": {"type": "duplicate_request", "message": "no", "code": "HE_01"}},
        {"error": {"error_type": "invalid_request", "message": "no", "code": "IR_16"}},
    ],
)
def test_what_is_no_error_of_this_api_is_seen(body: object) -> None:
    """Neither shape without its member, nor both at once, nor a type or a code that it does not have there."""
    assert wrong_with(*PAYMENT, Answer(400, (), json.dumps(body).encode()))


def test_a_payment_that_lacks_something_is_seen() -> None:
    """And so is one with a member that nobody knows."""
    required = DOCUMENT["$defs"]["Payment"]["required"]
    assert len(wrong_with(*PAYMENT, Answer(200, (), b"{}"))) == len(required)
    assert any("unheard_of" in each for each in wrong_with(*PAYMENT, Answer(200, (), b'{"unheard_of": 1}')))
