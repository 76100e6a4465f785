"""Failure mode P33: a provider whose key store does not answer says 503, and executes nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from psp_harness.profile import load
from psp_harness.reference.provider import Provider, asgi
from psp_harness.reference.provider.execution import LEASE
from psp_harness.reference.provider.service import at_once
from psp_harness.reference.provider.stores import opening
from reference.provider.asking import Caller, Clock
from reference.provider.line import Line, laid
from reference.provider.sharing import of_this_test

SERVERS = ("postgresql", "redis")
Far = Callable[..., Awaitable[Caller]]


@pytest_asyncio.fixture(params=[pytest.param(kind, marks=pytest.mark.integration) for kind in SERVERS])
async def line(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Line]:
    """A line to a store of this test."""
    with of_this_test(request.param, tmp_path) as address:
        async with laid(address) as line:
            yield line


@pytest_asyncio.fixture
async def far(line: Line, clock: Clock) -> AsyncIterator[Far]:
    """A caller of a provider whose store is at the other end of the line."""
    opened: list[Provider] = []

    async def start(processing: Callable[[], Awaitable[None]] = at_once) -> Caller:
        store = await asyncio.to_thread(opening.open_store, line.address)
        opened.append(Provider(load("generic"), store, clock=clock, processing=processing))
        return Caller(load("generic"), opened[-1])

    yield start
    for provider in opened:
        await provider.close()


async def test_before_the_claim(far: Far, line: Line) -> None:
    """Nothing executes and no key is burnt: when the store is back, the same key brings the first effect."""
    caller = await far()
    await line.cut()
    refused = [await caller.pay(), await caller.get("list-payments")]
    line.mend()
    assert [answer.status for answer in refused] == [503, 503]
    assert await caller.provider.effects() == ()
    assert (await caller.pay()).status == 201


async def test_connections_that_broke_meanwhile(far: Far, line: Line) -> None:
    """A server that was away while nobody asked costs no request: dead connections are found out before a step."""
    caller = await far()
    assert (await caller.pay("one")).status == 201
    await line.cut()
    line.mend()
    assert (await caller.pay("two")).status == 201


async def test_between_claim_and_effect(far: Far, line: Line, clock: Clock) -> None:
    """The key is in flight to the end of its lease, because nobody could free it; then it brings the one effect."""

    async def breaks() -> None:
        await line.cut()

    assert (await (await far(breaks)).pay()).status == 503
    line.mend()
    caller = await far()
    assert (await caller.pay()).status == 409
    clock.now += LEASE
    assert (await caller.pay()).status == 201
    assert len(await caller.provider.effects()) == 1


async def test_a_refusal_needs_no_store(far: Far, line: Line) -> None:
    """What is wrong in itself is refused as such, also where the key cannot be freed: nothing executed."""

    async def breaks() -> None:
        await line.cut()

    assert (await (await far(breaks)).pay(amount=-1)).status == 400


async def test_a_step_whose_end_nobody_saw(far: Far, line: Line, clock: Clock) -> None:
    """The line breaks when the answer is kept: 503, whether or not the effect stands; the retry finds out which."""

    async def loses() -> None:
        line.lose_answer_to(b"content-type")

    caller = await far(loses)
    assert (await caller.pay()).status == 503
    assert line.lost == 1
    line.mend()
    clock.now += LEASE
    retry = await (await far()).pay()
    (effect,) = await caller.provider.effects()
    assert caller.id_of("create-payment", retry) == effect.id


@pytest.mark.integration
async def test_a_commit_whose_answer_was_lost_is_replayed(clock: Clock, tmp_path: Path) -> None:
    """The effect stood before the retry came, and the retry added none."""
    with of_this_test("postgresql", tmp_path) as address:
        async with laid(address) as line:
            store = await asyncio.to_thread(opening.open_store, line.address)

            async def loses() -> None:
                line.lose_answer_to(b"COMMIT\0")

            caller = Caller(load("generic"), Provider(load("generic"), store, clock=clock, processing=loses))
            assert (await caller.pay()).status == 503
            line.mend()
            stood = await caller.provider.effects()
            assert len(stood) == 1
            assert (await caller.pay()).status == 201
            assert await caller.provider.effects() == stood
            await store.close()


async def test_a_server_that_is_silent(far: Far, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes everything and answers nothing is not waited for without end."""
    shorten_bounds(monkeypatch)
    caller = await far()
    assert (await caller.pay("one")).status == 201
    line.hush()
    async with asyncio.timeout(5):
        assert (await caller.pay("two")).status == 503
    line.mend()
    assert [effect.kind for effect in await caller.provider.effects()] == ["payment"]


def shorten_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each store; two seconds are the least that libpq takes for connecting."""
    from psp_harness.reference.provider.stores import postgresql, redis

    monkeypatch.setattr(postgresql, "STEP_SECONDS", 0.2)
    monkeypatch.setattr(postgresql, "CONNECT_SECONDS", 2)
    monkeypatch.setitem(redis._LIMITS, "socket_timeout", 0.2)


async def test_readiness(far: Far, line: Line) -> None:
    """`/health/ready` is 503 while the store is away, and `/health` is not; nobody is told that nothing happened."""
    caller = await far()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(asgi(caller.provider)), base_url="http://psp") as http:
        await line.cut()
        for path, status in (("/health", 200), ("/health/ready", 503), ("/psp-harness/effects", 503)):
            assert (await http.get(path)).status_code == status
        line.mend()
        assert (await http.get("/health/ready")).status_code == 200


async def test_a_file_that_is_locked(tmp_path: Path, clock: Clock) -> None:
    """SQLite: while another process does not let go of the file, 503 and no effect."""
    path = str(tmp_path / "provider.db")
    store = opening.open_store(f"sqlite:{path}")
    caller = Caller(load("generic"), Provider(load("generic"), store, clock=clock))
    store._db.execute("PRAGMA busy_timeout = 0")  # type: ignore[attr-defined]
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert (await caller.pay()).status == 503
    other.close()
    assert await caller.provider.effects() == ()
    assert (await caller.pay()).status == 201
    await caller.provider.close()
