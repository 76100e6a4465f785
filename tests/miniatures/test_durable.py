"""Miniatures with books in a file: what the next process finds there after this one is gone without a word."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from psp_harness.miniatures import MINIATURES
from psp_harness.miniatures.durable import STATE_DIR


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The place where all of one test keep their books."""
    monkeypatch.setenv(STATE_DIR, str(tmp_path))


@pytest.mark.parametrize(
    ("name", "answered_again", "payments"),
    [
        ("books-in-a-file", True, 1),
        ("answers-before-it-writes", False, 1),
        ("remembers-the-dead", True, 1),
        ("moves-money-before-it-writes-the-key", True, 1),
    ],
)
async def test_killed_after_its_answer(name: str, answered_again: bool, payments: int, till: Any) -> None:
    """The next process answers the same request with the same payment, unless what was answered is forgotten."""
    first = await till(MINIATURES[name].make()).pay()
    heir = till(MINIATURES[name].make())
    again = await heir.pay()
    assert (first.status_code, again.status_code) == (201, 201)
    assert (first.json()["id"] == again.json()["id"]) is answered_again
    assert len(await heir.effects()) == payments


@pytest.mark.parametrize(
    ("name", "again", "payments"),
    [("books-in-a-file", 201, 1), ("remembers-the-dead", 409, 0), ("moves-money-before-it-writes-the-key", 201, 2)],
)
async def test_killed_at_work(name: str, again: int, payments: int, till: Any) -> None:
    """The next process executes what was in flight; one waits for the dead, and one had let the money move already."""
    asked = asyncio.create_task(till(MINIATURES[name].make()).pay())
    await asyncio.sleep(0.1)  # it has claimed its key, and is at work
    heir = till(MINIATURES[name].make())
    finished = asked.done()
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    answer = await heir.pay()
    assert answer.status_code == again
    assert finished or len(await heir.effects()) == payments
