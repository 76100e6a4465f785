"""`psp-harness serve`: the reference provider on a port, until interrupted."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import click
import uvicorn

from psp_harness.errors import UsageError
from psp_harness.profile import Profile
from psp_harness.subjects.addresses import our_psp_app


def serve_forever(profile: Profile, host: str, port: int, store: str, webhooks: Sequence[str] = ()) -> None:
    """Raises `UsageError` where the port is taken, the store cannot be opened, or nothing can be sent to a URL."""
    app = our_psp_app(profile, store, webhooks)
    try:
        listening = socket.create_server((host, port))
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"cannot listen on {host}:{port}: {getattr(error, 'strerror', error)}",
            do="choose another --port, or 0 for any free one",
        ) from None
    with listening:
        _announce(profile, f"http://{host}:{listening.getsockname()[1]}")
        uvicorn.Server(uvicorn.Config(app, log_level="warning", http="h11", ws="none")).run(sockets=[listening])


def _announce(profile: Profile, base_url: str) -> None:
    click.echo(f"a local stand-in of the PSP (profile {profile.name}) listens at {base_url}")
    for tenant, credential in profile.credentials.items():
        click.echo(f"  {tenant}: {profile.auth.header}: {profile.auth.value.replace('{credential}', credential)}")
    for operation in profile.operations.values():
        click.echo(f"  {operation.route}")
    if profile.webhooks is not None:
        click.echo('  POST /psp-harness/webhooks {"url": "http://127.0.0.1:8080/webhooks"}: its webhooks go there')
    click.echo(
        f"  judge it: psp-harness run --role provider --subject {base_url} --profile {profile.name} "
        "--effects /psp-harness/effects --clock /psp-harness/clock"
    )
