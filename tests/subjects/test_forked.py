"""Subjects that are forked from a warm process: each its own, ended at once, and none left behind."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path

import pytest

from psp_harness.errors import SubjectError, UsageError
from psp_harness.subjects.forked import ForkedChannel, warm
from subjects.adapters import lives
from wire.sockets import until

TARGET = "subjects.test_forked:Counts"
BOUND = 10.0


class Counts:
    """Counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def do(self, params: dict[str, str]) -> dict[str, object]:
        """So often, and whatever it is told to print."""
        self.asked += 1
        sys.stdout.write(params.get("prints", ""))
        sys.stdout.flush()
        return {"ok": {"asked": self.asked}}


async def count(channel: ForkedChannel, prints: str = "") -> object:
    """How often it says that it was asked."""
    answer = await channel.ask("do", {"params": {"prints": prints}}, timeout=BOUND)
    return answer["ok"]["asked"]


async def test_each_is_a_process_of_its_own() -> None:
    """Two of them share nothing, and steps of one come to the same object."""
    async with warm(TARGET) as ready:
        one, other = await ready.open(), await ready.open()
        assert [await count(one), await count(one), await count(other)] == [1, 2, 1]
        assert one._pid != other._pid
        await asyncio.gather(one.close(), other.close())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("from psp_harness.errors import UsageError\nraise UsageError('it needs x', do='pip install x')", "it needs x; pip install x"),
        ("print('hello')\n1 / 0", "python:wrong:Shop: ZeroDivisionError: division by zero; name module:attribute"),
        ("import os\nos.write(1, b'7\\nbye\\n')\nos._exit(3)", "the subject could not be imported: bye"),
    ],
)  # fmt: skip
async def test_what_cannot_be_imported_is_said_in_its_own_words(
    text: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it prints beside; what is an error of ours keeps its own advice."""
    (tmp_path / "wrong.py").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=re.escape(says)) as caught:
        async with warm("wrong:Shop"):
            pass
    assert str(caught.value).startswith(says)


async def test_one_that_is_ended_is_gone_and_says_so_to_whoever_waits() -> None:
    """At once; another can be opened."""
    async with warm(TARGET) as ready:
        channel = await ready.open()
        await count(channel, "about to die")
        await channel.kill()
        assert channel.is_over
        await until(lambda: not lives(channel._pid))
        with pytest.raises(SubjectError, match="the subject's process ended before it answered"):
            await count(channel)
        another = await ready.open()
        assert await count(another) == 1
        await another.close()


async def test_one_that_nobody_closes_holds_nothing_up() -> None:
    """Whatever goes wrong in between: the end of the warm process is the end of all of them, at once."""
    async with asyncio.timeout(BOUND):
        async with warm(TARGET) as ready:
            channel = await ready.open()
            await count(channel)
    await asyncio.wait_for(channel._reading, BOUND)
    assert channel.is_over


async def test_what_it_prints_does_not_stop_it() -> None:
    """Not even more than a pipe holds, without a line break."""
    async with warm(TARGET) as ready:
        channel = await ready.open()
        assert await count(channel, "x" * 300_000) == 1
        await channel.close()


async def test_none_is_left_behind() -> None:
    """The children end with their connections."""
    async with warm(TARGET) as ready:
        channel = await ready.open()
        await count(channel)
        pid = channel._pid
        await channel.close()
    await until(lambda: not lives(pid))


@pytest.mark.parametrize(
    ("target", "said"),
    [("no_such_module:x", "ModuleNotFoundError"), ("json:nothing", "AttributeError"), (f"{json.__name__}:", "Error")],
)
async def test_what_cannot_be_imported_is_one_sentence(target: str, said: str) -> None:
    """With what to do."""
    with pytest.raises(UsageError, match=said) as caught:
        async with warm(target):
            pass
    assert "name module:attribute" in str(caught.value)
    assert "\n" not in str(caught.value)
