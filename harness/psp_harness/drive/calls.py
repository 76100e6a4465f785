"""Requests that would move money, in their own words, and the calls that they are attempts at. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from psp_harness.drive.naming import names_in, rest_of
from psp_harness.model import Answer, Exchange
from psp_harness.profile import Profile, keys_of, operation_of
from psp_harness.vocabulary import CREATES

UNCERTAIN = frozenset({408, 409})
"""Beside every 5xx: after these, money may have moved (409: the first attempt is perhaps still at work)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that would move money, in its own words."""

    exchange: Exchange
    operation: str
    account: str
    values: dict[str, object]
    keys: frozenset[bytes]
    names: tuple[tuple[str, str], ...]
    """What names its order, beside where the profile looks."""
    rest: object
    """Its body, but for the key and for what may be new at each attempt."""

    @property
    def thing(self) -> tuple[object, ...]:
        """All of it that the profile reads, but the key."""
        return self.operation, self.account, *sorted((name, repr(value)) for name, value in self.values.items())

    @property
    def called(self) -> object:
        """What its sender calls the order or refund, where the profile looks for that."""
        return self.values.get("chosen_id") or self.values.get("reference")

    @property
    def name(self) -> tuple[object, ...] | None:
        """The order or refund that it is for; None where nothing in it names one."""
        named = self.called or self.names
        return (self.operation, self.account, named) if named else None

    @property
    def alike(self) -> tuple[object, ...]:
        """Two that differ in it cannot be attempts at one call."""
        return (self.thing,) if self.called else (self.thing, self.names or self.rest)


@dataclass(slots=True)
class Call:
    """Requests for one and the same thing."""

    attempts: list[Asked] = field(default_factory=list)

    @property
    def keys(self) -> frozenset[bytes]:
        """Of all its attempts."""
        return frozenset().union(*(attempt.keys for attempt in self.attempts))

    @property
    def is_open(self) -> bool:
        """A fault of ours left the sender of its last attempt without knowing."""
        last = self.attempts[-1].exchange
        return last.fault is not None and is_uncertain(last.seen)

    @property
    def was_done(self) -> bool:
        """The PSP said yes to one of its attempts, whether or not anybody saw that."""
        return any(a.exchange.answer is not None and a.exchange.answer.accepted for a in self.attempts)


def asked_of(exchanges: Iterable[Exchange], profile: Profile) -> Iterator[Asked]:
    """Each request that would move money, in the order in which they began."""
    accounts: dict[tuple[bytes, ...], str] = {}
    for exchange in sorted(exchanges, key=lambda each: each.began):
        request = exchange.request
        found = operation_of(profile, request) if request is not None else None
        if request is not None and found is not None and found[0] in CREATES:
            operation, values = found
            whose = tuple(request.lines(profile.auth.header))
            account = accounts.setdefault(whose, f"account-{len(accounts) + 1}")
            said = names_in(profile, operation, request), rest_of(profile, operation, request)
            yield Asked(exchange, operation, account, values, frozenset(keys_of(profile, request)), *said)


def is_uncertain(seen: Answer | None) -> bool:
    """Whoever saw this cannot know whether money moved."""
    return seen is None or seen.status >= 500 or seen.status in UNCERTAIN


def is_any_between(times: Sequence[float], after: float, before: float) -> bool:
    """Whether one of these times, which are sorted, lies between the two."""
    found = bisect_right(times, after)
    return found < len(times) and times[found] < before
