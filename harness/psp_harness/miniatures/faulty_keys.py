"""Providers in profile `generic` that make the wrong thing of a key that is none, or of one that is long."""

from __future__ import annotations

from psp_harness.miniatures.declaration import miniature
from psp_harness.miniatures.providers import CarefulGateway, refused
from psp_harness.model import Answer, Role

BROKEN = refused(500, "internal error", "internal_error")


@miniature("any-key-accepted", role=Role.PROVIDER, mode="P25", breaks={"a-malformed-key-is-refused"})
class AnyKeyAccepted(CarefulGateway):
    """Takes whatever stands in the first key line for a key: commas, blanks, other scripts, a thousand characters."""

    def key_of(self, lines: list[bytes]) -> bytes | Answer:
        return lines[0] if lines and lines[0] else super().key_of(lines)


@miniature("odd-key-is-500", role=Role.PROVIDER, mode="P25", breaks={
    "an-odd-key-never-breaks-the-provider", "a-malformed-key-is-refused",
})  # fmt: skip
class OddKeyIs500(CarefulGateway):
    """Decodes a key as ASCII without looking, and answers 500 where it is none."""

    def key_of(self, lines: list[bytes]) -> bytes | Answer:
        return super().key_of(lines) if all(line.isascii() for line in lines) else BROKEN


@miniature("long-key-is-500", role=Role.PROVIDER, mode="P25", breaks={
    "an-odd-key-never-breaks-the-provider", "a-malformed-key-is-refused",
})  # fmt: skip
class LongKeyIs500(CarefulGateway):
    """Lets its database find out that a key does not fit into the column, and answers 500."""

    def key_of(self, lines: list[bytes]) -> bytes | Answer:
        return BROKEN if any(len(line) > 255 for line in lines) else super().key_of(lines)


@miniature("longest-key-refused", role=Role.PROVIDER, mode="P25", breaks={
    "the-longest-key-is-accepted", "a-fresh-key-executes",
})  # fmt: skip
class LongestKeyRefused(CarefulGateway):
    """Documents keys of up to 255 characters, and refuses those of more than 64."""

    def key_of(self, lines: list[bytes]) -> bytes | Answer:
        if any(len(line) > 64 for line in lines):
            return refused(400, "Idempotency-Key is too long", "key_malformed")
        return super().key_of(lines)
