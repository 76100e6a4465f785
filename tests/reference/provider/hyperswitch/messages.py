"""Every answer of the provider against the schema of its message: `contracts/schemas/hyperswitch.schema.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

from jsonschema import Draft202012Validator

from psp_harness.contracts import SCHEMAS
from psp_harness.model import Answer
from psp_harness.reference.provider.hyperswitch.router import ROUTES
from psp_harness.template import match_path

DOCUMENT = json.loads((SCHEMAS / "hyperswitch.schema.json").read_text(encoding="utf-8"))

MESSAGES: Mapping[str, str] = {
    "create-payment": "Payment",
    "update-payment": "Payment",
    "confirm-payment": "Payment",
    "capture-payment": "Payment",
    "cancel-payment": "Payment",
    "get-payment": "Payment",
    "list-payments": "PaymentList",
    "create-refund": "Refund",
    "update-refund": "Refund",
    "get-refund": "Refund",
    "list-refunds": "RefundList",
    "create-payout": "Payout",
    "update-payout": "Payout",
    "confirm-payout": "Payout",
    "fulfill-payout": "Payout",
    "cancel-payout": "Payout",
    "get-payout": "Payout",
    "list-payouts": "PayoutList",
    "create-customer": "Customer",
    "update-customer": "Customer",
    "get-customer": "Customer",
    "list-customers": "CustomerList",
    "delete-customer": "CustomerDeletion",
    "create-account": "Account",
    "update-account": "Account",
    "get-account": "Account",
    "create-api-key": "NewApiKey",
    "update-api-key": "ApiKey",
    "get-api-key": "ApiKey",
    "list-api-keys": "ApiKeyList",
    "revoke-api-key": "RevokedApiKey",
    "create-connector": "Connector",
    "get-connector": "Connector",
    "list-connectors": "ConnectorList",
    "delete-connector": "ConnectorDeletion",
    "get-dispute": "Dispute",
    "list-disputes": "DisputeList",
    "accept-dispute": "Dispute",
    "submit-evidence": "Dispute",
    "attach-evidence": "File",
    "get-evidence": "EvidenceList",
    "upload-file": "File",
    "get-mandate": "Mandate",
    "revoke-mandate": "RevokedMandate",
    "list-mandates": "MandateList",
}
"""By operation: what a yes says."""

NO_JSON = frozenset({"get-file", "detach-evidence"})
"""Operations whose yes is a file, or nothing."""


@cache
def validator(message: str) -> Draft202012Validator:
    """The schema of one message."""
    return Draft202012Validator({"$defs": DOCUMENT["$defs"], "$ref": f"#/$defs/{message}"})


def wrong_with(method: str, target: str, answer: Answer) -> list[str]:
    """What is wrong with an answer, by its schema."""
    path = target.partition("?")[0]
    fitting = [route for route in ROUTES if route.method == method and match_path(route.path, path) is not None]
    if answer.accepted and fitting[0].operation in NO_JSON:
        return []
    wanted = [MESSAGES[fitting[0].operation]] if answer.accepted else ["Error", "DeserializeError"]
    body = json.loads(answer.body)
    found = [[error.message for error in validator(each).iter_errors(body)] for each in wanted]
    return [] if [] in found else [f"{method} {path}: {message}"[:300] for each in found for message in each]
