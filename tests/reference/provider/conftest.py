from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from psp_harness.profile import load
from psp_harness.reference.provider import Provider
from psp_harness.reference.provider.stores import Store, opening
from psp_harness.reference.provider.stores.memory import MemoryStore
from reference.provider.asking import Begin, Caller, Clock, OpenStore
from reference.provider.sharing import SHARED, of_this_test


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture(params=["memory", *SHARED])
def store_address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a store that only this test has."""
    with of_this_test(request.param, tmp_path) as address:
        yield address


@pytest.fixture(params=SHARED)
def shared_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The same, of a store that several processes can share."""
    with of_this_test(request.param, tmp_path) as address:
        yield address


@pytest_asyncio.fixture
async def open_store(store_address: str) -> AsyncIterator[OpenStore]:
    """Opens the store of this test: each call as another process would, where the store outlives one."""
    opened: list[Store] = []
    shared = MemoryStore()

    def open_() -> Store:
        opened.append(shared if store_address == "memory" else opening.open_store(store_address))
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
