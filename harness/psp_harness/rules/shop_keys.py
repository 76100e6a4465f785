"""A shop's keys: one for each wish, the same after a crash, another for another wish, and never none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from psp_harness.model import Answer, History, Role
from psp_harness.profile import Profile, operation_of
from psp_harness.rules import rule
from psp_harness.rules.of_shops import Sent, Wish, sent, wishes
from psp_harness.rules.wording import key, lines


def _again(history: History, profile: Profile) -> Iterator[Wish]:
    """Those that the PSP was asked for more than once: what is asked for after a definite no is a wish of its own."""
    for wish in wishes(history, profile):
        for part in _between_noes(wish):
            if len(part.attempts) > 1 and any(part.keys):
                yield part


def _between_noes(wish: Wish) -> Iterator[Wish]:
    """Its attempts up to a definite no, and those that came after that."""
    first = 0
    for end, attempt in enumerate(wish.attempts, 1):
        if _is_a_no(attempt.seen) or end == len(wish.attempts):
            yield replace(wish, attempts=wish.attempts[first:end], keys=wish.keys[first:end])
            first = end


def _is_a_no(seen: Answer | None) -> bool:
    return seen is not None and 400 <= seen.status < 500 and seen.status not in {408, 409, 429}


@rule(
    "a-wish-keeps-its-key",
    role=Role.SHOP,
    on=_again,
    needs={"idempotency-key"},
    money_risk=True,
    otherwise="the PSP was asked for nothing twice",
    source="RFC 9110 section 9.2.2; failure modes C06, C07, C13, C14, C15, C26, W27",
    fix="make the key out of the row's id, or write it into the row, and commit that before you ask",
)
def a_wish_keeps_its_key(wish: Wish, profile: Profile) -> str | None:
    """However often the PSP is asked for one thing, also after a crash, it is the same key until the PSP says no."""
    if len(set(wish.keys)) == 1:
        return None
    return (
        f"{wish.called} was sent {len(wish.keys)} times with different keys: {', '.join(lines(k) for k in wish.keys)}"
    )


@dataclass(frozen=True, slots=True)
class _Two:
    """Two wishes for the same kind of thing."""

    one: Wish
    other: Wish

    @property
    def exchanges(self) -> tuple[int, ...]:
        return (*self.one.exchanges, *self.other.exchanges)


def _pairs(history: History, profile: Profile) -> Iterator[_Two]:
    found = [wish for wish in wishes(history, profile) if any(wish.keys)]
    for index, one in enumerate(found):
        for other in found[index + 1 :]:
            if one.attempts[0].operation == other.attempts[0].operation:
                yield _Two(one, other)


@rule(
    "another-wish-has-another-key",
    role=Role.SHOP,
    on=_pairs,
    needs={"idempotency-key"},
    money_risk=True,
    source="failure modes C08, C09, C11, R04",
    fix="make the key out of what is asked for: the refund's id, not the order's",
)
def another_wish_has_another_key(two: _Two, profile: Profile) -> str | None:
    """Two orders, or two refunds of one order, never share a key: the second would get the first one's answer."""
    shared = {k for each in two.one.keys for k in each} & {k for each in two.other.keys for k in each}
    if not shared:
        return None
    return f"{two.one.called} and {two.other.called} were sent with the same key {key(min(shared))}"


@rule(
    "whatever-moves-money-carries-a-key",
    role=Role.SHOP,
    on=sent,
    needs={"idempotency-key", "payment-keys"},
    money_risk=True,
    source="failure modes C01 to C03, A11: a subscription's payment is a payment, too",
    fix="send every payment through one gate that takes the key as its first argument, and refuses to send without",
)
def whatever_moves_money_carries_a_key(post: Sent, profile: Profile) -> str | None:
    """Every request that moves money carries a key, whichever part of the shop sends it."""
    if any(line.strip() for line in post.keys):
        return None
    asked = f"for the {post.intent.operation} of {post.intent.amount}" if post.intent is not None else "for nobody"
    return f"a request was sent {asked} {'with an empty key' if post.keys else 'without a key'}"


def _refund_posts(history: History, profile: Profile) -> Iterator[Wish]:
    for wish in wishes(history, profile):
        if wish.intent.operation == "refund-order" and any(wish.keys) and wish.rows:
            yield wish


@rule(
    "a-refund-row-lends-its-id-as-key",
    role=Role.SHOP,
    on=_refund_posts,
    needs={"idempotency-key", "refunds", "refund-id-is-key"},
    money_risk=True,
    source="failure mode A12: a key that is the row's own id is the same after every crash",
    fix="write the pending row of the refund first, and send its id, and nothing else, as the key",
)
def a_refund_row_lends_its_id_as_key(wish: Wish, profile: Profile) -> str | None:
    """The key that is sent for a refund is the id of that refund's row."""
    ids = {row.id.encode() for row in wish.rows}
    keys = {k for each in wish.keys for k in each}
    if keys & ids:
        return None  # where others were sent as well, that is for another rule
    return (
        f"{wish.called} is row {' or '.join(sorted(i.decode() for i in ids))}, and was sent with {lines(sorted(keys))}"
    )


def _for_itself(history: History, profile: Profile) -> Iterator[Sent]:
    """All but what gives back a payment that a genuine event named, and that does not fit its order."""
    for post in sent(history, profile):
        if post.intent is not None or not _gives_a_misfit_back(post, history, profile):
            yield post


def _gives_a_misfit_back(post: Sent, history: History, profile: Profile) -> bool:
    found = operation_of(profile, post.exchange.request) if post.exchange.request else None
    operation, values = found or ("", {})
    payment = str(values.get("payment_id") or "").encode()
    for intent in history.intents:
        told = intent.delivery
        if told is not None and told.genuine and operation == "create-refund" and payment:
            misfits = (told.amount, told.currency) != (told.order.amount, told.order.currency)
            before = [x for x in history.attempts(intent) if x.number < post.exchange.number and x.request is not None]
            named = any(x.request is not None and payment in x.request.body for x in before)
            if misfits and named and values.get("amount") == told.amount:
                return True
    return False


@rule(
    "the-psp-is-asked-for-what-was-wished",
    role=Role.SHOP,
    on=_for_itself,
    money_risk=True,
    source="failure modes C16, R06",
    fix="send the amount and currency of the row, in minor units, unchanged",
)
def the_psp_is_asked_for_what_was_wished(post: Sent, profile: Profile) -> str | None:
    """Every request that moves money is for an amount and currency that somebody wished for."""
    found = operation_of(profile, post.exchange.request) if post.exchange.request else None
    values = found[1] if found else {}
    if post.intent is None:
        return f"nobody wished for this: {post.exchange.operation} of {values.get('amount')!r}"
    currency = values.get("currency")
    if currency is None or str(currency).upper() == post.intent.currency:
        return None
    return f"the {post.intent.operation} of {post.intent.amount} {post.intent.currency} was sent in {currency}"
