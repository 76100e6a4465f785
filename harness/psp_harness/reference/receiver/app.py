"""The HTTP around the inbox: verify, read, take, and only then say yes."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, assert_never

import httpx

from psp_harness.model import Answer, Request
from psp_harness.profile import Profile, Told, Webhooks, meaning, told_by, values_of
from psp_harness.reference.asgi import Asgi, as_json, serving
from psp_harness.reference.receiver.inbox import Inbox, TooEarly
from psp_harness.signing import Forged, Genuine, Unproved, Webhook, verify
from psp_harness.template import fill

ASK_SECONDS = 5.0
"""How long the PSP may take to say what became of a payment."""


@dataclass(slots=True)
class Settings:
    """What it is told before the first webhook: nothing is believed without it."""

    secrets: tuple[str, ...] = ()
    endpoint: str = ""
    base_url: str = ""
    url: str = ""
    """Where the PSP has it registered: some sign that, and what a request says of it is not to be believed."""
    token: str = ""
    ahead: float = 0.0
    """Seconds by which its clock was advanced."""


class _Receiver:
    """One receiver."""

    def __init__(self, profile: Profile, webhooks: Webhooks, inbox: Inbox) -> None:
        self._profile, self._webhooks, self._inbox = profile, webhooks, inbox
        self._settings = Settings(token=profile.credentials["tenant-a"])

    async def handle(self, request: Request) -> Answer:
        """A webhook; or one of the routes that are no PSP's."""
        path = request.target.partition("?")[0]
        own = self._own.get((request.method, path))
        if own is not None:
            return await own(json.loads(request.body or b"{}"))
        if (request.method, path) != ("POST", "/webhooks"):
            return as_json(404, {"message": "webhooks are taken at POST /webhooks"})
        return await self._webhook(request)

    async def close(self) -> None:
        """Nothing is under way."""
        self._inbox.close()

    async def _webhook(self, request: Request) -> Answer:
        told = self._proved(request)
        if told is None:
            return as_json(400, {"message": "this webhook is not to be believed"})
        try:
            self._inbox.take(
                [(self._name(event, request), event) for event in await told if self._is_of_this_mode(event)]
            )
        except TooEarly as error:
            return as_json(409, {"message": f"{error}; come again"})
        return as_json(200, {"message": "taken"})

    def _proved(self, request: Request) -> Awaitable[list[Told]] | None:
        """What is true of what a webhook tells; None where nothing is."""
        if self._webhooks.signature.signed and not all(self._settings.secrets or ("",)):
            return None  # who has no secret believes nobody
        webhook = Webhook(request.headers, request.body, self._settings.url, self._settings.endpoint)
        now, tolerance = time.time() + self._settings.ahead, self._webhooks.tolerance_seconds
        match verify(self._webhooks.signature, webhook, self._settings.secrets, now=now, tolerance=tolerance):
            case Genuine():
                return self._as_told(list(told_by(self._webhooks, request.body)))
            case Unproved():
                return self._asked(list(told_by(self._webhooks, request.body)))
            case Forged():
                return None
            case other:
                assert_never(other)

    async def _as_told(self, events: list[Told]) -> list[Told]:
        return events

    async def _asked(self, events: list[Told]) -> list[Told]:
        """What the PSP itself says of the payments that an unsigned webhook names."""
        route = self._profile.operations["get-payment"]
        auth = self._profile.auth
        headers = {auth.header: str(fill(auth.value, {"credential": self._settings.token}))}
        found = []
        async with httpx.AsyncClient(base_url=self._settings.base_url, timeout=ASK_SECONDS, headers=headers) as psp:
            for event in (each for each in events if each.values.get("id")):
                answer = await psp.get(str(fill(route.path, event.values)))
                values = values_of(self._profile, "get-payment", Answer(answer.status_code, (), answer.content))
                means = meaning(self._profile, "payment", values.get("status"))
                found += [replace(event, means=f"payment-{means}", values=values)] if answer.is_success else []
        return found

    def _name(self, event: Told, request: Request) -> str:
        """What is the same in every delivery of an event, and in no other's."""
        header = self._webhooks.id_header
        if header is not None:
            return b"".join(request.lines(header)).decode("latin-1")
        says = event.values
        about = says.get("refund_id") or says.get("id") or says.get("payment_id")
        return str(says.get("event_id") or f"{event.means}:{about}")

    def _is_of_this_mode(self, event: Told) -> bool:
        """It serves the test mode, as it is run in tests."""
        modes = self._webhooks.modes
        return not modes or event.values.get("mode", modes["test"]) == modes["test"]

    # --- the routes that are no PSP's -----------------------------------------------------------------------------

    async def _add_orders(self, body: dict[str, Any]) -> Answer:
        self._inbox.add_orders(body["orders"])
        return Answer(204)

    async def _say_effects(self, _: dict[str, Any]) -> Answer:
        return as_json(200, {"effects": self._inbox.effects(), "orders": self._inbox.states()})

    async def _advance(self, body: dict[str, Any]) -> Answer:
        self._settings.ahead += body["advance"]
        return Answer(204)

    async def _configure(self, body: dict[str, Any]) -> Answer:
        self._settings.secrets = tuple(body["secrets"])
        self._settings.endpoint, self._settings.base_url = body["endpoint"], body["base_url"]
        self._settings.url = body["url"]
        return Answer(204)

    @property
    def _own(self) -> dict[tuple[str, str], Callable[[dict[str, Any]], Awaitable[Answer]]]:
        return {
            ("POST", "/psp-harness/orders"): self._add_orders,
            ("GET", "/psp-harness/effects"): self._say_effects,
            ("POST", "/psp-harness/clock"): self._advance,
            ("POST", "/psp-harness/secrets"): self._configure,
        }


def reference_receiver(profile: Profile, folder: str | None = None) -> Asgi:
    """The application. What it keeps is in a folder, or in memory. Raises `ValueError` for a PSP without webhooks."""
    if profile.webhooks is None:
        message = f"profile {profile.name!r} has no webhooks"
        raise ValueError(message)
    receiver = _Receiver(profile, profile.webhooks, Inbox.open(folder))
    return serving(receiver.handle, receiver.close)
