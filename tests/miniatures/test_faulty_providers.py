"""Each faulty provider against what it should have done: one look at its fault, by hand and without a rule."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from psp_harness.miniatures import MINIATURES
from psp_harness.model import Request, Role

MEET = 0.1
"""Seconds: long enough for what is sent at once to meet in a provider."""


def made(till: Any, name: str) -> Any:
    """A fresh one."""
    return till(MINIATURES[name].make())


def in_a_hurry(shop: Any) -> None:
    """For requests that are sent one after the other: nothing is to meet."""
    shop.app.slow = 0.001


def seen(answer: httpx.Response, first: httpx.Response) -> object:
    """Whether an answer is the first one again, names something else, or refuses."""
    if answer.status_code >= 300 or answer.status_code != first.status_code:
        return answer.status_code
    return "again" if answer.json() == first.json() else "another"


async def duplicates(shop: Any) -> dict[str, object]:
    """The same request in other bytes, from elsewhere, by another tenant, with another body."""
    in_a_hurry(shop)
    first = await shop.pay("k", 1000)
    body = {"amount": 1000, "currency": "EUR", "reference": "order-1"}
    key = ("Idempotency-Key", "k")

    def with_line(name: str, value: str) -> Any:
        return shop.send("POST", "/payments", json=body, headers=[key, (name, value)])

    paths = {
        "again": shop.pay("k", 1000),
        "reordered": shop.post("/payments", dict(reversed(body.items())), "k"),
        "spaced": shop.send("POST", "/payments", content=json.dumps(body, indent=2), headers=[key]),
        "from another client": with_line("User-Agent", "other/2"),
        "with no-cache": with_line("Cache-Control", "no-cache"),
        "from elsewhere": shop.pay("k", 1000, client=("127.0.0.2", 1)),
        "another body": shop.pay("k", 1001),
        "another tenant": shop.pay("k", 1000, tenant="tenant-b"),
        "alike": shop.pay("k2", 1000),
        "in capitals": shop.pay("K", 1002),
        "with -response": shop.pay("k-response", 1003),
        "with the tenant": shop.pay("tenant-a:k", 1004),
        "timed out": shop.pay("t", 1010),
        "timed out, again": shop.pay("t", 1010),
    }
    said = {what: seen(await answer, first) for what, answer in paths.items()}
    paid = [e["amount"] for e in await shop.effects()]
    return {**said, "payments of 1000": paid.count(1000), "of 1001": paid.count(1001), "of 1010": paid.count(1010)}


async def refunds(shop: Any) -> dict[str, object]:
    """Refunds one after the other, at once, and with keys that were used."""
    in_a_hurry(shop)
    one, other = (await shop.pay("one", 1000)).json()["id"], (await shop.pay("other", 1000)).json()["id"]
    first = await shop.refund(one, "r", 300)
    asked = [await shop.refund(one, f"r{n}", 300 + n) for n in (1, 2, 3)]
    with_key = await shop.refund(one, "one", 1)
    of_other = await shop.refund(other, "r", 300)
    shop.app.slow = MEET
    await asyncio.gather(*(shop.refund(other, f"s{n}", 600 + n) for n in range(3)))
    read = [("Idempotency-Key", "one")]
    return {
        "refund": (first.json()["amount"], first.json()["currency"]),
        "refunds": [(a.status_code, a.json().get("amount")) for a in asked],
        "with the payment's key": (with_key.status_code, with_key.json().get("id", "").partition("_")[0]),
        "of another payment": of_other.status_code,
        "at once": len([e for e in await shop.effects() if e["payment_id"] == other]),
        "read": (await shop.send("GET", f"/payments/{other}", headers=read)).json()["id"] == other,
    }


async def odd(shop: Any) -> dict[str, object]:
    """Keys and amounts that are none, and the correction of one."""
    in_a_hurry(shop)
    body = {"amount": 7, "currency": "EUR"}
    keys: dict[str, list[bytes]] = {
        "missing": [], "empty": [b""], "inner blank": [b"a b"], "other script": ["ключ".encode()], "twice": [b"a", b"b"],
        "longest": [b"k" * 255], "too long": [b"k" * 256],
    }  # fmt: skip
    amounts: dict[str, object] = {"-1": -1, "0": 0, "1.5": 1.5, '"10"': "10", "true": True, "null": None}
    said: dict[str, object] = {}
    for what, lines in keys.items():
        headers = [("Idempotency-Key", line) for line in lines]
        said[what] = (await shop.send("POST", "/payments", json=body, headers=headers)).status_code
    for what, amount in amounts.items():
        said[what] = (await shop.post("/payments", {**body, "amount": amount}, f"amount-{what}")).status_code
    await shop.post("/payments", {**body, "amount": "none"}, "corrected")
    return {**said, "corrected": (await shop.pay("corrected", 7)).status_code}


async def together(shop: Any) -> dict[str, object]:
    """Duplicates and rivals in flight, and duplicates that come while the first one is at work."""
    copies = await asyncio.gather(*(shop.pay("race", 3000) for _ in range(4)))
    rivals = await asyncio.gather(*(shop.pay("rivals", amount) for amount in (3001, 3002)))

    async def late(number: int) -> httpx.Response:
        await asyncio.sleep(number * shop.app.slow * 0.45)
        answer: httpx.Response = await shop.pay("late", 3003)
        return answer

    await asyncio.gather(*(late(number) for number in range(4)))
    paid = [e["amount"] for e in await shop.effects()]
    yes = [a.json()["id"] for a in rivals if a.status_code == 201]
    return {
        "copies": (paid.count(3000), sorted({a.status_code for a in copies} - {201, 409})),
        "copies that name one": len({a.json()["id"] for a in copies if a.status_code == 201}) == 1,
        "rivals": paid.count(3001) + paid.count(3002),
        "rivals that name one": len(set(yes)) < len(yes),
        "late copies execute": paid.count(3003) > 1,
    }


async def in_time(shop: Any) -> dict[str, object]:
    """After 1, 23 and 25 hours."""
    in_a_hurry(shop)
    first = await shop.pay("k", 1000)
    said = {}
    for hour, more in ((1, 1), (23, 22), (25, 2)):
        await shop.send("POST", "/clock", json={"advance": more * 3600})
        said[f"after {hour} h"] = seen(await shop.pay("k", 1000), first)
    return said


async def look(till: Any, name: str) -> dict[str, object]:
    """What a provider does in each situation that a fault is about, in words that are equal for correct ones."""
    looks = {"duplicates": duplicates, "refunds": refunds, "odd": odd, "together": together, "in time": in_time}
    found = {area: await each(made(till, name)) for area, each in looks.items()}
    return {f"{area}: {what}": said for area, each in found.items() for what, said in each.items()}


# --- what is different ----------------------------------------------------------------------------------------------

Found = dict[str, object]


def every_retry(said: object) -> Found:
    """Of the same request, however it is written and wherever it comes from."""
    ways = ("again", "reordered", "spaced", "from another client", "with no-cache", "from elsewhere")
    return {**{f"duplicates: {way}": said for way in ways}, "in time: after 1 h": said, "in time: after 23 h": said}


EXECUTES = {
    **every_retry("another"),
    "duplicates: another body": "another", "duplicates: payments of 1000": 9, "duplicates: of 1001": 1,
    "duplicates: of 1010": 2, "together: late copies execute": True,
}  # fmt: skip
OF_ANOTHER = "refunds: of another payment"
AT_ONCE = "refunds: at once"
RACE: Found = {
    "together: copies": (4, []), "together: copies that name one": False, "together: rivals": 2,
    "together: late copies execute": True,
}  # fmt: skip
NO_LIMIT: Found = {"refunds: refunds": [(201, 301), (201, 302), (201, 303)], AT_ONCE: 3}
FOUR_PAID: Found = {"duplicates: payments of 1000": 4}

DIFFERENT: dict[str, Found] = {
    "no-dedupe": {**EXECUTES, **RACE, OF_ANOTHER: 201, AT_ONCE: 2},
    "check-then-set": RACE,
    "keeps-only-200": {**EXECUTES, OF_ANOTHER: 201, AT_ONCE: 2},
    "replays-with-200": {**every_retry(200), "duplicates: timed out, again": 200},
    "replays-as-conflict": {**every_retry(409), "duplicates: timed out, again": 409},
    "replays-with-a-new-id": every_retry("another"),
    "no-fingerprint": {"duplicates: another body": "again", OF_ANOTHER: 201},
    "body-is-part-of-the-key": {
        "duplicates: another body": "another", "duplicates: of 1001": 1, "together: rivals": 2, OF_ANOTHER: 201, AT_ONCE: 2,
    },
    "mismatch-is-500": {"duplicates: another body": 500, OF_ANOTHER: 500},
    "mismatch-is-409": {"duplicates: another body": 409, OF_ANOTHER: 409},
    "keys-without-tenant": {"duplicates: another tenant": "again", "duplicates: payments of 1000": 2},
    "dedupes-by-content": {
        "duplicates: alike": "again", "duplicates: payments of 1000": 2, OF_ANOTHER: 201, AT_ONCE: 4,
    },
    "missing-key-accepted": {"odd: missing": 201},
    "empty-key-accepted": {"odd: empty": 201},
    "empty-key-is-500": {"odd: empty": 500},
    "over-refund": NO_LIMIT,
    "forgets-earlier-refunds": NO_LIMIT,
    "refunds-race": {AT_ONCE: 3},
    "locks-only-the-lookup": RACE,
    "lease-shorter-than-the-work": {"together: late copies execute": True},
    "visible-half-a-second-later": {**EXECUTES, OF_ANOTHER: 201, AT_ONCE: 2},
    "locks-key-and-body": {"together: rivals": 2},
    "waits-without-comparing": {"together: rivals that name one": True},
    "in-flight-is-503": {"together: copies": (1, [503])},
    "unique-violation-is-500": {"together: copies": (1, [500])},
    "keys-without-route": {"refunds: with the payment's key": (422, "")},
    "refund-gets-the-payment": {"refunds: with the payment's key": (201, "payment")},
    "keys-by-address": {"duplicates: from elsewhere": "another", **FOUR_PAID},
    "no-cache-executes-again": {"duplicates: with no-cache": "another", **FOUR_PAID},
    "reads-from-the-key-store": {"refunds: read": False},
    "keys-in-lower-case": {"duplicates: in capitals": 422},
    "response-beside-the-key": {"duplicates: with -response": 422},
    "tenant-joined-to-the-key": {"duplicates: with the tenant": 422},
    "compares-amounts-alone": {OF_ANOTHER: 201},
    "compares-headers": {
        "duplicates: spaced": 422, "duplicates: from another client": 422, "duplicates: with no-cache": 422,
    },
    "compares-the-order": {"duplicates: reordered": 422},
    "compares-lengths": {"duplicates: spaced": 422},
    "replays-wrapped": every_retry("another"),
    "replays-encoded-twice": every_retry("another"),
    "forgets-a-timeout": {
        "duplicates: timed out": 504, "duplicates: timed out, again": 504, "duplicates: of 1010": 2,
    },
    "keeps-refusals": {"odd: corrected": 422},
    "keys-never-expire": {"in time: after 25 h": "again"},
    "keys-live-five-minutes": {"in time: after 1 h": "another", "in time: after 23 h": "another"},
    "lock-outlives-the-answer": {"in time: after 25 h": 409},
    "replays-prolong-the-key": {"in time: after 25 h": "again"},
    "any-key-accepted": {"odd: inner blank": 201, "odd: other script": 201, "odd: twice": 201, "odd: too long": 201},
    "odd-key-is-500": {"odd: other script": 500},
    "long-key-is-500": {"odd: too long": 500},
    "longest-key-refused": {"odd: longest": 400},
    "negative-amounts-accepted": {"odd: -1": 201, "odd: 0": 201},
    "decimals-cut-off": {"odd: 1.5": 201},
    "amounts-as-text": {'odd: "10"': 201},
    "true-is-one": {"odd: true": 201},
    "one-refund-per-payment": {"refunds: refunds": [(201, 300)] * 3},
    "refunds-in-another-currency": {"refunds: refund": (300, "USD")},
    "refunds-in-major-units": {"refunds: refund": (3, "EUR"), "refunds: refunds": [(201, 4)] * 3, AT_ONCE: 3},
}  # fmt: skip

CORRECT: dict[str, Found] = {
    "waits-in-flight": {}, "one-at-a-time": {}, "conflict-while-in-flight": {}, "stores-text": {}, "stops-with-its-sender": {},
    "answers-in-pieces": {}, "says-more-than-asked": {}, "long-keys-are-431": {"odd: too long": 431},
}  # fmt: skip

ELSEWHERE = {
    "frees-the-key-after-the-effect",
    "in-flight-for-ever",
    "frees-the-next-holders-lock",
    "keeps-the-last-ninety",
    "books-what-it-refuses",
    "voids-what-it-replays",
    "charges-again-for-another-tenant",
    "reads-move-money",
    "refunds-in-another-unit",
    "cuts-keys-to-a-column",
    "gives-back-anybodys-payment",
    "refunds-of-dollars-in-cents-of-cents",
    "yen-with-decimals",
    "currency-is-no-part-of-the-body",
    "currency-is-part-of-the-key",
}
"""Looked at below: they take a sender that is gone, a hundred others, another currency, or a look at the money alone."""


def test_every_faulty_provider_is_looked_at() -> None:
    """None is left out."""
    generic = [m for m in MINIATURES.values() if m.profile == "generic" and not m.durable]
    assert set(DIFFERENT) | ELSEWHERE == {m.name for m in generic if m.role is Role.PROVIDER and m.mode}


@pytest.mark.parametrize("name", [*CORRECT, *DIFFERENT])
async def test_a_provider_differs_in_its_point_alone(name: str, till: Any) -> None:
    """All else is as with the careful gateway; a correct one differs in nothing, or in what the contract leaves open."""
    careful, faulty = await look(till, "careful-gateway"), await look(till, name)
    different = {what: found for what, found in faulty.items() if found != careful[what]}
    assert different == {**CORRECT, **DIFFERENT}[name]


# --- senders that are gone ------------------------------------------------------------------------------------------


async def left(app: Any) -> None:
    """A payment of 1000 with key k whose sender is gone as soon as the work has begun."""
    body = json.dumps({"amount": 1000, "currency": "EUR", "reference": "order-1"}).encode()
    headers = [(b"authorization", b"Bearer tenant-a"), (b"idempotency-key", b"k")]
    messages = [{"type": "http.request", "body": body}, {"type": "http.disconnect"}]

    async def receive() -> Any:
        if len(messages) == 1:
            await asyncio.sleep(app.slow / 3)
        return messages.pop(0)

    async def send(message: object) -> None:
        pytest.fail(f"nobody is there for {message}")

    await app({"type": "http", "method": "POST", "path": "/payments", "headers": headers}, receive, send)


@pytest.mark.parametrize(
    ("name", "status", "payments"),
    [("stops-with-its-sender", 201, 1), ("frees-the-key-after-the-effect", 201, 2), ("in-flight-for-ever", 409, 0)],
)
async def test_a_request_after_its_sender_was_gone(name: str, status: int, payments: int, till: Any) -> None:
    """It executes once; or again; or never."""
    shop = made(till, name)
    await left(shop.app)
    assert (await shop.pay("k", 1000)).status_code == status
    assert len(await shop.effects()) == payments


async def test_the_next_holder_loses_its_lock(till: Any) -> None:
    """Who is gone cleans up while the next one works, and then a third one works beside it."""
    shop = made(till, "frees-the-next-holders-lock")
    gone = asyncio.create_task(left(shop.app))
    async with asyncio.timeout(5):
        while not shop.app.abandoned:
            await asyncio.sleep(0.001)
    second = asyncio.create_task(shop.pay("k", 1000))
    await gone
    assert (await shop.pay("k", 1000)).status_code == (await second).status_code == 201
    assert len(await shop.effects()) == 2


async def test_a_cache_of_ninety_forgets_the_first_of_ninety_one(till: Any) -> None:
    """One fewer, and it is still known."""
    shop = made(till, "keeps-the-last-ninety")
    in_a_hurry(shop)
    first = await shop.pay("k", 1000)
    for number in range(89):
        await shop.pay(f"other-{number}", 1)
    assert (await shop.pay("k", 1000)).json() == first.json()
    await shop.pay("other", 1)
    assert (await shop.pay("k", 1000)).json() != first.json()


# --- what is said and what is done --------------------------------------------------------------------------------------


async def paid(gateway: Any, amount: int, times: int) -> tuple[list[int], int]:
    """The statuses of a payment that is sent so often, and how many movements there are afterwards."""
    body = json.dumps({"amount": amount, "currency": "EUR", "reference": "r"}).encode()
    headers = ((b"Authorization", b"Bearer tenant-a"), (b"Idempotency-Key", b"k"))
    answers = [await gateway.answer(Request("POST", "/payments", headers, body)) for _ in range(times)]
    return [answer.status for answer in answers], len(gateway.moved)


async def test_what_it_refuses_is_booked() -> None:
    """The careful gateway books nothing for -1; this one does, and says 400 all the same."""
    assert await paid(MINIATURES["careful-gateway"].make(), -1, 1) == ([400], 0)
    assert await paid(MINIATURES["books-what-it-refuses"].make(), -1, 1) == ([400], 1)


async def test_what_it_replays_is_voided() -> None:
    """The careful gateway keeps the payment that it replays; this one keeps the answer alone."""
    assert await paid(MINIATURES["careful-gateway"].make(), 10, 2) == ([201, 201], 1)
    assert await paid(MINIATURES["voids-what-it-replays"].make(), 10, 2) == ([201, 201], 0)


# --- whose money, and in which unit ---------------------------------------------------------------------------------


async def test_another_tenant_charges_the_first_one_again(till: Any) -> None:
    """Its own payment is right, and the first tenant has two."""
    shop = till(MINIATURES["charges-again-for-another-tenant"].make())
    await shop.pay()
    assert len(await shop.effects()) == 1
    assert (await shop.pay(tenant="tenant-b")).status_code == 201
    assert len(await shop.effects()) == 3


async def test_a_read_moves_money(till: Any) -> None:
    """It is answered rightly, and the payment whose key it carries happens once more."""
    shop = till(MINIATURES["reads-move-money"].make())
    paid = (await shop.pay("one")).json()["id"]
    read = await shop.send("GET", f"/payments/{paid}", headers=[("Idempotency-Key", "one")])
    assert read.json()["id"] == paid
    assert len(await shop.effects()) == 2


async def test_a_refund_in_another_unit_does_not_fit(till: Any) -> None:
    """Of 10.00 no more than 0.10 can be given back."""
    shop = till(MINIATURES["refunds-in-another-unit"].make())
    paid = (await shop.pay()).json()["id"]
    assert [(await shop.refund(paid, f"r{n}", n)).status_code for n in (11, 10)] == [422, 201]


async def test_keys_that_differ_at_their_end_are_one(till: Any) -> None:
    """Its column holds so many characters, and the second payment gets the answer to the first."""
    shop = till(MINIATURES["cuts-keys-to-a-column"].make())
    paid = [(await shop.pay("k" * 60 + end)).json()["id"] for end in "ab"]
    assert paid[0] == paid[1]
    assert len(await shop.effects()) == 1


async def test_a_payment_is_given_back_by_whoever_names_it(till: Any) -> None:
    """The careful gateway knows no such payment of that tenant's."""
    for name, status in (("careful-gateway", 404), ("gives-back-anybodys-payment", 201)):
        shop = till(MINIATURES[name].make())
        paid = (await shop.pay()).json()["id"]
        assert (await shop.refund(paid, "r", 1, tenant="tenant-b")).status_code == status


@pytest.mark.parametrize(
    ("name", "currency", "moved"),
    [
        ("careful-gateway", "USD", [1000, 7]),
        ("refunds-of-dollars-in-cents-of-cents", "EUR", [1000, 7]),
        ("refunds-of-dollars-in-cents-of-cents", "USD", [1000, 700]),
        ("yen-with-decimals", "USD", [1000, 7]),
        ("yen-with-decimals", "JPY", [10, 0]),
    ],
)
async def test_another_currency_has_another_scale(name: str, currency: str, moved: list[int], till: Any) -> None:
    """In euros nothing is wrong with them."""
    shop = till(MINIATURES[name].make())
    paid = (await shop.post("/payments", {"amount": 1000, "currency": currency}, "k")).json()["id"]
    await shop.refund(paid, "r", 7)
    assert [effect["amount"] for effect in await shop.effects()] == moved
