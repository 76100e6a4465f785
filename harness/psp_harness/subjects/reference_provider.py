"""`reference:provider`, and `reference:provider?store=…`: the PSP that the project brings, its books where one likes.

Each run has a store of its own there, and removes it in the end, whatever became of the run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from psp_harness.errors import UsageError
from psp_harness.profile import Profile
from psp_harness.reference.provider import build
from psp_harness.reference.provider.app import asgi
from psp_harness.reference.provider.stores import opening
from psp_harness.subjects import hosting

_ASKED = "?store="


@asynccontextmanager
async def serving(profile: Profile, credentials: Mapping[str, str], store: str) -> AsyncIterator[str]:
    """It, running; gives its base URL. Raises `UsageError` for a store that cannot be used."""
    own = opening.apart(store)
    try:
        provider = await asyncio.to_thread(build, profile, own, credentials)
        async with hosting.in_thread(asgi(provider)) as base_url:
            yield base_url
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
