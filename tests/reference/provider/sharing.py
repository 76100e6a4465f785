"""Stores that outlive a process, and that several processes share: one for each test, removed after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from psp_harness.reference.provider.stores import opening
from services import address_of

SHARED = (
    "sqlite",
    pytest.param("postgresql", marks=pytest.mark.integration),
    pytest.param("redis", marks=pytest.mark.integration),
)


@contextmanager
def of_this_test(kind: str, folder: Path) -> Iterator[str]:
    """An address that nobody else has."""
    where = {"memory": "memory", "sqlite": f"sqlite:{folder / 'provider.db'}"}
    address = opening.apart(where.get(kind) or address_of(kind))
    try:
        yield address
    finally:
        opening.remove(address)
