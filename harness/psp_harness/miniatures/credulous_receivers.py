"""Receivers in profile `generic` with one fault each in what they believe: signatures, times, secrets, and junk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from psp_harness.miniatures.correct_receivers import SilentReceiver
from psp_harness.miniatures.declaration import miniature
from psp_harness.miniatures.receivers import (
    CarefulReceiver,
    Event,
    Order,
)
from psp_harness.model import Answer, Request, Role


@miniature(
    "believes-everything",
    role=Role.RECEIVER,
    mode="W01",
    breaks={
        "a-forged-webhook-moves-nothing",
        "a-stale-webhook-moves-nothing",
        "a-webhook-of-the-future-moves-nothing",
        "another-version-proves-nothing",
        "only-the-signed-bytes-count",
        "only-the-signed-time-counts",
        "the-empty-secret-signs-nothing",
    },
)
class BelievesEverything(CarefulReceiver):
    """Never looks at the signature."""

    def believes(self, request: Request) -> bool:
        return True


@miniature(
    "believes-everything-without-a-secret",
    role=Role.RECEIVER,
    mode="W01",
    breaks={"a-forged-webhook-moves-nothing", "the-empty-secret-signs-nothing"},
)
class BelievesWithoutASecret(CarefulReceiver):
    """Leaves the signature alone where it was given no secret, as if that were a setting for tests."""

    def believes(self, request: Request) -> bool:
        return not self.secrets or super().believes(request)


@miniature("says-yes-to-everybody", role=Role.RECEIVER, mode="W01", breaks={"a-forged-webhook-is-refused"})
class SaysYesToEverybody(SilentReceiver):
    """Answers 200 whoever calls, and does not say what it did."""

    def believes(self, request: Request) -> bool:
        return True


@miniature(
    "verifies-what-it-serialises",
    role=Role.RECEIVER,
    mode="W02",
    breaks={"a-genuine-webhook-is-taken", "only-the-signed-bytes-count"},
)
class VerifiesWhatItSerialises(CarefulReceiver):
    """Verifies the JSON that its framework parsed, written anew, instead of the bytes that came."""

    def signed_body(self, body: bytes) -> bytes:
        try:
            return json.dumps(json.loads(body), separators=(",", ":")).encode()
        except ValueError:
            return body


@miniature("verifies-with-an-empty-secret", role=Role.RECEIVER, mode="W03", breaks={"the-empty-secret-signs-nothing"})
class VerifiesWithAnEmptySecret(CarefulReceiver):
    """Verifies with whatever it was configured with, and that may be empty."""

    def configure(self, told: Mapping[str, Any]) -> None:
        self.secrets = list(told["secrets"])


@miniature(
    "any-age",
    role=Role.RECEIVER,
    mode="W05",
    breaks={"a-stale-webhook-moves-nothing", "only-the-signed-time-counts"},
)
class AnyAge(CarefulReceiver):
    """Takes a webhook of any age: its tolerance is none at all."""

    def is_of_now(self, request: Request) -> bool:
        return super().is_of_now(request) or self.sent_at(request) < self.now()


@miniature("any-future", role=Role.RECEIVER, mode="W06", breaks={"a-webhook-of-the-future-moves-nothing"})
class AnyFuture(CarefulReceiver):
    """Looks whether a webhook is too old, and never whether it is of the future."""

    def is_of_now(self, request: Request) -> bool:
        return super().is_of_now(request) or self.sent_at(request) > self.now()


@miniature("time-from-another-header", role=Role.RECEIVER, mode="W07", breaks={"only-the-signed-time-counts"})
class TimeFromAnotherHeader(CarefulReceiver):
    """Takes the time from a header that nobody signed, where there is one."""

    def sent_at(self, request: Request) -> float:
        lines = request.lines("x-timestamp")
        return float(lines[0]) if lines else super().sent_at(request)


@miniature("first-signature-alone", role=Role.RECEIVER, mode="W08", breaks={"one-right-signature-is-enough"})
class FirstSignatureAlone(CarefulReceiver):
    """Looks at the first signature alone, and so refuses everything while a secret is changed."""

    def signatures(self, request: Request) -> list[bytes]:
        return super().signatures(request)[:1]


@miniature("any-version", role=Role.RECEIVER, mode="W08", breaks={"another-version-proves-nothing"})
class AnyVersion(CarefulReceiver):
    """Takes a signature of any version for one."""

    def signatures(self, request: Request) -> list[bytes]:
        elements = b" ".join(request.lines("webhook-signature")).split(b" ")
        return [element.partition(b",")[2] for element in elements]


@miniature("trips-over-junk", role=Role.RECEIVER, mode="W13", breaks={"junk-is-no-server-error"})
class TripsOverJunk(CarefulReceiver):
    """Lets the error through that its parser raises on a header that is none, or on a body that is none."""

    async def webhook(self, request: Request) -> Answer:
        try:
            for element in b" ".join(request.lines("webhook-signature")).split(b" "):
                _version, _signature = element.split(b",")
            return await super().webhook(request)
        except ValueError:
            return Answer(500, (), b"Internal Server Error")


@miniature("any-mode", role=Role.RECEIVER, mode="W14", breaks={"the-other-mode-moves-nothing"})
class AnyMode(CarefulReceiver):
    """Takes events of the live mode while it runs in the test mode."""

    def fits(self, order: Order, event: Event) -> bool:
        return super().fits(order, {**event, "mode": "test"})
