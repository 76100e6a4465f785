"""RabbitMQ: the queue between the reference shop's inbox and its worker, where it is configured."""

from __future__ import annotations

import asyncio
import socket
from urllib.parse import urlsplit

from psp_harness.services.programs import folder, free_port, serve
from psp_harness.services.service import Closed, Service

_CONNECT_SECONDS = 3
_PORT = 5672


def _ask(address: str) -> str:
    parts = urlsplit(address)
    where = (parts.hostname or "", parts.port or _PORT)
    socket.create_connection(where, _CONNECT_SECONDS).close()  # its driver logs every time that nobody is there
    return asyncio.run(_version(address))


async def _version(address: str) -> str:
    import aiormq

    async with asyncio.timeout(_CONNECT_SECONDS):
        connection = await aiormq.connect(address)
        try:
            said = connection.server_properties.get("version", "")
            return said.decode() if isinstance(said, bytes) else str(said)
        finally:
            await connection.close()


def _no_wheel() -> str:
    raise Closed("there is no wheel of it")


def _from_binary(program: str) -> str:
    """A node of its own, beside any other that runs here."""
    place, port = folder("rabbitmq"), free_port()
    place.chmod(0o777)  # started by root, it becomes another user
    plugins, settings = place / "plugins", place / "rabbitmq.conf"
    plugins.write_text("[].", encoding="utf-8")
    settings.write_text(f"listeners.tcp.1 = 127.0.0.1:{port}\n", encoding="utf-8")
    environment = {
        "RABBITMQ_NODENAME": f"psp-harness-{port}@localhost",
        "RABBITMQ_CONFIG_FILE": str(settings),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(place / "mnesia"),
        "RABBITMQ_LOG_BASE": str(place),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
        "RABBITMQ_PID_FILE": str(place / "pid"),
        "HOME": str(place),
    }
    return serve([program], environment, f"amqp://guest:guest@127.0.0.1:{port}", _ask, place)


RABBITMQ = Service(
    title="RabbitMQ",
    needs="3.10 or newer",
    costs="the shop's queue between inbox and worker; it works without one",
    do="set RABBITMQ_URL, or install rabbitmq-server, and pip install 'psp-harness[shop]'",
    variables=("RABBITMQ_URL",),
    scheme="amqp",
    loopback="amqp://guest:guest@127.0.0.1:5672",
    image="rabbitmq:3",
    port=_PORT,
    container_environment={},
    in_container=lambda host, port: f"amqp://guest:guest@{host}:{port}",
    ask=_ask,
    driver="aiormq",
    extra="shop",
    wheel="",
    start_wheel=_no_wheel,
    binary="rabbitmq-server",
    start_binary=_from_binary,
)
