"""Receivers of Adyen's notifications: batches, each item signed over some of its fields."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any

from psp_harness.miniatures.declaration import miniature
from psp_harness.miniatures.receivers import PAYS, REFUNDS, REFUSED, TAKEN, CarefulReceiver, Event, Order
from psp_harness.model import Answer, Request, Role

Item = Mapping[str, Any]


def _items(body: bytes) -> Iterator[Item]:
    try:
        for wrapped in json.loads(body)["notificationItems"]:
            item = wrapped["NotificationRequestItem"]
            if isinstance(item, dict) and isinstance(item.get("amount"), dict):
                yield item
    except (ValueError, KeyError, TypeError):
        return


@miniature("careful-adyen-receiver", role=Role.RECEIVER, profile="adyen")
class CarefulAdyenReceiver(CarefulReceiver):
    """Verifies every item of a batch, and takes all of them or none."""

    async def webhook(self, request: Request) -> Answer:
        items = self.believed(list(_items(request.body)))
        if not items:
            return REFUSED
        live = json.loads(request.body).get("live")
        answers = [await self.take(self.event(item, live), request) for item in items]
        return next((answer for answer in answers if not answer.accepted), TAKEN)

    def believed(self, items: list[Item]) -> list[Item]:
        """Those items that may be taken."""
        return items if all(self.is_genuine(item) for item in items) else []

    def is_genuine(self, item: Item) -> bool:
        """A secret of ours signed its eight fields."""
        given = str((item.get("additionalData") or {}).get("hmacSignature"))
        return any(hmac.compare_digest(given.encode(), self.mac(secret, self.fields(item))) for secret in self.secrets)

    def mac(self, secret: str, signed: bytes) -> bytes:
        return base64.b64encode(hmac.new(bytes.fromhex(secret), signed, hashlib.sha256).digest())

    def fields(self, item: Item) -> bytes:
        """Joined by colons; what is missing is empty."""
        names = ("pspReference", "originalReference", "merchantAccountCode", "merchantReference")
        amount = item["amount"]
        last = (amount.get("value"), amount.get("currency"), item.get("eventCode"), item.get("success"))
        return ":".join([*(self.text(item.get(name)) for name in names), *map(str, last)]).encode()

    def text(self, value: object) -> str:
        """A field."""
        return "" if value is None else str(value)

    def event(self, item: Item, live: object) -> Event:
        """In the words of the base."""
        code, ok = item["eventCode"], item["success"] == "true"
        types = {("AUTHORISATION", True): PAYS, ("REFUND", True): REFUNDS, ("AUTHORISATION", False): "payment.failed"}
        name = f"{item['pspReference']}:{code}:{ok}"
        amount = item["amount"]
        data = {"reference": item["merchantReference"], "amount": amount["value"], "currency": amount["currency"]}
        mode = "test" if live == "false" else "live"
        return {
            "id": name,
            "type": types.get((code, ok), code),
            "account": item["merchantAccountCode"],
            "mode": mode,
            "data": {**data, "refund_id": name},
        }


@miniature("adyen-receiver-of-single-items", role=Role.RECEIVER, profile="adyen")
class TakesGenuineItems(CarefulAdyenReceiver):
    """Takes the items of a batch that are genuine, drops the others, and says yes to the whole."""

    def believed(self, items: list[Item]) -> list[Item]:
        return [item for item in items if self.is_genuine(item)]


@miniature(
    "verifies-the-first-item",
    role=Role.RECEIVER,
    mode="W09",
    profile="adyen",
    breaks={"every-event-of-a-batch-is-verified"},
)
class VerifiesTheFirstItem(CarefulAdyenReceiver):
    """Verifies the first item of a batch, as Adyen's own library does when it is given the whole of it."""

    def believed(self, items: list[Item]) -> list[Item]:
        return items if items and self.is_genuine(items[0]) else []


@miniature(
    "any-adyen-account",
    role=Role.RECEIVER,
    mode="W10",
    profile="adyen",
    breaks={"a-shifted-field-moves-nothing", "another-accounts-event-moves-nothing"},
)
class AnyAdyenAccount(CarefulAdyenReceiver):
    """Trusts the signature alone, which does not say where the account ends and the reference begins."""

    def fits(self, order: Order, event: Event) -> bool:
        return super().fits(order, {**event, "account": order["account"]})


@miniature(
    "none-where-a-field-is-missing",
    role=Role.RECEIVER,
    mode="W11",
    profile="adyen",
    breaks={"a-genuine-webhook-is-taken"},
)
class NoneWhereAFieldIsMissing(CarefulAdyenReceiver):
    """Writes `None` where a field is missing, as its language does, and refuses what the PSP signed."""

    def text(self, value: object) -> str:
        return str(value)
