"""What a store promises: a key is claimed once, and an effect is kept together with its answer or not at all.

Three steps, each atomic; between them a process may die:

    claim ── a ──► (work) ── b ──► complete ── c ──► the answer is sent ── d

    dies at   what stands                     what the retry gets
    before a  nothing                         it executes: the first effect
    a to b    a claim with a lease            `in-flight`, until the lease ends; then it takes over: the first effect
    in c      all of it or nothing            as one row above, or as one row below
    c to d    the effect and its answer       the answer, replayed

None of them doubles money, because the effect and the answer become durable in one step: there is no moment at which
money has moved and the key does not say so. And an owner that was only slow, not dead, doubles nothing either: whoever
took its claim over made a fresh token, so its own `complete` finds another one and writes nothing (`Lost`).

What would double money, and is not here: an effect written before its answer, in another transaction or another
database; a claim whose lease is renewed by nobody and checked by nobody; a remaining amount that was read before the
step that spends it; and a provider that goes on without its store, because the store does not answer
(`StoreUnavailable`).

    home        one step is                       who may share it
    memory      code without `await`              one event loop
    SQLite      BEGIN IMMEDIATE                   processes of one machine
    PostgreSQL  a transaction that locks first    processes anywhere
    Redis       a script that compares first      processes anywhere, as far as its persistence is trusted
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from psp_harness.model import Answer
from psp_harness.reference.provider.keys import Claim, Record, Slot, Term
from psp_harness.reference.provider.ledger import Entry, Ledger, Place, Refusal


@dataclass(frozen=True, slots=True)
class Effected:
    """Money moves: the entry, and the answer that is kept with it."""

    entry: Entry
    answer: Answer
    redacted: tuple[Entry, ...] = ()
    """Entries of the same ledger, less what has to be forgotten: they take the place of those with their names, in the
    same step. The law may want that; nothing else may change an entry."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The claim was taken over: nothing was written, and whoever took it over has the word."""


class StoreUnavailable(Exception):
    """The store does not answer, or has lost what it knew: nothing may execute until it does.

    Out of `complete` it does not say whether the step happened: the connection may have broken after the commit. It
    happened wholly or not at all, and the same request under the same key gets to know which.
    """


Decide = Callable[[Ledger], Effected | Refusal]
"""Pure: it may be called again if the store has to begin its step anew."""


class Store(Protocol):
    """Keys and entries of all tenants. Every method is atomic, also against other processes.

    Every method but `close` may raise `StoreUnavailable`.
    """

    async def claim(self, slot: Slot, fingerprint: str, term: Term) -> Claim | Record:
        """The right to execute; or the record of whoever has it, or had it and finished.

        What is older than its `ttl` is forgotten, and so is an unfinished claim past its lease.
        """

    async def complete(self, claim: Claim | None, place: Place, decide: Decide) -> Effected | Refusal | Lost:
        """Decide on the ledger as it stands, and keep the effect with its answer; a refusal frees the key instead.

        Nothing can be entered of what is above the place between the look and the entry.
        """

    async def release(self, claim: Claim) -> None:
        """Free a key under which nothing happened; what was completed or taken over stays as it is."""

    async def ledger(self, place: Place) -> Ledger:
        """What stands there now."""

    async def entries(self) -> tuple[Entry, ...]:
        """Everything, in the order in which it happened."""

    async def close(self) -> None:
        """Give back files and connections."""
