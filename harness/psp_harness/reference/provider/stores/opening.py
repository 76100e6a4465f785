"""Addresses of stores: what each opens, what it is called for one run alone, and how it is shown to people.

    memory
    sqlite:PATH
    postgresql://user:password@host:port/database#name    one schema
    redis://user:password@host:port/number#name           one prefix; also rediss:// and unix://

Several stores live beside each other on one server: `#name` says which, `psp_harness` where it is not said.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from psp_harness.errors import UsageError
from psp_harness.reference.provider.stores import Store, StoreUnavailable
from psp_harness.reference.provider.stores.memory import MemoryStore
from psp_harness.reference.provider.stores.sqlite import SqliteStore

Open = Callable[[str, str], Store]
Remove = Callable[[str, str], None]

DEFAULT_NAME = "psp_harness"
KNOWN = "'memory', 'sqlite:PATH', 'postgresql://…' or 'redis://…'"

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,40}")
_PRESENTABLE = re.compile(r"(\w+://)(?:[^@?#]*@)?([^@?#]*)(?:\?[^@#]*)?((?:#[a-z0-9_]*)?)")


def open_store(address: str) -> Store:
    """The store at an address. Raises `UsageError` where there is none, or nothing to reach it with."""
    if address == "memory":
        return MemoryStore()
    with _told(address):
        if path := _path(address):
            return SqliteStore(path)
        open_, _ = _server(address)
        return open_(*_parts(address))


def apart(address: str) -> str:
    """An address at the same place, under a name that nobody else has: for one run, to be removed after it."""
    own = f"run_{secrets.token_hex(6)}"
    if address == "memory":
        return address
    if path := _path(address):
        return f"sqlite:{path}.{own}"
    _server(address)
    server, name = _parts(address)
    return f"{server}#{name}_{own}"


def remove(address: str) -> None:
    """Everything that a store keeps, for good. Raises `UsageError` where it cannot be reached."""
    with _told(address):
        if path := _path(address):
            for file in (path, f"{path}-wal", f"{path}-shm"):
                Path(file).unlink(missing_ok=True)
        elif address != "memory":
            _, remove_ = _server(address)
            remove_(*_parts(address))


def shown(address: str) -> str:
    """An address without user, password and parameters; of one that cannot be taken apart, only how it begins."""
    if address == "memory" or _path(address):
        return address
    parts = _PRESENTABLE.fullmatch(address)
    return "".join(parts.groups()) if parts else f"{re.split(r'[^a-z]', address)[0]}:…"


def _path(address: str) -> str:
    kind, _, rest = address.partition(":")
    return rest if kind == "sqlite" else ""


def _parts(address: str) -> tuple[str, str]:
    server, _, name = address.partition("#")
    if not _NAME.fullmatch(name or DEFAULT_NAME):
        do = "after # write lower case letters, digits and _, at most 41 (a # of a password is written %23)"
        raise UsageError(f"the store {shown(address)!r} has no name that it can have", do=do)
    return server, name or DEFAULT_NAME


def _server(address: str) -> tuple[Open, Remove]:
    found = _SERVERS.get(address.partition("://")[0])
    if found is None:
        raise UsageError(f"unknown store {shown(address)!r}", do=f"say {KNOWN}")
    try:
        return found()
    except ImportError as error:
        needs = f"the store {shown(address)!r} needs a package that is not installed ({error.name or error})"
        raise UsageError(needs, do="pip install 'psp-harness[stores]'") from None


def _postgresql() -> tuple[Open, Remove]:
    from psp_harness.reference.provider.stores import postgresql

    return postgresql.PostgresqlStore, postgresql.remove


def _redis() -> tuple[Open, Remove]:
    from psp_harness.reference.provider.stores import redis

    return redis.RedisStore, redis.remove


_SERVERS: Mapping[str, Callable[[], tuple[Open, Remove]]] = {
    "postgresql": _postgresql,
    "postgres": _postgresql,
    "redis": _redis,
    "rediss": _redis,
    "unix": _redis,
}


@contextmanager
def _told(address: str) -> Iterator[None]:
    try:
        yield
    except StoreUnavailable as error:
        do = "name a writable file" if _path(address) else "start the server, or name another"
        raise UsageError(f"cannot use the store {shown(address)!r}: {error}", do=do) from None
