"""What every flow has: a PSP on a socket, a shop on a socket, and a database that only this test has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from integration.shops import Running, serving
from psp_harness.pytest_plugin.psp import Psp
from psp_harness.reference.shop import open_shop
from psp_harness.reference.shop.settings import Settings
from reference.shop.databases import own
from reference.shop.selling import SECRET

DATABASES = ["sqlite", "postgresql"]


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database that only this test has, of each kind."""
    with own(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def settings(database: str, psp: Psp) -> Settings:
    """Those of a shop whose PSP is the one that this test has."""
    return Settings(psp.base_url, psp.token, (SECRET,), database_url=database, psp_timeout_seconds=1.0)


@pytest_asyncio.fixture
async def shop(settings: Settings) -> AsyncIterator[Running]:
    """A shop that runs."""
    async with serving(open_shop(settings)) as running:
        yield running
