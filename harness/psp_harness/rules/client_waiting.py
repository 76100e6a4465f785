"""How a client tries again: not at once where it was told to wait, and not at all what was refused as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psp_harness.model import History, Level, Role
from psp_harness.profile import Profile
from psp_harness.rules import rule
from psp_harness.rules.of_clients import Call, TriedAgain, all_tried_again, calls, tried_again
from psp_harness.rules.wording import named

_NOT_NOW = frozenset({429, 503})
"""Too many requests, and no capacity for this one: RFC 6585 section 4, RFC 9110 section 15.6.4."""

_NO_PAUSE_SECONDS = 0.04
"""What a busy machine needs between an answer and the next request, even if nobody waits."""

_ROUNDED = 0.9
"""Of what it was told: clocks are coarse, and the answer was under way for some of it."""

_NEVER_AGAIN = "no call was sent a second time after such an answer"


@dataclass(frozen=True, slots=True)
class ToldToWait:
    """An attempt that was answered with Retry-After, and the next one."""

    tried: TriedAgain
    told: int
    """Seconds."""

    @property
    def exchanges(self) -> tuple[int, ...]:
        return self.tried.exchanges


def _told_to_wait(history: History, profile: Profile) -> Iterator[ToldToWait]:
    for each in all_tried_again(history, profile):
        lines = each.first.seen.lines("Retry-After") if each.first.seen else []
        if len(lines) == 1 and lines[0].isdigit():
            yield ToldToWait(each, int(lines[0]))


@rule(
    "waits-as-long-as-it-is-told",
    role=Role.CLIENT,
    level=Level.SHOULD,
    on=_told_to_wait,
    source="RFC 9110 section 10.2.3; failure mode C26",
    fix="read Retry-After, wait that long before the next attempt, or give up and say that it is not done",
    otherwise=_NEVER_AGAIN,
)
def waits_as_long_as_it_is_told(wait: ToldToWait, profile: Profile) -> str | None:
    """Where an answer says how long to wait, the next attempt does not come before that."""
    waited = wait.tried.again.began - wait.tried.first.began
    if waited >= wait.told * _ROUNDED:
        return None
    return f"{named(wait.tried.call.intent)} was told to wait {wait.told} s, and was sent again after {waited:.2f} s"


@dataclass(frozen=True, slots=True)
class NotNow:
    """A call that was told 'not now', and tried again."""

    call: Call
    tried: tuple[TriedAgain, ...]

    @property
    def exchanges(self) -> tuple[int, ...]:
        return self.call.exchanges


def _not_now(history: History, profile: Profile) -> Iterator[NotNow]:
    for call in calls(history, profile):
        tried = tuple(t for t in tried_again(call, profile) if t.first.seen and t.first.seen.status in _NOT_NOW)
        if tried:
            yield NotNow(call, tried)


@rule(
    "pauses-before-it-tries-again",
    role=Role.CLIENT,
    level=Level.SHOULD,
    on=_not_now,
    source="RFC 6585 section 4; failure mode C26",
    fix="wait before each further attempt, longer each time, and by a part that is left to chance",
    otherwise=_NEVER_AGAIN,
)
def pauses_before_it_tries_again(not_now: NotNow, profile: Profile) -> str | None:
    """After 429 and 503 a client pauses before its further attempts, but for one that may come at once."""
    waited = [tried.again.began - tried.first.began for tried in not_now.tried]
    at_once = [seconds for seconds in waited if seconds < _NO_PAUSE_SECONDS]
    if len(at_once) < min(2, len(waited)):
        return None
    longest = max(at_once) * 1000
    return f"{named(not_now.call.intent)} was sent again {len(at_once)} times within {longest:.0f} ms of such an answer"


_AS_IT_IS = frozenset({400, 402, 403, 404, 405, 413, 415, 422})
"""Refusals of what was asked: the same request would be refused again."""


def _refused_as_it_is(history: History, profile: Profile) -> Iterator[Call]:
    """By a fault, with a 4xx that this PSP does not use for a first request that is still in flight."""
    in_flight = profile.refusals["in-flight"].status if "in-flight" in profile.refusals else ()
    final = _AS_IT_IS - set(in_flight)
    for call in calls(history, profile):
        if any(attempt.fault and attempt.seen and attempt.seen.status in final for attempt in call.attempts):
            yield call


@rule(
    "does-not-repeat-what-was-refused",
    role=Role.CLIENT,
    level=Level.SHOULD,
    on=_refused_as_it_is,
    source="draft-ietf-httpapi-idempotency-key-header section 2.7: clients must correct the request; failure mode C27",
    fix="give up after a 4xx that is about the request itself, and tell the caller what the PSP said",
)
def does_not_repeat_what_was_refused(call: Call, profile: Profile) -> str | None:
    """A request that the PSP refuses for what it asks is not sent again as it is."""
    refused = [t.first.seen.status for t in tried_again(call, profile) if t.first.fault and t.first.seen]
    again = [status for status in refused if status in _AS_IT_IS]
    return f"{named(call.intent)} was refused with {again[0]}, and was sent {len(again)} times more" if again else None
