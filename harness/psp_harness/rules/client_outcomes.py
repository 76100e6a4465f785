"""What a client tells its caller: what it cannot know it calls unknown, and a yes or a decline is the PSP's."""

from __future__ import annotations

from collections.abc import Iterator

from psp_harness.model import Answer, Done, Exchange, Failed, History, Level, Refused, Role
from psp_harness.profile import Profile, is_in_flight
from psp_harness.rules import rule
from psp_harness.rules.of_clients import Call, calls
from psp_harness.rules.wording import done, named

_BEFORE_THE_KEY = frozenset({401, 403, 429})
"""Said of one request before its key was looked at: it tells nothing of an attempt before."""


def _uncertain(history: History, profile: Profile) -> Iterator[Call]:
    """Calls whose attempts left their sender without a definite answer."""
    return (call for call in calls(history, profile) if call.attempts and _left_open(call, profile))


def _left_open(call: Call, profile: Profile) -> bool:
    *before, last = call.attempts
    if last.seen is not None and last.seen.status in _BEFORE_THE_KEY:
        return any(_tells_nothing(attempt.seen, profile) for attempt in before)
    return _tells_nothing(last.seen, profile)


def _tells_nothing(seen: Answer | None, profile: Profile) -> bool:
    return seen is None or seen.status >= 500 or is_in_flight(seen, profile)


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
    """Where no attempt got a definite answer, the client reports that the outcome is unknown: money may have moved."""
    what = _got(call)
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
        case Done() if _was_shown(call):
            return None
        case Done():
            return f"{named(call.intent)} got {what}, and the client reports success"


def _got(call: Call) -> str:
    saw = call.attempts[-1].seen
    last = "no complete answer" if saw is None else f"status {saw.status}"
    return f"{last} to its last attempt of {len(call.attempts)}" if len(call.attempts) > 1 else last


def _truth(call: Call) -> str:
    return f"; in truth it happened: {done(call.effects)}" if call.effects else ""


def _was_shown(call: Call) -> bool:
    """The PSP answered this call, or a question afterwards, with the very thing that the client reports.

    Of a call that shows no attempt it may be any answer: what it sent is perhaps for another amount, which another rule
    says, or it knows from an earlier call what became of the order.
    """
    assert isinstance(call.outcome, Done)
    began = call.attempts[0].began if call.attempts else 0.0
    shown = [x for x in call.history.exchanges if x.seen and x.seen.accepted and x.began >= began]
    mine = [x for x in shown if x in call.attempts or _is_a_read(x) or not call.attempts]
    names = [str(call.outcome.values[n]).encode() for n in ("payment_id", "refund_id") if call.outcome.values.get(n)]
    return any(name in x.seen.body for name in names for x in mine if x.seen)


def _is_a_read(exchange: Exchange) -> bool:
    return exchange.request is not None and exchange.request.method == "GET"


def _successes(history: History, profile: Profile) -> Iterator[Call]:
    """Where success is reported."""
    return (call for call in calls(history, profile) if isinstance(call.outcome, Done))


@rule(
    "a-success-is-what-the-psp-answered",
    role=Role.CLIENT,
    on=_successes,
    money_risk=True,
    source="failure modes C24, C29",
    fix="report success where a 2xx names what was made, with the id that it names, and nowhere else",
)
def a_success_is_what_the_psp_answered(call: Call, profile: Profile) -> str | None:
    """A success names what the PSP named, in its answer to this call or to a question about it."""
    if _was_shown(call):
        return None
    assert isinstance(call.outcome, Done)
    what = f"got {_got(call)}" if call.attempts else "never reached the PSP"
    return f"{named(call.intent)} {what}, and the client reports success: {dict(call.outcome.values)!r}"


_PAYMENT_REQUIRED = 402


def _refused_on_the_way(history: History, profile: Profile) -> Iterator[Call]:
    """By something that never asked the bank: nobody, or a fault that answered the last attempt with another 4xx."""
    sends = any(x.request is not None for x in history.exchanges)  # who sends nothing at all proves nothing
    unheard = {x.step for x in history.exchanges if x.request is None and x.fault and sends}
    for call in calls(history, profile):
        last = call.attempts[-1] if call.attempts else None
        if last is None and call.intent.step in unheard:
            yield call
        if last is None or last.seen is None or not last.fault:
            continue
        no = 400 <= last.seen.status < 500 and last.seen.status != _PAYMENT_REQUIRED
        if no and not _left_open(call, profile):
            yield call


@rule(
    "a-decline-is-what-the-psp-declined",
    role=Role.CLIENT,
    level=Level.SHOULD,
    on=_refused_on_the_way,
    source="failure modes C25, C26",
    fix="keep 'declined' for what the PSP says of the money; what is refused for another reason may work later",
)
def a_decline_is_what_the_psp_declined(call: Call, profile: Profile) -> str | None:
    """A payment is reported as declined only where the PSP said no to the money."""
    if not isinstance(call.outcome, Failed) or call.outcome.kind != "declined":
        return None
    what = f"got {_got(call)}" if call.attempts else "never reached the PSP"
    return f"{named(call.intent)} {what}, and the client reports that it was declined"
