"""An idempotency key as values: where it belongs, who holds it, and what is remembered under it."""

from __future__ import annotations

from dataclasses import dataclass

from psp_harness.model import Answer


@dataclass(frozen=True, slots=True)
class Slot:
    """What a key belongs to, beside itself. Compared byte by byte: two keys that differ in case are two keys."""

    tenant: str
    operation: str
    """Empty where the key of one operation may not be used for another."""
    key: bytes


@dataclass(frozen=True, slots=True)
class Term:
    """How long a claim holds, in seconds of the provider's clock."""

    now: float
    lease: float
    """After it an unfinished claim may be taken over: its owner may be dead."""
    ttl: float
    """After it nothing is remembered. It begins with the claim and is not prolonged by replays."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to execute under a key, as long as nobody took it over: the token is fresh for each claim."""

    slot: Slot
    token: str


@dataclass(frozen=True, slots=True)
class Record:
    """A key that somebody else claimed: for which request, and how that was answered, once it was."""

    fingerprint: str
    answer: Answer | None = None
