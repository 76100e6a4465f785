"""The books as values: entries that are only ever added, what a decision about one place sees, and the word for no."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the books. It never changes: what becomes of it, later entries say, and time.

    The amount is in minor units, `created` in seconds since 1970.
    """

    tenant: str
    kind: str
    """`payment`, `capture`, `cancellation` or `refund`."""
    id: str
    of: str = ""
    """What it is about: the name of an earlier entry of the tenant."""
    amount: int = 0
    currency: str = ""
    reference: str | None = None
    created: float = 0.0
    about: Mapping[str, object] = field(default_factory=dict)
    """What else is known of it, in words of ours: how it is captured, what time will make of it."""

    @property
    def name(self) -> str:
        """Kind and id: by it others are `of` this one."""
        return f"{self.kind}/{self.id}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands, or would stand: an id belongs to a tenant and a kind."""

    tenant: str
    kind: str
    id: str
    of: str = ""
    """The name of what stands above it: of a refund, its payment."""

    @property
    def above(self) -> tuple[str, str]:
        """Kind and id of what stands above it."""
        kind, _, id_ = self.of.partition("/")
        return kind, id_


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a decision about one place has to see, as it stood at one moment."""

    existing: Entry | None = None
    """What has that id already."""
    above: Entry | None = None
    """What the place is of; the tenant's own or nothing."""
    beside: tuple[Entry, ...] = ()
    """Every entry of that one, in the order in which they happened."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing happened, and why: one of the profile's reasons, and a sentence for people."""

    reason: str
    message: str
    about: Mapping[str, str] = field(default_factory=dict)
    """What the PSP's own words may want to name: `id`, `status`, `key`."""


def ledger_of(place: Place, entries: Mapping[tuple[str, str], Entry]) -> Ledger:
    """The ledger of a place, out of entries of its tenant, by kind and id, among which all of it is, in order."""
    return Ledger(
        existing=entries.get((place.kind, place.id)),
        above=entries.get(place.above),
        beside=tuple(entry for entry in entries.values() if place.of and entry.of == place.of),
    )
