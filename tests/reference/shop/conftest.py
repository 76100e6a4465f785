from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from psp_harness.reference.shop.shop import Shop
from reference.shop.databases import own
from reference.shop.selling import SECRET, Psp


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database that only this test has."""
    with own(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def psp() -> Psp:
    """A PSP with nothing in its books."""
    return Psp()


@pytest.fixture
def shop(database: str, psp: Psp) -> Iterator[Shop]:
    """A shop of that PSP."""
    shop = Shop(database, psp, webhook_secrets=[SECRET])
    yield shop
    shop.close()
