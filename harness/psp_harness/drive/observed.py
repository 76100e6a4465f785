"""What was wanted, where nobody said it: the requests of a watched command, grouped into calls. Pure.

An *observed call* is what one request asks for, by its own words: operation, account, and every value in it. A request
belongs to the call of an earlier one only if both ask for the very same, and

- they share their key; or
- a fault of ours left the sender of the earlier one without knowing, both name the same order or refund, where the
  profile looks or by a member or header line that says so (`drive.naming`), and nobody looked in between. Where a
  command shows that it gives one reference to several wishes, references say nothing.

Never by key alone: that would hide two things under one key. Never by content alone: two customers may pay the same;
where that is all there is to go by, nobody can tell, and the history says so (`drive.doubts`).
A request that was refused for certain before its key was used asks for nothing any more, and belongs to no call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from psp_harness.drive.calls import UNCERTAIN, Asked, Call, asked_of, is_any_between
from psp_harness.drive.doubts import doubts, why_none_again
from psp_harness.model import Answer, Claims, Effect, Exchange, History, Intent
from psp_harness.profile import Profile, values_of
from psp_harness.vocabulary import CREATES

_DECLINED = 402
"""No money moved, and the answer may be kept with its key all the same."""


def observed(
    case: str, exchanges: Sequence[Exchange], effects: tuple[Effect, ...] | None, profile: Profile, claims: Claims
) -> History:
    """The history of these exchanges: each that would move money with the number of its call as its step."""
    looks = sorted(x.began for x in exchanges if x.operation not in CREATES)
    asked = list(asked_of(exchanges, profile))
    calls = _calls(asked, looks)
    step_of = {a.exchange.number: step for step, call in enumerate(calls, 1) for a in call.attempts}
    stepped = tuple(replace(x, step=step_of.get(x.number)) for x in exchanges)
    unsure = doubts(calls, looks, profile)
    again = why_none_again(calls, asked, unsure)
    intents = _intents(calls, profile)
    return History(case, intents, {}, stepped, effects, claims, observed=True, unsure=unsure, none_again=again)


def _calls(asked: Sequence[Asked], looks: Sequence[float]) -> list[Call]:
    calls: list[Call] = []
    of_thing: dict[tuple[object, ...], list[Call]] = {}
    used: set[tuple[str, bytes]] = set()
    named = {place: _references_name_one_wish([a for a in asked if bool(a.called) is place]) for place in (True, False)}
    for each in asked:
        if _refused_for_certain(each.exchange.seen) and used.isdisjoint(_in_account(each)):
            continue
        used |= _in_account(each)
        alike = of_thing.setdefault(each.thing, [])
        trusts = named[bool(each.called)]
        call = next((c for c in reversed(alike) if c.keys & each.keys or (trusts and _goes_on(c, each, looks))), None)
        if call is None:
            call = Call()
            calls.append(call)
            alike.append(call)
        call.attempts.append(each)
    return calls


def _in_account(asked: Asked) -> set[tuple[str, bytes]]:
    return {(asked.account, key) for key in asked.keys}


def _goes_on(call: Call, asked: Asked, looks: Sequence[float]) -> bool:
    """Whether a request with another key tries again what a fault of ours left open."""
    last = call.attempts[-1]
    return (
        call.is_open
        and asked.name is not None
        and asked.name == last.name
        and bool(asked.called or asked.rest == last.rest)
        and not is_any_between(looks, last.exchange.began, asked.exchange.began)
    )


def _references_name_one_wish(asked: Sequence[Asked]) -> bool:
    """False where a name whose wish was fulfilled comes again with another key: a test suite's constant, perhaps."""
    fulfilled: dict[tuple[object, ...], frozenset[bytes]] = {}
    for each in asked:
        if each.name is None:
            continue
        if each.name in fulfilled and fulfilled[each.name].isdisjoint(each.keys):
            return False
        if each.exchange.fault is None and each.exchange.seen is not None and each.exchange.seen.accepted:
            fulfilled.setdefault(each.name, each.keys)
    return True


def _refused_for_certain(seen: Answer | None) -> bool:
    return seen is not None and 400 <= seen.status < 500 and seen.status not in {_DECLINED, *UNCERTAIN}


def _intents(calls: Sequence[Call], profile: Profile) -> tuple[Intent, ...]:
    """What each call asks for. A refund of a payment that nobody saw made is of a step that is not there."""
    made = {
        str(values_of(profile, each.operation, each.exchange.answer).get("id") or ""): step
        for step, call in enumerate(calls, 1)
        for each in call.attempts
        if each.operation == "create-payment" and each.exchange.answer is not None and each.exchange.answer.accepted
    }
    made.pop("", None)
    return tuple(_intent(step, call.attempts[0], made) for step, call in enumerate(calls, 1))


def _intent(step: int, asked: Asked, made: dict[str, int]) -> Intent:
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
        reference=str(asked.values.get("reference") or (asked.names[0][1] if asked.names else "")),
        payment=about,
        chosen_id=str(asked.values["chosen_id"]) if asked.values.get("chosen_id") else None,
    )
