"""The command line: parses, delegates, prints, and turns a verdict into an exit status. Nothing is decided here."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import click
from msgspec import structs
from rich.console import Console

from psp_harness import __version__, comparison, config, listing, profile
from psp_harness.commands import pairs
from psp_harness.commands.smoke import smoke
from psp_harness.commands.watch import watch
from psp_harness.errors import HarnessError, UsageError
from psp_harness.model import Report, Role
from psp_harness.progress import shown_on
from psp_harness.publishing import publish
from psp_harness.quarantine import GATES
from psp_harness.run import Job
from psp_harness.run import run as run_job
from psp_harness.settle import exit_status
from psp_harness.subjects.addresses import default_profile, default_role


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


cli.add_command(watch)
cli.add_command(smoke)


@cli.command()
@click.option("--role", type=click.Choice([role.value for role in Role]), help="What the subject is.")
@click.option("--subject", metavar="ADDRESS", help="Whom to judge: see psp-harness list subjects.")
@click.option("--profile", "profile_name", metavar="NAME|FILE", help="Which PSP: see psp-harness list profiles.")
@click.option("--gate", metavar="GATE", help=f"One of {', '.join(GATES)}; without it nothing is excused.")
@click.option("--only", multiple=True, metavar="GLOB", help="Verdict ids to keep, or how they begin.")
@click.option("--effects", metavar="PATH", help="The subject's route that says what it did.")
@click.option("--clock", metavar="PATH", help="The subject's route that advances its clock.")
@click.option("--orders", metavar="PATH", help="The receiver's route that is told which orders there are.")
@click.option("--webhook", metavar="PATH", help="Where a receiver that is started takes webhooks. [/webhooks]")
@click.option(
    "--credential", "credentials", multiple=True, metavar="NAME=VALUE", help="For instance tenant-a=sk_test_…."
)
@click.option("--without", multiple=True, metavar="FEATURE", help="A feature that this subject does not have.")
@click.option(
    "--claim", "claims", multiple=True, metavar="FEATURE", help="A feature that an asgi: or wsgi: has: durable."
)
@click.option("--allow-host", "allow_hosts", multiple=True, metavar="HOST", help="A target that is not loopback.")
@click.option("--ca", type=click.Path(exists=True, dir_okay=False), help="PEM file to trust for https.")
@click.option("--step-timeout", type=float, default=60.0, show_default=True, metavar="S", help="Bound on each step.")
@click.option("--strict", is_flag=True, help="A SHOULD counts, and so does a rule that nothing exercised.")
@click.option("--jobs", type=int, default=16, show_default=True, metavar="N", help="Cases at one time.")
@click.option(
    "--cases", multiple=True, type=click.Path(path_type=Path), help="More cases: a TOML file or a folder of them."
)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the report here.")
@click.option("--junit", "junit_file", type=click.Path(dir_okay=False, path_type=Path), help="Write JUnit XML here.")
def run(role: str | None, subject: str | None, profile_name: str | None, **options: object) -> None:
    """Judge a subject. Without one: what psp-harness.toml names, or the reference client and provider.

    Exit status 1: a MUST is violated and not excused. 2: something cannot be told, or the call is wrong. 0: neither.
    """
    settings = config.load(Path.cwd())
    jobs = [_job(each, settings, options) for each in _runs(settings, role, subject, profile_name)]
    statuses = [_judge(job, options, several=len(jobs) > 1) for job in jobs]
    if len(jobs) > 1:
        told = (f"{job.shown_address} {_SAID[status]}" for job, status in zip(jobs, statuses, strict=True))
        failing = next((job.shown_address for job, status in zip(jobs, statuses, strict=True) if status), "")
        next_ = f"read what is said of {failing} above" if failing else "run this for every change, in CI"
        click.echo(f"\nIN ALL: {', '.join(told)}. Next: {next_}")
    sys.exit(1 if 1 in statuses else max(statuses))


_SAID = {0: "passed", 1: "is violated", 2: "cannot be told"}


def _runs(settings: config.Config, role: str | None, subject: str | None, name: str | None) -> Sequence[config.Run]:
    """What the command line names; or what the project's file names, or ours, of that role and profile."""
    if subject is not None:
        of_role = Role(role) if role else default_role(subject)
        return [config.Run(of_role, subject, name or default_profile(subject))]
    chosen = [each for each in settings.run or config.OURS if role in {None, each.role.value}]
    if not chosen:
        raise UsageError(f"nothing to judge in role {role!r}", do="name it: --subject ADDRESS")
    if name is None:
        return chosen
    return [structs.replace(each, profile=name) for each in chosen]


def _job(chosen: config.Run, settings: config.Config, options: dict[str, object]) -> Job:
    """What the configuration says, and over it what the command line does."""
    given, written = _Given(options), config.job_of(chosen, settings)
    return replace(
        written,
        gate=given.text("gate"),
        only=given.many("only"),
        without=given.many("without") or written.without,
        claimed=given.many("claims") or written.claimed,
        effects_path=given.text("effects") or written.effects_path,
        clock_path=given.text("clock") or written.clock_path,
        orders_path=given.text("orders") or written.orders_path,
        webhook_path=given.text("webhook") or written.webhook_path,
        credentials={**written.credentials, **given.pairs("credentials")},
        allowed_hosts=frozenset(given.many("allow_hosts")) or written.allowed_hosts,
        ca_file=given.text("ca") or written.ca_file,
        step_timeout=given.number("step_timeout"),
        strict=bool(options["strict"]),
        jobs=int(given.number("jobs")),
        cases=(*written.cases, *(Path(path) for path in given.many("cases"))),
    )


class _Given:
    """Options as click hands them over, by type."""

    def __init__(self, options: dict[str, object]) -> None:
        self._options = options

    def text(self, name: str) -> str | None:
        value = self._options[name]
        return None if value is None else str(value)

    def number(self, name: str) -> float:
        return float(str(self._options[name]))

    def many(self, name: str) -> tuple[str, ...]:
        value = self._options[name]
        return tuple(str(each) for each in value) if isinstance(value, tuple) else ()

    def pairs(self, name: str) -> dict[str, str]:
        return pairs(self.many(name), "--credential", "tenant-a=sk_test_…")


def _judge(job: Job, options: dict[str, object], *, several: bool) -> int:
    with shown_on(Console(stderr=True), f"{job.role} {job.shown_address}") as progress:
        report = asyncio.run(run_job(job, progress))
    _write(report, job, options, several=several)
    return exit_status(report.verdicts, report.stale, strict=report.strict)


def _write(report: Report, job: Job, options: dict[str, object], *, several: bool) -> None:
    """Every format that was asked for; text always. With several subjects, each has its files: report-client.json."""
    json_file, junit_file = (_of_role(options[name], report.role, several) for name in ("json_file", "junit_file"))
    publish(report, job.profile, json_file, junit_file)


def _of_role(path: object, role: Role, several: bool) -> Path | None:
    if not isinstance(path, Path):
        return None
    return path.with_name(f"{path.stem}-{role}{path.suffix}") if several else path


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
    click.echo("\nThe main job needs none of what is missing." if missing else "\nEverything is there.")


@cli.command()
@click.argument("name")
def explain(name: str) -> None:
    """Say what a rule, case, fault, profile, miniature, feature or verdict id means."""
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
def serve(profile_name: str, host: str, port: int, store: str) -> None:
    """Serve the reference provider, in the words of a profile, until interrupted."""
    from psp_harness.serving import serve_forever

    serve_forever(profile.load(profile_name), host, port, store)
