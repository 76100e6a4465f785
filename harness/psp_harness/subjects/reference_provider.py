"""`reference:provider?webhooks=URL&store=…`: the PSP that the project brings, its books where one likes.

Both may be left out; `webhooks` may come several times, and `store` is the last. In memory it is a thread of this
process. With a store it is a process of its own, which may be killed and started again; each run has a store of its own
there, and removes it in the end, whatever became of the run.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from psp_harness.errors import UsageError
from psp_harness.profile import Profile
from psp_harness.reference.provider import build
from psp_harness.reference.provider.app import asgi
from psp_harness.reference.provider.stores import opening
from psp_harness.subjects import hosting
from psp_harness.subjects.own_server import TARGET, Reference, environment

_STORE = re.compile(r"[?&]store=")
_MAY_HOLD_A_PASSWORD = re.compile(r"[?&](?:store|database)=")
_KNOWN = "reference:provider?webhooks=http://127.0.0.1:8080/webhooks&store=sqlite:provider.db"

Restart = Callable[[], Awaitable[None]]


@asynccontextmanager
async def serving(
    profile: Profile, credentials: Mapping[str, str], asked: Asked
) -> AsyncIterator[tuple[str, Restart | None]]:
    """It, running: its base URL, and how it is restarted. Raises `UsageError` for a store that cannot be used."""
    if asked.store == "memory":
        async with hosting.in_thread(asgi(build(profile, asked.store, credentials), asked.webhooks)) as base_url:
            yield base_url, None
        return
    for url in asked.webhooks:
        build(profile).webhooks.checked(url)  # what is wrong with it is said here
    own = opening.apart(asked.store)
    try:
        await (await asyncio.to_thread(opening.open_store, own)).close()  # what is wrong with it is said here
        described = environment(Reference(profile, credentials, own, asked.webhooks))
        async with hosting.in_process(TARGET, environment=described) as hosted:
            yield hosted.base_url, hosted.restart
    finally:
        with suppress(UsageError):  # a server that went away keeps it: what the run found is worth more
            await asyncio.to_thread(opening.remove, own)


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for."""

    kind: str
    """What stands before the question mark."""
    store: str = "memory"
    webhooks: tuple[str, ...] = ()
    """Where the events of tenant-a go."""


def asked_for(name: str) -> Asked:
    """What stands behind `reference:`. Raises `UsageError` for an option that there is not."""
    found = _STORE.search(name)
    before, store = (name[: found.start()], name[found.end() :]) if found else (name, "memory")
    kind, *options = re.split("[?&]", before)
    for option in options:
        if not option.startswith("webhooks="):
            raise UsageError(f"{presentable(name)!r} asks for {option!r}, which there is not", do=f"as in {_KNOWN}")
    return Asked(kind, store, tuple(option.partition("=")[2] for option in options))


def presentable(address: str) -> str:
    """An address of any kind, without the credentials of a store."""
    found = _MAY_HOLD_A_PASSWORD.search(address)
    return f"{address[: found.end()]}{opening.shown(address[found.end() :])}" if found else address
