"""`psp-harness watch`: the team's own command, its requests recorded, and judged as far as can be without intent."""

from __future__ import annotations

import asyncio
import difflib
import re
import sys
from dataclasses import replace
from pathlib import Path

import click

from psp_harness import config, profile, quarantine, watching
from psp_harness.commands import pairs
from psp_harness.drive.watched import BASE_URL, PLACE
from psp_harness.errors import UsageError
from psp_harness.publishing import publish
from psp_harness.quarantine import GATES
from psp_harness.settle import exit_status

_PLACED = PLACE.strip("{}")
_EXAMPLE = f"STRIPE_API_BASE={PLACE}/v1"
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--profile", "profile_name", default="generic", show_default=True, metavar="NAME|FILE", help="Which PSP we are."
)
@click.option(
    "--env",
    multiple=True,
    metavar="NAME[=TEXT]",
    help=f"A variable beside {BASE_URL}; {PLACE} in TEXT is where the PSP is.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="FAULT:OPERATION[:REQUESTS][:OPTION=VALUE]",
    help="For instance response-lost:create-payment:1.",
)
@click.option("--upstream", metavar="URL", help="A sandbox that answers instead of our own PSP.")
@click.option("--allow-host", "allow_hosts", multiple=True, metavar="HOST", help="An upstream that is not loopback.")
@click.option("--ca", type=click.Path(exists=True, dir_okay=False), help="PEM file to trust for the upstream.")
@click.option(
    "--credential", "credentials", multiple=True, metavar="NAME=VALUE", help="What our PSP takes; any unless told."
)
@click.option("--timeout", type=float, default=600.0, show_default=True, metavar="S", help="Bound on the command.")
@click.option("--gate", metavar="GATE", help=f"One of {', '.join(GATES)}; without it nothing is excused.")
@click.option("--only", multiple=True, metavar="GLOB", help="Verdict ids to keep, or how they begin.")
@click.option("--strict", is_flag=True, help="A SHOULD counts, and so does a rule that nothing exercised.")
@click.option("--json", "json_file", type=_FILE, help="Write the report here.")
@click.option("--junit", "junit_file", type=_FILE, help="Write JUnit XML here.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def watch(  # noqa: PLR0913 - one parameter for each option
    command: tuple[str, ...],
    *,
    profile_name: str,
    env: tuple[str, ...],
    faults: tuple[str, ...],
    upstream: str | None,
    allow_hosts: tuple[str, ...],
    ca: str | None,
    credentials: tuple[str, ...],
    timeout: float,
    gate: str | None,
    only: tuple[str, ...],
    strict: bool,
    json_file: Path | None,
    junit_file: Path | None,
) -> None:
    """Run COMMAND against a PSP of ours, record what it sends, and judge what can be judged without intent.

    COMMAND finds the PSP in PSP_BASE_URL. Exit status 1: a MUST is violated. 2: the command failed, or something
    cannot be told. 0: neither.
    """
    job = replace(
        watching.job_of(command, profile.load(profile_name)),
        gate=gate,
        only=only,
        credentials=pairs(credentials, "--credential", "tenant-a=sk_test_…"),
        allowed_hosts=frozenset(allow_hosts),
        ca_file=ca,
        strict=strict,
        rows=quarantine.read(Path(config.load(Path.cwd()).quarantine)),
    )
    asked = watching.Watching(command, timeout, _variables(env), faults, upstream)
    report = asyncio.run(watching.run(job, asked, lambda base_url: _announce(base_url, job.profile.name, upstream)))
    click.echo()  # the command may have left its last line open
    publish(report, job.profile, json_file, junit_file)
    sys.exit(exit_status(report.verdicts, report.stale, strict=report.strict))


def _variables(texts: tuple[str, ...]) -> dict[str, str]:
    """A name alone has the base URL. Raises `UsageError` for what cannot have been meant."""
    for text in texts:
        name, _, said = text.partition("=")
        if re.search(r"\s", name):
            raise UsageError(f"--env {text!r}: {name!r} is no name of a variable", do=f"for instance {_EXAMPLE}")
        for word in re.findall(r"\{(\w+)\}", said):
            if word != _PLACED and difflib.get_close_matches(word.lower(), [_PLACED], cutoff=0.5):
                raise UsageError(f"--env {text!r}: nothing is put in the place of {{{word}}}", do=f"write {PLACE}")
    written = (text if "=" in text else f"{text}={PLACE}" for text in texts)
    return pairs(written, "--env", _EXAMPLE)


def _announce(base_url: str, name: str, upstream: str | None) -> None:
    what = "the way to the upstream" if upstream else "a local stand-in of the PSP"
    click.echo(f"psp-harness: {what} (profile {name}) listens at {base_url}, which is in {BASE_URL}", err=True)
