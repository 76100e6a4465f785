"""How a client is opened, by kind of address: each gives a channel for every case."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from psp_harness.errors import SubjectError, UsageError
from psp_harness.model import Role
from psp_harness.subjects.channels import Channel, ObjectChannel, ProcessChannel
from psp_harness.subjects.options import Options
from psp_harness.subjects.ours import expect, miniature
from psp_harness.subjects.sdks import use_of
from psp_harness.subjects.sdks.adapter import SdkSubject, load
from psp_harness.subjects.threads import OwnThreads

Opened = Callable[[Mapping[str, str]], Awaitable[Channel]]
"""Given what a process finds in its environment; an object lives in ours, which belongs to all."""


def exec_client(command: str, options: Options) -> Opened:  # noqa: ARG001
    """A program: a process for each case."""

    async def open_channel(environment: Mapping[str, str]) -> Channel:
        return await ProcessChannel.open(command, environment)

    return open_channel


def python_client(target: str, options: Options) -> Opened:
    """An object of yours, in this process."""
    return _objects(_attribute(target), options)


def sdk_client(rest: str, options: Options) -> Opened:  # noqa: ARG001
    """An adapter to a published SDK. Raises `UsageError` where its package is not installed."""
    use = use_of(rest)
    connect = load(use)

    async def open_channel(_: Mapping[str, str]) -> Channel:
        subject = SdkSubject(use, connect)
        return ObjectChannel(subject, free=subject.close)

    return open_channel


def reference_client(name: str, options: Options) -> Opened:
    """The project's own client."""
    from psp_harness.subjects.reference_client import ReferenceClientSubject

    expect(name, "client")
    return _objects(ReferenceClientSubject, options)


def miniature_client(name: str, options: Options) -> Opened:
    """A miniature of the role client."""
    return _objects(miniature(name, Role.CLIENT).make, options)


def _objects(made: Any, options: Options) -> Opened:
    """A class or function makes a subject for each case; an object is lent to one case at a time."""
    if (callable(made) and not hasattr(made, "do")) or isinstance(made, type):

        async def fresh(_: Mapping[str, str]) -> Channel:
            threads = OwnThreads()
            try:
                subject = await _made(made, options.step_timeout, threads)
            except SubjectError:
                threads.end()
                raise
            return ObjectChannel(subject, threads=threads, free=threads.end)

        return fresh
    lent, threads = asyncio.Lock(), OwnThreads()

    async def shared(_: Mapping[str, str]) -> Channel:
        await lent.acquire()
        return ObjectChannel(made, threads=threads, free=lent.release)

    return shared


async def _made(make: Callable[[], object], seconds: float, threads: OwnThreads) -> object:
    name = getattr(make, "__name__", repr(make))
    try:
        async with asyncio.timeout(seconds) as bound:
            return await threads.run(make)
    except Exception as error:  # noqa: BLE001 - whatever a subject raises is its adapter's error, said as such
        late = isinstance(error, TimeoutError) and bound.expired()
        what = f"did not return within {seconds:g} s" if late else f"raised {type(error).__name__}: {error}"
        raise SubjectError(f"{name}() {what}", do="call it by hand") from None


def _attribute(target: str) -> Any:
    module, _, name = target.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - importing runs whatever stands there
        raise UsageError(
            f"python:{target}: {type(error).__name__}: {error}",
            do="name module:attribute, importable from this directory",
        ) from None
    return found
