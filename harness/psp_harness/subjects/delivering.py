"""A webhook as a request: the event in the words of the profile, signed as its PSP does, or as the case wants it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from psp_harness.model import Delivery, Headers, Intent, Order, Request
from psp_harness.profile import Profile, Webhooks, body_of
from psp_harness.signing import Draft, Webhook
from psp_harness.subjects.forging import Forger, forge, spaced

_TYPES = {"form": b"application/x-www-form-urlencoded", "json": b"application/json"}


@dataclass(frozen=True, slots=True)
class Pair:
    """What signs, and what a receiver knows of it: one secret, or a private and a public key."""

    signs: bytes
    proves: str


@dataclass(frozen=True, slots=True)
class Sender:
    """The PSP of one run, as its receivers meet it."""

    profile: Profile
    own: Pair
    other: Pair
    """Of somebody else: it signs what is forged, and what is signed twice while a secret is changed."""
    elsewhere: str = ""
    """Where somebody else's certificate lies."""
    sent: dict[str, Webhook] = field(default_factory=dict)
    """By event: the first delivery, whose body all others have."""

    @property
    def facts(self) -> Webhooks:
        """How it delivers."""
        assert self.profile.webhooks is not None
        return self.profile.webhooks

    def request(self, intent: Intent, url: str, now: float) -> Request:
        """One delivery to that URL. `now` is Unix time."""
        delivery = intent.delivery
        assert delivery is not None
        webhook = self._webhook(delivery, intent, url, int(now))
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        described: Headers = (
            (b"Host", parts.netloc.rpartition("@")[2].encode()),
            (b"User-Agent", b"psp-harness"),
            (b"Content-Type", _TYPES[self.facts.encoding]),
            (b"Content-Length", str(len(webhook.body)).encode()),
            (b"Connection", b"close"),
        )
        further = tuple((name.encode(), value.encode()) for name, value in intent.manner.headers)
        return Request("POST", target, (*described, *webhook.headers, *self._ids(delivery), *further), webhook.body)

    def _ids(self, delivery: Delivery) -> Headers:
        """Lines that no signature covers."""
        lines = {self.facts.id_header: delivery.event_id, self.facts.delivery_header: delivery.transmission}
        return tuple((name.encode(), value.encode()) for name, value in lines.items() if name)

    def _webhook(self, delivery: Delivery, intent: Intent, url: str, now: int) -> Webhook:
        first = self.sent.get(delivery.event_id)
        if first and delivery.genuine and self.facts.redelivery == "same-bytes":
            return first
        draft = self._draft(delivery, url, now)
        if first and not self.facts.signature.signed_items:
            draft = replace(draft, body=first.body)
        elif intent.manner.body:
            draft = replace(draft, body=spaced(draft.body))
        webhook = self._signed(delivery, draft)
        if delivery.genuine:
            self.sent.setdefault(delivery.event_id, webhook)
        return webhook

    def _draft(self, delivery: Delivery, url: str, now: int) -> Draft:
        scheme = self.facts.signature
        order = replace(delivery.order, payment_id=delivery.payment_id)
        told = [(delivery.event, self._values(delivery, order, now))]
        if delivery.beside is not None:
            told.insert(0, (delivery.event, self._values(_about(delivery), delivery.beside, now)))
        name = delivery.event_id if scheme.id_is_of == "event" else delivery.transmission
        return Draft(body_of(self.facts, told), url, name, now, self.profile.accounts.get("tenant-a", ""))

    def _signed(self, delivery: Delivery, draft: Draft) -> Webhook:
        decoy = replace(
            delivery.order, id=f"decoy-{delivery.order.id}", payment_id=f"decoy_{delivery.order.payment_id}"
        )
        body = body_of(self.facts, [(delivery.event, self._values(delivery, decoy, draft.at))])
        forger = Forger(self.facts, self.own.signs, self.other.signs, draft, body, self.elsewhere)
        if delivery.forged:
            return forge(delivery.forged, forger)
        return forger.signed(draft, *((self.other.signs, self.own.signs) if delivery.rotated else ()))

    def _values(self, delivery: Delivery, order: Order, now: int) -> Mapping[str, object]:
        """What the event says. What is to be shifted stands behind a colon of its own."""
        reference = f"x:{order.id}" if delivery.forged == "shifted" else order.id
        return {
            "event_id": delivery.event_id,
            "id": order.payment_id,
            "payment_id": order.payment_id,
            "refund_id": delivery.refund_id or f"ref_{delivery.event_id}",
            "amount": delivery.amount,
            "captured": delivery.amount,
            "currency": delivery.currency,
            "reference": reference,
            "account": self.profile.accounts.get(delivery.tenant, ""),
            "mode": self.facts.modes.get(delivery.mode),
            "created": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "created_unix": now,
        }


def _about(delivery: Delivery) -> Delivery:
    """The other event of a batch: its own id, and the amount of its own order."""
    assert delivery.beside is not None
    other = delivery.beside
    return replace(delivery, event_id=f"{delivery.event_id}_beside", amount=other.amount, currency=other.currency)


def as_json(orders: tuple[Order, ...], profile: Profile) -> list[dict[str, object]]:
    """Orders as a receiver is told of them: the payment's id only where the shop knows it."""
    return [
        {
            "id": order.id,
            "amount": order.amount,
            "currency": order.currency,
            "status": order.status,
            **({"payment_id": order.payment_id} if order.known else {}),
            **({"account": profile.accounts[order.tenant]} if order.tenant in profile.accounts else {}),
        }
        for order in orders
    ]


def as_body(message: object) -> bytes:
    """A control message of the harness."""
    return json.dumps(message).encode()
