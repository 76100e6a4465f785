"""Payments that are authorised first: what is taken of them, what is given up, and that nothing else moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psp_harness.model import Effect, Exchange, History, Intent, Role
from psp_harness.profile import Profile
from psp_harness.rules import rule
from psp_harness.rules.attribution import all_sent, captures_of, effects_of, ids_of
from psp_harness.rules.wording import done, named


@dataclass(frozen=True, slots=True)
class Authorised:
    """A payment that was authorised, what was then asked of it, and what moved."""

    intent: Intent
    payment: Exchange
    asked: tuple[tuple[Intent, Exchange], ...]
    """Captures, voids and refunds of it, in order."""
    moved_by_itself: tuple[Effect, ...]
    captured: tuple[Effect, ...]
    given_back: tuple[Effect, ...]

    @property
    def exchanges(self) -> tuple[int, ...]:
        return (self.payment.number, *(exchange.number for _, exchange in self.asked))

    def accepted(self, operation: str) -> list[Exchange]:
        """What was asked of that sort and accepted."""
        return [x for intent, x in self.asked if intent.operation == operation and x.answer and x.answer.accepted]


def _authorised(history: History, profile: Profile) -> Iterator[Authorised]:
    for intent, payment in all_sent(history):
        if not intent.captured_later or payment.answer is None or not payment.answer.accepted:
            continue
        asked = tuple((other, x) for other, x in all_sent(history) if other.payment == intent.step and x.answer)
        if history.effects is not None:
            ids = ids_of(history, intent, profile)
            back = tuple(e for e in history.effects if e.kind == "refund" and e.payment_id in ids)
            itself = effects_of(history, intent, profile) or ()
            yield Authorised(intent, payment, asked, itself, captures_of(history, intent, profile), back)


@rule(
    "an-authorisation-moves-nothing",
    role=Role.PROVIDER,
    on=_authorised,
    needs={"captures"},
    needs_effects=True,
    source="failure modes R05, R10",
    fix="take the money when it is captured: what is authorised is a promise of the bank, and no charge",
)
def an_authorisation_moves_nothing(one: Authorised, profile: Profile) -> str | None:
    """A payment that is to be captured later moves no money until a capture is asked for."""
    if one.moved_by_itself:
        return f"{named(one.intent)} was to be captured later, and moved at once: {done(one.moved_by_itself)}"
    if one.captured and not any(intent.operation == "capture-payment" for intent, _ in one.asked):
        return f"{named(one.intent)} was captured, and nobody asked for that: {done(one.captured)}"
    return None


def _captured(history: History, profile: Profile) -> Iterator[Authorised]:
    for one in _authorised(history, profile):
        if one.accepted("capture-payment") or one.captured:
            yield one


@rule(
    "captures-never-exceed-what-was-authorised",
    role=Role.PROVIDER,
    on=_captured,
    needs={"captures"},
    needs_effects=True,
    source="failure mode R10",
    fix="compare a capture with what is left of the authorisation and enter it in one step, under the payment's lock",
)
def captures_never_exceed_what_was_authorised(one: Authorised, profile: Profile) -> str | None:
    """The captures of a payment never add up to more than was authorised, also where they come together."""
    total = sum(effect.amount for effect in one.captured)
    if total <= one.intent.amount:
        return None
    return f"{one.intent.amount} was authorised, and {total} was captured: {done(one.captured)}"


def _in_one_go(history: History, profile: Profile) -> Iterator[Authorised]:
    """Those of which more than one capture was asked for, of a PSP that captures in one go."""
    if profile.captures is not None and not profile.captures.in_parts:
        for one in _captured(history, profile):
            if sum(intent.operation == "capture-payment" for intent, _ in one.asked) > 1:
                yield one


@rule(
    "a-payment-is-captured-once",
    role=Role.PROVIDER,
    on=_in_one_go,
    needs={"captures"},
    needs_effects=True,
    source="the profile's captures; failure mode R10",
    fix="move the payment out of the state in which it can be captured in the step that captures it",
)
def a_payment_is_captured_once(one: Authorised, profile: Profile) -> str | None:
    """Where a payment is captured in one go, a second capture of it takes nothing."""
    if len(one.captured) <= 1:
        return None
    return f"{named(one.intent)} was captured {len(one.captured)} times: {done(one.captured)}"


def _refunds_before_capture(history: History, profile: Profile) -> Iterator[Authorised]:
    for one in _authorised(history, profile):
        if any(intent.operation == "create-refund" for intent, _ in one.asked):
            yield one


@rule(
    "only-captured-money-is-given-back",
    role=Role.PROVIDER,
    on=_refunds_before_capture,
    needs={"captures", "refunds"},
    needs_effects=True,
    source="failure mode R05",
    fix="refuse a refund of a payment that is not captured, or void: there is nothing that could be given back",
)
def only_captured_money_is_given_back(one: Authorised, profile: Profile) -> str | None:
    """What was never captured, or is void, cannot be given back."""
    captured, back = (sum(e.amount for e in effects) for effects in (one.captured, one.given_back))
    if back > captured:
        return f"{captured} of {named(one.intent)} was captured, and {back} was given back: {done(one.given_back)}"
    if one.accepted("create-refund") and not captured:
        status = one.accepted("create-refund")[0].answer
        return (
            f"nothing of {named(one.intent)} was captured, and a refund was answered {status.status if status else 0}"
        )
    return None


def _voided(history: History, profile: Profile) -> Iterator[Authorised]:
    for one in _authorised(history, profile):
        if any(intent.operation == "cancel-payment" for intent, _ in one.asked):
            yield one


@rule(
    "a-void-and-a-capture-exclude-each-other",
    role=Role.PROVIDER,
    on=_voided,
    needs={"captures", "voids"},
    needs_effects=True,
    source="failure mode R10",
    fix="look at the payment's state and change it in one step, for captures and for voids alike",
)
def a_void_and_a_capture_exclude_each_other(one: Authorised, profile: Profile) -> str | None:
    """A payment that is void is never captured, and one that is captured is never answered as void."""
    kept = sum(e.amount for e in one.captured) - sum(e.amount for e in one.given_back)
    if not one.accepted("cancel-payment") or kept <= 0:
        return None
    return f"{named(one.intent)} was answered as void, and its money was taken: {done(one.captured)}"
