"""What a provider says of its health: that it lives, and that it can work. Others start it again or send by that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psp_harness.model import Exchange, History, Intent, Role
from psp_harness.profile import Profile, json_of
from psp_harness.rules import rule
from psp_harness.rules.attribution import all_sent
from psp_harness.template import read
from psp_harness.vocabulary import CREATES


@dataclass(frozen=True, slots=True)
class Told:
    """What was answered when its health was asked for, and what became of the requests right after it."""

    intent: Intent
    asked: Exchange
    works: tuple[Exchange, ...]
    """Requests for payments and refunds, of the next moment."""

    @property
    def exchanges(self) -> tuple[int, ...]:
        return (self.asked.number, *(exchange.number for exchange in self.works))


def _told(history: History, operation: str) -> Iterator[Told]:
    everything = list(all_sent(history))
    for intent, asked in everything:
        if intent.operation == operation and asked.answer is not None:
            works = tuple(
                x for other, x in everything if other.operation in CREATES and other.moment == intent.moment + 1
            )
            yield Told(intent, asked, works)


def _lives(history: History, profile: Profile) -> Iterator[Told]:
    """It answered that, and then took a payment: it is known to live."""
    for one in _told(history, "get-health"):
        if any(x.answer is not None and x.answer.accepted for x in one.works):
            yield one


@rule(
    "a-provider-that-works-says-that-it-lives",
    role=Role.PROVIDER,
    on=_lives,
    needs={"liveness"},
    source="the profile's health route; failure mode B6",
    fix="answer the liveness route from the process alone: without a credential, and without asking any other service",
)
def a_provider_that_works_says_that_it_lives(one: Told, profile: Profile) -> str | None:
    """While payments are accepted, the liveness route answers as documented, and asks nobody for a credential."""
    wanted, answer = profile.operations["get-health"].status, one.asked.answer
    if answer is None or answer.status == wanted:
        return None
    return f"it was asked whether it lives, without a credential, and answered {answer.status}, while it took payments"


def _ready(history: History, profile: Profile) -> Iterator[Told]:
    """Work was asked for right after it, and answered."""
    for one in _told(history, "get-readiness"):
        if any(x.answer is not None for x in one.works):
            yield one


@rule(
    "readiness-is-told-truly",
    role=Role.PROVIDER,
    on=_ready,
    needs={"readiness"},
    source="the profile's readiness route; failure mode B6",
    fix="let the readiness route ask the store that payments need, and say no for as long as that does not answer",
)
def readiness_is_told_truly(one: Told, profile: Profile) -> str | None:
    """A provider that says it is ready can work, and one that works says that it is ready, in the documented form."""
    route, answer = profile.operations["get-readiness"], one.asked.answer
    statuses = [x.answer.status for x in one.works if x.answer is not None]
    works = any(200 <= status < 300 for status in statuses)
    if answer is None or (not works and not answer.accepted):
        return None
    if works and answer.status != route.status:
        return f"it was asked whether it is ready, without a credential, and answered {answer.status}, and worked"
    if broken := [status for status in statuses if status >= _BROKEN]:
        return f"it said that it is ready, and a request right after that was answered {broken[0]}"
    if route.answer is not None and read(route.answer, json_of(answer), strict=True) is None:
        return f"it said that it is ready, but not as documented: {answer.body[:120]!r}"
    return None


_BROKEN = 500
