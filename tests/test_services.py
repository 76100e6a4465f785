from __future__ import annotations

from dataclasses import replace

import pytest

import services
from services import SERVICES, Missing, address_of, find

REDIS = SERVICES["redis"]


def nobody(address: str) -> None:
    """Stand for a port at which nobody listens."""
    raise ConnectionError(address)


def not_installed() -> str:
    """Stand for a wheel that is not there."""
    raise ModuleNotFoundError


def test_what_is_named_comes_first() -> None:
    """The variable decides, in its order, also where another database listens on loopback; host:port will do."""
    found = replace(REDIS, answers=lambda _: None)
    assert find(found, {"REDIS_TEST_URL": "redis://a:1", "REDIS_ADDR": "b:2"}) == "redis://a:1"
    assert find(found, {"REDIS_ADDR": "b:2"}) == "redis://b:2"
    assert find(found, {}) == REDIS.loopback


def test_what_is_named_is_not_replaced() -> None:
    """Where the named database does not answer, no other one is taken for it, and its password is not said."""
    missing = find(replace(REDIS, answers=nobody, embedded=lambda: "embedded"), {"REDIS_ADDR": "redis://:geheim@b:2"})
    assert missing == Missing("REDIS_ADDR is set, and nothing there answers: ConnectionError", named=True)


def test_the_wheel_comes_last() -> None:
    """Where nothing listens, one is started; where none is installed, the reason says what to install."""
    absent = replace(REDIS, answers=nobody, embedded=lambda: "embedded")
    assert find(absent, {}) == "embedded"
    missing = find(replace(absent, embedded=not_installed), {})
    assert isinstance(missing, Missing)
    assert "psp-harness[stores,embedded]" in missing.reason


@pytest.mark.parametrize(
    ("ci", "named", "outcome"),
    [
        ("true", True, pytest.fail.Exception),
        ("true", False, pytest.skip.Exception),
        ("", True, pytest.skip.Exception),
    ],
)
def test_in_ci_a_named_database_has_to_answer(
    ci: str, named: bool, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A skip is for machines that have no database, and for nobody's CI that says it has one."""
    monkeypatch.setattr(services, "_found", lambda _: Missing("why", named=named))
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="why"):
        address_of("redis")
