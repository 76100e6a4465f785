"""Providers in profile `stripe`: form bodies, a key that is optional, and a header on replays that says so.

The bookkeeping is that of the generic gateway; what is here puts the one's words into the other's.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from psp_harness.miniatures.captures import HoldsMoney
from psp_harness.miniatures.declaration import miniature
from psp_harness.miniatures.providers import NOT_FOUND, Asked, Slot, answered
from psp_harness.miniatures.providers import TENANTS as GENERIC
from psp_harness.model import Answer, Request, Role
from psp_harness.template import decode

TENANTS = {
    b"Bearer sk_test_psp_harness_tenant_a": b"Bearer tenant-a",
    b"Bearer sk_test_psp_harness_tenant_a-refreshed": b"Bearer tenant-a-refreshed",
    b"Bearer sk_test_psp_harness_tenant_b": b"Bearer tenant-b",
}
ROUTES = {"/v1/payment_intents": "/payments", "/v1/refunds": "/refunds"}
OF_A_PAYMENT = re.compile("/v1/payment_intents/([^/]+)/(capture|cancel)")
SORTS = {"idempotency": "idempotency_error", "card": "card_error"}
CARDS = {"pm_card_visa_chargeDeclined": "declined", "pm_card_refundFail": "refund-fails"}


@miniature("form-gateway", role=Role.PROVIDER, profile="stripe")
class FormGateway(HoldsMoney):
    """Speaks Stripe's words: keys may be missing, belong to the tenant alone, and a replay is marked as one."""

    reused = answered(400, {"code": "idempotency_key_reused", "message": "the key was used with other parameters"})
    in_flight = answered(409, {"code": "idempotency_key_in_use", "message": "the first request is in progress"})

    async def answer(self, request: Request) -> Answer:
        if request.target in {"/effects", "/clock"}:
            return await super().answer(request)
        of_a_payment = OF_A_PAYMENT.fullmatch(request.target)
        if of_a_payment is None:
            answer = await super().answer(self.translated(request))
        else:
            answer = await self.change(self.translated(request), *of_a_payment.groups())
        status = 200 if answer.accepted else answer.status
        return Answer(400 if status == 422 else status, answer.headers, self.worded(answer))

    async def change(self, request: Request, payment: str, what: str) -> Answer:
        """A capture or a void."""
        tenant = GENERIC.get(request.lines("Authorization")[0])
        amount = json.loads(request.body).get("amount", 1)  # a void has none
        body = json.dumps({"payment_id": payment, "amount": amount}).encode()
        asked = Request("POST", request.target, request.headers, body)
        kind = "capture" if what == "capture" else "void"
        return NOT_FOUND if tenant is None else await self.post(asked, kind, tenant)

    def translated(self, request: Request) -> Request:
        """In the words of the generic gateway."""
        route, slash, name = request.target.removeprefix("/v1").partition("/")[2].partition("/")
        target = f"{ROUTES.get(f'/v1/{route}', '/nowhere')}{slash}{name}"
        form = decode(request.body, "form")
        body = self.members(form if isinstance(form, dict) else {})
        key = b"".join(request.lines("Idempotency-Key")) or self.key_of_none(body)
        tenant = TENANTS.get(b"".join(request.lines("Authorization")), b"nobody")
        headers = ((b"authorization", tenant), (b"idempotency-key", key))
        return Request(request.method, target, headers, json.dumps(body).encode())

    def members(self, form: Mapping[str, Any]) -> dict[str, Any]:
        """The members of a body; a refund has a payment, and a payment a currency."""
        metadata = form.get("metadata")
        given = {
            "amount": form.get("amount", form.get("amount_to_capture")),
            "capture": form.get("capture_method"),
            "card": CARDS.get(str(form.get("payment_method"))),
            "currency": str(form["currency"]).upper() if "currency" in form else None,
            "payment_id": form.get("payment_intent"),
            "reference": metadata.get("reference") if isinstance(metadata, dict) else None,
        }
        return {name: member for name, member in given.items() if member is not None}

    def key_of_none(self, body: Mapping[str, Any]) -> bytes:
        """What stands for a key that is missing: every request without one is a new one."""
        return uuid4().hex.encode()

    def slot(self, asked: Asked) -> Slot:
        return asked.tenant, asked.key

    def fingerprint(self, request: Request, body: Mapping[str, Any]) -> str:
        return f"{request.target} {super().fingerprint(request, body)}"

    def worded(self, answer: Answer) -> bytes:
        """In Stripe's words."""
        said = json.loads(answer.body)
        if not answer.accepted:
            sort = SORTS.get(said["code"].partition("_")[0], "invalid_request_error")
            return json.dumps({"error": {**said, "type": sort}}).encode()
        metadata = {"reference": said.pop("reference", "")}
        worded = {**said, "currency": said["currency"].lower(), "metadata": metadata}
        if payment := worded.pop("payment_id", None):
            return json.dumps({**worded, "object": "refund", "payment_intent": payment}).encode()
        received = worded.pop("captured", said["amount"])
        return json.dumps({**worded, "object": "payment_intent", "amount_received": received}).encode()


@miniature("replays-unmarked", role=Role.PROVIDER, mode="P17", profile="stripe", breaks={"a-replay-carries-its-marker"})
class ReplaysUnmarked(FormGateway):
    """Replays the first answer without the header that it documents for it."""

    def replay(self, first: Answer) -> Answer:
        return first


@miniature(
    "keyless-deduped-by-body",
    role=Role.PROVIDER,
    mode="P26",
    profile="stripe",
    breaks={"requests-without-a-key-all-execute"},
)
class KeylessDedupedByBody(FormGateway):
    """Takes a hash of the body for the key of a request without one, so that the second of two like orders is lost."""

    def key_of_none(self, body: Mapping[str, Any]) -> bytes:
        return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest().encode()
