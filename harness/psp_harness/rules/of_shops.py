"""What there is to judge of a shop: each wish, with all that was sent, happened and is believed about it.

A *wish* is what a customer or the shop wants once, however often it is asked for: that an order is paid, that so much
of it goes back. Requests, effects and rows are attributed to it by what they are and by amount, never by a key. Nothing
here decides what is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from psp_harness.model import Answer, Books, Done, Effect, Exchange, History, Intent, Outcome, Row
from psp_harness.profile import Profile, keys_of
from psp_harness.vocabulary import EFFECT_KIND, WISHES

ROW_KIND = {"confirm-order": "order", "subscribe": "subscription", "refund-order": "refund", "payout": "payout"}
"""What stands in the books about a wish."""

PAYS = frozenset({"order", "subscription"})
"""Rows of what a customer pays."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One of them."""

    intent: Intent
    """The step that asked for it first."""
    asked: int
    """How often it was asked for."""
    attempts: tuple[Exchange, ...]
    """What the PSP was asked because of it."""
    keys: tuple[tuple[bytes, ...], ...]
    """Key lines by attempt."""
    effects: tuple[Effect, ...]
    rows: tuple[Row, ...]
    """When all is settled."""
    outcomes: tuple[Outcome, ...]
    history: History

    @property
    def exchanges(self) -> tuple[int, ...]:
        return tuple(attempt.number for attempt in self.attempts)

    @property
    def called(self) -> str:
        """As people call it."""
        of = self.intent.amount
        return f"the {ROW_KIND[self.intent.operation]} of {of}"

    @property
    def is_at_risk(self) -> bool:
        """It was asked for again, something went wrong on the way, or a process was ended."""
        return self.asked > 1 or self.history.ended > 0 or any(each.fault for each in self.attempts)


@dataclass(frozen=True, slots=True)
class Sent:
    """One request that moves money, and what asked for it (None: nobody did)."""

    exchange: Exchange
    intent: Intent | None
    keys: tuple[bytes, ...]

    @property
    def exchanges(self) -> tuple[int, ...]:
        return (self.exchange.number,)


@dataclass(frozen=True, slots=True)
class Happened:
    """One movement of money, and the rows of the settled books that are about it."""

    effect: Effect
    rows: tuple[Row, ...]
    exchanges: tuple[int, ...]
    at_the_psp: bool
    """The shop was not asked: somebody did it at the PSP's own desk."""


@dataclass(frozen=True, slots=True)
class Believed:
    """One row of the settled books that says that money moved, and the movements that it can mean."""

    row: Row
    effects: tuple[Effect, ...]
    exchanges: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Uncertain:
    """A wish whose last request left the shop without a definite answer, and what it believed just then."""

    wish: Wish
    row: Row | None
    said: tuple[Outcome, ...]
    """What the shop had answered by then."""

    @property
    def exchanges(self) -> tuple[int, ...]:
        return self.wish.exchanges


def wishes(history: History, profile: Profile) -> Iterator[Wish]:
    """Every wish that was asked for, in order."""
    groups: dict[tuple[str, str], list[Intent]] = {}
    for intent in history.intents:
        if intent.operation in WISHES:
            groups.setdefault((intent.operation, intent.reference), []).append(intent)
    for group in groups.values():
        outcomes = tuple(history.outcomes[each.step] for each in group if each.step in history.outcomes)
        attempts = _attempts(history, group)
        if attempts or outcomes:
            keys = tuple(tuple(keys_of(profile, x.request)) for x in attempts if x.request is not None)
            found = effects_about(history, group[0])
            yield Wish(group[0], len(group), attempts, keys, found, rows_about(history, group[0]), outcomes, history)


def _attempts(history: History, group: Sequence[Intent]) -> tuple[Exchange, ...]:
    steps, operation = {each.step for each in group}, WISHES[group[0].operation]
    return tuple(x for x in history.exchanges if x.step in steps and x.operation == operation and x.request is not None)


def effects_about(history: History, intent: Intent) -> tuple[Effect, ...]:
    """What happened because of a wish: by kind and amount."""
    kind = EFFECT_KIND[WISHES[intent.operation]]
    return tuple(e for e in history.effects or () if e.kind == kind and e.amount == intent.amount)


def rows_about(history: History, intent: Intent) -> tuple[Row, ...]:
    """What the settled books say about a wish."""
    return rows_in(history.books[-1], intent) if history.books else ()


def rows_in(books: Books, intent: Intent) -> tuple[Row, ...]:
    """What these books say about a wish: by kind and amount."""
    return tuple(r for r in books.rows if r.kind == ROW_KIND[intent.operation] and r.amount == intent.amount)


def at_risk(history: History, profile: Profile) -> Iterator[Wish]:
    """Those that a careless shop would fulfil twice."""
    return (wish for wish in wishes(history, profile) if wish.is_at_risk and wish.attempts)


def sent(history: History, profile: Profile) -> Iterator[Sent]:
    """Every complete request that would move money."""
    by_step = {intent.step: intent for intent in history.intents}
    for x in history.exchanges:
        if x.operation in WISHES.values() and x.request is not None:
            yield Sent(x, by_step.get(x.step or 0), tuple(keys_of(profile, x.request)))


def happened(history: History, profile: Profile) -> Iterator[Happened]:
    """Every movement of money, and what the settled books say of it."""
    if not history.books:
        return
    by_amount = {(each.intent.operation, each.intent.amount): each.exchanges for each in wishes(history, profile)}
    for effect in history.effects or ():
        asked = [x for (name, amount), x in by_amount.items() if amount == effect.amount and _kind(name) == effect.kind]
        rows = _rows_of(effect, history.books[-1])
        yield Happened(effect, rows, asked[0] if asked else (), effect.id in at_the_psp(history))


def at_the_psp(history: History) -> frozenset[str]:
    """What the PSP calls that which was done at its own desk."""
    done = (history.outcomes.get(i.step) for i in history.intents if i.operation == "refund-at-psp")
    return frozenset(str(each.values["refund_id"]) for each in done if isinstance(each, Done))


def _kind(operation: str) -> str:
    return EFFECT_KIND[WISHES[operation]]


def _rows_of(effect: Effect, books: Books) -> tuple[Row, ...]:
    """Those that name it; where none does, those that are of its amount and name nothing, and may mean it."""
    kind = [r for r in books.rows if ("payment" if r.kind in PAYS else r.kind) == effect.kind]
    named = tuple(r for r in kind if r.psp_id == effect.id)
    meant = (r for r in kind if not r.psp_id and r.amount == effect.amount and r.status in {"done", "in-doubt"})
    return named or tuple(meant)


def believed(history: History, profile: Profile) -> Iterator[Believed]:
    """Every row of the settled books that says that money moved."""
    if not history.books or history.effects is None:
        return
    by_kind = {(each.intent.amount, ROW_KIND[each.intent.operation]): each for each in wishes(history, profile)}
    for row in history.books[-1].rows:
        if row.status == "done":
            kind = "payment" if row.kind in PAYS else row.kind
            named = tuple(e for e in history.effects if e.kind == kind and e.id == row.psp_id)
            alike = tuple(e for e in history.effects if e.kind == kind and e.amount == row.amount)
            wish = by_kind.get((row.amount, row.kind))
            yield Believed(row, named if row.psp_id else alike, wish.exchanges if wish else ())


def uncertain(history: History, profile: Profile) -> Iterator[Uncertain]:
    """Wishes of which the shop could not know, with the first look into its books while that was so."""
    for wish in wishes(history, profile):
        asked = [i.step for i in history.intents if i.reference == wish.intent.reference and i.operation in WISHES]
        for books in history.books:
            seen = [x for x in wish.attempts if x.number <= books.seen]
            later = [x for x in history.exchanges if seen and seen[-1].number < x.number <= books.seen]
            if seen and books.after in asked and is_uncertain(seen[-1].seen) and not later and not history.ended:
                rows = rows_in(books, wish.intent)
                said = tuple(
                    history.outcomes[step] for step in asked if step <= books.after and step in history.outcomes
                )
                yield Uncertain(wish, rows[0] if rows else None, said)
                break


def is_uncertain(seen: Answer | None) -> bool:
    """Money may have moved: no complete answer came, or a server's error."""
    return seen is None or seen.status >= 500


def settled_late(history: History, profile: Profile) -> Iterator[Wish]:
    """Wishes of which the shop once could not know, and which it could have found out about since."""
    for wish in wishes(history, profile):
        if any(is_uncertain(each.seen) for each in wish.attempts) and wish.rows:
            yield wish
