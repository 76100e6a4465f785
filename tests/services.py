"""The services of this machine, for tests: each is found once, and what has none is skipped with the reason.

A service that is named and does not answer is never replaced by another one, and in CI it is an error: there, a skip
would be a test that nobody misses.
"""

from __future__ import annotations

import os
from functools import cache

import pytest

from psp_harness.services import SERVICES, Found, Missing, find


@cache
def _found(kind: str) -> Found | Missing:
    return find(SERVICES[kind], os.environ)


def address_of(kind: str) -> str:
    """The address of a `postgresql`, `redis` or `rabbitmq` that answers; otherwise the test ends, skipped or failed."""
    found = _found(kind)
    if isinstance(found, Found):
        return found.address
    if found.named and os.environ.get("CI") == "true":
        pytest.fail(found.reason, pytrace=False)
    pytest.skip(found.reason)
