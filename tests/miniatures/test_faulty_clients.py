"""Each faulty client against what it should have done: one look at its fault, where a look is cheap."""

from __future__ import annotations

import json
from typing import Any

import pytest

from psp_harness.miniatures import MINIATURES


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
def test_key_lines_that_are_wrong(
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
