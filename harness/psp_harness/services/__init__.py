"""Databases, caches and brokers: where each is on this machine, or how one is started for as long as it is needed.

One resolver, and the same order for each of them:

    1  named      a variable says where it is; then no other one is taken, whatever becomes of it
    2  loopback   one listens at its usual port on this machine, and lets us in
    3  container  a Docker engine runs, testcontainers is installed, and SKIP_TESTCONTAINERS is not `true`
    4  wheel      a server that pip installed
    5  binary     the server's program is installed here

Where every way is closed there is a reason for each, and what to do; without its driver no service can be asked, and
none is looked for. Whatever is started ends with this process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from psp_harness.services import containers
from psp_harness.services.postgresql import POSTGRESQL
from psp_harness.services.rabbitmq import RABBITMQ
from psp_harness.services.redis import REDIS
from psp_harness.services.service import Closed, Found, Missing, Service

__all__ = ["SERVICES", "Closed", "Found", "Missing", "Service", "find", "look", "order"]

SERVICES: Mapping[str, Service] = {"postgresql": POSTGRESQL, "redis": REDIS, "rabbitmq": RABBITMQ}
"""By the name that tests and `doctor` use."""

Environment = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to a service: how it is called, and how it is gone."""

    how: str
    open: Callable[[], str]
    """The address of one that can be asked; starts it where it has to be. Raises `Closed`."""


def find(service: Service, environment: Environment) -> Found | Missing:
    """A service that answers, started where it has to be."""
    named = service.named(environment)
    if named is not None:
        variable, address = named
        found = _answering(service, f"named by {variable}", address)
        return found if isinstance(found, Found) else Missing(f"{variable} is set: {found}; {service.form}", named=True)
    return _unasked(service) or _first(service, _ways(service, environment))


def look(service: Service, environment: Environment) -> Found | Missing:
    """What `find` would find, without starting anything: the version is known of what runs already."""
    named = service.named(environment)
    if named is not None:
        return find(service, environment)
    if (unasked := _unasked(service)) is not None:
        return unasked
    running = _answering(service, "listens on loopback", service.loopback)
    if isinstance(running, Found):
        return running
    reasons = [f"loopback: {running}"]
    for how, closed in _would(service, environment):
        if not closed:
            return Found("", f"would be started, {how}", "")
        reasons.append(f"{how}: {closed}")
    return Missing(_said(service, reasons))


def order() -> Iterator[str]:
    """Where each service is looked for, one after the other, for people."""
    named = ", ".join(f"{' or '.join(each.variables)} ({each.title})" for each in SERVICES.values())
    yield f"where a variable says: {named}; then nowhere else"
    yield f"at its usual port on this machine ({', '.join(str(each.port) for each in SERVICES.values())})"
    yield f"in a container, where a Docker engine answers; {containers.SKIP}=true leaves that out"
    yield "out of a wheel: pip install 'psp-harness[embedded]'"
    yield f"from its program on the PATH ({', '.join(each.binary for each in SERVICES.values())})"


def _unasked(service: Service) -> Missing | None:
    """Why no way is tried: whatever a way leads to, without its driver nobody could ask it."""
    if missing := service.driver_missing():
        return Missing(f"no {service.title} (loopback: {service.heard(service.loopback)}; {missing})")
    return None


def _ways(service: Service, environment: Environment) -> Iterator[_Way]:
    yield _Way("listens on loopback", lambda: service.loopback)
    yield _Way("in a container", lambda: containers.start(service, environment))
    yield _Way("out of a wheel", service.from_wheel)
    yield _Way("from its program", service.from_binary)


def _would(service: Service, environment: Environment) -> Iterator[tuple[str, str]]:
    """Each way that starts something, and why it is closed, if so."""
    yield "in a container", containers.closed(environment)
    yield "out of a wheel", service.wheel_closed()
    yield "from its program", service.binary_closed()


def _first(service: Service, ways: Iterator[_Way]) -> Found | Missing:
    reasons: list[str] = []
    for way in ways:
        try:
            found = _answering(service, way.how, way.open())
        except Closed as closed:
            found = str(closed)
        if isinstance(found, Found):
            return found
        reasons.append(f"{way.how}: {found}")
    return Missing(_said(service, reasons))


def _answering(service: Service, how: str, address: str) -> Found | str:
    """What answers there; else what came instead, without the address, which may hold a password."""
    if missing := service.driver_missing():
        return f"{service.heard(address)}; {missing}"
    try:
        return Found(address, how, service.ask(address))
    except Exception as error:  # noqa: BLE001 - no address, refused, timed out, not allowed: all are no
        return f"no {service.title} answers there ({type(error).__name__})"


def _said(service: Service, reasons: list[str]) -> str:
    return f"no {service.title} ({'; '.join(reasons)}); {service.do}"
