"""The command line: parses, delegates, prints, and turns a verdict into an exit status. Nothing is decided here."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console

from psp_harness import __version__, comparison, listing, profile
from psp_harness.commands.quarantine import quarantine
from psp_harness.commands.run import run
from psp_harness.commands.settle import settle
from psp_harness.commands.smoke import smoke
from psp_harness.commands.watch import watch
from psp_harness.errors import HarnessError, UsageError
from psp_harness.model import Role
from psp_harness.progress import shown_on


def main() -> NoReturn:
    """The entry point: an error of ours is one line on standard error and status 2, never a traceback."""
    try:
        cli.main(standalone_mode=False)
    except HarnessError as error:
        click.echo(f"psp-harness: {error}", err=True)
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except OSError as error:  # a report that cannot be written, an output that nobody reads any more
        named = error.filename or "output"
        click.echo(f"psp-harness: {named}: {error.strerror}; name a file that can be written", err=True)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("psp-harness: interrupted", err=True)
        sys.exit(130)
    except Exception as error:  # a mistake of ours: said as such, and where to look
        if "PSP_HARNESS_TRACEBACK" in os.environ:
            raise
        click.echo(f"psp-harness: a mistake of the harness itself: {error!r}; please report it", err=True)
        click.echo("  PSP_HARNESS_TRACEBACK=1 shows where it happened", err=True)
        sys.exit(2)
    sys.exit(0)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="psp-harness")
def cli() -> None:
    """Prove that a payment integration cannot charge twice, refund twice, or lose money to a retry."""


for command in (run, watch, smoke, settle, quarantine):
    cli.add_command(command)


@cli.command(name="list")
@click.argument("what", type=click.Choice(sorted(listing.LISTS)), metavar="WHAT")
@click.option("--role", type=click.Choice([role.value for role in Role]), help="Only those of this role.")
@click.option("--compare", is_flag=True, help="Of profiles: what each PSP promises of its keys, side by side.")
def list_(what: str, role: str | None, *, compare: bool) -> None:
    """Print what there is: cases, rules, faults, profiles, features, steps, subjects, miniatures, gates."""
    if compare and what != "profiles":
        raise UsageError("--compare is for profiles alone", do="psp-harness list profiles --compare")
    console = Console(highlight=False)
    if compare:
        comparison.show(console)
    else:
        listing.show(what, Role(role) if role else None, console)


_PAGE = click.Path(dir_okay=False, path_type=Path)


@cli.command()
@click.option("--role", type=click.Choice([role.value for role in Role]), help="Only the miniatures of this role.")
@click.option("--sdks", is_flag=True, help="Judge the published SDKs instead, in every way that they can be used.")
@click.option("--markdown", type=_PAGE, metavar="FILE", help="Write the page here.")
@click.option("--html", type=_PAGE, metavar="FILE", help="Write it as HTML here.")
def matrix(role: str | None, markdown: Path | None, html: Path | None, *, sdks: bool) -> None:
    """Judge every miniature: which rule reports which, and whether it ought to. Exit status 1 where they disagree."""
    from psp_harness import matrix as matrices
    from psp_harness.matrix import miniatures
    from psp_harness.matrix import sdks as published

    if sdks and role is not None:
        raise UsageError("--role chooses miniatures, and every SDK is a client", do="leave out --role or --sdks")
    with shown_on(Console(stderr=True), "SDKs" if sdks else "miniatures") as progress:
        found = asyncio.run(
            published.judged(progress) if sdks else miniatures.judged(Role(role) if role else None, progress)
        )
    if markdown is None and html is None:
        matrices.show(found, Console(highlight=False))
    for file in matrices.write(found, markdown, html):
        click.echo(f"{file}: {found.verdict}")
    sys.exit(0 if found.agrees else 1)


@cli.command()
def doctor() -> None:
    """Say what of this machine can be used, with versions, and what each missing part costs. Nothing is started."""
    from psp_harness import doctor as examination

    missing = examination.render(examination.examine(os.environ), Console(highlight=False))
    click.echo("\n" + "\n".join(examination.places()))
    click.echo("\nThe main job needs none of what is missing." if missing else "\nEverything is there.")


@cli.command()
@click.argument("name")
def explain(name: str) -> None:
    """Say what a rule, case, fault, profile, miniature, feature, failure mode (C06) or verdict id means."""
    listing.explain(name, Console(highlight=False))


@cli.command()
@click.option(
    "--profile", "profile_name", default="generic", show_default=True, metavar="NAME|FILE", help="Which PSP to be."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=8181, show_default=True, help="0: any free one.")
@click.option(
    "--store",
    default="memory",
    show_default=True,
    metavar="ADDRESS",
    help="Its books: memory, sqlite:PATH, postgresql://…, redis://…",
)
@click.option("--webhooks", multiple=True, metavar="URL", help="Where tenant-a's events go; may come several times.")
def serve(profile_name: str, host: str, port: int, store: str, webhooks: tuple[str, ...]) -> None:
    """Serve the reference provider, in the words of a profile, until interrupted."""
    from psp_harness.serving import serve_forever

    serve_forever(profile.load(profile_name), host, port, store, webhooks)
