"""What every flow has: a PSP on a socket, a shop on a socket, and a database that only this test has."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from integration.psps import Provider, providing
from integration.shops import Running, serving
from psp_harness.pytest_plugin.psp import Psp
from psp_harness.reference.shop.settings import Settings
from reference.shop.databases import own
from reference.shop.selling import SECRET
from services import address_of

DATABASES = ["sqlite", "postgresql"]


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database that only this test has, of each kind."""
    with own(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def name() -> str:
    """Under which a shop of this test has something on Redis and RabbitMQ."""
    return f"shop_{secrets.token_hex(6)}"


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[Provider]:
    """A PSP that sends webhooks, has a clock and a quota, and takes a credential until it is revoked."""
    async with providing() as running:
        yield running


@pytest_asyncio.fixture
async def shop(database: str, psp: Psp) -> AsyncIterator[Running]:
    """A shop of the PSP that records what arrives, and fails as it is told."""
    settings = Settings(psp.base_url, psp.token, (SECRET,), database_url=database, psp_timeout_seconds=1.0)
    async with serving(settings) as running:
        yield running


@pytest.fixture
def settings(database: str, provider: Provider, name: str) -> Settings:
    """Those of a shop of the PSP that sends webhooks."""
    return Settings(provider.base_url, provider.token, (SECRET,), database_url=database, name=name)


@pytest_asyncio.fixture
async def told(settings: Settings, provider: Provider) -> AsyncIterator[Running]:
    """A shop that is told by webhooks what happens at its PSP."""
    async with serving(settings) as running:
        await provider.notify(running.webhook_url, SECRET)
        yield running


@pytest.fixture(scope="session")
def redis() -> str:
    """The address of a Redis."""
    return address_of("redis")


@pytest.fixture(scope="session")
def rabbitmq() -> str:
    """The address of a RabbitMQ."""
    return address_of("rabbitmq")
