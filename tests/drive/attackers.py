"""Clients that were written against the rules: right ones that look wrong, and wrong ones that look right."""

from __future__ import annotations

import json
import random
import threading
import uuid
from collections.abc import Sequence
from typing import Any

from psp_harness.miniatures.clients import (
    HEADER,
    ROUTE,
    CarefulClient,
    OwnKeysUuid5,
    Params,
    Reply,
    Said,
    TriesOnce,
    failed,
    pause,
    shop_id,
)
from psp_harness.miniatures.odd_clients import RefreshesItsToken, WritesItsKeysDown
from psp_harness.model import Answer

Lines = Sequence[tuple[str, bytes]]


def listed(client: CarefulClient, path: str, reference: str) -> dict[str, Any] | None:
    """What the PSP has under this reference."""
    line = client._connection()
    line.request("GET", path, headers={"Authorization": f"Bearer {client.token}"})
    rows = json.loads(line.getresponse().read())["data"]
    line.close()
    return next((row for row in rows if row.get("reference") == reference), None)


# --- right ------------------------------------------------------------------------------------------------------------


class LooksBeforeItTriesAgain(CarefulClient):
    """Where no answer came it reads what the PSP has, and reports that."""

    def send(self, path: str, key_lines: Lines, body: bytes) -> Reply:
        reply = super().send(path, key_lines, body)
        if reply is not None:
            return reply
        try:
            found = listed(self, path, json.loads(body)["reference"])
        except OSError:
            return None
        return found and Answer(200, (), json.dumps(found).encode())


class LeavesItsPauseToChance(CarefulClient):
    """Waits between nothing and most of a second, unless it is told how long."""

    def pause(self, reply: Reply) -> float:
        told = reply is not None and reply.lines("Retry-After")
        return pause(reply) if told else random.random() * 0.8  # noqa: S311 - it is a pause


class TriesPaymentsAgainAndNoRefunds(CarefulClient):
    """Declares two retries, and makes none of a refund."""

    features = ("caller-keys", "refunds", "retries")

    def do(self, step: str, params: Params) -> Said:
        self.more_attempts = 2 if step == "create-payment" else 0
        return super().do(step, params)


class OneAfterTheOther(CarefulClient):
    """Takes many calls at once, and sends one at a time."""

    def start(self, **options: Any) -> Said:
        self.turn = threading.Lock()
        return super().start(**options)

    def do(self, step: str, params: Params) -> Said:
        with self.turn:
            return super().do(step, params)


class AnswersFromMemory(TriesOnce):
    """Asked for what it has made already, it says what came of that and sends nothing."""

    def start(self, **options: Any) -> Said:
        self.made: dict[object, Said] = {}
        return super().start(**options)

    def do(self, step: str, params: Params) -> Said:
        name = (step, shop_id(step, params), params.get("key"))
        said = self.made.get(name) or super().do(step, params)
        return self.made.setdefault(name, said) if "ok" in said else said


class KnowsAUsedKey(TriesOnce):
    """Refuses a key by itself that it has sent for another order."""

    def start(self, **options: Any) -> Said:
        self.used: dict[object, str] = {}
        return super().start(**options)

    def do(self, step: str, params: Params) -> Said:
        owner = self.used.setdefault((step, params.get("key")), shop_id(step, params))
        return super().do(step, params) if owner == shop_id(step, params) else {"refused": {"message": "used"}}


class KnowsNothing(TriesOnce):
    """Reports every failure as unknown."""

    def outcome(self, step: str, replies: Sequence[Reply]) -> Said:
        said = super().outcome(step, replies)
        return failed("unknown", "who knows") if "failed" in said else said


class GivesUpWhereItIsTold(CarefulClient):
    """Tries again after everything but a 429."""

    def may_work_later(self, reply: Reply) -> bool:
        return super().may_work_later(reply) and not (reply is not None and reply.status == 429)


class LeavesTheFirstOpen(CarefulClient):
    """Where an answer takes too long it sends the same again, and lets the first go on."""

    def send(self, path: str, key_lines: Lines, body: bytes) -> Reply:
        got: list[Reply] = []
        send = super().send
        first = threading.Thread(target=lambda: got.append(send(path, key_lines, body)), daemon=True)
        first.start()
        first.join(self.timeout * 0.9)
        return got[0] if got else None


class WritesTheNameInLowerCase(CarefulClient):
    """Sends the key under a name in lower case, and the number of the attempt beside it."""

    def key_lines(self, key: str, attempt: int) -> list[tuple[str, bytes]]:
        return [(HEADER.lower(), key.encode()), ("X-Attempt", str(attempt).encode())]


class IndentsByTheAttempt(CarefulClient):
    """Writes the same JSON in other bytes each time."""

    def body(self, step: str, params: Params, attempt: int) -> bytes:
        return json.dumps(json.loads(super().body(step, params, attempt)), indent=attempt).encode()


class HasTheNewTokenAlready(RefreshesItsToken):
    """Takes the other credential for all but its first request, and fetches it once more where it is refused."""

    def send(self, path: str, key_lines: Lines, body: bytes) -> Reply:
        reply = super().send(path, key_lines, body)
        self.token = self.refreshed
        return reply


class LooksAfterACrash(WritesItsKeysDown):
    """Asked again for an order whose key it has, it reads first, and sends only what is not there."""

    def do(self, step: str, params: Params) -> Said:
        if self.kept(f"{step}-{shop_id(step, params)}"):
            found = listed(self, ROUTE[step], shop_id(step, params))
            if found:
                name = "payment_id" if step == "create-payment" else "refund_id"
                return {"ok": {name: found["id"], "status": found["status"]}}
        return super().do(step, params)


RIGHT = (
    LooksBeforeItTriesAgain, LeavesItsPauseToChance, TriesPaymentsAgainAndNoRefunds, OneAfterTheOther, AnswersFromMemory,
    KnowsAUsedKey, KnowsNothing, GivesUpWhereItIsTold, LeavesTheFirstOpen, WritesTheNameInLowerCase, IndentsByTheAttempt,
    HasTheNewTokenAlready, LooksAfterACrash,
)  # fmt: skip


# --- wrong ------------------------------------------------------------------------------------------------------------


class AddsAKeyOfItsOwn(CarefulClient):
    """Sends a second line with each further attempt."""

    def key_lines(self, key: str, attempt: int) -> list[tuple[str, bytes]]:
        return [*super().key_lines(key, attempt), *([(HEADER, b"retry")] if attempt > 1 else [])]


class PutsItsKeyIntoTheAddress(CarefulClient):
    """Sends the key as a part of the query."""

    def send(self, path: str, key_lines: Lines, body: bytes) -> Reply:
        return super().send(f"{path}?idempotency_key={key_lines[0][1].decode()}", [], body)


class NamesItsAttempts(CarefulClient):
    """Marks the order's reference with each further attempt."""

    def body(self, step: str, params: Params, attempt: int) -> bytes:
        asked = json.loads(super().body(step, params, attempt))
        return json.dumps({**asked, "reference": asked["reference"] + "-again" * (attempt - 1)}).encode()


class TakesInFlightForDone(TriesOnce):
    """Reports success where the PSP is still at work."""

    def outcome(self, step: str, replies: Sequence[Reply]) -> Said:
        busy = replies[-1] is not None and replies[-1].status == 409
        return {"ok": {"payment_id": "", "status": "pending"}} if busy else super().outcome(step, replies)


class CountsItsFailures(OwnKeysUuid5):
    """Puts the number of its failures into every key, and so another one into that of an order that it is asked again."""

    more_attempts = 0
    features = ("own-keys", "keeps-keys", "refunds")
    failures = 0

    def outcome(self, step: str, replies: Sequence[Reply]) -> Said:
        said = super().outcome(step, replies)
        self.failures += "failed" in said
        return said

    def key_for(self, step: str, params: Params) -> str | None:
        return f"{super().key_for(step, params)}-{self.failures}"


class CutsItsKeys(CarefulClient):
    """Sends the first sixteen characters."""

    def key_lines(self, key: str, attempt: int) -> list[tuple[str, bytes]]:
        return super().key_lines(key[:16], attempt)


class WaitsForHalfOfIt(CarefulClient):
    """Takes the seconds of Retry-After for half seconds."""

    def pause(self, reply: Reply) -> float:
        return pause(reply) / 2


class KeysByPrice(OwnKeysUuid5):
    """Makes the key from the amount."""

    def key_for(self, step: str, params: Params) -> str | None:
        return f"{step}-{params['amount']}"


class CallsItDoneWithoutAnAnswer(TriesOnce):
    """Reports success where no answer came."""

    def outcome(self, step: str, replies: Sequence[Reply]) -> Said:
        lost = replies[-1] is None
        return {"ok": {"payment_id": str(uuid.uuid4())}} if lost else super().outcome(step, replies)


class NamesAnotherPayment(CarefulClient):
    """Reports an id that is not the PSP's."""

    def outcome(self, step: str, replies: Sequence[Reply]) -> Said:
        said = super().outcome(step, replies)
        ids = {name: f"{value}0" for name, value in said.get("ok", {}).items()}
        return {"ok": ids} if "ok" in said else said


WRONG = {
    AddsAKeyOfItsOwn: "attempts-of-one-call-share-one-key",
    PutsItsKeyIntoTheAddress: "every-post-carries-a-key",
    NamesItsAttempts: "attempts-of-one-call-share-one-body",
    TakesInFlightForDone: "a-success-is-what-the-psp-answered",
    CountsItsFailures: "asked-again-the-key-is-the-same",
    CutsItsKeys: "the-callers-key-goes-on-the-wire",
    WaitsForHalfOfIt: "waits-as-long-as-it-is-told",
    KeysByPrice: "different-payments-have-different-keys",
    CallsItDoneWithoutAnAnswer: "an-uncertain-outcome-is-reported-as-unknown",
    NamesAnotherPayment: "a-success-is-what-the-psp-answered",
}
"""Each with a rule that must report it."""
