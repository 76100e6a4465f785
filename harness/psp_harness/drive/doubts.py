"""Where nobody can say which requests of a watched command are attempts at one call, and why none is. Pure.

What must hold here: a sentence says no more than the traffic shows. Two requests that differ in nothing but their keys,
the first of which a fault of ours left open, may be one order that is charged twice, or two customers who buy the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from psp_harness.drive.calls import Asked, Call, is_any_between, is_uncertain
from psp_harness.drive.naming import looks_for
from psp_harness.profile import Profile

MOST = 3
"""Doubts that are told in full."""


def doubts(calls: Sequence[Call], looks: Sequence[float], profile: Profile) -> str:
    """Why it cannot be told whether some of these calls are one, in a sentence; empty where it can."""
    alike: dict[tuple[object, ...], list[Call]] = {}
    for call in calls:
        alike.setdefault(call.attempts[0].alike, []).append(call)
    told = [sentence for each in alike.values() for sentence in _of_alike(each, looks, profile)]
    more = [f"and so for {len(told) - MOST} more"] if len(told) > MOST else []
    return "; ".join([*told[:MOST], *more])


def _of_alike(calls: Sequence[Call], looks: Sequence[float], profile: Profile) -> Iterator[str]:
    began = [call.attempts[0].exchange.began for call in calls]
    nexts = [(call, bisect_right(began, call.attempts[-1].exchange.began)) for call in calls if call.is_open]
    pairs = [(call, calls[after]) for call, after in nexts if after < len(calls)]
    doubtful = [pair for pair in pairs if pair[0].was_done or not _looked(*pair, looks)]
    if doubtful:
        involved = list({id(call): call for pair in doubtful for call in pair}.values())
        yield _sentence(involved, profile, looked=all(_looked(*pair, looks) for pair in doubtful))


def _looked(first: Call, second: Call, looks: Sequence[float]) -> bool:
    """Something else was asked in between: whoever looks first may take a new key."""
    return is_any_between(looks, first.attempts[-1].exchange.began, second.attempts[0].exchange.began)


def _sentence(calls: Sequence[Call], profile: Profile, *, looked: bool) -> str:
    asked = [attempt for call in calls for attempt in call.attempts]
    first = asked[0]
    numbers = ", ".join(str(each.exchange.number) for each in asked)
    return (
        f"{len(asked)} requests of {first.operation} (exchanges {numbers}) {_common(asked)} and share no key, the "
        f"first was struck by {calls[0].attempts[-1].exchange.fault}, and {_why(first, profile, looked=looked)}"
    )


def _common(asked: Sequence[Asked]) -> str:
    if asked[0].called:
        return f"ask for {str(asked[0].called)!r}"
    if len({each.rest for each in asked}) == 1:
        same = len({each.exchange.request.body for each in asked if each.exchange.request is not None}) == 1
        return f"have the same body{'' if same else ', but for what may be new at each attempt,'}"
    return f"name {' and '.join(f'{value!r}' for _, value in asked[0].names)}"


def _why(first: Asked, profile: Profile, *, looked: bool) -> str:
    if looked:
        return (
            "the PSP had acted: what was asked in between may have shown that, or have been about something else; "
            "let the command pay again only if its look shows that nothing happened"
        )
    if first.called:
        return "nothing says whether that is one order, for it is the name of others, too: give each order its own name"
    place = looks_for(profile, first.operation)
    thing = "refund" if first.operation == "create-refund" else "order"
    where = f"{place}, where profile {profile.name!r} looks for it" if place else f"a member such as {thing}_id"
    return f"nothing says whether they are one {thing} or two: name the {thing} in {where}"


def why_none_again(calls: Sequence[Call], asked: Sequence[Asked], unsure: str) -> str:
    """What there is to say where no call shows a second attempt that could be judged."""
    if unsure:
        return (
            "whether anything was sent a second time cannot be told, as is said of attempts-of-one-call-share-one-key"
        )
    if any(len(call.attempts) > 1 for call in calls):
        return "what was sent a second time had no key"
    left = [each for each in asked if each.exchange.fault is not None and is_uncertain(each.exchange.seen)]
    if not left:
        return "no fault left the sender of what moves money without knowing, so none had to be sent a second time"
    since = {each.alike: each.exchange.began for each in reversed(left)}
    if any(each.exchange.began > since.get(each.alike, each.exchange.began) for each in asked):
        return (
            "what a fault had left open was asked for again after something else had been sent in between: who looks "
            "first may take a new key"
        )
    return "nothing that a fault had left open was asked for again: as far as is to be seen, the client tries once"
