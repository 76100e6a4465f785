"""What is known of one kind of service, and what a search for it ends in."""

from __future__ import annotations

import importlib.util
import shutil
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

_HEARING_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Found:
    """One that answers."""

    address: str
    """With a password, if it has one: not for printing."""
    how: str
    """`named by DATABASE_URL`, `listens on loopback`, …"""
    version: str


@dataclass(frozen=True, slots=True)
class Missing:
    """None, and why."""

    reason: str
    named: bool = False
    """Somebody said where it is, and it is not there."""


class Closed(Exception):
    """A way that does not lead to a service here; says why."""


@dataclass(frozen=True, slots=True)
class Service:
    """One kind of service."""

    title: str
    needs: str
    """The version that this project is made for: `15 or newer`."""
    costs: str
    """What cannot be done without it."""
    do: str
    """How to come by one."""
    variables: tuple[str, ...]
    """Those that say where it is; the first one that is set counts."""
    scheme: str
    """What is put before an address that is `host:port` alone."""
    loopback: str
    """Where one usually listens."""
    image: str
    """Of a container, with the oldest version that will do."""
    port: int
    """In the container."""
    container_environment: Mapping[str, str]
    in_container: Callable[[str, int], str]
    """The address, from host and port."""
    ask: Callable[[str], str]
    """The version of one that answers; raises whatever its driver raises."""
    driver: str
    """The module that asks it."""
    extra: str
    """The extra that brings the driver."""
    wheel: str
    """The module of a wheel that brings a server; empty where there is none."""
    start_wheel: Callable[[], str]
    binary: str
    """The server's program."""
    start_binary: Callable[[str], str]
    """Starts that program, at this path; raises `Closed` where it cannot be."""

    def named(self, environment: Mapping[str, str]) -> tuple[str, str] | None:
        """The variable that says where it is, and the address."""
        name = next((name for name in self.variables if environment.get(name)), None)
        if name is None:
            return None
        given = environment[name]
        return name, given if "://" in given else f"{self.scheme}://{given}"

    @property
    def form(self) -> str:
        """What an address looks like, for whoever wrote something else."""
        return f"an address is HOST:PORT, or a URL such as {self.loopback}"

    def driver_missing(self) -> str:
        """What to install before one can be asked; empty where its driver is there."""
        if importlib.util.find_spec(self.driver):
            return ""
        return f"its driver {self.driver} is not installed: pip install 'psp-harness[{self.extra}]'"

    def heard(self, address: str) -> str:
        """Whether anything listens at an address, where no driver can ask what it is."""
        try:
            parts = urlsplit(address)
            where = (parts.hostname or "", parts.port or self.port)
        except ValueError:
            where = ("", 0)
        if not where[0]:
            return "whether anything listens there cannot be told"
        try:
            socket.create_connection(where, _HEARING_SECONDS).close()
        except OSError:
            return "nothing listens there"
        return "something listens there"

    def wheel_closed(self) -> str:
        """Why there is no server out of a wheel, if there is none."""
        if not self.wheel:
            return "there is no wheel of it"
        return "" if importlib.util.find_spec(self.wheel) else f"{self.wheel} is not installed"

    def from_wheel(self) -> str:
        """The address of a server out of a wheel."""
        if closed := self.wheel_closed():
            raise Closed(closed)
        return self.start_wheel()

    def binary_closed(self) -> str:
        """Why its program cannot be started, as far as can be seen."""
        return "" if shutil.which(self.binary) else f"{self.binary} is not on the PATH"

    def from_binary(self) -> str:
        """The address of a server that was started from its program."""
        if closed := self.binary_closed():
            raise Closed(closed)
        return self.start_binary(str(shutil.which(self.binary)))
