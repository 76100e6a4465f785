from __future__ import annotations

import secrets

import pytest

from psp_harness.reference.shop.locks import NoLocks, RedisLocks
from services import address_of


def test_one_process_alone_goes_ahead() -> None:
    """It needs no lock."""
    with NoLocks().held("reconcile") as mine:
        assert mine


def test_of_two_shops_on_one_redis_one_has_the_lock() -> None:
    """The other is told so, at once; and afterwards it is free."""
    name = f"shop_{secrets.token_hex(6)}"
    one, other = (RedisLocks(address_of("redis"), name) for _ in range(2))
    with one.held("reconcile") as mine, other.held("reconcile") as theirs, other.held("else") as free:
        assert (mine, theirs, free) == (True, False, True)
    with other.held("reconcile") as mine:
        assert mine


def test_a_lock_that_was_not_mine_is_not_released() -> None:
    """Whoever came too late leaves it to its holder."""
    name = f"shop_{secrets.token_hex(6)}"
    one, other = (RedisLocks(address_of("redis"), name) for _ in range(2))
    with one.held("reconcile"):
        for _ in range(2):
            with other.held("reconcile") as theirs:
                assert not theirs


def test_without_redis_everybody_goes_ahead(caplog: pytest.LogCaptureFixture) -> None:
    """And says so: the lock spares work, and the keys protect the money."""
    pytest.importorskip("redis")
    with RedisLocks("redis://127.0.0.1:1", "shop").held("reconcile") as mine:
        assert mine
    assert "going ahead without" in caplog.text
