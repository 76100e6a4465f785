"""`python receiver_program.py PROFILE`: the reference receiver as a program that speaks the subject protocol."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from typing import Any

from psp_harness import profile
from psp_harness.reference.receiver import reference_receiver
from psp_harness.subjects import hosting
from psp_harness.subjects.receiver_reached import Reached
from psp_harness.subjects.receivers import OURS


async def start(command: dict[str, Any], name: str, stack: AsyncExitStack) -> Reached:
    """Open what it kept, listen, and know what it was told."""
    facts = profile.load(name)
    base_url = await stack.enter_async_context(hosting.in_thread(reference_receiver(facts, command["state_dir"])))
    receiver = Reached(f"{base_url}/webhooks", OURS, facts, 20.0)
    known = {name: command[name] for name in ("secrets", "endpoint", "base_url")}
    await receiver.post(str(OURS.secrets), {**known, "url": receiver.url})
    await receiver.post(str(OURS.orders), {"orders": command["orders"]})
    return receiver


async def main(name: str) -> None:
    """Answer every command of standard input."""
    async with AsyncExitStack() as stack:
        receiver: Reached | None = None
        while line := await asyncio.to_thread(sys.stdin.readline):
            command = json.loads(line)
            answer: dict[str, Any] = {}
            if command["cmd"] == "start":
                receiver = await start(command, name, stack)
                answer = {"name": "program", "webhook_url": receiver.url, "features": ["durable"]}
            elif command["cmd"] == "effects" and receiver is not None:
                answer = dict(await receiver.effects())
            sys.stdout.write(json.dumps({"id": command["id"], "ok": answer}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
