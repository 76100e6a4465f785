"""What there is to judge of a client: each request that moves money, and each call with all of its attempts.

Nothing here decides what is right. What the history does not show is not yielded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psp_harness.model import Effect, Exchange, History, Intent, Outcome
from psp_harness.profile import Profile, keys_of
from psp_harness.rules.attribution import effects_of
from psp_harness.vocabulary import CREATES


@dataclass(frozen=True, slots=True)
class Post:
    """One request that moves money, and what asked for it (None: nobody did)."""

    exchange: Exchange
    intent: Intent | None
    keys: tuple[bytes, ...]

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


def posts(history: History, profile: Profile) -> Iterator[Post]:
    """Every complete request that would move money."""
    by_step = {intent.step: intent for intent in history.intents}
    for exchange in history.exchanges:
        if exchange.operation in CREATES and exchange.request is not None:
            intent = by_step.get(exchange.step) if exchange.step is not None else None
            yield Post(exchange, intent, tuple(keys_of(profile, exchange.request)))


def calls(history: History, profile: Profile) -> Iterator[Call]:
    """Every step that the client was asked for, sent or not."""
    for intent in history.intents:
        attempts = tuple(x for x in history.attempts(intent) if x.request is not None)
        if not attempts and intent.step not in history.outcomes:
            continue  # the case ended before this step
        keys = tuple(tuple(keys_of(profile, x.request)) for x in attempts if x.request is not None)
        yield Call(
            intent, attempts, keys, history.outcomes.get(intent.step), effects_of(history, intent, profile), history
        )


def calls_with_several_attempts(history: History, profile: Profile) -> Iterator[Call]:
    """Those in which the client tried again."""
    return (call for call in calls(history, profile) if len(call.attempts) > 1)
