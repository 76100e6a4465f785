"""What there is to judge of a client: each request that moves money, and each call with all of its attempts.

Nothing here decides what is right. What the history does not show is not yielded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from psp_harness.model import Effect, Exchange, History, Intent, Outcome
from psp_harness.profile import Profile, keys_of
from psp_harness.rules.attribution import effects_of, id_in
from psp_harness.vocabulary import CREATES, EFFECT_KIND


@dataclass(frozen=True, slots=True)
class Post:
    """One request that moves money, and what asked for it (None: nobody did)."""

    exchange: Exchange
    intent: Intent | None
    keys: tuple[bytes, ...]
    history: History

    @property
    def exchanges(self) -> tuple[int, ...]:
        return (self.exchange.number,)


@dataclass(frozen=True, slots=True)
class Call:
    """One step that a client was asked for: its attempts on the wire, what the client said, what it did."""

    intent: Intent
    attempts: tuple[Exchange, ...]
    keys: tuple[tuple[bytes, ...], ...]
    """Key lines by attempt."""
    outcome: Outcome | None
    effects: tuple[Effect, ...] | None
    history: History

    @property
    def exchanges(self) -> tuple[int, ...]:
        return tuple(attempt.number for attempt in self.attempts)

    @property
    def is_asked_once(self) -> bool:
        """No other step is for the same order or refund: what happened is this call's alone."""
        if self.history.observed:
            return True
        wish = self.intent.operation, self.intent.reference
        return all((i.operation, i.reference) != wish or i.step == self.intent.step for i in self.history.intents)


def posts(history: History, profile: Profile) -> Iterator[Post]:
    """Every complete request that would move money."""
    by_step = {intent.step: intent for intent in history.intents}
    for exchange in history.exchanges:
        if exchange.operation in CREATES and exchange.request is not None:
            intent = by_step.get(exchange.step) if exchange.step is not None else None
            yield Post(exchange, intent, tuple(keys_of(profile, exchange.request)), history)


def calls(history: History, profile: Profile) -> Iterator[Call]:
    """Every step that the client was asked for, sent or not; of traffic that was watched, every call that it shows."""
    of_step: dict[int | None, list[Exchange]] = {}
    for exchange in history.exchanges:
        of_step.setdefault(exchange.step, []).append(exchange)
    happened = {(effect.kind, effect.id): effect for effect in history.effects or ()}
    for intent in history.intents:
        mine = [x for x in of_step.get(intent.step, ()) if x.request is not None and x.operation == intent.operation]
        if not mine and intent.step not in history.outcomes:
            continue  # the case ended before this step
        keys = tuple(tuple(keys_of(profile, x.request)) for x in mine if x.request is not None)
        if history.observed:
            effects = _answered(mine, intent, happened, profile) if history.effects is not None else None
        else:
            effects = effects_of(history, intent, profile)
        yield Call(intent, tuple(mine), keys, history.outcomes.get(intent.step), effects, history)


def _answered(
    attempts: Iterable[Exchange], intent: Intent, happened: Mapping[tuple[str, str], Effect], profile: Profile
) -> tuple[Effect, ...]:
    """What the PSP named in its answers to these very requests: others may have asked for the same amount."""
    ids = dict.fromkeys(id_in(x.answer, intent, profile) for x in attempts)
    named = ((EFFECT_KIND[intent.operation], each) for each in ids)
    return tuple(happened[each] for each in named if each in happened)


@dataclass(frozen=True, slots=True)
class TriedAgain:
    """Two attempts of one call, one after the other, the second of which is the client's own decision."""

    call: Call
    first: Exchange
    again: Exchange

    @property
    def exchanges(self) -> tuple[int, ...]:
        return (self.first.number, self.again.number)


def tried_again(call: Call, profile: Profile) -> Iterator[TriedAgain]:
    """Not where it did as it was told: it followed a redirect, or came back with another credential."""
    for first, again in pairwise(call.attempts):
        if not (_redirected(first) or _refreshed(first, again, call, profile)):
            yield TriedAgain(call, first, again)


def _redirected(first: Exchange) -> bool:
    return first.seen is not None and first.seen.status in _KEEPS_THE_METHOD


_KEEPS_THE_METHOD = frozenset({307, 308})
"""RFC 9110 sections 15.4.8 and 15.4.9: the same request again, elsewhere."""


def _refreshed(first: Exchange, again: Exchange, call: Call, profile: Profile) -> bool:
    """It has another credential, or says that it fetches one: the one that it gets may be the one that it had."""
    if first.seen is None or first.seen.status != _UNAUTHORIZED or first.request is None or again.request is None:
        return False
    other = first.request.lines(profile.auth.header) != again.request.lines(profile.auth.header)
    return other or "refreshes-tokens" in call.history.claims.features


_UNAUTHORIZED = 401


def all_tried_again(history: History, profile: Profile) -> Iterator[TriedAgain]:
    """Of every call."""
    for call in calls(history, profile):
        yield from tried_again(call, profile)


def calls_with_several_attempts(history: History, profile: Profile) -> Iterator[Call]:
    """Those in which the client tried again."""
    return (call for call in calls(history, profile) if len(call.attempts) > 1)
