"""Adapters for tests: programs that speak the subject protocol, or fail to."""

from __future__ import annotations

import shlex
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

Program = Callable[[str], str]

READ = """
import json, os, signal, sys, time
def say(line):
    sys.stdout.write(line + "\\n"); sys.stdout.flush()
def answers(of=sys.stdin):
    for line in of:
        yield json.loads(line)
def ok(command, **members):
    say(json.dumps({"id": command["id"], "ok": members}))
"""
"""What every one of them begins with."""

OBLIGING = "for command in answers(): ok(command, name='obliging')"
"""Says yes to everything, and does nothing."""


def program(folder: Path, text: str) -> str:
    """The command that runs a Python program without anything that takes time at its start."""
    path = folder / f"subject-{len(list(folder.iterdir()))}.py"
    path.write_text(READ + textwrap.dedent(text), encoding="utf-8")
    return f"exec {shlex.join([sys.executable, '-I', '-S', str(path)])}"


def lives(pid: int) -> bool:
    """Whether a process still runs; one that waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
