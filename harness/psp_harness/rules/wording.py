"""How rules name what they saw, in words for people."""

from __future__ import annotations

from collections.abc import Iterable

from psp_harness.model import Effect, Intent
from psp_harness.profile import Profile


def key(line: bytes) -> str:
    """A key as text, its odd bytes escaped."""
    return repr(line.decode("ascii", "backslashreplace"))


def lines(values: Iterable[bytes]) -> str:
    """Several key lines."""
    return " and ".join(key(value) for value in values) or "no key"


def done(effects: Iterable[Effect]) -> str:
    """What happened, by id."""
    return ", ".join(f"{effect.kind} {effect.id} of {effect.amount}" for effect in effects)


def is_currency(text: str) -> bool:
    """Written as ISO 4217 has it: what a symbol means, nobody can tell for certain."""
    return len(text) == len("EUR") and text.isascii() and text.isalpha()


def fault_of(value: bytes | None, profile: Profile) -> str:
    """Why a key cannot be used with this PSP: `missing`, `empty`, …; empty where it can."""
    if value is None:
        return "missing"
    if not value:
        return "empty"
    if not value.strip():
        return "blank"
    if fault := "" if profile.key and profile.key.carrier == "body" else _header_fault(value):
        return fault
    if profile.key and len(value) < (profile.key.min_length or 0):
        return "too short"
    return "over-long" if is_over_long(value, profile) else ""


def _header_fault(value: bytes) -> str:
    """What no header line can carry; a body can."""
    if b"\r" in value or b"\n" in value:
        return "broken by a line break"
    return "" if value.isascii() else "non-ASCII"


def is_written_as_documented(value: bytes, profile: Profile) -> bool:
    """Whether it has only characters that the PSP documents; True where it documents none."""
    documented = profile.key is not None and profile.key.characters is not None
    return not documented or all(0x21 <= character <= 0x7E and character != ord(",") for character in value)


def is_over_long(value: bytes, profile: Profile) -> bool:
    """Longer than the PSP documents; False where it documents no limit."""
    limit = profile.key.max_length if profile.key else None
    return limit is not None and len(value) > limit


def named(intent: Intent) -> str:
    """A step, as people call it, with its amount in minor units: the payment of 1010."""
    return f"the {intent.operation.removeprefix('create-').removesuffix('-payment')} of {intent.amount}"
