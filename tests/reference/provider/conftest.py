from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from psp_harness.profile import load
from psp_harness.reference.provider import Provider
from psp_harness.reference.provider.stores import Store
from psp_harness.reference.provider.stores.memory import MemoryStore
from psp_harness.reference.provider.stores.sqlite import SqliteStore
from reference.provider.asking import Begin, Caller, Clock, OpenStore


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest_asyncio.fixture(params=["memory", "sqlite"])
async def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[OpenStore]:
    """Opens the store of this test: each call as another process would, where the store outlives one."""
    opened: list[Store] = []
    shared = MemoryStore()

    def open_() -> Store:
        opened.append(shared if request.param == "memory" else SqliteStore(str(tmp_path / "provider.db")))
        return opened[-1]

    yield open_
    for store in opened:
        await store.close()


@pytest.fixture
def begin(open_store: OpenStore, clock: Clock) -> Begin:
    """Starts a provider with a profile, over the store of this test."""

    def start(profile: str = "generic", **options: object) -> Caller:
        facts = load(profile)
        return Caller(facts, Provider(facts, open_store(), **{"clock": clock, **options}))  # type: ignore[arg-type]

    return start
