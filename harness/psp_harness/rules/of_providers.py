"""What there is to judge of a provider: requests that come twice, at once, too late, or under another's key.

Nothing here decides what is right. Two requests are duplicates because the case asked for the same thing twice.
What the history does not show is not yielded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from psp_harness.model import Effect, Exchange, History, Intent
from psp_harness.profile import Profile, is_in_flight
from psp_harness.rules.attribution import asks, captures_of, effects_of, id_in, ids_of, sent


@dataclass(frozen=True, slots=True)
class Pair:
    """Two requests of a provider's history, the earlier one accepted."""

    first: Exchange
    first_intent: Intent
    second: Exchange
    second_intent: Intent
    effects: tuple[Effect, ...] | None
    """Of this case; None: unknown."""
    born: float = 0.0
    """When, by the subject's clock, the key of the first one was first used."""
    effects_of_second: tuple[Effect, ...] = ()
    """What can only have come of the second one: it asks for another amount, currency or payment."""

    @property
    def exchanges(self) -> tuple[int, ...]:
        return (self.first.number, self.second.number)


@dataclass(frozen=True, slots=True)
class Group:
    """Several requests that ask for one and the same thing, and what came of them."""

    intent: Intent
    members: tuple[Exchange, ...]
    effects: tuple[Effect, ...]
    at_once: bool = False
    """Some of them were released together: whether others meet in flight is a matter of the subject's speed."""
    aged: bool = False
    """The subject's clock was advanced between them."""

    @property
    def exchanges(self) -> tuple[int, ...]:
        return tuple(member.number for member in self.members)


@dataclass(frozen=True, slots=True)
class AskedFor:
    """One thing that was asked for, under however many keys; how often money may have moved, and what did."""

    intent: Intent
    members: tuple[Exchange, ...]
    allowed: int
    effects: tuple[Effect, ...]

    @property
    def exchanges(self) -> tuple[int, ...]:
        return tuple(member.number for member in self.members)


@dataclass(frozen=True, slots=True)
class Refunded:
    """A payment, the refunds that were asked of it, and what was given back."""

    payment: Exchange
    captured: int
    asked: tuple[Exchange, ...]
    returned: tuple[Effect, ...]
    """Refunds that happened."""

    @property
    def exchanges(self) -> tuple[int, ...]:
        return (self.payment.number, *(refund.number for refund in self.asked))


@dataclass(frozen=True, slots=True)
class Refusable:
    """One request to a provider, and what came of it."""

    exchange: Exchange
    intent: Intent
    effects: tuple[Effect, ...] | None
    """None: unknown, or of no interest."""

    @property
    def exchanges(self) -> tuple[int, ...]:
        return (self.exchange.number,)


@dataclass(frozen=True, slots=True)
class Persistent:
    """A request whose sender was gone, and the last of those that were sent again until it was no longer in flight."""

    first: Exchange
    last: Exchange

    @property
    def exchanges(self) -> tuple[int, ...]:
        return (self.first.number, self.last.number)


def retries(history: History, profile: Profile) -> Iterator[Pair]:
    """A request that the provider accepted, and the same one again with the same key after it had finished."""
    return (
        p
        for p in _pairs(history, profile)
        if same_key(p) and same_request(p) and is_alive(p, profile) and not _limited(p) and not _raced(history, p)
    )


def _raced(history: History, pair: Pair) -> bool:
    """The first one met another with its key in flight: what came of that is told of all of them together.

    One whose answer nobody waited for may be in flight for as long as it likes.
    """
    first, asked = pair.first, pair.first_intent
    rivals = [x for i, x in sent(history) if (i.tenant, i.key) == (asked.tenant, asked.key) and x is not first]
    return any(first.overlaps(x) or (x.answer is None and x.began < pair.second.began) for x in rivals)


def _limited(pair: Pair) -> bool:
    """The second request was turned away before anybody looked at it (429): it says nothing about its key."""
    return pair.second.answer is not None and pair.second.answer.status == 429


def reuses(history: History, profile: Profile) -> Iterator[Pair]:
    """A request that the provider accepted, and another body with the same key after it had finished."""
    return (p for p in _pairs(history, profile) if same_key(p) and not same_request(p) and is_alive(p, profile))


def expired(history: History, profile: Profile) -> Iterator[Pair]:
    """A request that the provider accepted, and the same one again after its key's time is over."""
    return (p for p in _pairs(history, profile) if same_key(p) and same_request(p) and not is_alive(p, profile))


def strangers(history: History, profile: Profile) -> Iterator[Pair]:
    """A request that the provider accepted, and the same key and body from another tenant."""
    for pair in _pairs(history, profile):
        one, other = pair.first_intent, pair.second_intent
        if one.tenant != other.tenant and one.key is not None and one.key == other.key and same_request(pair):
            yield pair


def _pairs(history: History, profile: Profile) -> Iterator[Pair]:
    """Two requests of one operation: the first one accepted, and finished before the second one began.

    Not of copies that were released together: whether one of them is late enough is a matter of chance.
    """
    for (intent, first), (other, second) in combinations(sent(history), 2):
        finished = first.answer is not None and first.answer.accepted and first.ended <= second.began
        by_chance = intent.moment == other.moment and intent is not other
        if finished and not by_chance and intent.operation == other.operation:
            born = _born(history, intent, profile)
            yield Pair(first, intent, second, other, history.effects, born, _of_second(history, intent, other, profile))


def _born(history: History, intent: Intent, profile: Profile) -> float:
    """When the key of a request was first used, in the life in which it is now."""
    lifetime = profile.lifetime(intent.operation)
    born = intent.at
    for earlier in reversed(history.intents[: intent.step - 1]):
        if (earlier.tenant, earlier.key) == (intent.tenant, intent.key) and (
            lifetime is None or intent.at - earlier.at < lifetime
        ):
            born = earlier.at
    return born


def _of_second(history: History, first: Intent, second: Intent, profile: Profile) -> tuple[Effect, ...]:
    if (first.amount, first.currency, first.payment) == (second.amount, second.currency, second.payment):
        return ()
    return effects_of(history, second, profile) or ()


def same_key(pair: Pair) -> bool:
    """One tenant, one key, in one line."""
    one, other = pair.first_intent, pair.second_intent
    alone = not (one.manner.key_lines or other.manner.key_lines)
    return one.key is not None and one.key == other.key and one.tenant == other.tenant and alone


def age(pair: Pair) -> float:
    """Seconds by which the subject's clock was advanced between the two."""
    return pair.second_intent.at - pair.first_intent.at


def is_alive(pair: Pair, profile: Profile) -> bool:
    """Whether the key is still kept when the second request comes; the time counts from `born`, not from a replay."""
    lifetime = profile.lifetime(pair.first_intent.operation)
    since = pair.second_intent.at - pair.born
    return since == 0 or (lifetime is not None and since < lifetime)


def same_request(pair: Pair) -> bool:
    """They ask for one and the same thing."""
    return asks(pair.first_intent) == asks(pair.second_intent)


def duplicates(history: History, profile: Profile) -> Iterator[Group]:
    """All requests of one tenant with one key and body, sent one after the other, that came to something."""
    return (g for g in _groups(history, profile) if not g.at_once and not g.aged and _came_to_something(g))


def concurrent_duplicates(history: History, profile: Profile) -> Iterator[Group]:
    """Those that were released together, and met in flight, as the recorded times show, and came to something."""
    for group in (each for each in _groups(history, profile) if each.at_once):
        met = any(one.overlaps(other) for one, other in combinations(_finished(group), 2))
        if met and _came_to_something(group):
            yield group


def _came_to_something(group: Group) -> bool:
    """One was accepted; or money moved more than once, whatever was answered."""
    accepted = any(member.answer is not None and member.answer.accepted for member in group.members)
    return accepted or len(group.effects) > 1


def persistent(history: History, profile: Profile) -> Iterator[Persistent]:
    """Requests that were never answered, and then sent until they were no longer said to be in flight."""
    for (intent, first), (other, last) in combinations(sent(history), 2):
        left = first.answer is None and first.ended <= last.began
        told = last.answer is not None and (last.answer.accepted or is_in_flight(last.answer, profile))
        alike = other.manner.persists and asks(intent) == asks(other)
        if left and told and alike and last is history.attempts(other)[-1]:
            yield Persistent(first, last)


def _finished(group: Group) -> list[Exchange]:
    return [member for member in group.members if member.answer is not None]


def _groups(history: History, profile: Profile) -> Iterator[Group]:
    """Effects are attributed by amount: nothing is told of a request that was asked for under another key, too."""
    alike: dict[tuple[object, ...], dict[tuple[object, ...], list[tuple[Intent, Exchange]]]] = {}
    for intent, exchange in sent(history):
        alike.setdefault(asks(intent), {}).setdefault((intent.tenant, intent.key), []).append((intent, exchange))
    for members, *under_another_key in (by_key.values() for by_key in alike.values()):
        intent = members[0][0]
        effects = effects_of(history, intent, profile)
        if len(members) > 1 and intent.key and effects is not None and not under_another_key:
            intents = [each for each, _ in members]
            aged = any(each.at != intent.at for each in intents)
            yield Group(intent, tuple(exchange for _, exchange in members), effects, _at_once(intents), aged)


def under_several_keys(history: History, profile: Profile) -> Iterator[AskedFor]:
    """What was asked for under several keys, again after its time, or once: of the rest, groups of duplicates tell."""
    alike: dict[tuple[object, ...], list[tuple[Intent, Exchange]]] = {}
    for intent, exchange in sent(history):
        alike.setdefault(asks(intent), []).append((intent, exchange))
    for members in alike.values():
        intent = members[0][0]
        keys = {_key_of(each) for each, _ in members}
        effects = effects_of(history, intent, profile)
        aged = any(each.at != intent.at for each, _ in members)
        told_elsewhere = len(members) > 1 and len(keys) == 1 and not aged
        if effects is None or told_elsewhere or (aged and profile.lifetime(intent.operation) is None):
            continue
        allowed = sum(_lives([i for i, _ in members if _key_of(i) == key], profile) for key in keys)
        shown = {id_in(x.answer, intent, profile) for _, x in members} - {""}
        if not aged or len(shown) <= allowed:  # a key that was forgotten too early is told of elsewhere
            yield AskedFor(intent, tuple(x for _, x in members), allowed, effects)


def _key_of(intent: Intent) -> tuple[object, ...]:
    """What makes a request one of a kind: tenant and key; without a key, the id that was chosen; else itself."""
    return intent.tenant, intent.key or intent.chosen_id or intent.step


def _lives(asked: list[Intent], profile: Profile) -> int:
    """How often a key was new: at first, and each time after its life was over."""
    lifetime = profile.lifetime(asked[0].operation)
    lives, born = 0, 0.0
    for intent in asked:
        if not lives or (lifetime is not None and intent.at - born >= lifetime):
            lives, born = lives + 1, intent.at
    return lives


def _at_once(intents: list[Intent]) -> bool:
    released = [intent.moment for intent in intents if intent.manner.after == 0 and not intent.manner.persists]
    return len(released) > len(set(released))


def refunded(history: History, profile: Profile) -> Iterator[Refunded]:
    """Every payment of which more was asked back than was captured."""
    for intent, payment in sent(history):
        if intent.operation != "create-payment" or history.effects is None:
            continue
        refunds = [(other, x) for other, x in sent(history) if other.operation == "create-refund"]
        asked = [(other, x) for other, x in refunds if other.payment == intent.step and x.answer is not None]
        ids = ids_of(history, intent, profile)
        captured = intent.amount
        if intent.captured_later:
            captured = sum(effect.amount for effect in captures_of(history, intent, profile))
        returned = tuple(e for e in history.effects if e.kind == "refund" and e.payment_id in ids)
        accepted = any(x.answer is not None and x.answer.accepted for _, x in asked)
        if accepted and sum(other.amount for other, _ in asked) > captured:
            yield Refunded(payment, captured, tuple(x for _, x in asked), returned)
