"""Clients of profile `generic` that try again wrongly, or say what they cannot know, with one fault each."""

from __future__ import annotations

import time
from collections.abc import Sequence
from http.client import HTTPConnection
from uuid import uuid4

from psp_harness.miniatures.clients import (
    PAUSE,
    RETRIES,
    CarefulClient,
    OwnKeysUuid5,
    Params,
    Reply,
    Said,
    TriesOnce,
    failed,
    pause,
    uncertain,
)
from psp_harness.miniatures.declaration import miniature
from psp_harness.miniatures.odd_clients import FollowsRedirects
from psp_harness.model import Role

Lines = Sequence[tuple[str, bytes]]
_UNKNOWN = "an-uncertain-outcome-is-reported-as-unknown"


# --- another key, or none ---------------------------------------------------------------------------------------------


@miniature("new-key-after-429", role=Role.CLIENT, mode="C26", breaks={"attempts-of-one-call-share-one-key"})
class NewKeyAfter429(OwnKeysUuid5):
    """Makes a new key for the attempt that follows a 429."""

    def next_key(self, key: str, reply: Reply) -> str:
        return str(uuid4()) if reply is not None and reply.status == 429 else key


@miniature(
    "new-key-after-500",
    role=Role.CLIENT,
    mode="C27",
    breaks={"attempts-of-one-call-share-one-key", "one-call-has-one-effect"},
)
class NewKeyAfter500(OwnKeysUuid5):
    """Takes a 500 for the end of a request, and makes a new key for the next attempt."""

    def next_key(self, key: str, reply: Reply) -> str:
        return str(uuid4()) if reply is not None and reply.status == 500 else key


@miniature(
    "impatient-with-a-new-key",
    role=Role.CLIENT,
    mode="C32",
    breaks={"attempts-of-one-call-share-one-key", "one-call-has-one-effect"},
)
class ImpatientWithANewKey(OwnKeysUuid5):
    """Waits for less time than the PSP needs, and then sends a request that is a new one to the PSP."""

    def send(self, path: str, key_lines: Lines, body: bytes) -> Reply:
        began = time.monotonic()
        reply = super().send(path, key_lines, body)
        self.gave_up = reply is None and time.monotonic() - began >= self.timeout / 2
        return reply

    def next_key(self, key: str, reply: Reply) -> str:
        return str(uuid4()) if self.gave_up else key


@miniature(
    "new-key-after-a-handshake-failure",
    role=Role.CLIENT,
    mode="A6",
    breaks={"attempts-of-one-call-share-one-key", "one-call-has-one-effect"},
)
class NewKeyAfterAHandshakeFailure(OwnKeysUuid5):
    """Makes a new key after a handshake that failed, as nothing was sent then; the attempt before it may have paid."""

    def connect(self, connection: HTTPConnection) -> None:
        self.was_connected = False
        super().connect(connection)
        self.was_connected = True

    def next_key(self, key: str, reply: Reply) -> str:
        return key if self.was_connected else str(uuid4())


@miniature(
    "redirected-without-its-key",
    role=Role.CLIENT,
    mode="C21",
    breaks={"every-post-carries-a-key", "attempts-of-one-call-share-one-key"},
)
class RedirectedWithoutItsKey(FollowsRedirects):
    """Follows a redirect as its transport does, which does not know of the header with the key."""

    def lines_elsewhere(self, key_lines: Lines) -> Lines:
        return ()


@miniature(
    "key-in-shared-state",
    role=Role.CLIENT,
    mode="C04",
    breaks={"the-callers-key-goes-on-the-wire", "different-payments-have-different-keys"},
    may={"attempts-of-one-call-share-one-key", "one-call-has-one-effect"},
)
class KeyInSharedState(CarefulClient):
    """Keeps the key of the call in one place for all threads, where the next call puts its own over it."""

    def send(self, path: str, key_lines: Lines, body: bytes) -> Reply:
        self.lines = key_lines
        time.sleep(PAUSE)  # as long as it takes to get a connection
        return super().send(path, self.lines, body)


# --- when it tries again ----------------------------------------------------------------------------------------------


@miniature("ignores-retry-after", role=Role.CLIENT, mode="C26", breaks={"waits-as-long-as-it-is-told"})
class IgnoresRetryAfter(CarefulClient):
    """Waits for a while of its own, whatever the PSP says."""

    def pause(self, reply: Reply) -> float:
        return min(pause(reply), 0.1)


@miniature("tries-again-at-once", role=Role.CLIENT, mode="C26", breaks={"pauses-before-it-tries-again"})
class TriesAgainAtOnce(CarefulClient):
    """Sends the next request as soon as it is told that there were too many, unless it is told how long to wait."""

    more_attempts = 6

    def start(self, **options: object) -> Said:
        said = super().start(**options)  # type: ignore[arg-type] # whatever the protocol brings
        return {"ok": {**said["ok"], "retries": {**RETRIES, "max": self.more_attempts}}}

    def pause(self, reply: Reply) -> float:
        return pause(reply) if reply is not None and reply.lines("Retry-After") else 0.0


@miniature("repeats-what-was-refused", role=Role.CLIENT, mode="C27", breaks={"does-not-repeat-what-was-refused"})
class RepeatsWhatWasRefused(CarefulClient):
    """Declares that it tries again after every error, and so repeats what the PSP refuses for what it asks."""

    def start(self, **options: object) -> Said:
        said = super().start(**options)  # type: ignore[arg-type] # whatever the protocol brings
        return {"ok": {**said["ok"], "retries": {**RETRIES, "on": ["lost", "4xx", "5xx"]}}}

    def may_work_later(self, reply: Reply) -> bool:
        return reply is None or reply.status >= 400


@miniature(
    "tries-again-on-what-it-does-not-declare",
    role=Role.CLIENT,
    mode="A9",
    breaks={"tries-again-only-on-what-it-declares"},
)
class TriesAgainOnWhatItDoesNotDeclare(CarefulClient):
    """Declares that it tries again where an answer is lost, and does so after every error of the server as well."""

    def start(self, **options: object) -> Said:
        said = super().start(**options)  # type: ignore[arg-type] # whatever the protocol brings
        return {"ok": {**said["ok"], "retries": {**RETRIES, "on": ["lost"]}}}


# --- what it says -----------------------------------------------------------------------------------------------------


@miniature("in-flight-is-declined", role=Role.CLIENT, mode="C25", breaks={_UNKNOWN})
class InFlightIsDeclined(TriesOnce):
    """Takes the PSP's word that the first request is still at work for a no."""

    def outcome(self, step: str, replies: Sequence[Reply]) -> Said:
        last = replies[-1]
        busy = last is not None and last.status == 409
        return failed("declined", "the PSP refused") if busy else super().outcome(step, replies)


@miniature("forgets-the-attempt-before", role=Role.CLIENT, mode="C24", breaks={_UNKNOWN})
class ForgetsTheAttemptBefore(CarefulClient):
    """Judges a call by its last answer alone: after a lost one, 'too many requests' is a no to it."""

    def outcome(self, step: str, replies: Sequence[Reply]) -> Said:
        return super().outcome(step, replies if uncertain(replies[-1]) else replies[-1:])


@miniature("handshake-failure-is-a-no", role=Role.CLIENT, mode="C24", breaks={_UNKNOWN})
class HandshakeFailureIsANo(CarefulClient):
    """Says that nothing was sent where its last attempt got no connection: the one before it had been sent."""

    def connect(self, connection: HTTPConnection) -> None:
        self.was_connected = False
        super().connect(connection)
        self.was_connected = True

    def outcome(self, step: str, replies: Sequence[Reply]) -> Said:
        return super().outcome(step, replies) if self.was_connected else failed("rejected", "no connection")


@miniature("busy-is-declined", role=Role.CLIENT, mode="C26", breaks={"a-decline-is-what-the-psp-declined"})
class BusyIsDeclined(TriesOnce):
    """Tells the customer that the card was declined where the PSP had too many requests."""

    def outcome(self, step: str, replies: Sequence[Reply]) -> Said:
        last = replies[-1]
        busy = last is not None and last.status == 429
        return failed("declined", "payment failed, try again") if busy else super().outcome(step, replies)


@miniature(
    "refusal-is-success",
    role=Role.CLIENT,
    mode="C29",
    breaks={"a-success-is-what-the-psp-answered", "a-refused-key-is-a-loud-error"},
)
class RefusalIsSuccess(TriesOnce):
    """Looks whether an answer came, and not at its status: a refusal is a success to it."""

    def do(self, step: str, params: Params) -> Said:
        said = super().do(step, params)
        if said.get("failed", {}).get("kind") != "rejected":
            return said
        name = "payment_id" if step == "create-payment" else "refund_id"
        return {"ok": {name: "", "status": "pending"}}
