"""Requests of which nobody said what they want, grouped into calls: by what they ask for, and never by their key alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

import pytest

from psp_harness import profile
from psp_harness.drive.observed import observed
from psp_harness.model import Answer, Claims, Exchange, Headers, History, Request

GENERIC = profile.load("generic")
OK = Answer(201, (), b'{"id": "pay_1"}')


@dataclass
class Traffic:
    """Exchanges, one after the other."""

    exchanges: tuple[Exchange, ...] = ()

    def post(
        self, body: str, key: str | None = "k", *, seen: Answer | None = OK, fault: str | None = None, **more: str
    ) -> Traffic:
        """One more request that moves money."""
        named: Headers = ((b"Idempotency-Key", key.encode()),) if key is not None else ()
        headers = ((b"Authorization", more.get("who", "Bearer a").encode()), *named)
        request = Request("POST", more.get("route", "/payments"), headers, body.encode())
        return self._with("create-payment" if "route" not in more else "create-refund", request, seen, fault)

    def look(self) -> Traffic:
        """A read in between."""
        return self._with("list-payments", Request("GET", "/payments", (), b""), Answer(200), None)

    def _with(self, operation: str, request: Request, seen: Answer | None, fault: str | None) -> Traffic:
        number = len(self.exchanges) + 1
        one = Exchange(number, 1, operation, request, b"", seen or OK, b"", seen, fault, float(number), number + 0.5)
        return Traffic((*self.exchanges, one))

    def history(self) -> History:
        """As rules see it."""
        return observed("watched-command", self.exchanges, (), GENERIC, Claims("x"))

    def steps(self) -> list[int | None]:
        """The number of the call that each request belongs to."""
        return [x.step for x in self.history().exchanges]


A = '{"amount": 5, "currency": "EUR", "reference": "a"}'
B = '{"amount": 5, "currency": "EUR", "reference": "b"}'
ORDER = '{"amount": 5, "currency": "EUR", "order_id": "%s"}'
NAMELESS = '{"amount": 5, "currency": "EUR"}'
NO, BUSY, OVERLOADED, DECLINED = Answer(400), Answer(409), Answer(503), Answer(402)


def lost(body: str = A, key: str | None = "k", **more: str) -> Traffic:
    """A request whose answer a fault lost."""
    return Traffic().post(body, key, seen=None, fault="response-lost", **more)


CASES = {
    "one key, one thing": (Traffic().post(A).post(A), [1, 1]),
    "one key, two things": (Traffic().post(A).post(B), [1, 2]),
    "two keys, one thing": (Traffic().post(A, "j").post(A, "k"), [1, 2]),
    "one key, one thing, two accounts": (Traffic().post(A).post(A, who="Bearer b"), [1, 2]),
    "no key, one thing": (Traffic().post(A, None).post(A, None), [1, 2]),
    "the answer lost, then another key": (lost(A, "j").post(A, "k"), [1, 1]),
    "the answer lost, then no key": (lost(A, "j").post(A, None), [1, 1]),
    "lost twice": (lost(A, "i").post(A, "j", seen=None, fault="request-lost").post(A, "k"), [1, 1, 1]),
    "a 503 that we struck": (Traffic().post(A, "j", seen=OVERLOADED, fault="status-answer").post(A, "k"), [1, 1]),
    "a 503 that nobody struck": (Traffic().post(A, "j", seen=OVERLOADED).post(A, "k"), [1, 2]),
    "a 409 that we struck": (Traffic().post(A, "j", seen=BUSY, fault="status-answer").post(A, "k"), [1, 1]),
    "a 429 that we struck says that nothing happened": (
        Traffic().post(A, "j", seen=Answer(429), fault="status-answer").post(A, "k"), [None, 1],
    ),
    "late, and yet seen": (Traffic().post(A, "j", fault="slow-answer").post(A, "k"), [1, 2]),
    "lost, and another order": (lost(A, "j").post(B, "k"), [1, 2]),
    "lost, and another amount for the order": (lost(A, "j").post(A.replace("5", "6"), "k"), [1, 2]),
    "lost, and nothing is named": (lost(NAMELESS, "j").post(NAMELESS, "k"), [1, 2]),
    "lost, and an order is named elsewhere": (lost(ORDER % "7", "j").post(ORDER % "7", "k"), [1, 1]),
    "lost, and another order is named elsewhere": (lost(ORDER % "7", "j").post(ORDER % "8", "k"), [1, 2]),
    "lost, and the order's name elsewhere is anybody's": (
        lost(ORDER % "7", "j").post(ORDER % "7", "k").post(ORDER % "7", "l"), [1, 2, 3],
    ),
    "lost, and the same order, another body": (lost(ORDER % "7", "j").post(ORDER % '7", "x": "', "k"), [1, 2]),
    "lost, and another account": (lost(A, "j").post(A, "k", who="Bearer b"), [1, 2]),
    "lost, and somebody looked": (lost(A, "j").look().post(A, "k"), [1, None, 2]),
    "lost, and the order's name is anybody's": (lost(A, "j").post(A, "k").post(A, "l"), [1, 2, 3]),
    "refused for certain, and corrected": (Traffic().post(A.replace("5", "-5"), seen=NO).post(A), [None, 1]),
    "refused because its key was used": (Traffic().post(A).post(B, seen=NO), [1, 2]),
    "declined, and its key is used": (Traffic().post(A, seen=DECLINED).post(B), [1, 2]),
    "a payment and a refund under one key": (
        Traffic().post(A).post('{"payment_id": "pay_1", "amount": 5}', route="/refunds"), [1, 2],
    ),
    "what is no JSON is still something": (Traffic().post("{").post("{"), [1, 1]),
}  # fmt: skip


@pytest.mark.parametrize(("traffic", "steps"), CASES.values(), ids=CASES)
def test_requests_belong_to_the_call_that_they_show(traffic: Traffic, steps: list[int | None]) -> None:
    """One call, or another, or none."""
    assert traffic.steps() == steps


DRAWN = '{"amount": 5, "id": "6f9619ff-8b86-d011-b42d-00c04fc964f%s"}'
CUSTOMER = DRAWN.replace("id", "customer")
CARD = '{"amount": 5, "card": {"number": "424242424242%s"}}'
UNSURE = {
    "two customers, perhaps": (lost(NAMELESS, "j").post(NAMELESS, "k"), True),
    "the same order, but not the same": (lost(ORDER % "7", "j").post(ORDER % '7", "x": "', "k"), True),
    "what was lost comes again with its own key, in the end": (
        lost(NAMELESS, "j").post(NAMELESS, "k").post(NAMELESS, "j"), False,
    ),
    "nobody was left without knowing": (Traffic().post(NAMELESS, "j", fault="slow-answer").post(NAMELESS, "k"), False),
    "another customer": (lost('{"amount": 5, "customer": 1}', "j").post('{"amount": 5, "customer": 2}', "k"), False),
    "another customer, by a UUID": (lost(CUSTOMER % "a", "j").post(CUSTOMER % "b", "k"), False),
    "an id of its own, a UUID": (lost(DRAWN % "a", "j").post(DRAWN % "b", "k"), True),
    "another card": (lost(CARD % "1111", "j").post(CARD % "2222", "k"), False),
    "another description": (lost('{"amount": 5, "for": "a book"}', "j").post('{"amount": 5, "for": "a pen"}', "k"), False),
    "sent at another time": (
        lost('{"amount": 5, "t": "2026-11-26T16:00:00Z"}', "j").post('{"amount": 5, "t": "2026-11-26T16:00:01Z"}', "k"), True,
    ),
    "the same, written in another order": (lost(NAMELESS, "j").post('{"currency": "EUR", "amount": 5}', "k"), True),
    "a new request id each time": (
        lost('{"amount": 5, "request_id": 1}', "j").post('{"amount": 5, "request_id": 2}', "k"), True,
    ),
    "it is a violation, and no doubt": (lost(A, "j").post(A, "k"), False),
}  # fmt: skip


@pytest.mark.parametrize(("traffic", "unsure"), UNSURE.values(), ids=UNSURE)
def test_what_cannot_be_told_is_said(traffic: Traffic, unsure: bool) -> None:
    """In a sentence, and nothing else is."""
    assert bool(traffic.history().unsure) is unsure


def test_a_call_asks_for_what_its_first_request_says() -> None:
    """A refund's payment is the call whose answer named it; one that nobody saw made is no call's."""
    refund = '{"payment_id": "%s", "amount": 3, "reference": "r"}'
    traffic = (
        Traffic().post(A).post(refund % "pay_1", "r1", route="/refunds").post(refund % "pay_0", "r2", route="/refunds")
    )
    payment, known, unknown = traffic.history().intents
    assert (payment.operation, payment.amount, payment.currency, payment.reference) == ("create-payment", 5, "EUR", "a")
    assert (known.payment, known.key, known.tenant) == (payment.step, None, payment.tenant)
    assert unknown.payment not in {payment.step, known.step, unknown.step, None}


def test_grouping_takes_a_time_that_grows_with_the_traffic_alone() -> None:
    """Some thousand identical requests are grouped at once: a suite may be long."""
    numbers = count()
    request = Request("POST", "/payments", ((b"Authorization", b"Bearer a"),), NAMELESS.encode())
    made = [
        Exchange(n, 1, "create-payment", request, b"", OK, b"", OK, None, float(n), n + 0.5)
        for n in (next(numbers) for _ in range(3_000))
    ]
    history = observed("watched-command", made, (), GENERIC, Claims("x"))
    assert len(history.intents) == 3_000
