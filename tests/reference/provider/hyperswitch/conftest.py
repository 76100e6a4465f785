from __future__ import annotations

import pytest

from psp_harness.profile import load
from psp_harness.reference.provider import Provider
from reference.provider.asking import Clock, OpenStore
from reference.provider.hyperswitch.shop import Shop


@pytest.fixture(params=["hyperswitch", "hyperswitch-docs"])
def shop(request: pytest.FixtureRequest, open_store: OpenStore, clock: Clock) -> Shop:
    """The first tenant, at a provider over each store, under both profiles."""
    return Shop(Provider(load(request.param), open_store(), clock=clock))
