"""Each faulty miniature against what it should have done: one look at its fault, where a look is cheap."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from psp_harness.miniatures import MINIATURES
from psp_harness.model import Role

# --- clients ------------------------------------------------------------------------------------------------------


def keys_of_three_attempts(name: str, psp: Any, started: Any, pay: Any) -> list[list[bytes]]:
    """The key lines of one payment that is answered 500 twice."""
    psp.fates = ["500", "500"]
    pay(started(MINIATURES[name].make()))
    return list(psp.key_lines)


@pytest.mark.parametrize(
    ("name", "payment", "refunded"),
    [
        ("keyless-payments", [], [b"key-2"]),
        ("keyless-refunds", [b"key-1"], []),
        ("wrong-header-name", [], []),
        ("key-line-twice", [b"key-1", b"key-1"], [b"key-2", b"key-2"]),
        ("keys-joined-by-a-comma", [b"key-1, key-1"], [b"key-2, key-2"]),
    ],
)
def test_key_lines_that_are_wrong(  # noqa: PLR0913, PLR0917 - fixtures
    name: str, payment: list[bytes], refunded: list[bytes], psp: Any, started: Any, pay: Any, refund: Any
) -> None:
    """None, two, or one that is joined: these lines and no others."""
    client = started(MINIATURES[name].make())
    pay(client)
    refund(client, "pay-1")
    assert psp.key_lines == [payment, refunded]


@pytest.mark.parametrize(
    ("name", "key", "wire"),
    [
        ("sends-the-empty-key", "", b""),
        ("trims-a-blank-key", "   ", b""),
        ("long-key-not-refused", "k" * 256, b"k" * 256),
        ("non-ascii-key-as-utf8", "ключ", "ключ".encode()),
        ("line-breaks-taken-out", "order-7\r\nX-Smuggled: 1", b"order-7X-Smuggled:1"),
    ],
)
def test_one_unusable_key_is_sent_and_every_other_refused(
    name: str, key: str, wire: bytes, psp: Any, started: Any, pay: Any
) -> None:
    """The fault lets exactly its own sort of key through."""
    client = started(MINIATURES[name].make())
    others = {"", "   ", "ключ", "k" * 256, "a\x00"} - {key}
    assert all("refused" in pay(client, other) for other in others)
    pay(client, key)
    assert psp.key_lines == [[wire]]


@pytest.mark.parametrize("key", ["", None])
def test_an_empty_key_becomes_random(key: str | None, started: Any, pay: Any) -> None:
    """A payment happens for which nobody gave a key."""
    assert "ok" in pay(started(MINIATURES["empty-key-becomes-random"].make()), key)


@pytest.mark.parametrize("name", ["replaces-the-callers-key", "default-header-wins"])
def test_the_callers_key_is_replaced_once_per_call(name: str, psp: Any, started: Any, pay: Any) -> None:
    """Another key in one line, the same on all attempts; an unusable one is still refused."""
    first, *others = keys_of_three_attempts(name, psp, started, pay)
    assert len(first) == 1
    assert first != [b"key-1"]
    assert others == [first, first]
    assert "refused" in pay(started(MINIATURES[name].make()), "")


@pytest.mark.parametrize("name", ["fresh-key-per-attempt", "key-with-the-time", "key-from-volatile-fields"])
def test_each_attempt_has_a_key_and_an_effect_of_its_own(name: str, psp: Any, started: Any, pay: Any) -> None:
    """Three attempts, three payments."""
    assert len({tuple(lines) for lines in keys_of_three_attempts(name, psp, started, pay)}) == 3
    assert len(psp.gateway.moved) == 3


def test_attempts_that_differ_from_the_second_on(psp: Any, started: Any, pay: Any) -> None:
    """The first attempt is as it should be, and the others are numbered, or keyless."""
    assert keys_of_three_attempts("numbers-the-attempts", psp, started, pay) == [[b"key-1"], [b"key-1-2"], [b"key-1-3"]]
    psp.seen.clear()
    assert keys_of_three_attempts("keyless-retries", psp, started, pay) == [[b"key-1"], [], []]


def test_bodies_count_attempts_under_one_key(psp: Any, started: Any, pay: Any) -> None:
    """One key, another body each time, and one effect."""
    keys = keys_of_three_attempts("body-counts-attempts", psp, started, pay)
    assert keys[0] == keys[1]
    assert json.loads(psp.seen[1].body)["attempt"] == 2
    assert len(psp.gateway.moved) == 1


@pytest.mark.parametrize(
    ("name", "shared"),
    [("constant-key", (0, 1, 2, 3)), ("one-key-for-all-refunds", (2, 3)), ("payment-key-for-refunds", (0, 2, 3))],
)
def test_calls_that_share_a_key(
    name: str, shared: tuple[int, ...], psp: Any, started: Any, pay: Any, refund: Any
) -> None:
    """Of two payments and two refunds of the first, these have one key, and the others one each."""
    client = started(MINIATURES[name].make())
    paid = pay(client, None)["ok"]["payment_id"]
    pay(client, None, "order-2", 2000)
    refund(client, paid, None, "refund-1", 100)
    refund(client, paid, None, "refund-2", 200)
    assert len({tuple(psp.key_lines[n]) for n in shared}) == 1
    assert len({tuple(lines) for lines in psp.key_lines}) == 4 - len(shared) + 1


def test_a_refunds_key_is_minted_per_call(psp: Any, started: Any, pay: Any, refund: Any) -> None:
    """The same refund twice: two keys, neither its id."""
    client = started(MINIATURES["mints-refund-keys"].make())
    paid = pay(client, None)["ok"]["payment_id"]
    refund(client, paid, None)
    refund(client, paid, None)
    first, again = psp.key_lines[1:]
    assert first != again
    assert [b"refund-1"] not in (first, again)


def test_the_amount_is_scaled(psp: Any, started: Any, pay: Any) -> None:
    """A hundred times as much as was asked for."""
    pay(started(MINIATURES["scales-the-amount"].make()), amount=1000)
    assert [effect.amount for effect in psp.gateway.moved.values()] == [100_000]


@pytest.mark.parametrize(
    ("name", "declared", "made"), [("retries-undeclared", 0, 3), ("retries-beyond-its-word", 2, 4)]
)
def test_more_attempts_than_declared(name: str, declared: int, made: int, psp: Any, pay: Any) -> None:
    """As many as it makes, against as many as it says."""
    client: Any = MINIATURES[name].make()
    said = client.start(base_url=psp.base_url, credentials={"token": "tenant-a"}, answer_timeout=2.0)["ok"]
    psp.fates = ["lost"] * 9
    assert pay(client)["failed"]["kind"] == "unknown"
    assert (said.get("retries", {"max": 0})["max"], len(psp.seen)) == (declared, made)


@pytest.mark.parametrize(
    ("name", "lost", "errs"),
    [
        ("lost-answer-is-rejected", "rejected", "unknown"),
        ("lost-answer-is-declined", "declined", "unknown"),
        ("server-error-is-declined", "unknown", "declined"),
    ],
)
def test_a_wrong_word_for_what_is_uncertain(name: str, lost: str, errs: str, psp: Any, started: Any, pay: Any) -> None:
    """One of two uncertain outcomes is taken for a no, and the other is told as it is."""
    psp.fates = ["lost", "502"]
    client = started(MINIATURES[name].make())
    assert (pay(client, "a")["failed"]["kind"], pay(client, "b")["failed"]["kind"]) == (lost, errs)


# --- providers ------------------------------------------------------------------------------------------------------


async def look(shop: Any) -> dict[str, object]:
    """What a provider does in each situation that a fault is about, in words that are equal for correct ones."""
    first, again, other = await shop.pay("k", 1000), await shop.pay("k", 1000), await shop.pay("k", 1001)
    stranger, alike = await shop.pay("k", 1000, tenant="tenant-b"), await shop.pay("k2", 1000)
    body = {"amount": 7, "currency": "EUR"}
    keyless = await shop.send("POST", "/payments", json=body)
    empty = await shop.send("POST", "/payments", json=body, headers=[("Idempotency-Key", b"")])
    paid = [(e["amount"], e["id"]) for e in await shop.effects()]
    mine = first.json()["id"]
    together = await asyncio.gather(*(shop.pay("race", 3000) for _ in range(4)))
    big = await shop.refund(mine, "r0", 1001)
    refunds = [await shop.refund(mine, f"r{n}", 400 + n) for n in (1, 2, 3)]
    raced = (await shop.pay("fresh", 4000)).json()["id"]
    await asyncio.gather(*(shop.refund(raced, f"s{n}", 3000 + n) for n in range(3)))
    effects = await shop.effects()
    return {
        "again": again.status_code,
        "again names it": again.json().get("id") == mine,
        "another body": other.status_code,
        "another body executes": 1001 in [amount for amount, _ in paid],
        "stranger sees it": stranger.json()["id"] == mine,
        "alike sees it": alike.json()["id"] == mine,
        "payments of 1000": len([amount for amount, _ in paid if amount == 1000]),
        "keyless": keyless.status_code,
        "empty": empty.status_code,
        "together": len([e for e in effects if e["amount"] == 3000 and e["kind"] == "payment"]),
        "together, 2xx": len({a.json()["id"] for a in together if a.status_code == 201}),
        "too big": big.status_code,
        "refunds": [refund.status_code for refund in refunds],
        "refunds that raced": len([e for e in effects if e["payment_id"] == raced]),
    }


DIFFERENT: dict[str, dict[str, object]] = {
    "no-dedupe": {
        "again names it": False, "another body": 201, "another body executes": True, "payments of 1000": 4,
        "together": 4, "together, 2xx": 4,
    },
    "check-then-set": {"together": 4, "together, 2xx": 4},
    "keeps-only-200": {
        "again names it": False, "another body": 201, "another body executes": True, "payments of 1000": 4,
    },
    "replays-with-200": {"again": 200},
    "replays-as-conflict": {"again": 409},
    "replays-with-a-new-id": {"again names it": False},
    "no-fingerprint": {"another body": 201},
    "body-is-part-of-the-key": {"another body": 201, "another body executes": True},
    "mismatch-is-500": {"another body": 500},
    "mismatch-is-409": {"another body": 409},
    "keys-without-tenant": {"stranger sees it": True, "payments of 1000": 2},
    "dedupes-by-content": {"alike sees it": True, "payments of 1000": 2},
    "missing-key-accepted": {"keyless": 201},
    "empty-key-accepted": {"empty": 201},
    "empty-key-is-500": {"empty": 500},
    "over-refund": {"too big": 201, "refunds": [201, 201, 201], "refunds that raced": 3},
    "forgets-earlier-refunds": {"refunds": [201, 201, 201], "refunds that raced": 3},
    "refunds-race": {"refunds that raced": 3},
}  # fmt: skip


async def test_every_faulty_provider_is_looked_at() -> None:
    """None is left out of the table."""
    generic = [m for m in MINIATURES.values() if m.profile == "generic"]
    assert set(DIFFERENT) == {m.name for m in generic if m.role is Role.PROVIDER and m.mode}


@pytest.mark.parametrize("name", ["waits-in-flight", "stores-text", *DIFFERENT])
async def test_a_faulty_provider_differs_in_its_point_alone(name: str, till: Any) -> None:
    """All else is as with the careful gateway; a correct one differs in nothing."""
    careful, faulty = await look(till(MINIATURES["careful-gateway"].make())), await look(till(MINIATURES[name].make()))
    assert {what: found for what, found in faulty.items() if found != careful[what]} == DIFFERENT.get(name, {})
