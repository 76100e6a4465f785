"""The subject protocol, version 1: what is said to a client or shop, and what its answers mean. No I/O.

The words are those of `contracts/schemas/subject-protocol.schema.json`; an answer that does not fit is the subject's
error, said with the place where it does not fit.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

import jsonschema
from jsonschema.exceptions import best_match

from psp_harness.contracts import SCHEMAS
from psp_harness.errors import SubjectError
from psp_harness.model import Claims, Done, Effect, Failed, Intent, Outcome, Refused, Retries, Row

VERSION = 1
ANSWERS = frozenset({"ok", "failed", "refused", "errored"})
"""One of these is in every answer."""
Message = Mapping[str, Any]


@functools.cache
def _validator(part: str) -> jsonschema.Draft202012Validator:
    schema = json.loads((SCHEMAS / "subject-protocol.schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{part}", "$defs": schema["$defs"]})


def check(part: str, message: object, command: str) -> Message:
    """The message, if it is what the schema calls `part`; raises `SubjectError` with the place where it is not."""
    if part == "answer" and isinstance(message, Mapping) and not ANSWERS & message.keys():
        has = f"; it has {', '.join(map(repr, message))}" if message else ""
        raise SubjectError(
            f"the answer to {command!r} has none of ok, failed, refused, errored{has}",
            do="see docs/subject-protocol.md",
        )
    error = best_match(_validator(part).iter_errors(message))
    if error is not None:
        where = error.json_path.removeprefix("$") or "the answer"
        raise SubjectError(
            f"the answer to {command!r} does not fit the protocol at {where}: {error.message[:200]}",
            do="see docs/subject-protocol.md",
        )
    assert isinstance(message, Mapping)
    return message


def claims(answer: object) -> Claims:
    """What a subject says of itself in its answer to `start`."""
    started = check("started", _ok(answer, "start"), "start")
    retries = started.get("retries", {"max": 0})
    return Claims(
        started["name"],
        started.get("version", ""),
        started.get("language", ""),
        frozenset(started.get("features", ())),
        Retries(retries["max"], frozenset(retries.get("on", ()))),
    )


def says_no(answer: object) -> bool:
    """Whether a subject that was to start answered that it does not."""
    return isinstance(answer, Mapping) and bool((ANSWERS - {"ok"}) & answer.keys())


def outcome(answer: object) -> Outcome:
    """What a subject says of a step; raises `SubjectError` where its adapter is at fault."""
    message = check("answer", answer, "do")
    if "failed" in message:
        return Failed(message["failed"]["kind"], message["failed"].get("message", ""))
    if "refused" in message:
        return Refused(message["refused"].get("message", ""))
    return Done(_ok(message, "do"))


def effects(answer: object) -> tuple[Effect, ...] | None:
    """What a subject says that it did; None where it cannot say."""
    said = check("effects", _ok(answer, "effects"), "effects")
    return read_effects(said["effects"]) if "effects" in said else None


def states(answer: object) -> dict[str, str] | None:
    """What a receiver says that its orders are in the end, by id; None where it does not say."""
    return read_states(check("effects", _ok(answer, "effects"), "effects"))


def read_states(said: Message) -> dict[str, str] | None:
    """Orders as the protocol and `--effects` write them beside the effects."""
    return {str(row["id"]): row["status"] for row in said["orders"]} if "orders" in said else None


def read_effects(rows: list[Message]) -> tuple[Effect, ...]:
    """Effects as the protocol and `--effects` write them.

    What has an amount that is none is left out: a provider that let one through is judged all the same.
    """
    return tuple(_effect(row) for row in rows if type(row["amount"]) is int)


KINDS: Mapping[str, str] = {
    "orders": "order",
    "refunds": "refund",
    "subscriptions": "subscription",
    "payouts": "payout",
}
"""The lists of a shop's books, and what each is of."""


def rows(said: object) -> tuple[tuple[Row, ...], int]:
    """What a shop says in `state` that it believes, and how many transactions it committed."""
    books = check("state", said, "state")
    found = (_row(kind, row) for name, kind in KINDS.items() for row in books.get(name, ()))
    return tuple(found), books.get("commits", 0)


def _row(kind: str, row: Message) -> Row:
    psp_id, order_id, currency = (str(row.get(name) or "") for name in ("psp_id", "order_id", "currency"))
    return Row(kind, str(row["id"]), row["amount"], row["status"], currency, psp_id, order_id, row.get("shipped"))


def _effect(row: Message) -> Effect:
    currency, payment_id, reference = (str(row.get(name) or "") for name in ("currency", "payment_id", "reference"))
    return Effect(row["kind"], str(row["id"]), row["amount"], currency, payment_id, reference)


def _ok(answer: object, command: str) -> Message:
    message = check("answer", answer, command)
    if "errored" in message:
        raise SubjectError(
            f"the adapter reports an error of its own in {command!r}: {message['errored'].get('message', '')}"
        )
    if "ok" not in message:
        raise SubjectError(f"{command!r} was answered {dict(message)!r}; expected ok")
    ok: Message = message["ok"]
    return ok


def params(intent: Intent, payment_id: str) -> dict[str, object]:
    """What a step is asked with. `key` is missing where none is given; text, as a caller would have it."""
    asked: dict[str, object] = {"amount": intent.amount, "currency": intent.currency}
    if intent.payment is None:
        asked |= {"order_id": intent.reference}
    else:
        asked |= {"payment_id": payment_id, "refund_id": intent.reference}
    if intent.key is not None:
        asked["key"] = intent.key.decode()
    return asked
