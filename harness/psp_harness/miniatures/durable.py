"""Providers that keep their books in a file, and may be killed and started again: a correct one, and what goes wrong.

Each runs in a process of its own; `PSP_HARNESS_STATE_DIR` says where its file is.
"""

from __future__ import annotations

import asyncio
import os
import pickle
from pathlib import Path

from psp_harness.miniatures.declaration import miniature
from psp_harness.miniatures.providers import Asked, CarefulGateway
from psp_harness.model import Answer, Role

STATE_DIR = "PSP_HARNESS_STATE_DIR"


@miniature("books-in-a-file", role=Role.PROVIDER, durable=True)
class BooksInAFile(CarefulGateway):
    """Writes effects and answers in one step, before it answers, and forgets what was in flight when it was killed."""

    def __init__(self) -> None:
        super().__init__()
        self.file = Path(os.environ[STATE_DIR]) / "books"
        if self.file.exists():
            self.load()

    def load(self) -> None:
        """What had been written down; whoever was at work then is dead, and its keys are free."""
        self.moved, self.kept = pickle.loads(self.file.read_bytes())  # noqa: S301 - its own file
        self.kept = {slot: kept for slot, kept in self.kept.items() if kept.answer}

    def complete(self, asked: Asked, answer: Answer | None) -> None:
        super().complete(asked, answer)
        self.save()

    def save(self) -> None:
        """All of it or nothing: the new file takes the old one's place."""
        fresh = self.file.with_suffix(".new")
        with fresh.open("wb") as file:
            pickle.dump((self.moved, self.kept), file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.file)


@miniature(
    "answers-before-it-writes",
    role=Role.PROVIDER,
    durable=True,
    mode="P32",
    breaks={"retry-gets-the-first-answer", "retry-names-the-same-resource", "what-is-answered-happened"},
)
class AnswersBeforeItWrites(BooksInAFile):
    """Answers first, and writes half a second later: what was answered before it was killed is forgotten."""

    def __init__(self) -> None:
        super().__init__()
        self.writing: set[asyncio.Task[None]] = set()

    def complete(self, asked: Asked, answer: Answer | None) -> None:
        super(BooksInAFile, self).complete(asked, answer)
        later = asyncio.ensure_future(self.save_later())
        self.writing.add(later)
        later.add_done_callback(self.writing.discard)

    async def save_later(self) -> None:
        """As a queue does that is worked off when there is time."""
        await asyncio.sleep(0.5)
        self.save()


@miniature("remembers-the-dead", role=Role.PROVIDER, durable=True, mode="P21", breaks={"a-key-is-never-stuck"})
class RemembersTheDead(BooksInAFile):
    """Writes down that a request is in flight, and after it was killed waits for it for ever."""

    slow = 0.7

    def load(self) -> None:
        self.moved, self.kept = pickle.loads(self.file.read_bytes())  # noqa: S301

    async def claim(self, asked: Asked) -> Answer | None:
        duplicate = await super().claim(asked)
        self.save()
        return duplicate


@miniature(
    "moves-money-before-it-writes-the-key",
    role=Role.PROVIDER,
    durable=True,
    mode="P20",
    breaks={"one-key-has-one-effect"},
    may={"retry-gets-the-first-answer", "retry-names-the-same-resource"},
)
class MovesMoneyBeforeItWritesTheKey(BooksInAFile):
    """Makes the effect durable at once and the answer a moment later: killed between them, it pays again."""

    async def execute(self, asked: Asked) -> Answer:
        answer = await super().execute(asked)
        self.save()
        await asyncio.sleep(0.7)
        return answer
