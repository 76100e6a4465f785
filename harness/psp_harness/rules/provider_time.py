"""How long a provider keeps a key: as long as it says, and no longer."""

from __future__ import annotations

from collections.abc import Iterator

from psp_harness.model import History, Role
from psp_harness.profile import Profile, is_in_flight, values_of
from psp_harness.rules import rule
from psp_harness.rules.attribution import id_in
from psp_harness.rules.of_providers import Pair, Persistent, age, expired, persistent, retries

_HOUR = 3600


def _aged_retries(history: History, profile: Profile) -> Iterator[Pair]:
    """Where a retry at once was recognised: otherwise time is not what is wrong."""
    pairs = list(retries(history, profile))
    at_once = [pair for pair in pairs if age(pair) == 0]
    if at_once and all(_ids(pair, profile)[0] == _ids(pair, profile)[1] for pair in at_once):
        yield from (pair for pair in pairs if age(pair) > 0)


def _ids(pair: Pair, profile: Profile) -> tuple[str, str]:
    return id_in(pair.first.answer, pair.first_intent, profile), id_in(pair.second.answer, pair.second_intent, profile)


def _originals_expired(history: History, profile: Profile) -> Iterator[Pair]:
    """Only against the first request of its key: a replay does not prolong anything."""
    first: dict[bytes, int] = {}
    for pair in expired(history, profile):
        key = pair.first_intent.key or b""
        if first.setdefault(key, pair.first.number) == pair.first.number:
            yield pair


@rule(
    "a-key-lives-as-long-as-documented",
    role=Role.PROVIDER,
    on=_aged_retries,
    needs={"clock", "key-lifetime", "replay"},
    source="the profile's key lifetime; failure modes P27, P31",
    fix="keep the key with its answer in durable storage until its time is over",
)
def a_key_lives_as_long_as_documented(pair: Pair, profile: Profile) -> str | None:
    """Before its time is over, a key that comes again is still recognised."""
    first, again = _ids(pair, profile)
    if first == again:
        return None
    status = pair.second.answer.status if pair.second.answer else "nothing"
    return (
        f"after {age(pair) / _HOUR:g} h the same request with the same key was answered {status} {again}, not {first}"
    )


@rule(
    "an-expired-key-is-a-new-request",
    role=Role.PROVIDER,
    on=_originals_expired,
    needs={"clock", "key-lifetime"},
    source="the profile's key lifetime; failure modes P27, P28, P29",
    fix="count the lifetime from the first request, and let all of the key go at once: its answer and its lock",
)
def an_expired_key_is_a_new_request(pair: Pair, profile: Profile) -> str | None:
    """After its time is over, counted from the first request, a key is a new one."""
    answer = pair.second.answer
    again = id_in(answer, pair.second_intent, profile)
    if again and again != id_in(pair.first.answer, pair.first_intent, profile):
        return None
    said = f"{answer.status if answer else 'nothing'} {again}".strip()
    return f"{age(pair) / _HOUR:g} h after the first request its key was answered {said}: expected a new payment"


@rule(
    "a-key-is-never-stuck",
    role=Role.PROVIDER,
    on=persistent,
    needs={"idempotency-key"},
    source="failure mode P21",
    fix="free the key, or store the answer, in a finally that runs when the sender is gone, too; give a claim a lease",
    otherwise="no request was left by its sender",
)
def a_key_is_never_stuck(one: Persistent, profile: Profile) -> str | None:
    """After its sender is gone, a request comes to an end, and its key does not stay in flight."""
    answer = one.last.answer
    if answer is None or not is_in_flight(answer, profile):
        return None
    if one.last.operation and values_of(profile, one.last.operation, answer).get("id"):
        return None  # what was made is named: a repetition that is answered wrongly, and not one that is stuck
    waited = one.last.ended - one.first.began
    return f"{waited:.0f} s after its sender was gone, the key is still answered as in flight ({answer.status})"
