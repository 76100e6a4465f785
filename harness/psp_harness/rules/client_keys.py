"""What a client must do with idempotency keys: one on every call, the caller's, and never one that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from psp_harness.model import History, Intent, Level, Refused, Role
from psp_harness.profile import Profile
from psp_harness.rules import rule
from psp_harness.rules.of_clients import Call, Post, calls, posts
from psp_harness.rules.wording import fault_of, is_written_as_documented, key, lines, named


def _posts_to_be_keyed(history: History, profile: Profile) -> Iterator[Post]:
    """Requests that ought to carry a usable key: their step gave one, or none to a client that makes its own.

    Where nobody said what was wanted, those are all that move money.
    """
    for post in posts(history, profile):
        if profile.takes_key(post.exchange.operation or "") and (history.observed or _gave_no_bad_key(post, profile)):
            yield post


def _gave_no_bad_key(post: Post, profile: Profile) -> bool:
    intent = post.intent
    return (
        intent is not None
        and fault_of(intent.key, profile) in {"", "missing"}
        and not _must_refuse(post.history, intent, profile)
    )


def _must_refuse(history: History, intent: Intent, profile: Profile) -> bool:
    """No key was given, to a client that takes the caller's and makes none for this operation."""
    claims = history.claims.features
    makes = "own-keys" in claims or (intent.payment is not None and "refund-id-is-key" in claims)
    return profile.takes_key(intent.operation) and intent.key is None and "caller-keys" in claims and not makes


@rule(
    "every-post-carries-a-key",
    role=Role.CLIENT,
    on=_posts_to_be_keyed,
    needs={"idempotency-key"},
    needs_intent=False,
    source="failure modes C01, C02, C18",
    fix="send the idempotency key header with every POST that creates a payment or a refund",
)
def every_post_carries_a_key(post: Post, profile: Profile) -> str | None:
    """Every POST that creates a payment or a refund carries an idempotency key."""
    if post.keys or profile.key is None:
        return None
    where = "header" if profile.key.carrier == "header" else "in its body"
    return f"the POST has no {profile.key.name} {where}: if its answer is lost, a second attempt is a second charge"


def _posts_with_key_lines(history: History, profile: Profile) -> Iterator[Post]:
    return (post for post in _posts_to_be_keyed(history, profile) if post.keys)


@rule(
    "a-key-on-the-wire-can-be-used",
    role=Role.CLIENT,
    on=_posts_with_key_lines,
    needs={"idempotency-key"},
    needs_intent=False,
    source="failure modes C03, C17, C20",
    fix="send the key in exactly one line, and stop before sending where it is empty or has what no key may have",
)
def a_key_on_the_wire_can_be_used(post: Post, profile: Profile) -> str | None:
    """A key on the wire stands in exactly one line, is not empty, and has only characters that the PSP takes."""
    if len(post.keys) > 1:
        return (
            f"the POST has {len(post.keys)} keys: {lines(post.keys)}; the PSP reads the one, the other, or both as one"
        )
    fault = fault_of(post.keys[0], profile) or ("" if is_written_as_documented(post.keys[0], profile) else "malformed")
    if fault in {"", "over-long"}:
        return None
    return f"the POST went out with a key that is {fault}: {key(post.keys[0])}"


def _posts_with_a_given_key(history: History, profile: Profile) -> Iterator[Post]:
    return (post for post in _posts_with_key_lines(history, profile) if post.intent and post.intent.key is not None)


@rule(
    "the-callers-key-goes-on-the-wire",
    role=Role.CLIENT,
    on=_posts_with_a_given_key,
    needs={"idempotency-key", "caller-keys"},
    source="failure modes C04, C19, C20",
    fix="pass the caller's key through unchanged, in exactly one header line",
)
def the_callers_key_goes_on_the_wire(post: Post, profile: Profile) -> str | None:
    """The key on the wire is the caller's, byte for byte, in one line."""
    assert post.intent is not None
    assert post.intent.key is not None
    if post.keys == (post.intent.key,):
        return None
    return f"the caller gave {key(post.intent.key)}, and {lines(post.keys)} went on the wire"


@dataclass(frozen=True, slots=True)
class Unusable:
    """A step whose key cannot be used, asked of a client that sent the usable one beside it."""

    call: Call
    fault: str

    @property
    def exchanges(self) -> tuple[int, ...]:
        return self.call.exchanges


def _unusable(history: History, profile: Profile) -> Iterator[Unusable]:
    if not any(post.intent and not fault_of(post.intent.key, profile) for post in posts(history, profile)):
        return  # a client that sends nothing at all proves nothing by not sending this
    for call in calls(history, profile):
        fault = fault_of(call.intent.key, profile)
        if fault and (fault != "missing" or _must_refuse(history, call.intent, profile)):
            yield Unusable(call, fault)


def _unusable_but_short(history: History, profile: Profile) -> Iterator[Unusable]:
    return (one for one in _unusable(history, profile) if one.fault != "over-long")


def _over_long(history: History, profile: Profile) -> Iterator[Unusable]:
    return (one for one in _unusable(history, profile) if one.fault == "over-long")


@rule(
    "an-unusable-key-is-refused-before-sending",
    role=Role.CLIENT,
    on=_unusable_but_short,
    needs={"idempotency-key", "caller-keys"},
    source="failure modes C03, C04, C17",
    fix="check the key before anything is sent, and raise an error that names it: a missing, empty, blank, "
    "non-ASCII key, or one with a line break, is a bug of the caller that must be loud",
)
def an_unusable_key_is_refused_before_sending(unusable: Unusable, profile: Profile) -> str | None:
    """A missing, empty, blank or non-ASCII key, or one with a line break, is refused, and nothing is sent."""
    return _sent_all_the_same(unusable)


@rule(
    "an-over-long-key-is-refused-before-sending",
    role=Role.CLIENT,
    level=Level.SHOULD,
    on=_over_long,
    needs={"idempotency-key", "caller-keys", "key-length-limit"},
    source="failure mode C17; the limit is the profile's",
    fix="check the length of the key before anything is sent",
)
def an_over_long_key_is_refused_before_sending(unusable: Unusable, profile: Profile) -> str | None:
    """A key that is longer than the PSP takes is refused, and nothing is sent."""
    return _sent_all_the_same(unusable)


def _sent_all_the_same(unusable: Unusable) -> str | None:
    call, given = unusable.call, unusable.call.intent.key
    what = f"the caller's key is {unusable.fault} ({'none' if given is None else _short(given)})"
    if call.attempts:
        return f"{what}, and the POST was sent all the same, with {' / '.join(_short(*ks) for ks in call.keys)}"
    if isinstance(call.outcome, Refused) or getattr(call.outcome, "kind", "") in {"rejected", "unknown"}:
        return None
    return f"{what}; nothing was sent, and yet the client reports {call.outcome!r}: the caller believes that it worked"


def _short(*values: bytes) -> str:
    text = lines(values)
    return text if len(text) <= 60 else f"{text[:40]}…, {len(values[0])} bytes"


# --- different calls, different keys ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TwoCalls:
    """Two calls for different things that both carried a key."""

    first: Call
    second: Call

    @property
    def exchanges(self) -> tuple[int, ...]:
        return (*self.first.exchanges, *self.second.exchanges)

    @property
    def shared(self) -> frozenset[bytes]:
        """Keys that stand on requests of both."""
        mine, theirs = ({line for lines_ in call.keys for line in lines_} for call in (self.first, self.second))
        return frozenset(mine & theirs)


def _keyed(history: History, profile: Profile) -> Iterator[Call]:
    for call in calls(history, profile):
        if any(call.keys) and fault_of(call.intent.key, profile) in {"", "missing"}:
            yield call


def _pairs(alike: Sequence[Call]) -> Iterator[TwoCalls]:
    """Each call with the next one, and with the next one under one of its keys: a key that is shared always shows."""
    last_with: dict[bytes, int] = {}
    for number, call in enumerate(alike):
        lines_ = {line for each in call.keys for line in each}
        for before in sorted({number - 1, *(last_with[line] for line in lines_ if line in last_with)} - {-1}):
            if not _is_meant(alike[before], call):
                yield TwoCalls(alike[before], call)
        last_with |= dict.fromkeys(lines_, number)


def _is_meant(before: Call, call: Call) -> bool:
    """Their caller gave both the one key, or asked for one thing twice."""
    asked_again = not call.history.observed and call.intent.reference == before.intent.reference
    return asked_again or (call.intent.key is not None and call.intent.key == before.intent.key)


def _two_payments(history: History, profile: Profile) -> Iterator[TwoCalls]:
    """Of one account: a key belongs to that."""
    payments: dict[str, list[Call]] = {}
    for call in _keyed(history, profile):
        if call.intent.payment is None:
            payments.setdefault(call.intent.tenant, []).append(call)
    return chain.from_iterable(_pairs(alike) for alike in payments.values())


@rule(
    "different-payments-have-different-keys",
    role=Role.CLIENT,
    on=_two_payments,
    needs={"idempotency-key"},
    needs_intent=False,
    source="failure modes C08, C09, C11",
    fix="derive the key from what makes the payment this one, such as the order's id: no constant, and not its content",
)
def different_payments_have_different_keys(two: TwoCalls, profile: Profile) -> str | None:
    """Two payments never share a key."""
    if not two.shared:
        return None
    return (
        f"{named(two.first.intent)} and {named(two.second.intent)} share {lines(sorted(two.shared))}: the second is "
        "never charged"
    )


def _refund_and_other(history: History, profile: Profile) -> Iterator[TwoCalls]:
    """A refund, and its payment or another refund of that payment."""
    families: dict[int, list[Call]] = {}
    for call in _keyed(history, profile):
        of = call.intent.step if call.intent.payment is None else call.intent.payment
        families.setdefault(of, []).append(call)
    return chain.from_iterable(_pairs(family) for family in families.values())


@rule(
    "refunds-have-keys-of-their-own",
    role=Role.CLIENT,
    on=_refund_and_other,
    needs={"idempotency-key", "refunds"},
    needs_intent=False,
    source="failure modes C09, C12, R04",
    fix="write the refund as a row of its own first, and use that row's id as the key",
)
def refunds_have_keys_of_their_own(two: TwoCalls, profile: Profile) -> str | None:
    """A refund's key is neither its payment's nor that of another refund of it."""
    if not two.shared:
        return None
    return (
        f"{named(two.first.intent)} and {named(two.second.intent)} share {lines(sorted(two.shared))}: the PSP may "
        "answer one with the other"
    )


def _refunds_without_a_given_key(history: History, profile: Profile) -> Iterator[Post]:
    return (
        p
        for p in posts(history, profile)
        if p.intent and p.intent.payment is not None and p.intent.key is None and p.keys
    )


@rule(
    "the-refunds-id-is-its-key",
    role=Role.CLIENT,
    on=_refunds_without_a_given_key,
    needs={"idempotency-key", "refunds", "refund-id-is-key"},
    source="failure modes C06, C15: a key that outlives a crash is the id of a row",
    fix="send the id of the pending refund row as the key: it survives a crash between the row and the call",
)
def the_refunds_id_is_its_key(post: Post, profile: Profile) -> str | None:
    """The key that the client makes for a refund is the id of the shop's pending refund."""
    assert post.intent is not None
    wanted = post.intent.reference.encode()
    return None if post.keys == (wanted,) else f"the refund's id is {key(wanted)}, and its key is {lines(post.keys)}"
