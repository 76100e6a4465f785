"""Clients of profile `generic` with one fault each: a correct one, with the decision that goes wrong.

Where the fault is in a key that the client makes, it claims `own-keys` alone, so that no caller's key is lost as well.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Sequence
from uuid import NAMESPACE_URL, uuid4, uuid5

from psp_harness.miniatures.clients import (
    HEADER,
    CarefulClient,
    OwnKeysUuid5,
    Params,
    PrefixedOwnKeys,
    RefundIdKeys,
    Reply,
    Said,
    TriesOnce,
    failed,
)
from psp_harness.miniatures.declaration import miniature
from psp_harness.model import Role

Lines = list[tuple[str, bytes]]


# --- no key --------------------------------------------------------------------------------------------------------


@miniature("keyless-payments", role=Role.CLIENT, mode="C01", breaks={"every-post-carries-a-key"})
class KeylessPayments(CarefulClient):
    """Sends refunds with their key and payments without any."""

    def send(self, path: str, key_lines: Sequence[tuple[str, bytes]], body: bytes) -> Reply:
        return super().send(path, () if path == "/payments" else key_lines, body)


@miniature("keyless-refunds", role=Role.CLIENT, mode="C02", breaks={"every-post-carries-a-key"})
class KeylessRefunds(CarefulClient):
    """Sends payments with their key and refunds without any."""

    def send(self, path: str, key_lines: Sequence[tuple[str, bytes]], body: bytes) -> Reply:
        return super().send(path, () if path == "/refunds" else key_lines, body)


@miniature("wrong-header-name", role=Role.CLIENT, mode="C18", breaks={"every-post-carries-a-key"})
class WrongHeaderName(CarefulClient):
    """Sends the key as `X-Idempotency-Key`, which the PSP does not read."""

    def key_lines(self, key: str, attempt: int) -> Lines:
        return [(f"X-{HEADER}", key.encode())]


@miniature(
    "keyless-retries",
    role=Role.CLIENT,
    mode="C21",
    breaks={"every-post-carries-a-key", "attempts-of-one-call-share-one-key"},
)
class KeylessRetries(CarefulClient):
    """Sends the key with the first attempt, and repeats the request without it, as a transport below an SDK does."""

    def key_lines(self, key: str, attempt: int) -> Lines:
        return super().key_lines(key, attempt) if attempt == 1 else []


# --- a key that is none --------------------------------------------------------------------------------------------


@miniature(
    "sends-the-empty-key",
    role=Role.CLIENT,
    mode="C03",
    breaks={"an-unusable-key-is-refused-before-sending"},
)
class SendsTheEmptyKey(CarefulClient):
    """Sends an empty key as an empty header line."""

    def usable(self, key: str) -> bool:
        return key == "" or super().usable(key)


@miniature(
    "trims-a-blank-key",
    role=Role.CLIENT,
    mode="C03",
    breaks={"an-unusable-key-is-refused-before-sending"},
)
class TrimsABlankKey(CarefulClient):
    """Checks a key before it trims it, and so sends a blank one as an empty header line."""

    def usable(self, key: str) -> bool:
        return key.isspace() or super().usable(key)

    def key_lines(self, key: str, attempt: int) -> Lines:
        return super().key_lines(key.strip(), attempt)


@miniature(
    "empty-key-becomes-random", role=Role.CLIENT, mode="C04", breaks={"an-unusable-key-is-refused-before-sending"}
)
class EmptyKeyBecomesRandom(CarefulClient):
    """Takes an empty key for none, and makes a random one although it never said that it makes keys."""

    def key_for(self, step: str, params: Params) -> str | None:
        return super().key_for(step, params) or str(uuid4())


@miniature("long-key-not-refused", role=Role.CLIENT, mode="C17", breaks={"an-over-long-key-is-refused-before-sending"})
class LongKeyNotRefused(CarefulClient):
    """Sends a key of any length."""

    def usable(self, key: str) -> bool:
        return super().usable(key[:255])


@miniature("non-ascii-key-as-utf8", role=Role.CLIENT, mode="C17", breaks={"an-unusable-key-is-refused-before-sending"})
class NonAsciiKeyAsUtf8(CarefulClient):
    """Sends a key that is not ASCII as its UTF-8 bytes."""

    def usable(self, key: str) -> bool:
        return super().usable(re.sub(r"[^\x00-\x9f\ud800-\udfff]", "x", key))


@miniature("line-breaks-taken-out", role=Role.CLIENT, mode="C17", breaks={"an-unusable-key-is-refused-before-sending"})
class LineBreaksTakenOut(CarefulClient):
    """Takes line breaks and other white space out of a key without a word, and sends what is left."""

    def key_for(self, step: str, params: Params) -> str | None:
        key = super().key_for(step, params)
        return key and "".join(key.split())


# --- another key than the caller's ---------------------------------------------------------------------------------


@miniature("replaces-the-callers-key", role=Role.CLIENT, mode="C04", breaks={"the-callers-key-goes-on-the-wire"})
class ReplacesTheCallersKey(CarefulClient):
    """Checks the caller's key, and sends a random one of its own in its place."""

    def key_for(self, step: str, params: Params) -> str | None:
        key = super().key_for(step, params)
        return str(uuid4()) if key is not None and self.usable(key) else key


@miniature("default-header-wins", role=Role.CLIENT, mode="C19", breaks={"the-callers-key-goes-on-the-wire"})
class DefaultHeaderWins(CarefulClient):
    """Merges the caller's header with its own default in lower case, and the default wins."""

    def key_lines(self, key: str, attempt: int) -> Lines:
        return [(HEADER.lower(), str(uuid5(NAMESPACE_URL, key)).encode())]


@miniature(
    "key-line-twice",
    role=Role.CLIENT,
    mode="C20",
    breaks={"the-callers-key-goes-on-the-wire", "a-key-on-the-wire-can-be-used"},
)
class KeyLineTwice(CarefulClient):
    """Sends the line with the caller's key twice."""

    def key_lines(self, key: str, attempt: int) -> Lines:
        return super().key_lines(key, attempt) * 2


@miniature(
    "keys-joined-by-a-comma",
    role=Role.CLIENT,
    mode="C20",
    breaks={"the-callers-key-goes-on-the-wire", "a-key-on-the-wire-can-be-used"},
)
class KeysJoinedByAComma(CarefulClient):
    """Sends one line with the caller's key twice, joined by a comma."""

    def key_lines(self, key: str, attempt: int) -> Lines:
        return [(HEADER, f"{key}, {key}".encode())]


# --- attempts that differ ------------------------------------------------------------------------------------------


@miniature(
    "fresh-key-per-attempt",
    role=Role.CLIENT,
    mode="C05",
    breaks={"attempts-of-one-call-share-one-key", "one-call-has-one-effect"},
)
class FreshKeyPerAttempt(OwnKeysUuid5):
    """Makes a new random key for each attempt of one call."""

    def key_lines(self, key: str, attempt: int) -> Lines:
        return super().key_lines(str(uuid4()), attempt)


@miniature(
    "numbers-the-attempts",
    role=Role.CLIENT,
    mode="C05",
    breaks={
        "attempts-of-one-call-share-one-key",
        "one-call-has-one-effect",
        "the-callers-key-goes-on-the-wire",
    },
)
class NumbersTheAttempts(CarefulClient):
    """Adds the number of the attempt to the caller's key from the second one on."""

    def key_lines(self, key: str, attempt: int) -> Lines:
        return super().key_lines(key if attempt == 1 else f"{key}-{attempt}", attempt)


@miniature(
    "key-with-the-time",
    role=Role.CLIENT,
    mode="C07",
    breaks={"attempts-of-one-call-share-one-key", "one-call-has-one-effect"},
)
class KeyWithTheTime(PrefixedOwnKeys):
    """Makes the key from the order's id and the time at which the attempt is sent."""

    def key_lines(self, key: str, attempt: int) -> Lines:
        return super().key_lines(f"{key}-{time.time_ns()}", attempt)


@miniature(
    "key-from-volatile-fields",
    role=Role.CLIENT,
    mode="C10",
    breaks={"attempts-of-one-call-share-one-key", "one-call-has-one-effect"},
)
class KeyFromVolatileFields(PrefixedOwnKeys):
    """Makes the key as a hash over fields of which one, as a card that is encrypted anew, differs at each attempt."""

    def key_lines(self, key: str, attempt: int) -> Lines:
        return super().key_lines(hashlib.sha256(key.encode() + os.urandom(16)).hexdigest(), attempt)


@miniature("body-counts-attempts", role=Role.CLIENT, mode="C16", breaks={"attempts-of-one-call-share-one-body"})
class BodyCountsAttempts(CarefulClient):
    """Writes the number of the attempt into the body, so that one key comes with several bodies."""

    def body(self, step: str, params: Params, attempt: int) -> bytes:
        return json.dumps({**json.loads(super().body(step, params, attempt)), "attempt": attempt}).encode()


@miniature("scales-the-amount", role=Role.CLIENT, mode="R06", breaks={"every-post-was-asked-for"})
class ScalesTheAmount(CarefulClient):
    """Takes minor units for major ones, and asks for a hundred times as much."""

    def body(self, step: str, params: Params, attempt: int) -> bytes:
        return super().body(step, {**params, "amount": 100 * int(str(params["amount"]))}, attempt)


@miniature("multiplies-yen", role=Role.CLIENT, mode="R06", breaks={"every-post-was-asked-for"})
class MultipliesYen(CarefulClient):
    """Takes every currency for one with cents: what is right for euros asks for a hundred times as many yen."""

    def body(self, step: str, params: Params, attempt: int) -> bytes:
        amount, whole = int(str(params["amount"])), params["currency"] == "JPY"
        return super().body(step, {**params, "amount": amount * 100 if whole else amount}, attempt)


# --- calls that share a key ----------------------------------------------------------------------------------------


@miniature(
    "constant-key",
    role=Role.CLIENT,
    mode="C08",
    breaks={"different-payments-have-different-keys", "refunds-have-keys-of-their-own"},
)
class ConstantKey(OwnKeysUuid5):
    """Sends the word `string`, copied from the documentation, as the key of everything."""

    def key_for(self, step: str, params: Params) -> str | None:
        return "string"


@miniature("one-key-for-all-refunds", role=Role.CLIENT, mode="C09", breaks={"refunds-have-keys-of-their-own"})
class OneKeyForAllRefunds(PrefixedOwnKeys):
    """Makes a refund's key from the payment's id, so that the second partial refund gets the first one's key."""

    def key_for(self, step: str, params: Params) -> str | None:
        return f"refund-{params['payment_id']}" if step == "create-refund" else super().key_for(step, params)


@miniature("payment-key-for-refunds", role=Role.CLIENT, mode="C12", breaks={"refunds-have-keys-of-their-own"})
class PaymentKeyForRefunds(PrefixedOwnKeys):
    """Remembers a payment's key and sends it with the refunds of that payment too."""

    def __init__(self) -> None:
        self.keys: dict[object, str | None] = {}

    def do(self, step: str, params: Params) -> Said:
        said = super().do(step, params)
        if step == "create-payment" and "ok" in said:
            self.keys[said["ok"]["payment_id"]] = self.key_for(step, params)
        return said

    def key_for(self, step: str, params: Params) -> str | None:
        return self.keys.get(params.get("payment_id")) or super().key_for(step, params)


@miniature(
    "mints-refund-keys",
    role=Role.CLIENT,
    mode="C06",
    breaks={"the-refunds-id-is-its-key", "asked-again-the-key-is-the-same", "asked-again-it-happens-once"},
)
class MintsRefundKeys(RefundIdKeys):
    """Claims that the refund's id is its key, and mints a random one in each call: the shop's retry has another."""

    def key_for(self, step: str, params: Params) -> str | None:
        return str(uuid4()) if step == "create-refund" else super().key_for(step, params)


# --- retries and what is said of them ------------------------------------------------------------------------------


@miniature("retries-undeclared", role=Role.CLIENT, mode="A9", breaks={"tries-no-more-than-declared"})
class RetriesUndeclared(CarefulClient):
    """Tries three times although it declares no retries."""

    features = TriesOnce.features


@miniature("retries-beyond-its-word", role=Role.CLIENT, mode="A9", breaks={"tries-no-more-than-declared"})
class RetriesBeyondItsWord(CarefulClient):
    """Declares two retries and makes three."""

    more_attempts = 3


@miniature(
    "lost-answer-is-rejected", role=Role.CLIENT, mode="C24", breaks={"an-uncertain-outcome-is-reported-as-unknown"}
)
class LostAnswerIsRejected(TriesOnce):
    """Reports an answer that never came as rejected, although the payment may exist."""

    def outcome(self, step: str, replies: Sequence[Reply]) -> Said:
        return failed("rejected", "the PSP did not answer") if replies[-1] is None else super().outcome(step, replies)


@miniature(
    "lost-answer-is-declined",
    role=Role.CLIENT,
    mode="C24",
    breaks={"an-uncertain-outcome-is-reported-as-unknown", "a-decline-is-what-the-psp-declined"},
)
class LostAnswerIsDeclined(TriesOnce):
    """Reports an answer that never came as declined: "payment failed, try again"."""

    def outcome(self, step: str, replies: Sequence[Reply]) -> Said:
        return (
            failed("declined", "payment failed, try again") if replies[-1] is None else super().outcome(step, replies)
        )


@miniature(
    "server-error-is-declined", role=Role.CLIENT, mode="C24", breaks={"an-uncertain-outcome-is-reported-as-unknown"}
)
class ServerErrorIsDeclined(TriesOnce):
    """Reports a server's error as declined, although it may have come after the effect."""

    def outcome(self, step: str, replies: Sequence[Reply]) -> Said:
        last = replies[-1]
        errs = last is not None and last.status >= 500
        return failed("declined", "payment failed, try again") if errs else super().outcome(step, replies)
