"""What a shop is reported for and what not, on histories made by hand: an order of 65.40 that is placed and paid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from by_hand import exchange, request
from psp_harness import profile
from psp_harness.judge import hold
from psp_harness.model import (
    Answer,
    Books,
    Claims,
    Delivery,
    Done,
    Effect,
    Exchange,
    Failed,
    History,
    Intent,
    Order,
    Outcome,
    Refused,
    Request,
    Row,
)
from psp_harness.rules import load

GENERIC = profile.load("generic")
PLACED = Intent(1, "order", "place-order", 1, amount=6540, reference="o-1")
PAID = Intent(2, "paid", "confirm-order", 2, amount=6540, reference="o-1", payment=1)
AGAIN = replace(PAID, step=3, moment=3, name="again")
MONEY = (Effect("payment", "pay_1", 6540, "EUR", "", "o-1"),)
ROW = Row("order", "o-1", 6540, "done", "EUR", "pay_1", shipped=1)
UNKNOWN, NO, YES = Failed("unknown", ""), Failed("rejected", ""), Done({})


def asked(number: int, key: bytes = b"a", *, status: int = 201, lost: bool = False, step: int | None = 2) -> Exchange:
    """A request for the money, and what the PSP said of it; a status of 0: it never arrived."""
    made = replace(exchange(number, request(key), lost=lost), step=step)
    if status == 201:
        return made
    answer = Answer(status, (), b"{}") if status else None
    return replace(made, answer=answer, seen=None if lost else answer)


def event(number: int, step: int) -> Exchange:
    """A webhook that was taken; it names pay_9."""
    told = Request("POST", "/webhooks", (), b'{"payment_id":"pay_9"}')
    taken = Answer(200)
    return replace(
        exchange(number, told), step=step, operation="deliver-webhook", request=told, answer=taken, seen=taken
    )


def telling(step: int, amount: int = 6540, what: str = "payment-succeeded") -> Intent:
    """That the order was paid."""
    told = Delivery(what, Order("o-1", 6540, "EUR", ""), "evt_1", "msg_1", amount, "EUR", "tenant-a")
    return Intent(step, "told", "deliver-webhook", step, payment=1, delivery=told)


def look(after: int, seen: int, *rows: Row) -> Books:
    """What the shop believes after a step, when so many exchanges had begun."""
    return Books(rows, after, seen)


def judged(
    rule: str,
    *exchanges: Exchange,
    books: tuple[Books, ...],
    said: Mapping[int, Outcome] = {2: YES},
    intents: tuple[Intent, ...] = (PLACED, PAID),
    effects: tuple[Effect, ...] = MONEY,
    ended: int = 0,
) -> tuple[int, bool]:
    """How many occasions there were, and whether something was wrong."""
    history = History("x", intents, said, exchanges, effects, Claims("x"), books=books, ended=ended)
    found = hold(load()[rule], history, GENERIC)
    return found.occasions, bool(found.problems)


@pytest.mark.parametrize(
    ("attempts", "found"),
    [
        ([(b"a", 0), (b"a", 402), (b"b", 201)], (1, False)),
        ([(b"a", 402), (b"b", 201)], (0, False)),
        ([(b"a", 0), (b"b", 201)], (1, True)),
        ([(b"a", 0), (b"a", 402), (b"b", 0), (b"c", 201)], (2, True)),
        ([(b"a", 409), (b"b", 201)], (1, True)),
    ],
)
def test_a_key_is_kept_until_the_psp_says_no(attempts: list[tuple[bytes, int]], found: tuple[int, bool]) -> None:
    """After a definite no a new try may have another one, and is a wish of its own."""
    sent = [asked(n, key, status=status, lost=not status) for n, (key, status) in enumerate(attempts, 1)]
    assert judged("a-wish-keeps-its-key", *sent, books=(look(2, len(sent), ROW),)) == found


@pytest.mark.parametrize(
    ("attempt", "early"),
    [
        (asked(1, status=0, lost=True), True),
        (asked(1, status=402), True),
        (asked(1, lost=True), False),
        (asked(1, step=None), False),
    ],
)
def test_goods_that_left_before_the_psp_said_yes_are_found(attempt: Exchange, *, early: bool) -> None:
    """A yes that the shop never saw is one, and so is one to a request that nobody can attribute."""
    doubt = replace(ROW, status="in-doubt", psp_id="")
    books = (look(1, 0, replace(ROW, status="open", shipped=0)), look(2, 1, doubt), look(3, 2, ROW))
    assert judged("an-order-is-shipped-once", attempt, asked(2), books=books) == (1, early)


@pytest.mark.parametrize(
    ("said", "attempts", "ended", "found"),
    [
        ({2: NO}, [asked(1)], 0, (1, True)),
        ({2: Refused("")}, [asked(1)], 0, (1, True)),
        ({2: NO}, [asked(1, status=402)], 0, (1, False)),
        ({2: NO}, [asked(1, lost=True)], 0, (1, False)),
        ({2: NO}, [asked(1)], 1, (0, False)),
        ({2: UNKNOWN}, [asked(1)], 0, (0, False)),
        ({2: YES, 3: NO}, [asked(1)], 0, (0, False)),
        ({2: UNKNOWN, 3: Refused("")}, [asked(1, lost=True), asked(2)], 0, (0, False)),
    ],
)
def test_a_no_to_what_the_psp_said_yes_to_is_found(
    said: dict[int, Outcome], attempts: list[Exchange], ended: int, found: tuple[int, bool]
) -> None:
    """Not where it said yes as well, or cannot have known, or refuses to do again what it did."""
    intents = (PLACED, PAID, AGAIN) if 3 in said else (PLACED, PAID)
    books = (look(max(said), len(attempts), ROW),)
    rule = "a-no-means-that-nothing-happened"
    assert judged(rule, *attempts, books=books, said=said, intents=intents, ended=ended) == found


@pytest.mark.parametrize(
    ("exchanges", "status", "found"),
    [
        ([], "open", (1, True)),
        ([], "in-doubt", (1, False)),
        ([asked(1)], "open", (1, False)),
        ([asked(1, step=None)], "open", (0, False)),
    ],
)
def test_a_yes_to_which_nothing_was_done_is_found(
    exchanges: list[Exchange], status: str, found: tuple[int, bool]
) -> None:
    """Not where it will be, or where nobody can say what was asked for."""
    books = (look(2, 1, replace(ROW, status=status)),)
    assert judged("a-yes-means-that-something-was-done", *exchanges, books=books, effects=()) == found


@pytest.mark.parametrize(
    ("currency", "wrong"), [("EUR", False), ("eur", False), ("", False), ("\u20ac", False), ("USD", True)]
)
def test_another_currency_in_the_books_is_found(currency: str, *, wrong: bool) -> None:
    """As far as anybody can tell what it is."""
    books = (look(2, 1, replace(ROW, currency=currency)),)
    assert judged("a-row-that-is-done-is-money-that-moved", asked(1), books=books) == (1, wrong)


def test_goods_that_never_left_are_found() -> None:
    """When the PSP has told of the payment, unless all was given back."""
    kept, back = replace(ROW, shipped=0), Row("refund", "r-1", 6540, "done", "EUR", "ref_1", "o-1")
    told = {"intents": (PLACED, PAID, telling(3)), "books": (look(3, 2, kept),)}
    assert judged("what-is-paid-is-shipped", asked(1), event(2, 3), **told) == (1, True)  # type: ignore[arg-type]
    assert judged("what-is-paid-is-shipped", asked(1), books=(look(2, 1, kept),)) == (0, False)
    given_back = {**told, "books": (look(3, 2, kept, back),)}
    assert judged("what-is-paid-is-shipped", asked(1), event(2, 3), **given_back) == (0, False)  # type: ignore[arg-type]


@pytest.mark.parametrize(("told", "given", "wished"), [(1, 1, (0, False)), (1, 2, (1, True)), (6540, 6540, (1, True))])
def test_what_does_not_fit_may_be_given_back(told: int, given: int, wished: tuple[int, bool]) -> None:
    """As much as a genuine event named, and nothing that fits."""
    body = f'{{"payment_id":"pay_9","amount":{given},"reference":"r"}}'.encode()
    refund = Request("POST", "/refunds", ((b"Idempotency-Key", b"r"),), body)
    sent = replace(exchange(2, refund), step=None, operation="create-refund")
    intents, books = (PLACED, telling(2, told)), (look(2, 2, ROW),)
    rule = "the-psp-is-asked-for-what-was-wished"
    assert judged(rule, event(1, 2), sent, books=books, said={}, intents=intents, effects=()) == wished


def test_a_refund_from_anothers_payment_is_found() -> None:
    """By the payment that the PSP took it from, and by the order that its row names."""
    other = replace(PLACED, step=3, amount=7000, reference="o-2")
    wish = Intent(4, "refund", "refund-order", 4, amount=100, reference="r-1", payment=1)
    money = (*MONEY, Effect("payment", "pay_2", 7000, "EUR"))
    rows = (ROW, Row("order", "o-2", 7000, "done", "EUR", "pay_2"))

    def found(payment: str, order: str) -> tuple[int, bool]:
        effects = (*money, Effect("refund", "ref_1", 100, "EUR", payment))
        books = (look(4, 1, *rows, Row("refund", "r-1", 100, "done", "EUR", "ref_1", order)),)
        rule, intents = "a-refund-goes-back-to-who-paid", (PLACED, PAID, other, wish)
        return judged(rule, asked(1), books=books, said={4: YES}, intents=intents, effects=effects)

    assert found("pay_1", "o-1") == found("pay_1", "") == found("pay_8", "o-8") == (1, False)
    assert found("pay_2", "o-1") == found("pay_1", "o-2") == (1, True)


@pytest.mark.parametrize(
    ("answered", "status", "found"),
    [(True, "done", (0, False)), (False, "in-doubt", (1, False)), (False, "done", (1, True))],
)
def test_an_order_paid_by_what_is_under_way_is_found(status: str, found: tuple[int, bool], *, answered: bool) -> None:
    """Where the shop cannot have known better."""
    first = asked(1) if answered else asked(1, lost=True)
    intents = (PLACED, PAID, telling(3, what="payment-processing"))
    books = (look(2, 1, replace(ROW, status="in-doubt")), look(3, 2, replace(ROW, status=status)))
    assert judged("a-payment-under-way-pays-nothing", first, event(2, 3), books=books, intents=intents) == found
