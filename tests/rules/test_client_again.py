"""A client that is asked twice, on histories made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from by_hand import exchange, request
from psp_harness import profile
from psp_harness.judge import hold
from psp_harness.model import Answer, Claims, Done, Effect, Exchange, Failed, History, Intent, Outcome
from psp_harness.rules import load

GENERIC = profile.load("generic")
FIRST = Intent(1, "payment", "create-payment", 1, amount=6540, reference="order-7")
AGAIN = replace(FIRST, step=2, moment=2, name="again")
UNKNOWN = Failed("unknown", "")
DONE = Done({"payment_id": "pay_1"})
TWICE = (Effect("payment", "pay_1", 6540, "EUR", "", "order-7"), Effect("payment", "pay_2", 6540, "EUR", "", "order-7"))
KEEPS = frozenset({"own-keys", "keeps-keys"})


def sent(number: int, step: int, key: bytes, *, refused: bool = False) -> Exchange:
    """A request of a step."""
    made = replace(exchange(number, request(key)), step=step)
    return replace(made, answer=Answer(422, (), b"{}"), seen=Answer(422, (), b"{}")) if refused else made


def broken(
    rule: str,
    *exchanges: Exchange,
    intents: tuple[Intent, ...] = (FIRST, AGAIN),
    outcomes: tuple[Outcome | None, ...] = (UNKNOWN, DONE),
    features: frozenset[str] = KEEPS,
    effects: tuple[Effect, ...] = (),
    booked: tuple[Effect, ...] | None = None,
) -> tuple[int, bool]:
    """How many occasions there were, and whether something was wrong."""
    said = {step: outcome for step, outcome in enumerate(outcomes, 1) if outcome is not None}
    history = History("x", intents, said, exchanges, effects, Claims("x", features=features), booked=booked)
    judged = hold(load()[rule], history, GENERIC)
    return judged.occasions, bool(judged.problems)


@pytest.mark.parametrize("rule", ["asked-again-the-key-is-the-same", "asked-again-it-happens-once"])
def test_another_key_for_one_order_is_found(rule: str) -> None:
    """And what came of it; the same key is right, whatever it looks like."""
    assert broken(rule, sent(1, 1, b"a"), sent(2, 2, b"b"), effects=TWICE) == (1, True)
    assert broken(rule, sent(1, 1, b"a"), sent(2, 2, b"a"), effects=TWICE[:1]) == (1, False)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"features": frozenset({"own-keys"})}, "it never said that it keeps its keys"),
        ({"outcomes": (DONE, DONE)}, "nobody was in doubt"),
        ({"outcomes": (Failed("declined", ""), DONE)}, "a new attempt after a decline is a new payment"),
        ({"intents": (FIRST, replace(AGAIN, reference="order-8"))}, "it is another order"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_new_key_is_right_for_what_is_new(options: dict[str, object], why: str) -> None:
    """There is nothing to judge."""
    asked = sent(1, 1, b"a"), sent(2, 2, b"b")
    assert broken("asked-again-the-key-is-the-same", *asked, **options) == (0, False), why  # type: ignore[arg-type]


def test_a_crash_leaves_the_outcome_open() -> None:
    """No outcome is no answer."""
    asked = sent(1, 1, b"a"), sent(2, 2, b"b")
    assert broken("asked-again-the-key-is-the-same", *asked, outcomes=(None, DONE)) == (1, True)


SHARED = (replace(FIRST, key=b"k"), replace(AGAIN, key=b"k", reference="order-8", amount=7000))


@pytest.mark.parametrize(
    ("outcome", "wrong"),
    [(DONE, True), (Failed("declined", ""), True), (Failed("rejected", ""), False), (UNKNOWN, False)],
)
def test_a_key_that_was_anothers_is_an_error(outcome: Outcome, wrong: bool) -> None:
    """Not a success, and not a decline."""
    asked = sent(1, 1, b"k"), sent(2, 2, b"k", refused=True)
    assert broken("a-refused-key-is-a-loud-error", *asked, intents=SHARED, outcomes=(DONE, outcome)) == (1, wrong)


def test_who_was_not_refused_has_nothing_to_report() -> None:
    """A PSP that takes the key again, or a client that sends none."""
    rule = "a-refused-key-is-a-loud-error"
    assert broken(rule, sent(1, 1, b"k"), sent(2, 2, b"k"), intents=SHARED, outcomes=(DONE, DONE)) == (0, False)
    assert broken(rule, sent(1, 1, b"k"), intents=SHARED, outcomes=(DONE, DONE)) == (0, False)


@pytest.mark.parametrize(("hours", "wrong"), [(1, False), (23, False), (25, True)])
def test_a_key_is_not_sent_when_it_may_be_forgotten(hours: int, wrong: bool) -> None:
    """By the clock of the case, which may have been advanced between two calls."""
    later = replace(AGAIN, at=hours * 3600.0)
    asked = sent(1, 1, b"a"), sent(2, 2, b"a")
    assert broken("retries-end-before-the-key-expires", *asked, intents=(FIRST, later)) == (1, wrong)
    other = sent(1, 1, b"a"), sent(2, 2, b"b")
    assert broken("retries-end-before-the-key-expires", *other, intents=(FIRST, later)) == (0, False)


BOOKED = Effect("payment", "row-1", 6540, "EUR")


@pytest.mark.parametrize(
    ("effects", "booked", "found"),
    [
        (TWICE[:1], (BOOKED,), (1, False)),
        (TWICE[:1], (BOOKED, BOOKED), (1, True)),
        (TWICE[:1], (), (1, False)),
        (TWICE, (BOOKED, BOOKED), (1, False)),
        ((), (BOOKED,), (1, True)),
        (TWICE[:1], (BOOKED, replace(BOOKED, amount=7000), replace(BOOKED, kind="refund")), (1, False)),
        (TWICE[:1], None, (0, False)),
    ],
    ids=["once", "twice", "not yet", "what happened twice", "what did not happen", "something else", "no books"],
)
def test_what_happened_once_may_be_booked_once(
    effects: tuple[Effect, ...], booked: tuple[Effect, ...] | None, found: tuple[int, bool]
) -> None:
    """Under whatever id, and however late."""
    asked = sent(1, 1, b"a"), sent(2, 2, b"a")
    rule = "what-happened-once-is-booked-once"
    assert broken(rule, *asked, outcomes=(DONE, DONE), effects=effects, booked=booked) == found


@pytest.mark.parametrize("exchanges", [(), (sent(1, 1, b"a"),)], ids=["nothing", "one request"])
def test_who_answers_from_its_books_is_judged_by_them(exchanges: tuple[Exchange, ...]) -> None:
    """Asked twice it need not send twice; where nothing was sent there is nothing to judge."""
    rule = "what-happened-once-is-booked-once"
    of = {"outcomes": (DONE, DONE), "effects": TWICE[:1]}
    assert broken(rule, *exchanges, **of, booked=(BOOKED, BOOKED)) == (len(exchanges), bool(exchanges))  # type: ignore[arg-type]
    assert broken(rule, *exchanges[:1], **of, intents=(FIRST,), booked=(BOOKED,)) == (0, False)  # type: ignore[arg-type]
