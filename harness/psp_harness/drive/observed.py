"""What was wanted, where nobody said it: the requests of a watched command, grouped into calls. Pure.

An *observed call* is what one request asks for, by its own words: operation, account, and every value in it. A request
belongs to the call of an earlier one only if both ask for the very same, and

- they share their key; or
- a fault of ours left the sender of the earlier one without knowing, both name the same order or refund, and nobody
  looked in between. Where a command shows that it gives one reference to several wishes, references say nothing.

Never by key alone: that would hide two things under one key. Never by content alone: two customers may pay the same.
A request that was refused for certain before its key was used asks for nothing any more, and belongs to no call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from psp_harness.model import Answer, Claims, Effect, Exchange, History, Intent
from psp_harness.profile import Profile, keys_of, operation_of, values_of
from psp_harness.vocabulary import CREATES

_UNCERTAIN = frozenset({408, 409})
"""Beside every 5xx: after these, money may have moved (409: the first attempt is perhaps still at work)."""

_DECLINED = 402
"""No money moved, and the answer may be kept with its key all the same."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request that would move money, in its own words."""

    exchange: Exchange
    operation: str
    account: str
    values: dict[str, object]
    keys: frozenset[bytes]

    @property
    def thing(self) -> tuple[object, ...]:
        """All of it but the key."""
        return self.operation, self.account, *sorted((name, repr(value)) for name, value in self.values.items())

    @property
    def name(self) -> tuple[str, str, object] | None:
        """The order or refund that it is for, as its sender calls it; None where it has no name."""
        called = self.values.get("chosen_id") or self.values.get("reference")
        return (self.operation, self.account, called) if called else None


@dataclass(slots=True)
class _Call:
    """Requests for one and the same thing."""

    attempts: list[_Asked] = field(default_factory=list)

    @property
    def keys(self) -> frozenset[bytes]:
        return frozenset().union(*(attempt.keys for attempt in self.attempts))


def observed(
    case: str, exchanges: Sequence[Exchange], effects: tuple[Effect, ...] | None, profile: Profile, claims: Claims
) -> History:
    """The history of these exchanges: each that would move money with the number of its call as its step."""
    calls = _calls(list(_asked(exchanges, profile)), exchanges)
    step_of = {a.exchange.number: step for step, call in enumerate(calls, 1) for a in call.attempts}
    stepped = tuple(replace(x, step=step_of.get(x.number)) for x in exchanges)
    return History(case, _intents(calls, profile), {}, stepped, effects, claims, observed=True)


def _asked(exchanges: Iterable[Exchange], profile: Profile) -> Iterator[_Asked]:
    accounts: dict[tuple[bytes, ...], str] = {}
    for exchange in sorted(exchanges, key=lambda each: each.began):
        found = operation_of(profile, exchange.request) if exchange.request is not None else None
        if exchange.request is not None and found is not None and found[0] in CREATES:
            whose = tuple(exchange.request.lines(profile.auth.header))
            account = accounts.setdefault(whose, f"account-{len(accounts) + 1}")
            keys = frozenset(keys_of(profile, exchange.request))
            yield _Asked(exchange, found[0], account, found[1], keys)


def _calls(asked: Sequence[_Asked], exchanges: Sequence[Exchange]) -> list[_Call]:
    calls: list[_Call] = []
    of_thing: dict[tuple[object, ...], list[_Call]] = {}
    used: set[tuple[str, bytes]] = set()
    looks = sorted(x.began for x in exchanges if x.operation not in CREATES)
    named = _references_name_one_wish(asked)
    for each in asked:
        if _refused_for_certain(each.exchange.seen) and used.isdisjoint(_in_account(each)):
            continue
        used |= _in_account(each)
        alike = of_thing.setdefault(each.thing, [])
        call = next((c for c in reversed(alike) if c.keys & each.keys or (named and _goes_on(c, each, looks))), None)
        if call is None:
            call = _Call()
            calls.append(call)
            alike.append(call)
        call.attempts.append(each)
    return calls


def _in_account(asked: _Asked) -> set[tuple[str, bytes]]:
    return {(asked.account, key) for key in asked.keys}


def _goes_on(call: _Call, asked: _Asked, looks: Sequence[float]) -> bool:
    """Whether a request with another key tries again what a fault of ours left open."""
    last = call.attempts[-1].exchange
    return (
        last.fault is not None
        and _is_uncertain(last.seen)
        and asked.name is not None
        and not any(last.began < at < asked.exchange.began for at in looks)
    )


def _references_name_one_wish(asked: Sequence[_Asked]) -> bool:
    """False where a name whose wish was fulfilled comes again with another key: a test suite's constant, perhaps."""
    fulfilled: dict[tuple[str, str, object], frozenset[bytes]] = {}
    for each in asked:
        if each.name is None:
            continue
        if each.name in fulfilled and fulfilled[each.name].isdisjoint(each.keys):
            return False
        if each.exchange.fault is None and each.exchange.seen is not None and each.exchange.seen.accepted:
            fulfilled.setdefault(each.name, each.keys)
    return True


def _is_uncertain(seen: Answer | None) -> bool:
    return seen is None or seen.status >= 500 or seen.status in _UNCERTAIN


def _refused_for_certain(seen: Answer | None) -> bool:
    return seen is not None and 400 <= seen.status < 500 and seen.status not in {_DECLINED, *_UNCERTAIN}


def _intents(calls: Sequence[_Call], profile: Profile) -> tuple[Intent, ...]:
    """What each call asks for. A refund of a payment that nobody saw made is of a step that is not there."""
    made = {
        str(values_of(profile, each.operation, each.exchange.answer).get("id") or ""): step
        for step, call in enumerate(calls, 1)
        for each in call.attempts
        if each.operation == "create-payment" and each.exchange.answer is not None and each.exchange.answer.accepted
    }
    made.pop("", None)
    return tuple(_intent(step, call.attempts[0], made) for step, call in enumerate(calls, 1))


def _intent(step: int, asked: _Asked, made: dict[str, int]) -> Intent:
    amount, about = asked.values.get("amount"), None
    whole = amount if isinstance(amount, int) and not isinstance(amount, bool) else None
    if asked.operation == "create-refund":
        about = made.setdefault(str(asked.values.get("payment_id")), -1 - len(made))
    return Intent(
        step=step,
        name=f"call-{step}",
        operation=asked.operation,
        moment=step,
        amount=whole or 0,
        odd_amount=None if whole else repr(amount),
        currency=str(asked.values.get("currency") or ""),
        tenant=asked.account,
        reference=str(asked.values.get("reference") or ""),
        payment=about,
        chosen_id=str(asked.values["chosen_id"]) if asked.values.get("chosen_id") else None,
    )
