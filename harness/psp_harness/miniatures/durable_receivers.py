"""Receivers in profile `generic` that keep what they know in a folder, and what a crash leaves of it."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

from psp_harness.miniatures.correct_receivers import ReceiverWithAQueue
from psp_harness.miniatures.declaration import miniature
from psp_harness.miniatures.durable import STATE_DIR
from psp_harness.miniatures.receivers import TAKEN, CarefulReceiver, Event
from psp_harness.model import Answer, Request, Role

WORK = 0.4
"""Seconds: longer than it takes until a case ends the receiver."""


@miniature("durable-receiver", role=Role.RECEIVER, durable=True)
class DurableReceiver(CarefulReceiver):
    """Writes the event's id, the order and the effect in one go, and only then says yes."""

    def __init__(self) -> None:
        super().__init__()
        folder = os.environ.get(STATE_DIR)
        self.file = Path(folder) / "kept.json" if folder else None
        if self.file is not None and self.file.exists():
            kept = json.loads(self.file.read_text(encoding="utf-8"))
            self.orders, self.seen, self.effects = kept["orders"], kept["seen"], kept["effects"]

    def write(self) -> None:
        """All of it, on the disk, at once."""
        if self.file is None:
            return
        kept: dict[str, Any] = {"orders": self.orders, "seen": self.seen, "effects": self.effects}
        fresh = self.file.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(kept, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(self.file)

    async def take(self, event: Event, request: Request) -> Answer:
        answer = await super().take(event, request)
        self.write()
        return answer


@miniature(
    "marks-before-it-applies",
    role=Role.RECEIVER,
    durable=True,
    mode="W17",
    breaks={"an-interrupted-event-can-come-again"},
)
class MarksBeforeItApplies(DurableReceiver):
    """Writes the event's id first, works, and then writes what the event changes: between the two it can be lost."""

    async def take(self, event: Event, request: Request) -> Answer:
        if event["id"] in self.seen:
            return TAKEN
        self.seen[event["id"]] = self.now()
        self.write()
        await asyncio.sleep(WORK)
        del self.seen[event["id"]]
        return await super().take(event, request)


@miniature(
    "says-yes-before-it-writes",
    role=Role.RECEIVER,
    durable=True,
    mode="W18",
    breaks={"an-acknowledged-event-survives-a-crash"},
    may={"an-interrupted-event-can-come-again"},
)
class SaysYesBeforeItWrites(ReceiverWithAQueue, DurableReceiver):
    """Answers 202 at once, and has a worker do it from memory: what is in the queue is lost in a crash."""

    delay = 0.25
