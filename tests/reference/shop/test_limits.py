from __future__ import annotations

import secrets

import pytest

from psp_harness.reference.shop.limits import Counts, Limit, OwnCounts, RedisCounts
from services import address_of


@pytest.fixture(params=["own", "redis"])
def counts(request: pytest.FixtureRequest) -> Counts:
    """Counts of which nobody else knows."""
    return OwnCounts() if request.param == "own" else RedisCounts(address_of("redis"), f"shop_{secrets.token_hex(6)}")


def test_so_many_in_a_minute_and_each_caller_apart(counts: Counts) -> None:
    """The third of two has to wait for the next minute, and another caller has not."""
    limit = Limit(2, counts, clock=lambda: 615.0)
    assert [limit.wait_seconds("ada") for _ in range(3)] == [0, 0, 45]
    assert limit.wait_seconds("bob") == 0


def test_in_the_next_minute_it_is_counted_anew(counts: Counts) -> None:
    """By the clock."""
    times = iter([659.0, 659.5, 660.0])
    limit = Limit(1, counts, clock=lambda: next(times))
    assert [limit.wait_seconds("ada") for _ in range(3)] == [0, 1, 0]


def test_without_a_limit_nobody_waits(counts: Counts) -> None:
    """However often they come."""
    assert {Limit(0, counts).wait_seconds("ada") for _ in range(9)} == {0}


def test_two_processes_count_together() -> None:
    """On one Redis, under one name."""
    address, name = address_of("redis"), f"shop_{secrets.token_hex(6)}"
    one, other = (Limit(1, RedisCounts(address, name), clock=lambda: 600.0) for _ in range(2))
    assert (one.wait_seconds("ada"), other.wait_seconds("ada")) == (0, 60)


def test_without_redis_nobody_is_held_up(caplog: pytest.LogCaptureFixture) -> None:
    """And that is said."""
    pytest.importorskip("redis")
    assert Limit(1, RedisCounts("redis://127.0.0.1:1", "shop")).wait_seconds("ada") == 0
    assert "nobody is counted" in caplog.text
