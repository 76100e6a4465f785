"""A merchant who speaks to the provider as Hyperswitch's own documentation has it, route by route."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from psp_harness.model import Answer, Request
from psp_harness.reference.provider import Provider
from reference.provider.hyperswitch.messages import wrong_with

TENANT_A = "dev_psp_harness_tenant_a"
ADMIN = "test_admin"

CARD = {
    "card_number": "4242424242424242",
    "card_exp_month": "10",
    "card_exp_year": "2039",
    "card_holder_name": "Joan Miró",
    "card_cvc": "123",
}
PAID_BY_CARD = {"payment_method": "card", "payment_method_data": {"card": CARD}}
DECLINED = {"payment_method": "card", "payment_method_data": {"card": {**CARD, "card_number": "4000000000000002"}}}


class Shop:
    """One merchant, with one key."""

    def __init__(self, provider: Provider, api_key: str | None = TENANT_A) -> None:
        self.provider = provider
        self.api_key = api_key

    async def ask(self, route: str, body: object = None, **lines: str) -> Answer:
        """`POST /payments` and the like; a body is JSON. What comes back fits the schema of its message."""
        method, _, target = route.partition(" ")
        key = {"api-key": self.api_key} if self.api_key is not None else {}
        headers = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in {**key, **lines}.items())
        written = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        answer = await self.provider.handle(Request(method, target, headers, written))
        assert wrong_with(method, target, answer) == []
        return answer

    async def yes(self, route: str, body: object = None, **lines: str) -> Any:
        """What a 200 says."""
        answer = await self.ask(route, body, **lines)
        assert answer.status == 200, answer
        return json.loads(answer.body)

    async def no(self, route: str, body: object = None, **lines: str) -> tuple[int, str, str]:
        """Status, code and message of a refusal."""
        answer = await self.ask(route, body, **lines)
        error = json.loads(answer.body)["error"]
        return answer.status, error["code"], error["message"]

    async def paid(self, amount: int = 1000, **more: object) -> Any:
        """A payment by card, confirmed at once unless told otherwise."""
        asked: Mapping[str, object] = {"amount": amount, "currency": "EUR", "confirm": True, **PAID_BY_CARD, **more}
        return await self.yes("POST /payments", asked)
