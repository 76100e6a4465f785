"""How a shop is opened, by kind of address: each gives a process that can be ended and started again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from psp_harness.model import Role
from psp_harness.subjects.channels import ProcessChannel
from psp_harness.subjects.forked import warm
from psp_harness.subjects.options import Options
from psp_harness.subjects.ours import miniature
from psp_harness.subjects.receivers import sender_of
from psp_harness.subjects.reference_shop import database_of
from psp_harness.subjects.shop import Mortal, ShopSubject
from psp_harness.subjects.warm import MINIATURE, REFERENCE

PATIENCE_SECONDS = 10.0
"""So long a shop is asked to wait for an answer at least: no case keeps it waiting until then, and on a busy machine an
answer that is late must not look like one that was lost."""


async def exec_shop(command: str, options: Options, stack: AsyncExitStack) -> ShopSubject:  # noqa: ARG001
    """A program: a process for each case, and one more each time that it is ended."""

    async def open_channel() -> Mortal:
        return await ProcessChannel.open(command, {})

    return await _subject(f"exec:{command}", open_channel, options)


async def python_shop(target: str, options: Options, stack: AsyncExitStack) -> ShopSubject:
    """An object of yours, in a fork of a process that has imported it. Raises `UsageError` where that fails."""
    return await _forked(f"python:{target}", target, options, stack)


async def reference_shop(name: str, options: Options, stack: AsyncExitStack) -> ShopSubject:
    """The project's own shop. Raises `UsageError` for a database that it keeps no books on."""
    database_of(name)
    return await _forked(f"reference:{name}", f"{REFERENCE}:{name}", options, stack)


async def miniature_shop(name: str, options: Options, stack: AsyncExitStack) -> ShopSubject:
    """A miniature of the role shop."""
    found = miniature(name, Role.SHOP)
    return await _forked(f"miniature:{found.name}", f"{MINIATURE}:{found.name}", options, stack)


async def _forked(address: str, target: str, options: Options, stack: AsyncExitStack) -> ShopSubject:
    ready = await stack.enter_async_context(warm(target))
    return await _subject(address, ready.open, options)


async def _subject(address: str, open_channel: Callable[[], Awaitable[Mortal]], options: Options) -> ShopSubject:
    sender = await sender_of(options) if options.profile.webhooks is not None else None
    return ShopSubject(
        address,
        open_channel,
        options.profile.name,
        options.credentials,
        options.step_timeout,
        max(options.answer_timeout, PATIENCE_SECONDS),
        sender,
        options.profile.accounts.get("tenant-a", ""),
        options.ca_file,
    )
