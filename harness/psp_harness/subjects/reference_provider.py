"""`reference:provider`, and `reference:provider?store=…`: the PSP that the project brings, its books where one likes.

In memory it is a thread of this process. With a store it is a process of its own, which may be killed and started
again; each run has a store of its own there, and removes it in the end, whatever became of the run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress

from psp_harness.errors import UsageError
from psp_harness.profile import Profile
from psp_harness.reference.provider import build
from psp_harness.reference.provider.app import asgi
from psp_harness.reference.provider.stores import opening
from psp_harness.subjects import hosting
from psp_harness.subjects.own_server import TARGET, Reference, environment

_ASKED = "?store="

Restart = Callable[[], Awaitable[None]]


@asynccontextmanager
async def serving(
    profile: Profile, credentials: Mapping[str, str], store: str
) -> AsyncIterator[tuple[str, Restart | None]]:
    """It, running: its base URL, and how it is restarted. Raises `UsageError` for a store that cannot be used."""
    if store == "memory":
        async with hosting.in_thread(asgi(build(profile, store, credentials))) as base_url:
            yield base_url, None
        return
    own = opening.apart(store)
    try:
        await (await asyncio.to_thread(opening.open_store, own)).close()  # what is wrong with it is said here
        described = environment(Reference(profile, credentials, own))
        async with hosting.in_process(TARGET, environment=described) as hosted:
            yield hosted.base_url, hosted.restart
    finally:
        with suppress(UsageError):  # a server that went away keeps it: what the run found is worth more
            await asyncio.to_thread(opening.remove, own)


def store_of(name: str) -> tuple[str, str]:
    """What stands before `?store=`, and the store that it asks for."""
    kind, asked, store = name.partition(_ASKED)
    return kind, store if asked else "memory"


def presentable(address: str) -> str:
    """An address of any kind, without the credentials of a store."""
    kind, asked, store = address.partition(_ASKED)
    return f"{kind}{asked}{opening.shown(store)}" if asked else address
