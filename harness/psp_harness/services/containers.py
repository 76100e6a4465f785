"""A service in a container, where a Docker engine runs; which it does, is found out before anything is pulled."""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from psp_harness.services.service import Closed, Service

SKIP = "SKIP_TESTCONTAINERS"
_SECONDS = 3


def closed(environment: Mapping[str, str]) -> str:
    """Why no container can be started here; empty where one can."""
    if environment.get(SKIP, "").lower() == "true":
        return f"{SKIP} is true"
    if importlib.util.find_spec("testcontainers") is None:
        return "testcontainers is not installed"
    return _engine()


def start(service: Service, environment: Mapping[str, str]) -> str:
    """The address of a container that was started and answers. Raises `Closed`."""
    if why := closed(environment):
        raise Closed(why)
    from testcontainers.core.container import DockerContainer  # type: ignore[import-untyped, unused-ignore]
    from testcontainers.core.wait_strategies import PortWaitStrategy  # type: ignore[import-untyped, unused-ignore]

    container: Any = DockerContainer(service.image).with_exposed_ports(service.port)
    for name, value in service.container_environment.items():
        container = container.with_env(name, value)
    try:
        started = container.waiting_for(PortWaitStrategy(service.port)).start()  # its reaper removes it with us
        address = service.in_container(started.get_container_host_ip(), int(started.get_exposed_port(service.port)))
    except Exception as error:
        raise Closed(f"{service.image} did not start: {type(error).__name__}") from error
    return address


def daemon_answers() -> bool:
    """Whether the program `docker` has a daemon behind it."""
    with suppress(OSError, subprocess.SubprocessError):
        asked = ["docker", "version", "--format", "{{.Server.Version}}"]
        said = subprocess.run(asked, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603 - nothing of anybody's
        return said.returncode == 0
    return False


def _engine() -> str:
    """Why no Docker engine can be asked; empty where one answers."""
    import docker  # type: ignore[import-untyped, unused-ignore]

    try:
        client = docker.from_env(timeout=_SECONDS)
        try:
            client.ping()
        finally:
            client.close()
    except Exception as error:  # noqa: BLE001 - no socket, no right to it, no engine behind it
        return f"no Docker engine answers ({type(error).__name__})"
    return ""
