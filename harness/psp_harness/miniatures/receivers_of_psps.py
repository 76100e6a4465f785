"""Receivers of PSPs that sign otherwise: with certificates, and not at all."""

from __future__ import annotations

import asyncio
import hashlib
import json
import urllib.error
import urllib.request
import zlib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qs

from psp_harness.miniatures.declaration import miniature
from psp_harness.miniatures.receivers import PAYS, REFUSED, TAKEN, CarefulReceiver, Event, Order
from psp_harness.model import Answer, Request, Role
from psp_harness.signing.asymmetric import rsa

# --- PayPal ---------------------------------------------------------------------------------------------------------

_HEADERS = ("paypal-transmission-id", "paypal-transmission-time", "paypal-transmission-sig", "paypal-cert-url")


@miniature("careful-paypal-receiver", role=Role.RECEIVER, profile="paypal")
class CarefulPaypalReceiver(CarefulReceiver):
    """Has the PSP's certificate, and takes no other."""

    endpoint = ""

    def configure(self, told: Mapping[str, Any]) -> None:
        self.endpoint = told["endpoint"]

    async def webhook(self, request: Request) -> Answer:
        lines = [request.lines(name) for name in _HEADERS]
        if any(len(each) != 1 for each in lines):
            return REFUSED
        message, at, signature, url = (each[0] for each in lines)
        signed = b"|".join((message, at, self.endpoint.encode(), self.digest(request.body)))
        keys = await self.certificates(url.decode("latin-1"))
        if not any(rsa().is_signed(key.encode(), signed, signature) for key in keys):
            return REFUSED
        event = self.read(request.body)
        return REFUSED if event is None else await self.take(event, request)

    def digest(self, body: bytes) -> bytes:
        """CRC-32, in decimal."""
        return b"%d" % zlib.crc32(body)

    async def certificates(self, url: str) -> list[str]:
        """Those that it may believe."""
        return self.secrets if url.startswith("https://api.sandbox.paypal.com/") else []

    def read(self, body: bytes) -> Event | None:
        try:
            told = json.loads(body)
            resource = told["resource"]
            amount = resource["amount"]
            types = {"PAYMENT.CAPTURE.COMPLETED": PAYS, "PAYMENT.CAPTURE.DENIED": "payment.failed"}
            cents = Decimal(amount["value"]).scaleb(2)
            data = {"reference": resource["custom_id"], "amount": int(cents), "currency": amount["currency_code"]}
            return {"id": told["id"], "type": types[told["event_type"]], "mode": "test", "data": data}
        except (ValueError, KeyError, TypeError, InvalidOperation):
            return None

    def fits(self, order: Order, event: Event) -> bool:
        return self.is_enough(order, event)


@miniature(
    "sha-256-for-crc-32", role=Role.RECEIVER, mode="W12", profile="paypal", breaks={"a-genuine-webhook-is-taken"}
)
class Sha256ForCrc32(CarefulPaypalReceiver):
    """Puts the SHA-256 of the body where its CRC-32 belongs, and refuses everything."""

    def digest(self, body: bytes) -> bytes:
        return hashlib.sha256(body).hexdigest().encode()


@miniature(
    "fetches-any-certificate",
    role=Role.RECEIVER,
    mode="W12",
    profile="paypal",
    breaks={"a-certificate-comes-from-the-psp-alone"},
)
class FetchesAnyCertificate(CarefulPaypalReceiver):
    """Fetches the certificate from wherever the webhook says that it lies."""

    async def certificates(self, url: str) -> list[str]:
        ours = await super().certificates(url)
        return ours or [await asyncio.to_thread(_fetched, url)]


def _fetched(url: str, headers: Mapping[str, str] | None = None) -> str:
    """What lies there; nothing where there is nothing."""
    try:
        request = urllib.request.Request(url, headers=dict(headers or {}))  # noqa: S310 - wherever it says: that is the fault
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return str(answer.read().decode())
    except (OSError, ValueError):
        return ""


# --- Mollie ---------------------------------------------------------------------------------------------------------


@miniature("careful-mollie-receiver", role=Role.RECEIVER, profile="mollie")
class CarefulMollieReceiver(CarefulReceiver):
    """Asks the PSP what became of the payment that somebody names."""

    async def webhook(self, request: Request) -> Answer:
        name = parse_qs(request.body.decode("latin-1")).get("id", [""])[0]
        order = next((order for order in self.orders.values() if order.get("payment_id") == name), None)
        if order is not None and await self.is_paid(name, order):
            data = {"amount": order["amount"]}
            self.apply(order, {"type": PAYS, "data": data})
        return TAKEN

    async def is_paid(self, name: str, order: Order) -> bool:
        """As the PSP says."""
        headers = {"Authorization": "Bearer test_psp_harness_tenant_a"}
        said = await asyncio.to_thread(_fetched, f"{self.psp}/v2/payments/{name}", headers)
        payment = json.loads(said or "{}")
        money = payment.get("amount", {})
        return bool(payment.get("status") == "paid" and money.get("currency") == order["currency"])


@miniature(
    "believes-whoever-calls",
    role=Role.RECEIVER,
    mode="W24",
    profile="mollie",
    breaks={"an-unsigned-webhook-is-asked-back"},
)
class BelievesWhoeverCalls(CarefulMollieReceiver):
    """Takes the call itself for the news that the payment is paid."""

    async def is_paid(self, name: str, order: Order) -> bool:
        return True
