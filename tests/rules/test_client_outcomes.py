"""What a client may say of what it saw, on histories made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from by_hand import exchange, request
from psp_harness import profile
from psp_harness.judge import hold
from psp_harness.model import Answer, Claims, Done, Exchange, Failed, History, Intent, Outcome, Retries
from psp_harness.profile import in_flight_answer, is_in_flight
from psp_harness.rules import load

GENERIC = profile.load("generic")
PAYMENT = Intent(1, "payment", "create-payment", 1, amount=6540, key=b"k", reference="order-7")
UNKNOWN = "an-uncertain-outcome-is-reported-as-unknown"
SUCCESS = "a-success-is-what-the-psp-answered"
ONCE = Claims("x")
MADE = Answer(201, (), b'{"id":"pay_1"}')


def attempt(number: int, seen: Answer | int | None, *, began: float | None = None, fault: str = "") -> Exchange:
    """One attempt of the payment; a number stands for a status."""
    answer = Answer(seen, (), b"{}") if isinstance(seen, int) else seen
    at = number / 10 if began is None else began
    made = replace(exchange(number, request(b"k")), answer=answer, seen=answer, began=at, ended=at + 0.001)
    return replace(made, fault=fault or None)


def read(number: int) -> Exchange:
    """The client asks afterwards, and is shown the payment."""
    asked = replace(request(), method="GET", target="/payments/pay_1")
    return replace(attempt(number, MADE), request=asked, step=None, operation="get-payment")


def broken(rule: str, outcome: Outcome | None, *attempts: Exchange, claims: Claims = ONCE) -> tuple[int, bool]:
    """How many occasions there were, and whether something was wrong."""
    outcomes = {} if outcome is None else {1: outcome}
    judged = hold(load()[rule], History("x", (PAYMENT,), outcomes, attempts, (), claims), GENERIC)
    return judged.occasions, bool(judged.problems)


NO = Failed("rejected", "")


@pytest.mark.parametrize(
    ("seen", "occasions", "wrong"),
    [
        pytest.param([None], 1, True, id="lost"),
        pytest.param([503], 1, True, id="a 5xx"),
        pytest.param([409], 1, True, id="in flight"),
        pytest.param([429], 0, False, id="too many"),
        pytest.param([None, 429], 1, True, id="lost, and then too many"),
        pytest.param([500, 401], 1, True, id="a 5xx, and then whose request is it"),
        pytest.param([None, 402], 0, False, id="lost, and then declined under the same key"),
        pytest.param([None, 422], 0, False, id="lost, and then refused under the same key"),
        pytest.param([429, 400], 0, False, id="too many, and then refused"),
    ],
)
def test_a_no_is_told_only_where_no_attempt_is_left_open(seen: list[int | None], occasions: int, wrong: bool) -> None:
    """What is said before the key is looked at says nothing of the attempt before; what is said of the key does."""
    attempts = [attempt(number, each) for number, each in enumerate(seen, 1)]
    assert broken(UNKNOWN, NO, *attempts) == (occasions, wrong)
    assert broken(UNKNOWN, Failed("unknown", ""), *attempts) == (occasions, False)


def test_who_asks_afterwards_may_report_what_it_was_shown() -> None:
    """A success after a lost answer is one only then, and only of that very payment."""
    done = Done({"payment_id": "pay_1"})
    assert broken(UNKNOWN, done, attempt(1, None), read(2)) == (1, False)
    assert broken(UNKNOWN, done, attempt(1, None)) == (1, True)
    assert broken(UNKNOWN, Done({"payment_id": "pay_2"}), attempt(1, None), read(2)) == (1, True)


@pytest.mark.parametrize(
    ("outcome", "attempts", "wrong"),
    [
        pytest.param({"payment_id": "pay_1"}, [attempt(1, MADE)], False, id="answered"),
        pytest.param({"payment_id": "pay_1"}, [attempt(1, None), attempt(2, MADE)], False, id="answered later"),
        pytest.param({"payment_id": "pay_1"}, [attempt(1, MADE), attempt(2, 409)], False, id="answered before"),
        pytest.param({"payment_id": "pay_1"}, [attempt(1, 409), read(2)], False, id="read"),
        pytest.param({"payment_id": "pay_2"}, [attempt(1, MADE)], True, id="another payment"),
        pytest.param({"payment_id": "pay_1"}, [attempt(1, 400)], True, id="refused"),
        pytest.param({}, [attempt(1, MADE)], True, id="nothing named"),
    ],
)
def test_a_success_is_of_what_was_shown(outcome: dict[str, object], attempts: list[Exchange], wrong: bool) -> None:
    """In any answer to the call, or to a question after it."""
    assert broken(SUCCESS, Done(outcome), *attempts) == (1, wrong)


def test_a_decline_is_judged_where_nobody_asked_the_bank() -> None:
    """What a gateway says is none; what the PSP says of itself may be one, whatever its status."""
    declined = Failed("declined", "")
    assert broken("a-decline-is-what-the-psp-declined", declined, attempt(1, 429, fault="status-answer")) == (1, True)
    assert broken("a-decline-is-what-the-psp-declined", NO, attempt(1, 429, fault="status-answer")) == (1, False)
    assert broken("a-decline-is-what-the-psp-declined", declined, attempt(1, 400)) == (0, False)


# --- trying again -----------------------------------------------------------------------------------------------------

TWICE = Claims("x", retries=Retries(2, frozenset({"lost", "503"})))


def told(status: int, *lines: tuple[bytes, bytes]) -> Answer:
    """An answer with these header lines."""
    return Answer(status, lines, b"{}")


def test_a_redirect_that_is_followed_is_no_retry() -> None:
    """However often, and of a client that never retries."""
    hops = [attempt(1, 307), attempt(2, 308), attempt(3, MADE)]
    assert broken("tries-no-more-than-declared", None, replace(hops[0], fault="redirected"), *hops[1:]) == (1, False)
    twice = [attempt(1, None, fault="response-lost"), attempt(2, MADE)]
    assert broken("tries-no-more-than-declared", None, *twice) == (1, True)


def test_a_credential_that_is_replaced_makes_no_retry() -> None:
    """After a 401; the same one again is a retry."""
    first = attempt(1, 401, fault="status-answer")
    other = replace(attempt(2, MADE), request=request(b"k", {"Authorization": "Bearer other"}))
    assert broken("tries-no-more-than-declared", None, first, other) == (1, False)
    assert broken("tries-no-more-than-declared", None, first, attempt(2, MADE)) == (1, True)


@pytest.mark.parametrize(
    ("first", "wrong"), [(None, False), (503, False), (500, True), (409, True), (MADE, True)], ids=str
)
def test_an_event_is_declared_by_its_word(first: Answer | int | None, wrong: bool) -> None:
    """A status alone says that status, and nothing of its neighbours."""
    tried = (attempt(1, first, fault="status-answer"), attempt(2, MADE))
    assert broken("tries-again-only-on-what-it-declares", None, *tried, claims=TWICE) == (1, wrong)


def test_words_of_ones_own_are_not_judged() -> None:
    """Nobody knows whether `timeouts` happened."""
    claims = Claims("x", retries=Retries(2, frozenset({"timeouts"})))
    tried = (attempt(1, None), attempt(2, MADE))
    assert broken("tries-again-only-on-what-it-declares", None, *tried, claims=claims) == (0, False)


@pytest.mark.parametrize(
    ("line", "second", "occasions", "wrong"),
    [
        (b"1", 1.0, 1, False),
        (b"1", 0.95, 1, False),
        (b"1", 0.2, 1, True),
        (b"0", 0.0, 1, False),
        (b"Fri, 27 Nov 2026 10:00:00 GMT", 0.0, 0, False),
        (b"soon", 0.0, 0, False),
    ],
)
def test_who_is_told_to_wait_waits(line: bytes, second: float, occasions: int, wrong: bool) -> None:
    """A date, or what is neither, is no number of seconds."""
    first = attempt(1, told(503, (b"retry-after", line)), began=0.0)
    judged = broken("waits-as-long-as-it-is-told", None, first, attempt(2, MADE, began=second))
    assert judged == (occasions, wrong)


def test_one_pause_is_enough() -> None:
    """A first retry may come at once, where a later one waits; giving up is a pause as well."""
    at_once = [attempt(n, 429, began=n * 0.001) for n in (1, 2, 3)]
    later = [*at_once[:2], attempt(3, 429, began=0.5)]
    rule = "pauses-before-it-tries-again"
    assert broken(rule, None, *at_once) == (1, True)
    assert broken(rule, None, *later) == (1, False)
    assert broken(rule, None, at_once[0]) == (0, False)


@pytest.mark.parametrize("name", ["generic", "stripe", "adyen", "mollie", "razorpay", "paypal", "ietf-draft"])
def test_what_is_said_of_a_request_in_flight_is_read_as_that(name: str) -> None:
    """The words that a fault writes are those that the rules read."""
    facts = profile.load(name)
    assert is_in_flight(in_flight_answer(facts), facts)
