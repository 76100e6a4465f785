"""The store in memory: what a store has to do, with nothing around it.

Each method runs without an `await`, so on one event loop it is one atomic step. Nothing survives the process, and so no
crash doubles anything: keys and money are forgotten together. The lease matters here too, for a task that hangs.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from dataclasses import dataclass, replace

from psp_harness.model import Answer
from psp_harness.reference.provider.keys import Claim, Record, Slot, Term
from psp_harness.reference.provider.ledger import Entry, Ledger, Place, Refusal
from psp_harness.reference.provider.stores import Decide, Effected, Lost


@dataclass(frozen=True, slots=True)
class _Held:
    """One key: who claimed it for what, until when, and the answer."""

    token: str
    fingerprint: str
    leased_until: float
    expires: float
    answer: Answer | None = None

    def stands(self, now: float) -> bool:
        return now < self.expires and (self.answer is not None or now < self.leased_until)


class MemoryStore:
    """For one event loop. Several providers may share it there."""

    def __init__(self) -> None:
        self._keys: dict[Slot, _Held] = {}
        self._entries: dict[tuple[str, str, str], Entry] = {}
        self._of: defaultdict[tuple[str, str], list[Entry]] = defaultdict(list)

    async def claim(self, slot: Slot, fingerprint: str, term: Term) -> Claim | Record:
        """A dictionary entry, where none stands that still counts."""
        held = self._keys.get(slot)
        if held and held.stands(term.now):
            return Record(held.fingerprint, held.answer)
        token = secrets.token_hex(16)
        self._keys[slot] = _Held(token, fingerprint, term.now + term.lease, term.now + term.ttl)
        return Claim(slot, token)

    async def complete(self, claim: Claim | None, place: Place, decide: Decide) -> Effected | Refusal | Lost:
        """Look, decide and enter, with no `await` between them."""
        if claim and not self._owns(claim):
            return Lost()
        decision = decide(self._look(place))
        if isinstance(decision, Effected):
            self._enter(decision.entry)
            for redacted in decision.redacted:
                self._redact(redacted)
            if claim:
                self._keys[claim.slot] = replace(self._keys[claim.slot], answer=decision.answer)
        elif claim:
            del self._keys[claim.slot]
        return decision

    async def release(self, claim: Claim) -> None:
        """Forget the key, if it is still this claim's and unanswered."""
        if self._owns(claim):
            del self._keys[claim.slot]

    async def ledger(self, place: Place) -> Ledger:
        """What stands there now."""
        return self._look(place)

    async def entries(self) -> tuple[Entry, ...]:
        """Everything, in the order in which it happened."""
        return tuple(self._entries.values())

    async def close(self) -> None:
        """Nothing is held."""

    def _owns(self, claim: Claim) -> bool:
        held = self._keys.get(claim.slot)
        return held is not None and held.token == claim.token and held.answer is None

    def _enter(self, entry: Entry) -> None:
        self._entries[entry.tenant, entry.kind, entry.id] = entry
        self._of[entry.tenant, entry.of].append(entry)

    def _redact(self, entry: Entry) -> None:
        self._entries[entry.tenant, entry.kind, entry.id] = entry
        of_one = self._of[entry.tenant, entry.of]
        of_one[:] = [entry if each.name == entry.name else each for each in of_one]

    def _look(self, place: Place) -> Ledger:
        return Ledger(
            existing=self._entries.get((place.tenant, place.kind, place.id)),
            above=self._entries.get((place.tenant, *place.above)),
            beside=tuple(self._of.get((place.tenant, place.of), ())) if place.of else (),
        )
