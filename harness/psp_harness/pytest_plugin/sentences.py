"""What is wrong with what a test saw, in one sentence, or nothing: one function for each assertion. Pure."""

from __future__ import annotations

from psp_harness import rules as catalogue
from psp_harness.judge import hold
from psp_harness.model import Exchange, Role
from psp_harness.plan import available
from psp_harness.pytest_plugin.seen import Seen
from psp_harness.rules.wording import lines
from psp_harness.vocabulary import EFFECT_KIND


def one_key(seen: Seen, operation: str | None, attempts: int | None) -> str:
    """Several attempts, or exactly `attempts`, with one key."""
    posts = seen.posts(operation)
    operations = sorted({str(x.operation) for x in posts})
    if len(operations) > 1:
        return (
            f"requests of {' and '.join(operations)} arrived, which have keys of their own: name the one that is meant"
        )
    what = operation or (operations[0] if operations else "what moves money")
    if attempts is not None and len(posts) != attempts:
        return f"{_times(len(posts))} of {what} arrived, not {attempts}"
    if attempts is None and len(posts) < 2:
        return (
            f"{_times(len(posts))} of {what} arrived, so no second attempt shows whether it keeps the key: let the "
            "client try again, or say attempts=1"
        )
    keys = [seen.keys_of(x) for x in posts]
    if any(len(each) != 1 or not each[0] for each in keys):
        return f"not every request of {what} carried one key: {', '.join(lines(each) for each in keys)}"
    different = list(dict.fromkeys(each[0] for each in keys))
    return (
        ""
        if len(different) == 1
        else f"{_times(len(posts))} of {what} carried {len(different)} keys: {lines(different)}"
    )


def this_key(seen: Seen, key: str, operation: str | None) -> str:
    """Exactly this key on every request."""
    posts = seen.posts(operation)
    if not posts:
        return f"no request of {operation or 'what moves money'} arrived that could carry the key {key!r}"
    wanted = (key.encode(),)
    other = [seen.keys_of(x) for x in posts if seen.keys_of(x) != wanted]
    return f"a request carried {lines(other[0])}, not the key {key!r}" if other else ""


def keys_unlike(seen: Seen, operation: str | None) -> str:
    """No key on two calls."""
    calls: list[Exchange] = []
    for post in seen.posts(operation):
        again = next(
            (x for x in calls if _is_open(x) and _same(x, post) and seen.keys_of(x) == seen.keys_of(post)), None
        )
        if again is None:
            calls.append(post)
    if len(calls) < 2:
        return f"{len(calls)} call arrived: unlike keys take two" if calls else "nothing arrived that moves money"
    first: dict[bytes, Exchange] = {}
    for call in calls:
        if not (keys := seen.keys_of(call)):
            return f"request {call.number} carried no key"
        for key in keys:
            if key in first:
                return f"requests {first[key].number} and {call.number} are two calls, and share {lines([key])}"
            first[key] = call
    return ""


def _is_open(exchange: Exchange) -> bool:
    """Its sender could not know what became of it."""
    return exchange.seen is None or exchange.seen.status >= 500 or exchange.seen.status in {408, 409, 425, 429}


def _same(one: Exchange, other: Exchange) -> bool:
    assert one.request is not None
    assert other.request is not None
    return (one.request.target, one.request.body) == (other.request.target, other.request.body)


def attempts(seen: Seen, number: int, operation: str | None) -> str:
    """So many requests."""
    posts = seen.posts(operation)
    if len(posts) == number:
        return ""
    return f"{_times(len(posts))} of {operation or 'what moves money'} arrived, not {number}"


def effects(seen: Seen, number: int, operation: str | None, amount: int | None) -> str:
    """So many movements of money."""
    kind = EFFECT_KIND.get(operation or "")
    mine = [e for e in seen.effects if kind in {None, e.kind} and amount in {None, e.amount}]
    if len(mine) == number:
        return ""
    of = "" if amount is None else f" of {amount}"
    return f"money moved {len(mine)} times{of}{f' by {operation}' if operation else ''}, not {number}"


def rules(seen: Seen) -> str:
    """Every rule that binds without intent, and none of them is left open."""
    if not seen.posts(None):
        return "nothing arrived that moves money: no rule had anything to judge"
    history = seen.history
    features = available(seen.profile, Role.CLIENT, history.claims, {"effects"}, ()) | {"refunds"}
    broken = [
        f"{rule.id} ({rule.level}): {problem.sentence}\n  fix: {rule.fix}"
        for rule in catalogue.load().values()
        if rule.role is Role.CLIENT and not rule.needs_intent and rule.needs <= features
        for problem in hold(rule, history, seen.profile).problems
    ]
    return "\n".join(broken) or (f"cannot tell: {history.unsure}" if history.unsure else "")


def _times(number: int) -> str:
    return "1 request" if number == 1 else f"{number} requests"
