"""How a PSP tells of events: signature, bodies, and what it does until somebody takes them; which event a body is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from psp_harness.profile.values import Facts
from psp_harness.signing import SCHEMES, Scheme
from psp_harness.template import Json, decode, encode, fill, holes, read

ITEMS = "items"
"""The place in an envelope where the events of a batch stand."""


class Event(Facts, frozen=True):
    """One type of event, by what it means to a shop."""

    body: Json
    """The whole body; or, where there is an envelope, one item of it. What is fixed in it tells it from other types."""


class Webhooks(Facts, frozen=True):
    """How a PSP delivers events."""

    scheme: str
    """How it signs: the name of a scheme in `signing`."""
    events: Mapping[str, Event] = {}
    """By what they mean: `payment-succeeded`, `refund-failed`, …"""
    encoding: Literal["json", "form"] = "json"
    envelope: Json = None
    """Of a batch: a body with one place, `{items}`."""
    id_header: str | None = None
    """A header line with the event's id, where it does not stand in the body; not signed."""
    delivery_header: str | None = None
    """A header line with an id of the delivery, another one each time; not signed."""
    modes: Mapping[str, Json] = {}
    """How an event says that it is of the `test` mode, or `live`."""
    tolerance_seconds: int | None = None
    """How far the signed time may be from the receiver's clock."""
    retry_seconds: tuple[int, ...] = ()
    """The waits before the second delivery, the third, and so on, as long as no 2xx came."""
    retries_for_seconds: int | None = None
    """For how long it tries, where the single waits are not documented."""
    redelivery: Literal["same-bytes", "signed-anew"] | None = None
    """What a delivery that is tried again has: the bytes of the first, or a time and a signature of its own."""

    @property
    def signature(self) -> Scheme:
        """How it signs."""
        return SCHEMES[self.scheme]

    @property
    def horizon(self) -> int | None:
        """Seconds after which the PSP gives up; None: unknown."""
        return self.retries_for_seconds or sum(self.retry_seconds) or None

    def says(self, name: str, event: str = "payment-succeeded") -> bool:
        """Whether the event, a successful payment's unless told, has a place of that name."""
        told = self.events.get(event)
        return told is not None and name in holes(told.body) | holes(self.envelope)

    @property
    def features(self) -> Mapping[str, bool]:
        """What follows from it, in the vocabulary of cases and rules."""
        scheme = self.signature
        return {
            "webhooks": "payment-succeeded" in self.events,
            "signed-webhooks": scheme.signed,
            "unsigned-webhooks": not scheme.signed,
            "timestamped-webhooks": scheme.timestamped and self.tolerance_seconds is not None,
            "rotating-signatures": scheme.rotates,
            "versioned-signatures": "downgraded" in scheme.alters,
            "signatures-of-bytes": scheme.signed and scheme.raw_body,
            "signed-items": scheme.signed_items,
            "joined-fields": "shifted" in scheme.alters,
            "certificates": scheme.asymmetric,
            "amounts-in-webhooks": self.says("amount") and self.says("currency"),
            "accounts-in-webhooks": self.says("account"),
            "references-in-webhooks": self.says("reference"),
            "modes-in-webhooks": bool(self.modes),
            "webhook-horizon": self.horizon is not None,
            "refund-events": "refund-succeeded" in self.events,
            "payments-in-refund-events": self.says("payment_id", "refund-succeeded"),
            "refund-failure-events": "refund-failed" in self.events,
            "failure-events": "payment-failed" in self.events,
            "pending-events": "payment-processing" in self.events,
            "other-events": "other" in self.events,
        }


@dataclass(frozen=True, slots=True)
class Told:
    """One event that a body tells of."""

    means: str
    """`payment-succeeded`, …; empty: a type that is none of ours."""
    values: Mapping[str, Any]


def body_of(webhooks: Webhooks, events: list[tuple[str, Mapping[str, object]]]) -> bytes:
    """The body that tells of these events, each by its meaning and values; several only where there is an envelope."""
    items = [fill(webhooks.events[means].body, values) for means, values in events]
    if webhooks.envelope is None:
        return encode(items[0], webhooks.encoding)
    return encode(fill(webhooks.envelope, {**events[0][1], ITEMS: items}), webhooks.encoding)


def told_by(webhooks: Webhooks, body: bytes) -> Iterator[Told]:
    """The events that a body tells of; nothing where it is none."""
    message = decode(body, webhooks.encoding)
    outer: Mapping[str, Any] = {}
    items: object = [message]
    if webhooks.envelope is not None:
        outer = read(webhooks.envelope, message) or {}
        items = outer.get(ITEMS)
    for item in items if isinstance(items, list) else []:
        if isinstance(item, Mapping):
            yield _told(webhooks, item, outer)


def _told(webhooks: Webhooks, item: Mapping[str, Json], outer: Mapping[str, Any]) -> Told:
    for means, event in webhooks.events.items():
        values = read(event.body, item, strict=True)
        if values is not None:
            return Told(means, {**outer, **values})
    return Told("", outer)
