"""What an idempotency key decides, by the facts of the profile. Pure.

    the key as sent        ->  Unkeyed | Keyed | Refusal (key-missing, key-malformed)
    the record that stands ->  Replay | Wait | Refusal (key-reused, in-flight)

What must live here: every decision that depends on the key. What this module may not know: stores, the time, money.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from psp_harness.model import Answer, Request
from psp_harness.profile import Profile, write_key, written_key
from psp_harness.reference.provider.keys import Record, Slot
from psp_harness.reference.provider.ledger import Refusal

DAY: Final = 86_400
"""Seconds a key lives where the PSP does not say how long."""

_WELL_FORMED = re.compile(rb"[\x21-\x2b\x2d-\x7e]+")
"""Visible ASCII without comma: what proxies join and split at commas is one line only if it has none."""


@dataclass(frozen=True, slots=True)
class Unkeyed:
    """No key is in play: every request executes."""


@dataclass(frozen=True, slots=True)
class Keyed:
    """The key, without what surrounds it on the wire."""

    key: bytes


@dataclass(frozen=True, slots=True)
class Replay:
    """The first request finished: its answer again."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Wait:
    """The first request is being processed: ask again later."""


IN_FLIGHT: Final = Refusal("in-flight", "the first request with this key is still being processed")


def read_key(profile: Profile, request: Request) -> Unkeyed | Keyed | Refusal:
    """The key that a request carries, or why it is none."""
    if profile.key is None or profile.has_defect("header-ignored"):
        return Unkeyed()
    name, lines = profile.key.name, request.lines(profile.key.name)
    if not lines:
        return Refusal("key-missing", f"{name} is missing") if profile.key.required else Unkeyed()
    if len(lines) > 1:
        return Refusal("key-malformed", f"expected one line of {name}, got {len(lines)}")
    return _parse(profile, lines[0].strip(b" \t"))


def _parse(profile: Profile, line: bytes) -> Keyed | Refusal:
    well_written, key = written_key(profile, line)
    name, longest = (profile.key.name, profile.key.max_length) if profile.key else ("", None)
    if not well_written or write_key(profile, key) != line:
        return Refusal("key-malformed", f'{name} must be a string (RFC 8941 §3.3.3), as in {name}: "8e03978e"')
    if not _WELL_FORMED.fullmatch(key):
        return Refusal("key-malformed", f"{name} must be visible ASCII characters without comma, at least one")
    if longest is not None and len(key) > longest:
        return Refusal("key-malformed", f"{name} has {len(key)} characters, at most {longest} are allowed")
    return Keyed(key)


def slot_of(profile: Profile, tenant: str, operation: str, key: Keyed) -> Slot:
    """What the key belongs to. Where no comparison is promised, it never reaches from one operation to another."""
    apart = profile.mismatch is None or (profile.key is not None and "operation" in profile.key.scope)
    return Slot(tenant, operation if apart else "", key.key)


def ttl_of(profile: Profile) -> int:
    """Seconds from the first request."""
    return (profile.key.ttl_seconds if profile.key else None) or DAY


def decide(profile: Profile, fingerprint: str, record: Record) -> Replay | Wait | Refusal:
    """What a request is told whose key was claimed by an earlier one.

    Another body is refused while the first is in flight, too: waiting would not make it right. Nothing changes a
    payment after it was answered, so its current state, for PSPs that answer that, is the first answer.
    """
    if profile.mismatch and record.fingerprint != fingerprint:
        return Refusal("key-reused", "this key was used for another request")
    if record.answer is None:
        refuses = profile.in_flight is not None and profile.in_flight.answer != "waits"
        return IN_FLIGHT if refuses else Wait()
    if profile.duplicate and profile.duplicate.answer == "refused":
        return Refusal("key-reused", "this key was used before")
    return Replay(record.answer)
