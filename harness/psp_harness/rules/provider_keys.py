"""What a provider must make of a key, whatever it looks like: refuse what is none, and tell apart what is two."""

from __future__ import annotations

from collections.abc import Iterator

from psp_harness.model import History, Intent, Role
from psp_harness.profile import Profile
from psp_harness.rules import rule
from psp_harness.rules.attribution import accepted_elsewhere, effects_of, id_in, sent
from psp_harness.rules.of_providers import Refusable
from psp_harness.rules.wording import done, fault_of, key, named

_SHOWN = 40
"""Bytes of a key that a sentence has room for."""

_VISIBLE = frozenset(range(0x21, 0x7F)) - {ord(",")}


def syntax_fault(intent: Intent, profile: Profile) -> str:
    """Why the key lines of a request are no key where the profile documents the syntax; empty where they are one."""
    fault = fault_of(intent.key, profile)
    if fault or intent.key is None:
        return fault
    if intent.manner.key_lines:
        return "in two lines"
    stripped = intent.key.strip(b" \t")
    return "" if set(stripped) <= _VISIBLE else "not made of the documented characters"


def _malformed(history: History, profile: Profile) -> Iterator[Refusable]:
    for intent, exchange in sent(history):
        fault = syntax_fault(intent, profile)
        if fault not in {"", "missing", "empty"} and accepted_elsewhere(history, intent):
            yield Refusable(exchange, intent, effects_of(history, intent, profile))


@rule(
    "a-malformed-key-is-refused",
    role=Role.PROVIDER,
    on=_malformed,
    needs={"key-syntax"},
    source="the profile's key syntax; failure modes P24, P25",
    fix="check the key before anything else happens: one line, the documented characters and length; answer 400",
)
def a_malformed_key_is_refused(one: Refusable, profile: Profile) -> str | None:
    """A key that the PSP documents as none is refused, and executes nothing."""
    answer, what = one.exchange.answer, f"the key of {named(one.intent)} is {syntax_fault(one.intent, profile)}"
    if one.effects:
        return f"{what} ({_shown(one.intent)}), and it happened: {done(one.effects)}"
    if answer is None or 400 <= answer.status < 500:
        return None  # a closed connection without an effect refuses what HTTP itself forbids
    return f"{what} ({_shown(one.intent)}), and it was answered {answer.status}: expected a refusal (4xx)"


def _shown(intent: Intent) -> str:
    return " and ".join(_short(line) for line in (intent.key or b"", *intent.manner.key_lines))


def _short(line: bytes) -> str:
    return key(line) if len(line) <= _SHOWN else f"{key(line[:_SHOWN])} and {len(line) - _SHOWN} bytes more"


def _odd(history: History, profile: Profile) -> Iterator[Refusable]:
    for intent, exchange in sent(history):
        if exchange.answer is not None and intent.key is not None and syntax_fault(intent, profile):
            yield Refusable(exchange, intent, None)


@rule(
    "an-odd-key-never-breaks-the-provider",
    role=Role.PROVIDER,
    on=_odd,
    needs={"idempotency-key"},
    source="failure mode P25",
    fix="treat every key as bytes from outside: look at it before it reaches a parser, a column or a lock",
)
def an_odd_key_never_breaks_the_provider(one: Refusable, profile: Profile) -> str | None:
    """Whatever stands in the key line, the answer is never a 5xx."""
    answer = one.exchange.answer
    if answer is None or answer.status < 500:
        return None
    return f"the key {_shown(one.intent)} was answered {answer.status}"


def _longest(history: History, profile: Profile) -> Iterator[Refusable]:
    for intent, exchange in sent(history):
        limit = profile.key.max_length if profile.key else None
        if exchange.answer is None or intent.key is None or not accepted_elsewhere(history, intent):
            continue
        if len(intent.key) == limit:
            yield Refusable(exchange, intent, effects_of(history, intent, profile))


@rule(
    "the-longest-key-is-accepted",
    role=Role.PROVIDER,
    on=_longest,
    needs={"key-length-limit"},
    source="the profile's key length; failure mode P25",
    fix="make the column as long as the key that you document",
)
def the_longest_key_is_accepted(one: Refusable, profile: Profile) -> str | None:
    """A key as long as the PSP documents is accepted."""
    answer = one.exchange.answer
    if answer is None or answer.accepted:
        return None
    return f"a key of {len(one.intent.key or b'')} characters, the documented limit, was answered {answer.status}"


def _first_of_their_key(history: History, profile: Profile) -> Iterator[Refusable]:
    """Payments whose key nobody sent before, among others whose keys look like it."""
    seen: set[tuple[str, bytes]] = set()
    for intent, exchange in sent(history):
        if intent.key is None or syntax_fault(intent, profile):
            continue
        plain = intent.odd_amount is None and intent.card == "good" and not intent.captured_later
        fresh = plain and (intent.tenant, intent.key) not in seen
        seen.add((intent.tenant, intent.key))  # by a request that has to be refused, too
        alone = intent.payment is None and exchange.answer is not None
        if fresh and len(seen) > 1 and alone and accepted_elsewhere(history, intent):
            yield Refusable(exchange, intent, effects_of(history, intent, profile))


@rule(
    "a-fresh-key-executes",
    role=Role.PROVIDER,
    on=_first_of_their_key,
    needs={"idempotency-key", "payment-keys"},
    source="failure modes P36, P38",
    fix="look keys up by all of their bytes: no folding of case, no trimming, no delimiter that a key may contain",
)
def a_fresh_key_executes(one: Refusable, profile: Profile) -> str | None:
    """A payment with a key that nobody used executes, however much the key looks like another one."""
    answer = one.exchange.answer
    if answer is not None and answer.status == 429:
        return None
    if answer is None or not answer.accepted:
        return f"the key {_shown(one.intent)} was never used, and was answered {answer.status if answer else 'nothing'}"
    if one.effects is None or one.effects:
        return None
    return (
        f"the key {_shown(one.intent)} was never used; it was answered {answer.status} with "
        f"{id_in(answer, one.intent, profile)}, and nothing happened"
    )
