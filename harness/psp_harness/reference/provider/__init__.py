"""The reference PSP: one pure engine behind a thin shell; how it speaks and what a key does are facts of a profile.

app ─► service ─► execution ─► engine
         │           ├─► policy    what a key decides
         │           └─► stores    one step for the effect and its answer
         └─► dialect               the profile's words
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from psp_harness.errors import UsageError
from psp_harness.profile import Profile
from psp_harness.reference.provider.app import asgi
from psp_harness.reference.provider.service import Provider
from psp_harness.reference.provider.stores import Store
from psp_harness.reference.provider.stores.memory import MemoryStore
from psp_harness.reference.provider.stores.sqlite import SqliteStore

__all__ = ["Provider", "asgi", "build"]


def build(profile: Profile, store: str = "memory", credentials: Mapping[str, str] | None = None) -> Provider:
    """A provider over `memory` or `sqlite:PATH`; raises `UsageError` for any other store."""
    return Provider(profile, _store(store), credentials=credentials)


def _store(address: str) -> Store:
    kind, _, path = address.partition(":")
    if address == "memory":
        return MemoryStore()
    if kind == "sqlite" and path:
        try:
            return SqliteStore(path)
        except sqlite3.Error as error:
            raise UsageError(f"cannot open the store {address!r}: {error}", do="name a writable file") from None
    raise UsageError(f"unknown store {address!r}", do="say 'memory' or 'sqlite:PATH'")
