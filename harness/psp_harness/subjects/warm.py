"""A process that has imported a subject written in Python, and forks one for each case: that takes milliseconds.

`python -m psp_harness.subjects.warm SOCKET`: each connection to the socket is answered by a process of its own,
which says its id in one line and then speaks the subject protocol there. The end of standard input ends it. It has one
thread and no event loop, so that a fork is whole.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from psp_harness.errors import SubjectError, UsageError
from psp_harness.subjects.channels import MAX_LINE, ObjectChannel

MINIATURE = "miniature"
REFERENCE = "reference"
TARGET = "PSP_HARNESS_WARM"
"""The variable that names the target: the address of a database may hold a password, and arguments are seen by all."""
STEP_SECONDS = 3_600.0
"""Whoever asks has a bound of its own, and ends the process."""


def found(target: str) -> Callable[[], object]:
    """What makes a fresh subject: `miniature:NAME` or `module:attribute`. Raises whatever importing it raises."""
    kind, _, name = target.partition(":")
    if kind == MINIATURE:
        from psp_harness.subjects import unprotected_shops
        from psp_harness.subjects.ours import MINIATURES
        from psp_harness.subjects.reference_shop import migrated

        make = MINIATURES[name].make
        if make.__module__ == unprotected_shops.__name__:
            migrated()
        return make
    if kind == REFERENCE:
        from psp_harness.subjects.reference_shop import ReferenceShop, database_of, migrated

        migrated()
        return functools.partial(ReferenceShop, database_of(name))
    sys.path.insert(0, str(Path.cwd()))
    thing: Any = importlib.import_module(kind)
    for part in name.split("."):
        thing = getattr(thing, part)
    is_made = isinstance(thing, type) or (callable(thing) and not hasattr(thing, "do"))
    return thing if is_made else lambda: thing


def serve_forever(listening: socket.socket, make: Callable[[], object]) -> None:
    """Fork for each connection, until standard input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    while True:
        ready, _, _ = select.select([listening, sys.stdin], [], [])
        if sys.stdin in ready and not os.read(sys.stdin.fileno(), 1):
            return
        if listening in ready:
            connection, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                _be_one(connection, make)
            connection.close()


def _be_one(connection: socket.socket, make: Callable[[], object]) -> None:
    """The child: a session of its own, so that it can be ended with all that it started."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        connection.sendall(json.dumps({"pid": os.getpid()}).encode() + b"\n")
        asyncio.run(_speak(connection, make))
    finally:
        os._exit(0)


async def _speak(connection: socket.socket, make: Callable[[], object]) -> None:
    reader, writer = await asyncio.open_connection(sock=connection, limit=MAX_LINE)
    channel = ObjectChannel(make())
    at_work: set[asyncio.Task[None]] = set()

    async def answer(command: Mapping[str, Any]) -> None:
        members = {name: member for name, member in command.items() if name not in {"id", "cmd"}}
        try:
            said = await channel.ask(command["cmd"], members, timeout=STEP_SECONDS)
        except SubjectError as error:
            said = {"errored": {"message": str(error)}}
        writer.write(json.dumps({"id": command["id"], **said}).encode() + b"\n")
        await writer.drain()

    while line := await reader.readline():
        task = asyncio.create_task(answer(json.loads(line)))
        at_work.add(task)
        task.add_done_callback(at_work.discard)


def main() -> None:
    """What is wrong with the target is said in one line, as JSON, and status 2."""
    (path,), target = sys.argv[1:], os.environ.pop(TARGET)
    try:
        make = found(target)
    except UsageError as error:
        _refuse(error.problem, error.do)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - importing runs whatever stands there
        address = target if target.startswith((f"{MINIATURE}:", f"{REFERENCE}:")) else f"python:{target}"
        said = f"{address.partition('?')[0]}: {type(error).__name__}: {error}"
        _refuse(said, "name module:attribute, importable from this directory")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen(128)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    serve_forever(listening, make)


def _refuse(problem: str, do: str) -> NoReturn:
    sys.stdout.write(f"{json.dumps({'problem': problem, 'do': do})}\n")
    sys.stdout.flush()
    raise SystemExit(2)


if __name__ == "__main__":
    main()
