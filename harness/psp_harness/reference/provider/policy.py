"""What an idempotency key decides, by the facts of the profile. Pure.

    the key as sent        ->  Unkeyed | Keyed | Refusal (key-missing, key-malformed)
    the record that stands ->  Replay | Wait | Refusal (key-reused, in-flight, duplicate)

What must live here: every decision that depends on the key. What this module may not know: stores, the time, money.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from psp_harness.model import Answer, Request
from psp_harness.profile import Key, Profile, key_lines, values_of, write_key, written_key
from psp_harness.reference.provider.keys import Record, Slot
from psp_harness.reference.provider.ledger import Refusal

DAY: Final = 86_400
"""Seconds a key lives where the PSP does not say how long."""

_WELL_FORMED = re.compile(rb"[\x21-\x2b\x2d-\x7e]+")
"""Of a header line: visible ASCII without comma. What proxies join and split at commas is one line only without one."""


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


def read_key(profile: Profile, operation: str, request: Request) -> Unkeyed | Keyed | Refusal:
    """The key that a request for this operation carries, or why it is none."""
    if profile.key is None or not profile.takes_key(operation) or profile.has_defect("header-ignored"):
        return Unkeyed()
    name, lines = profile.key.name, key_lines(profile, request)
    if not lines:
        return Refusal("key-missing", f"{name} is missing") if profile.key.required else Unkeyed()
    if len(lines) > 1:
        return Refusal("key-malformed", f"expected one line of {name}, got {len(lines)}")
    return _parse(profile, profile.key, lines[0])


def _parse(profile: Profile, facts: Key, written: bytes) -> Keyed | Refusal:
    line = written.strip(b" \t") if facts.carrier == "header" else written
    well_written, key = written_key(profile, line)
    if not well_written or write_key(profile, key) != line:
        wanted = f'must be a string (RFC 8941 §3.3.3), as in {facts.name}: "8e03978e"'
        return Refusal("key-malformed", f"{facts.name} {wanted}")
    wrong = _wrong(facts, key)
    return Refusal("key-malformed", f"{facts.name} {wrong}") if wrong else Keyed(key)


def _wrong(facts: Key, key: bytes) -> str:
    """What is wrong with a key; nothing, if nothing is. A body can carry any text; of it, bytes are counted."""
    if facts.carrier == "header" and not _WELL_FORMED.fullmatch(key):
        return "must be visible ASCII characters without comma, at least one"
    if len(key) < (facts.min_length or 1):
        return f"has {len(key)} characters, at least {facts.min_length or 1} are needed"
    if facts.max_length is not None and len(key) > facts.max_length:
        return f"has {len(key)} characters, at most {facts.max_length} are allowed"
    return ""


def slot_of(profile: Profile, tenant: str, operation: str, key: Keyed) -> Slot:
    """What the key belongs to. Where no comparison is promised, it never reaches from one operation to another."""
    apart = profile.mismatch is None or (profile.key is not None and "operation" in profile.key.scope)
    return Slot(tenant, operation if apart else "", key.key)


def ttl_of(profile: Profile, operation: str) -> int:
    """Seconds from the first request."""
    return profile.lifetime(operation) or DAY


def decide(profile: Profile, operation: str, fingerprint: str, record: Record) -> Replay | Wait | Refusal:
    """What a request is told whose key was claimed by an earlier one.

    Another body is refused while the first is in flight, too: waiting would not make it right.
    """
    if profile.mismatch and record.fingerprint != fingerprint:
        return Refusal("key-reused", "this key was used for another request")
    if record.answer is None:
        refuses = profile.in_flight is not None and profile.in_flight.answer != "waits"
        return IN_FLIGHT if refuses else Wait()
    if profile.duplicate and profile.duplicate.answer == "refused":
        first = str(values_of(profile, operation, record.answer).get("id", ""))
        return Refusal("duplicate", f"this key was used before, for {first!r}", {"id": first})
    return Replay(record.answer)
