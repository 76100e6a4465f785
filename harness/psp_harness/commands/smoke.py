"""`psp-harness smoke`: what is wrong with an adapter, in plain sentences."""

from __future__ import annotations

import asyncio
import sys

import click
from rich.console import Console

from psp_harness import profile
from psp_harness.commands import pairs
from psp_harness.model import Role
from psp_harness.reports.line import Line, show
from psp_harness.reports.scrub import scrub
from psp_harness.smoke import Finding, Sort
from psp_harness.smoke import smoke as check
from psp_harness.subjects.addresses import Options, default_profile, default_role, presentable

_STYLE = {Sort.OK: "green", Sort.NOTE: "yellow", Sort.WRONG: "bold red"}


@click.command()
@click.argument("address")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    help="What the subject is; a program (exec:) is a client, unless told.",
)
@click.option("--profile", "profile_name", metavar="NAME|FILE", help="Which PSP: see psp-harness list profiles.")
@click.option("--effects", metavar="PATH", help="The provider's route that says what it did.")
@click.option(
    "--credential", "credentials", multiple=True, metavar="NAME=VALUE", help="For instance tenant-a=sk_test_…"
)
@click.option("--allow-host", "allow_hosts", multiple=True, metavar="HOST", help="A target that is not loopback.")
@click.option("--ca", type=click.Path(exists=True, dir_okay=False), help="PEM file to trust for https.")
@click.option("--step-timeout", type=float, default=20.0, show_default=True, metavar="S", help="Bound on each step.")
def smoke(  # noqa: PLR0913 - one parameter for each option
    address: str,
    *,
    role: str | None,
    profile_name: str | None,
    effects: str | None,
    credentials: tuple[str, ...],
    allow_hosts: tuple[str, ...],
    ca: str | None,
    step_timeout: float,
) -> None:
    """Check the adapter at ADDRESS itself, before a run judges what is behind it.

    Exit status 2: something is wrong with it. 0: nothing is.
    """
    of_role = Role(role) if role else default_role(address, of_a_program=Role.CLIENT)
    facts = profile.load(profile_name or default_profile(address))
    given = pairs(credentials, "--credential", "tenant-a=sk_test_…")
    options = Options(
        facts,
        {**facts.credentials, **given},
        step_timeout,
        answer_timeout=1.0,
        effects_path=effects,
        allowed_hosts=frozenset(allow_hosts),
        ca_file=ca,
    )
    found = asyncio.run(check(address, of_role, options))
    console = Console(highlight=False)
    shown = scrub(presentable(address), given.values())
    show(Line(f"{of_role} {shown}, profile {facts.name}", style="bold"), console)
    for finding in found:
        _show(finding, list(given.values()), console)
    faults = sum(finding.sort is Sort.WRONG for finding in found)
    next_ = f"psp-harness run --role {of_role} --subject '{shown}' --profile {facts.name}"
    last = f"{faults} to mend before a verdict means anything" if faults else f"nothing is wrong. Next: {next_}"
    show(Line(f"SMOKE: {last}", style=_STYLE[Sort.WRONG if faults else Sort.OK]), console)
    sys.exit(2 if faults else 0)


def _show(finding: Finding, secrets: list[str], console: Console) -> None:
    says = scrub(f"{finding.about}: {finding.says}", secrets)
    show(Line(f"{finding.sort:<6} {says}", 2, _STYLE[finding.sort], wraps=False), console)
    if finding.do:
        show(Line(f"do: {finding.do}", 9, wraps=False), console)
