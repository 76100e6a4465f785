"""What a client must do when it is asked again: one key for one wish, and a loud error where a key was another's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psp_harness.model import Done, Effect, Failed, History, Role
from psp_harness.profile import Profile
from psp_harness.rules import rule
from psp_harness.rules.of_clients import Call, calls
from psp_harness.rules.wording import done, key, lines, named
from psp_harness.vocabulary import EFFECT_KIND


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """One payment or refund that was asked for twice, because nobody knew what had become of it."""

    first: Call
    again: Call

    @property
    def exchanges(self) -> tuple[int, ...]:
        return (*self.first.exchanges, *self.again.exchanges)


def _asked_again(history: History, profile: Profile) -> Iterator[AskedAgain]:
    """Where the given key was sent, or the client says that it keeps its own; each call has one key in itself."""
    before: dict[tuple[str, str], Call] = {}
    for call in calls(history, profile):
        wish = call.intent.operation, call.intent.reference
        first = before.setdefault(wish, call)
        if first is call or not profile.takes_key(call.intent.operation):
            continue
        if _has_a_lasting_key(first) and _has_a_lasting_key(call) and _was_open(first):
            yield AskedAgain(first, call)


def _has_a_lasting_key(call: Call) -> bool:
    if len(set(call.keys)) != 1:
        return False
    claims, intent = call.history.claims.features, call.intent
    if intent.key is not None:
        return call.keys[0] == (intent.key,)
    return "keeps-keys" in claims or (intent.payment is not None and "refund-id-is-key" in claims)


def _was_open(call: Call) -> bool:
    return call.outcome is None or (isinstance(call.outcome, Failed) and call.outcome.kind == "unknown")


@rule(
    "asked-again-the-key-is-the-same",
    role=Role.CLIENT,
    on=_asked_again,
    needs={"idempotency-key"},
    money_risk=True,
    source="failure modes C06, C13, C14, C15",
    fix="write the key down with the order or refund, before the first request, and read it from there ever after: it "
    "outlives an error, a restart and a crash",
)
def asked_again_the_key_is_the_same(asked: AskedAgain, profile: Profile) -> str | None:
    """A payment or refund that is asked for again, because its outcome is unknown, is sent with the key it had."""
    first, again = ({line for each in call.keys for line in each} for call in (asked.first, asked.again))
    if again <= first:
        return None
    how = "its client was ended" if asked.first.outcome is None else "its outcome was unknown"
    return (
        f"{named(asked.again.intent)} was sent with {lines(sorted(first))}; after {how} it was asked for again, and "
        f"sent with {lines(sorted(again))}"
    )


@rule(
    "asked-again-it-happens-once",
    role=Role.CLIENT,
    on=_asked_again,
    needs={"idempotency-key"},
    needs_effects=True,
    source="failure modes C06, C13, C14, C15, C23",
    fix="send the second request for one order as the first was sent: the same key, body, address and account",
)
def asked_again_it_happens_once(asked: AskedAgain, profile: Profile) -> str | None:
    """A payment or refund that is asked for again, because its outcome is unknown, moves money once."""
    effects = asked.again.effects
    if effects is None or len(effects) <= 1:
        return None
    return f"{named(asked.again.intent)} was asked for twice, and happened {len(effects)} times: {done(effects)}"


@dataclass(frozen=True, slots=True)
class SentLater:
    """One wish that was sent more than once, by one call or by two, and the seconds from the first to the last."""

    call: Call
    seconds: float
    exchanges: tuple[int, ...]


def _sent_later(history: History, profile: Profile) -> Iterator[SentLater]:
    """With a key that both share, to a PSP that says how long it keeps one."""
    first: dict[tuple[str, str], Call] = {}
    for call in calls(history, profile):
        earliest = first.setdefault((call.intent.operation, call.intent.reference), call) if call.attempts else call
        shared = {line for keys in earliest.keys for line in keys} & {line for keys in call.keys for line in keys}
        if not shared or not profile.takes_key(call.intent.operation):
            continue
        begun, last = earliest.attempts[0], call.attempts[-1]
        if begun is not last:
            seconds = call.intent.at + last.began - earliest.intent.at - begun.began
            yield SentLater(call, seconds, (begun.number, last.number))


@rule(
    "retries-end-before-the-key-expires",
    role=Role.CLIENT,
    on=_sent_later,
    needs={"idempotency-key", "key-lifetime"},
    money_risk=True,
    source="failure mode C22; the time is the profile's",
    fix="write down when a key was first sent, and once the PSP may have forgotten it read what became of the payment, "
    "rather than send it again",
)
def retries_end_before_the_key_expires(sent: SentLater, profile: Profile) -> str | None:
    """A key is not sent again when the PSP may have forgotten it."""
    kept = profile.lifetime(sent.call.intent.operation)
    if kept is None or sent.seconds < kept:
        return None
    return (
        f"{named(sent.call.intent)} was sent again with its key {sent.seconds / 3600:.1f} h after the first time; the "
        f"PSP keeps a key for {kept / 3600:g} h, and takes this one for new"
    )


@dataclass(frozen=True, slots=True)
class Reused:
    """A call whose key was used before it for something else, and that the PSP refused for that."""

    first: Call
    again: Call

    @property
    def exchanges(self) -> tuple[int, ...]:
        return (*self.first.exchanges, *self.again.exchanges)


def _reused(history: History, profile: Profile) -> Iterator[Reused]:
    used: dict[tuple[str, bytes], Call] = {}
    for call in calls(history, profile):
        if call.intent.key is None or not call.attempts:
            continue
        first = used.setdefault((call.intent.operation, call.intent.key), call)
        answers = [attempt.seen for attempt in call.attempts if attempt.seen]
        refused = bool(answers) and all(400 <= answer.status < 500 for answer in answers)
        if first.intent.reference != call.intent.reference and refused:
            yield Reused(first, call)


@rule(
    "a-refused-key-is-a-loud-error",
    role=Role.CLIENT,
    on=_reused,
    needs={"idempotency-key", "caller-keys", "used-keys-refused"},
    money_risk=True,
    source="draft-ietf-httpapi-idempotency-key-header section 2.7; failure mode C29",
    fix="raise an error where the PSP refuses a key that was used: what it made under that key is something else",
)
def a_refused_key_is_a_loud_error(reused: Reused, profile: Profile) -> str | None:
    """Where the PSP refuses a key that was used for something else, the client reports an error, and no decline."""
    outcome, asked = reused.again.outcome, named(reused.again.intent)
    given = key(reused.again.intent.key or b"")
    if isinstance(outcome, Done):
        return (
            f"{asked} was refused, for its key {given} was that of {named(reused.first.intent)}; the client reports "
            f"success: {dict(outcome.values)!r}"
        )
    if isinstance(outcome, Failed) and outcome.kind == "declined":
        return f"{asked} was refused, for its key {given} had been used; the client reports that it was declined"
    return None


@dataclass(frozen=True, slots=True)
class Booked:
    """What was asked for or sent more than once, what of it happened, and what of it the client has booked."""

    call: Call
    happened: tuple[Effect, ...]
    booked: tuple[Effect, ...]
    exchanges: tuple[int, ...]


def _booked(history: History, profile: Profile) -> Iterator[Booked]:
    """By kind and amount: whose of two like payments a row is, the client's own ids do not tell."""
    alike: dict[tuple[str, int], list[Call]] = {}
    for call in calls(history, profile):
        alike.setdefault((EFFECT_KIND[call.intent.operation], call.intent.amount), []).append(call)
    for what, asked in alike.items():
        sent = tuple(number for call in asked for number in call.exchanges)
        if history.booked is None or history.effects is None or not sent or max(len(sent), len(asked)) < 2:
            continue
        happened, booked = (
            tuple(e for e in each if (e.kind, e.amount) == what) for each in (history.effects, history.booked)
        )
        yield Booked(asked[-1], happened, booked, sent)


@rule(
    "what-happened-once-is-booked-once",
    role=Role.CLIENT,
    on=_booked,
    needs={"keeps-books"},
    needs_effects=True,
    source="draft-ietf-httpapi-idempotency-key-header section 2.6: a retry gets the first result; failure mode C28",
    fix="book a payment under its order's id or the PSP's, held UNIQUE: a 2xx says that it exists, not that it is new",
)
def what_happened_once_is_booked_once(booked: Booked, profile: Profile) -> str | None:
    """What happened once stands once in the client's books, however often the PSP has told of it."""
    if len(booked.booked) <= len(booked.happened):
        return None
    stands, truth = (f"{_times(len(each))} ({done(each) or 'nothing'})" for each in (booked.booked, booked.happened))
    return f"{named(booked.call.intent)} stands in the client's books {stands}, and happened {truth}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
