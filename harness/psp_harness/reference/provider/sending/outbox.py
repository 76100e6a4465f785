"""What has to be sent, where to, and when: read out of the books, which are the outbox. Pure.

    endpoint  an endpoint is registered          endpoint-removed  and is no longer
    attempt   a delivery is about to be made     outcome           what became of it

An attempt is entered before it is made and its id is its number, so of several processes that share the books one makes
it; and one that died over it counts as made, and not as taken: the next one follows when the schedule says so.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from psp_harness.profile import Webhooks
from psp_harness.reference.provider.ledger import Entry, Place
from psp_harness.reference.provider.sending.events import Event, Reader, events_of

GROWING: Final = tuple(60.0 * 2**number for number in range(16))
"""Seconds between deliveries where the PSP publishes none: ours, as long as all of them end before it gives up."""

DAY: Final = 86_400.0
"""Seconds after which one gives up that does not say when it does."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a tenant's events go; those that happen after it was registered."""

    tenant: str
    url: str
    secret: str
    """What signs; empty where the PSP signs nothing."""
    since: float = 0.0

    @property
    def id(self) -> str:
        """The same for the same URL of a tenant."""
        return f"we_{hashlib.sha256(self.url.encode()).hexdigest()[:24]}"

    def entry(self, kind: str, now: float) -> Entry:
        """It, in the books: as `endpoint`, or as `endpoint-removed`. They are only added to, so each has its time."""
        about = {"url": self.url, "secret": self.secret}
        return Entry(self.tenant, kind, f"{self.id}@{now!r}", f"webhooks/{self.id}", created=now, about=about)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A delivery that was made."""

    event: str
    endpoint: str
    number: int
    """From 1."""
    means: str
    """What the event means: `payment-succeeded`, …"""
    about: str
    """Kind and id of what it happened to: `payment/pay_…`."""
    at: float
    outcome: str | None = None
    """The status that it was answered with, or what went wrong; None: nobody knows, or not yet."""

    @property
    def taken(self) -> bool:
        """The endpoint said so: any 2xx."""
        return self.outcome is not None and self.outcome.startswith("2") and len(self.outcome) == len("200")


@dataclass(frozen=True, slots=True)
class Sending:
    """A delivery that is to be made."""

    event: Event
    endpoint: Endpoint
    number: int
    due: float

    @property
    def key(self) -> tuple[str, str, str]:
        """What can be under way only once: so what becomes of a payment is first told in the order of its events."""
        return self.endpoint.tenant, self.endpoint.id, self.event.about.of or self.event.about.name

    def entry(self, kind: str, now: float, **about: object) -> Entry:
        """It, in the books: an `attempt`, or its `outcome`."""
        told = {"event": self.event.id, "means": self.event.means, "about": self.event.about.name}
        whole = {**told, "endpoint": self.endpoint.id, "number": self.number, **about}
        id_ = f"{self.event.id}.{self.endpoint.id}.{self.number}"
        return Entry(self.endpoint.tenant, kind, id_, f"event/{self.event.id}", created=now, about=whole)


def place_of(entry: Entry) -> Place:
    """Where it stands."""
    return Place(entry.tenant, entry.kind, entry.id, entry.of)


def waits_of(webhooks: Webhooks) -> tuple[float, ...]:
    """Seconds before the second delivery, the third, and so on."""
    if webhooks.retry_seconds:
        return tuple(float(each) for each in webhooks.retry_seconds)
    until = webhooks.horizon or DAY
    return tuple(wait for wait, passed in zip(GROWING, accumulate(GROWING), strict=True) if passed <= until)


def endpoints_of(entries: Iterable[Entry]) -> list[Endpoint]:
    """Those that are registered, each with its newest secret."""
    standing: dict[tuple[str, str], Endpoint] = {}
    for entry in entries:
        if entry.kind == "endpoint":
            url, secret = str(entry.about["url"]), str(entry.about["secret"])
            before = standing.get((entry.tenant, entry.of))
            since = before.since if before else entry.created
            standing[entry.tenant, entry.of] = Endpoint(entry.tenant, url, secret, since)
        elif entry.kind == "endpoint-removed":
            standing.pop((entry.tenant, entry.of), None)
    return list(standing.values())


def attempts_of(entries: Iterable[Entry]) -> dict[tuple[str, str], list[Attempt]]:
    """By event and endpoint, in order."""
    kept = list(entries)
    outcomes = {(entry.tenant, entry.id): str(entry.about["outcome"]) for entry in kept if entry.kind == "outcome"}
    made: defaultdict[tuple[str, str], list[Attempt]] = defaultdict(list)
    for entry in kept:
        if entry.kind == "attempt":
            attempt = _attempt(entry, outcomes.get((entry.tenant, entry.id)))
            made[attempt.event, attempt.endpoint].append(attempt)
    return made


def _attempt(entry: Entry, outcome: str | None) -> Attempt:
    event, endpoint, means, about = (str(entry.about[name]) for name in ("event", "endpoint", "means", "about"))
    return Attempt(event, endpoint, int(str(entry.about["number"])), means, about, entry.created, outcome)


def sendings_of(entries: Sequence[Entry], webhooks: Webhooks, further: Mapping[str, Reader]) -> list[Sending]:
    """Everything that is to be sent, now or later, in the order in which it is due."""
    endpoints = endpoints_of(entries)
    if not endpoints:
        return []
    made, waits = attempts_of(entries), waits_of(webhooks)
    wanted = (
        _next(event, endpoint, made.get((event.id, endpoint.id), ()), waits)
        for event in events_of(entries, webhooks, further)
        for endpoint in endpoints
        if endpoint.tenant == event.about.tenant and endpoint.since <= event.at
    )
    return sorted((sending for sending in wanted if sending is not None), key=lambda sending: sending.due)


def _next(event: Event, endpoint: Endpoint, made: Sequence[Attempt], waits: Sequence[float]) -> Sending | None:
    """The next delivery of an event: none where it was taken, or the PSP has given up."""
    if any(attempt.taken for attempt in made) or len(made) > len(waits):
        return None
    due = made[-1].at + waits[len(made) - 1] if made else event.at
    return Sending(event, endpoint, len(made) + 1, due)
