"""What a client must do when the wire fails: one key, one body, no more attempts than declared, and one effect."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from psp_harness.model import Exchange, History, Role
from psp_harness.profile import Profile, as_compared, operation_of
from psp_harness.rules import rule
from psp_harness.rules.of_clients import (
    Call,
    Post,
    TriedAgain,
    all_tried_again,
    calls,
    calls_with_several_attempts,
    posts,
    tried_again,
)
from psp_harness.rules.wording import done, lines, named

_NEVER_AGAIN = "no call was sent a second time: where an answer is lost, the client tries once"


def _none_again(histories: Sequence[History]) -> str:
    """Of traffic that was watched, as far as it shows."""
    return next((history.none_again for history in histories if history.none_again), _NEVER_AGAIN)


def _unsure(history: History) -> str:
    return history.unsure


def _tried_again_with_keys(history: History, profile: Profile) -> Iterator[Call]:
    return (call for call in calls_with_several_attempts(history, profile) if any(call.keys))


@rule(
    "attempts-of-one-call-share-one-key",
    role=Role.CLIENT,
    on=_tried_again_with_keys,
    money_risk=True,
    needs={"idempotency-key"},
    needs_intent=False,
    otherwise=_none_again,
    unsure=_unsure,
    source="RFC 9110 section 9.2.2; failure modes C05, C07, C21, C26",
    fix="make the key once, before the first attempt, and let every attempt send it",
)
def attempts_of_one_call_share_one_key(call: Call, profile: Profile) -> str | None:
    """Every attempt of one call carries the same key."""
    if len(set(call.keys)) == 1:
        return None
    seen = ", ".join(lines(each) for each in call.keys)
    return f"{named(call.intent)}{_as_called(call)} was sent {len(call.attempts)} times with different keys: {seen}"


def _as_called(call: Call) -> str:
    """Of traffic that was watched, by which its attempts are known: two orders that share it are no two orders."""
    reference = call.intent.chosen_id or call.intent.reference
    return f" for {reference!r}" if call.history.observed and reference else ""


@rule(
    "attempts-of-one-call-share-one-body",
    role=Role.CLIENT,
    on=_tried_again_with_keys,
    needs={"idempotency-key"},
    needs_intent=False,
    otherwise=_none_again,
    source="draft-ietf-httpapi-idempotency-key-header section 2.2; failure modes C10, C16",
    fix="serialise the body once, before the first attempt, and send those bytes again",
)
def attempts_of_one_call_share_one_body(call: Call, profile: Profile) -> str | None:
    """Every attempt of one call sends to the same address a body that the PSP takes for the same one."""
    asked = {(x.request.method, x.request.target, as_compared(profile, x.request)) for x in call.attempts if x.request}
    if len(asked) == 1:
        return None
    return (
        f"{named(call.intent)} was sent {len(call.attempts)} times with {len(asked)} different bodies: the PSP "
        "refuses, or executes, the second"
    )


def _struck_calls(history: History, profile: Profile) -> Iterator[Call]:
    return (call for call in calls(history, profile) if any(attempt.fault for attempt in call.attempts))


@rule(
    "tries-no-more-than-declared",
    role=Role.CLIENT,
    on=_struck_calls,
    source="RFC 9110 section 9.2.2; failure mode C21",
    fix="turn off the retries of the libraries below you, or declare them: nobody designed an undeclared retry",
)
def tries_no_more_than_declared(call: Call, profile: Profile) -> str | None:
    """A call is attempted once, and beyond that only as often as the client declares."""
    allowed, made = 1 + call.history.claims.retries.max, 1 + len(list(tried_again(call, profile)))
    return None if made <= allowed else f"{named(call.intent)} was sent {made} times; declared: {allowed} at most"


_WORD = re.compile("lost|malformed|[1-5]xx|[1-5][0-9][0-9]")
"""The events of which it can be told whether they happened."""


def _tried_again_by_declaration(history: History, profile: Profile) -> Iterator[TriedAgain]:
    """After what a fault answered: whether any other answer came in time, its sender knows alone."""
    declared = history.claims.retries.on
    if declared and all(_WORD.fullmatch(word) for word in declared):
        yield from (tried for tried in all_tried_again(history, profile) if tried.first.fault)


@rule(
    "tries-again-only-on-what-it-declares",
    role=Role.CLIENT,
    on=_tried_again_by_declaration,
    source="failure modes C21, C27; docs/subject-protocol.md: `retries` declares what the client retries by itself",
    fix="try again only after what may be over the next time, and declare all of it: nobody designed the rest",
    otherwise=_NEVER_AGAIN,
)
def tries_again_only_on_what_it_declares(tried: TriedAgain, profile: Profile) -> str | None:
    """A client tries again only after the events that it declares."""
    seen, declared = tried.first.seen, tried.call.history.claims.retries.on
    if declared & _events(tried.first):
        return None
    what = "no complete answer" if seen is None else f"status {seen.status}"
    return f"{named(tried.call.intent)} was sent again after {what}; declared: {', '.join(sorted(declared))}"


def _events(attempt: Exchange) -> set[str]:
    """In the words of the protocol; a body that is not the PSP's is malformed to those who look at it."""
    events = {"malformed"} if attempt.fault else set()
    if attempt.seen is None or attempt.broken_off:
        events |= {"lost"}
    if attempt.seen is not None:
        events |= {str(attempt.seen.status), f"{attempt.seen.status // 100}xx"}
    return events


def _asked_once_and_tried_again(history: History, profile: Profile) -> Iterator[Call]:
    return (call for call in calls_with_several_attempts(history, profile) if call.is_asked_once)


@rule(
    "one-call-has-one-effect",
    role=Role.CLIENT,
    on=_asked_once_and_tried_again,
    source="failure modes C05, C16, C22, C23",
    fix="send with every attempt what this PSP goes by: one key, or where it ignores that, an id of yours in the body",
    needs_effects=True,
    needs_intent=False,
    otherwise=_none_again,
    unsure=_unsure,
)
def one_call_has_one_effect(call: Call, profile: Profile) -> str | None:
    """A call that took several attempts moved money at most once."""
    if call.effects is None or len(call.effects) <= 1:
        return None
    return f"{named(call.intent)} happened {len(call.effects)} times: {done(call.effects)}"


@rule(
    "every-post-was-asked-for",
    role=Role.CLIENT,
    on=posts,
    money_risk=True,
    source="failure modes C16, R06",
    fix="send the amount that you were given, in minor units, unchanged",
)
def every_post_was_asked_for(post: Post, profile: Profile) -> str | None:
    """Every POST that moves money is for an amount that somebody asked for."""
    if post.intent is None:
        return f"nobody asked for this amount: {_asked(post)}"
    found = operation_of(profile, post.exchange.request) if post.exchange.request else None
    currency = found[1].get("currency") if found else None
    if currency is None or str(currency).upper() == post.intent.currency:
        return None
    return f"{named(post.intent)} was asked for in {post.intent.currency}, and sent in {currency}"


def _asked(post: Post) -> str:
    body = post.exchange.request.body if post.exchange.request else b""
    return body[:200].decode("utf-8", "backslashreplace")
