from __future__ import annotations

import asyncio

import pytest

from psp_harness.subjects.together import Together


async def test_those_who_ask_at_once_share_one_answer() -> None:
    """Ten callers, one question."""
    asked = 0

    async def question() -> int:
        nonlocal asked
        asked += 1
        return asked

    together: Together[int] = Together()
    assert await asyncio.gather(*(together.ask(question) for _ in range(10))) == [1] * 10


async def test_an_answer_is_never_older_than_its_question() -> None:
    """Who comes while the question is being asked is not given the answer of before."""
    begun, go_on = asyncio.Event(), asyncio.Event()
    answers = iter((1, 2))

    async def question() -> int:
        answer = next(answers)
        begun.set()
        await go_on.wait()
        return answer

    together: Together[int] = Together()
    first = asyncio.create_task(together.ask(question))
    await begun.wait()
    second = asyncio.create_task(together.ask(question))
    await asyncio.sleep(0)
    go_on.set()
    assert (await first, await second) == (1, 2)


async def test_a_question_that_fails_fails_for_everybody_and_can_be_asked_again() -> None:
    """Nobody waits for ever, and nothing stays broken."""
    together: Together[int] = Together()

    async def fails() -> int:
        raise ValueError("no")

    async def works() -> int:
        return 7

    results = await asyncio.gather(*(together.ask(fails) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [ValueError] * 3
    with pytest.raises(ValueError, match="no"):
        await together.ask(fails)
    assert await together.ask(works) == 7
