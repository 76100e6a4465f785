"""What the provider has to know of an API: who asks for what, what a change comes to, what a read shows.

`plain.py` is the API that a profile describes; a PSP that is spoken in full has a room of its own beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from psp_harness.model import Answer, Request
from psp_harness.profile import Profile
from psp_harness.reference.provider.bank import Bank
from psp_harness.reference.provider.dialect import Call
from psp_harness.reference.provider.ledger import Place, Refusal
from psp_harness.reference.provider.policy import Keyed, Unkeyed
from psp_harness.reference.provider.stores import Decide, Store


@dataclass(frozen=True, slots=True)
class World:
    """What an API is given to work with: facts, books, time, and what is new."""

    profile: Profile
    store: Store
    credentials: Mapping[str, str]
    """By tenant, looked up at each request, so that they may be revoked or refreshed."""
    now: Callable[[], float]
    """Seconds since 1970."""
    fresh_id: Callable[[str], str]
    """A prefix, and what nobody has had behind it."""
    bank: Bank = field(default_factory=Bank)
    """What the banks do with what is asked from now on."""


@dataclass(frozen=True, slots=True)
class Work:
    """A change that can be decided: where it would be entered, and by what."""

    place: Place
    decide: Decide


class Api(Protocol):
    """How one PSP is spoken to. Every method may raise `StoreUnavailable`."""

    async def admit(self, request: Request) -> tuple[str, Call] | Refusal:
        """Whose request it is, and what it asks for; or why it is not even looked at."""

    def changes(self, call: Call) -> bool:
        """Whether it would change something; else it is a read."""

    def key_of(self, call: Call, request: Request) -> Keyed | Unkeyed | Refusal:
        """The idempotency key that the request carries, or why it is none."""

    async def prepare(self, tenant: str, call: Call) -> Work | Refusal:
        """What a change comes to, after everything that can be seen without its ledger."""

    async def read(self, tenant: str, call: Call, request: Request) -> Answer | Refusal:
        """What stands there now."""

    def dressed(self, answer: Answer) -> Answer:
        """The answer with what every answer of this API has."""
