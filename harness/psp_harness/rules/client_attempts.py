"""What a client must do when the wire fails: one key, one body, no more attempts than declared, and the truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from psp_harness.model import Done, Failed, History, Refused, Role
from psp_harness.profile import Profile, as_compared, operation_of
from psp_harness.rules import rule
from psp_harness.rules.of_clients import Call, Post, calls, calls_with_several_attempts, posts
from psp_harness.rules.wording import done, lines, named

_NEVER_AGAIN = "no call was sent a second time: where an answer is lost, the client tries once"


def _tried_again_with_keys(history: History, profile: Profile) -> Iterator[Call]:
    return (call for call in calls_with_several_attempts(history, profile) if any(call.keys))


@rule(
    "attempts-of-one-call-share-one-key",
    role=Role.CLIENT,
    on=_tried_again_with_keys,
    money_risk=True,
    needs={"idempotency-key"},
    needs_intent=False,
    otherwise=_NEVER_AGAIN,
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
    otherwise=_NEVER_AGAIN,
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
    allowed = 1 + call.history.claims.retries.max
    if len(call.attempts) <= allowed:
        return None
    return f"{named(call.intent)} was sent {len(call.attempts)} times; declared: {allowed} at most"


def _uncertain(history: History, profile: Profile) -> Iterator[Call]:
    """Calls whose last attempt left its sender without a definite answer."""
    for call in calls(history, profile):
        if call.attempts and (call.attempts[-1].seen is None or call.attempts[-1].seen.status >= 500):
            yield call


@rule(
    "an-uncertain-outcome-is-reported-as-unknown",
    role=Role.CLIENT,
    on=_uncertain,
    money_risk=True,
    source="failure modes C24, C25, C32",
    fix="give the caller an error that says that the outcome is unknown: it must ask the PSP, or try again with the "
    "same key, and never tell the customer that the payment failed",
)
def an_uncertain_outcome_is_reported_as_unknown(call: Call, profile: Profile) -> str | None:
    """Where no answer came, or a 5xx, the client reports that the outcome is unknown: money may have moved."""
    saw = call.attempts[-1].seen
    what = "no complete answer" if saw is None else f"status {saw.status}"
    match call.outcome:
        case Failed(kind="unknown") | None:
            return None
        case Failed(kind=kind):
            return f"{named(call.intent)} got {what}, and the client reports it as {kind!r}{_truth(call)}"
        case Refused():
            return (
                f"{named(call.intent)} was sent and got {what}, and the client reports that it refused to send "
                f"it{_truth(call)}"
            )
        case Done(values) if _was_told_later(call, values):
            return None
        case Done():
            return f"{named(call.intent)} got {what}, and the client reports success"


def _was_told_later(call: Call, values: Mapping[str, object]) -> bool:
    """The client asked the PSP afterwards, and was shown the very thing that it reports."""
    shown = [
        x.seen.body for x in call.history.exchanges if x.seen and x.seen.accepted and x.began > call.attempts[-1].began
    ]
    names = [str(values[name]).encode() for name in ("payment_id", "refund_id") if values.get(name)]
    return any(name in body for name in names for body in shown)


def _truth(call: Call) -> str:
    return f"; in truth it happened: {done(call.effects)}" if call.effects else ""


@rule(
    "one-call-has-one-effect",
    role=Role.CLIENT,
    on=calls_with_several_attempts,
    source="failure modes C05, C16, C22, C23",
    fix="send with every attempt what this PSP goes by: one key, or where it ignores that, an id of yours in the body",
    needs_effects=True,
    needs_intent=False,
    otherwise=_NEVER_AGAIN,
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
