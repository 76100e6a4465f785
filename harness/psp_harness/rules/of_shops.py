"""What there is to judge of a shop: each wish, with all that was sent, happened and is believed about it.

A *wish* is what a customer or the shop wants once, however often it is asked for: that an order is paid, that so much
of it goes back. Requests, effects and rows are attributed to it by what they are and by amount, never by a key. Nothing
here decides what is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from psp_harness.model import Answer, Books, Done, Effect, Exchange, Failed, History, Intent, Outcome, Refused, Row
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
class GivenBack:
    """A refund that was wished and given, whose money it is, and whose it is not."""

    wish: Wish
    order: Intent
    """That was to be given back."""
    wrong: tuple[Effect, ...]
    """Payments of others from which it was given."""
    elsewhere: tuple[Row, ...]
    """Orders of others under which its rows stand."""

    @property
    def exchanges(self) -> tuple[int, ...]:
        return self.wish.exchanges


@dataclass(frozen=True, slots=True)
class Said:
    """A wish, and what the shop said of it when it had been asked."""

    wish: Wish
    knew: bool
    """The PSP had told the shop by then that it happened."""

    @property
    def exchanges(self) -> tuple[int, ...]:
        return self.wish.exchanges


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
        rows = rows_of(effect, history.books[-1])
        yield Happened(effect, rows, asked[0] if asked else (), effect.id in at_the_psp(history))


def at_the_psp(history: History) -> frozenset[str]:
    """What the PSP calls that which was done at its own desk."""
    done = (history.outcomes.get(i.step) for i in history.intents if i.operation == "refund-at-psp")
    return frozenset(str(each.values["refund_id"]) for each in done if isinstance(each, Done))


def _kind(operation: str) -> str:
    return EFFECT_KIND[WISHES[operation]]


def rows_of(effect: Effect, books: Books) -> tuple[Row, ...]:
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


def given_back(history: History, profile: Profile) -> Iterator[GivenBack]:
    """Every refund that happened as it was wished, held against the orders of others, which are told by amount."""
    by_step = {intent.step: intent for intent in history.intents}
    payers = [i for i in history.intents if i.operation in {"place-order", "subscribe"}]
    paid = [effect for effect in history.effects or () if effect.kind == "payment"]
    for wish in wishes(history, profile):
        order = by_step.get(wish.intent.payment or 0)
        if wish.intent.operation == "refund-order" and order is not None and wish.effects:
            others = {i.amount for i in payers if i.amount != order.amount}
            wrong = tuple(p for p in paid if p.amount in others and any(e.payment_id == p.id for e in wish.effects))
            rows = history.books[-1].rows if history.books else ()
            named = {row.order_id for row in wish.rows}
            elsewhere = tuple(r for r in rows if r.kind in PAYS and r.amount in others and r.id in named)
            yield GivenBack(wish, order, wrong, elsewhere)


def denied(history: History, profile: Profile) -> Iterator[Said]:
    """Wishes to which the shop said no for certain and never yes. A process that was ended may forget what it said."""
    for wish in wishes(history, profile):
        asked = [i.step for i in history.intents if (i.operation, i.reference) == _name(wish)]
        noes = [step for step in asked if _is_a_no(history.outcomes.get(step), wish)]
        if noes and history.books and not history.ended and not any(isinstance(o, Done) for o in wish.outcomes):
            look = next((each for each in history.books if each.after >= noes[-1]), history.books[-1])
            told = any(x.number <= look.seen and x.seen is not None and x.seen.accepted for x in wish.attempts)
            yield Said(wish, knew=told and bool(wish.effects))


def _name(wish: Wish) -> tuple[str, str]:
    return wish.intent.operation, wish.intent.reference


def _is_a_no(outcome: Outcome | None, wish: Wish) -> bool:
    """It did not happen, and will not; to what is asked again a shop may refuse to do it again."""
    if isinstance(outcome, Refused):
        return wish.asked == 1
    return isinstance(outcome, Failed) and outcome.kind != "unknown"


def granted(history: History, profile: Profile) -> Iterator[Said]:
    """Wishes to which the shop said yes; of what was asked for in another amount nobody can say whose it is."""
    strange = {x.operation for x in history.exchanges if x.step is None}
    for wish in wishes(history, profile):
        yes = any(isinstance(outcome, Done) for outcome in wish.outcomes)
        if yes and history.books and WISHES[wish.intent.operation] not in strange:
            begun = any(row.status != "open" for books in history.books for row in rows_in(books, wish.intent))
            yield Said(wish, knew=begun or bool(wish.attempts or wish.effects))


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
