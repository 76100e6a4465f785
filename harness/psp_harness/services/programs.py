"""Servers that are started from their programs: a folder of their own, a free port, and an end with this process."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from psp_harness.services.service import Closed

READY_SECONDS = 60.0
_POLL_SECONDS = 0.05
_END_SECONDS = 5.0


def folder(name: str) -> Path:
    """A new folder, which is gone when this process has ended."""
    made = Path(tempfile.mkdtemp(prefix=f"psp-harness-{name}-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def free_port() -> int:
    """A port of loopback at which nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def serve(
    command: Sequence[str], environment: Mapping[str, str], address: str, ask: Callable[[str], object], place: Path
) -> str:
    """Start a server, and give its address when it answers. Raises `Closed` with its last words where it does not.

    Its log is `place/log`; where it becomes another process, it says so in `place/pid`.
    """
    log = place / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - the program of a server, by its path
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    atexit.register(_end, process, place)
    deadline = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(Exception):
            ask(address)
            return address
        time.sleep(_POLL_SECONDS)
    _end(process, place)
    said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    raise Closed(f"it did not answer within {READY_SECONDS:g} s: {said[-1][-200:] if said else 'it said nothing'}")


def _end(process: subprocess.Popen[bytes], place: Path) -> None:
    """The server and its children: asked first."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        with suppress(OSError, ValueError):
            os.kill(int((place / "pid").read_text(encoding="ascii")), sent)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sent)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
