"""Requests as a profile writes them, from one tenant, to a provider on a clock that stands still."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from psp_harness.model import Answer, Request
from psp_harness.profile import Profile, values_of, write_key
from psp_harness.reference.provider import Provider
from psp_harness.reference.provider.stores import Store
from psp_harness.template import encode, fill

HOUR = 3600.0
_FRESH = itertools.count()


@dataclass
class Clock:
    """Seconds since 1970, until told otherwise."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Caller:
    """One tenant, who asks what it is told to, in the words of the profile."""

    profile: Profile
    provider: Provider
    tenant: str = "tenant-a"
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def pay(self, key: str | None = "key-1", **values: object) -> Answer:
        """Ask for a payment of 10.00, unless told otherwise."""
        usual = {"amount": 1000, "currency": "EUR", "token": self.profile.cards.get("good", "psp_harness_token")}
        return await self.send(self.request("create-payment", key, {**usual, **values}))

    async def refund(self, payment_id: str, amount: object, key: str | None = "key-2", **values: object) -> Answer:
        """Ask for a refund."""
        return await self.send(
            self.request("create-refund", key, {"payment_id": payment_id, "amount": amount, **values})
        )

    async def get(self, operation: str, id_: str = "", query: str = "") -> Answer:
        """Read one or many."""
        path = self.profile.operations[operation].path.partition("?")[0].replace("{id}", id_)
        return await self.send(Request("GET", path + query, self.lines(None), b""))

    async def paid(self, amount: int = 1000) -> str:
        """The id of a payment that succeeded, under a key of its own."""
        return self.id_of("create-payment", await self.pay(f"paid-{next(_FRESH)}", amount=amount))

    def request(self, operation: str, key: str | None, values: dict[str, object]) -> Request:
        """One POST."""
        route = self.profile.operations[operation]
        written = fill(route.request, values)
        message = {**written, **self.member(key)} if isinstance(written, Mapping) else written
        path = str(fill(route.path, values))
        return Request("POST", path, self.lines(key), encode(message, route.encoding))

    def member(self, key: str | None) -> Mapping[str, str]:
        """The member of the body that holds the key, of a PSP that reads it there."""
        facts = self.profile.key
        return {facts.name: key} if facts is not None and facts.carrier == "body" and key is not None else {}

    def lines(self, key: str | None) -> tuple[tuple[bytes, bytes], ...]:
        """The header lines that say who asks, and under which key."""
        credential = fill(self.profile.auth.value, {"credential": self.profile.credentials[self.tenant]})
        auth = (self.profile.auth.header.encode(), str(credential).encode())
        if key is None or self.profile.key is None or self.profile.key.carrier != "header":
            return (auth, *self.headers)
        return (auth, (self.profile.key.name.encode(), write_key(self.profile, key.encode())), *self.headers)

    async def send(self, request: Request) -> Answer:
        """Hand it over as it is."""
        return await self.provider.handle(request)

    def id_of(self, operation: str, answer: Answer) -> str:
        """The id of what was created."""
        assert answer.accepted, answer
        return str(values_of(self.profile, operation, answer)["id"])


def body(answer: Answer) -> object:
    """An answer's JSON."""
    return json.loads(answer.body)


OpenStore = Callable[[], Store]
Begin = Callable[..., Caller]
