"""`psp-harness run`: judge what the command line names, or the project's file, and write what was asked for."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import click
from msgspec import structs
from rich.console import Console

from psp_harness import config
from psp_harness.commands import ci, pairs
from psp_harness.commands import options as shared
from psp_harness.errors import NothingChosen, UsageError
from psp_harness.model import Report, Role
from psp_harness.progress import shown_on
from psp_harness.publishing import publish
from psp_harness.quarantine import GATES
from psp_harness.reports.closing import in_all
from psp_harness.run import Job
from psp_harness.run import run as run_job
from psp_harness.settle import exit_status
from psp_harness.subjects.addresses import default_profile, default_role


@click.command()
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
@shared.summary
@shared.github
@shared.history
@shared.today
def run(role: str | None, subject: str | None, profile_name: str | None, **options: object) -> None:
    """Judge a subject. Without one: what psp-harness.toml names, or the reference client and provider.

    Exit status 1: a MUST is violated and not excused. 2: something cannot be told, or the call is wrong. 0: neither.
    """
    settings = config.load(Path.cwd())
    ours = subject is None and not settings.run
    if ours and options["gate"] is not None:
        raise config.nothing_named()
    judged = _judged([_job(each, settings, options) for each in _runs(settings, role, subject, profile_name)], options)
    ci.tell([job for job, _ in judged], [report for _, report in judged], settings, options)
    if len(judged) > 1:
        click.echo(f"\n{in_all([(job.shown_address, report) for job, report in judged], ours=ours)}")
    statuses = [exit_status(report.verdicts, report.stale, strict=report.strict) for _, report in judged]
    sys.exit(1 if 1 in statuses else max(statuses))


def _judged(jobs: Sequence[Job], options: dict[str, object]) -> Sequence[tuple[Job, Report]]:
    """One after the other; of several, those of which `--only` names nothing are left out, unless all are."""
    found, left_out = [], []
    for job in jobs:
        try:
            found.append((job, _judge(job, options, several=len(jobs) > 1)))
        except NothingChosen as nothing:
            left_out.append(nothing)
    if not found:
        raise left_out[0]
    return found


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
        today=given.day("today"),
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

    def day(self, name: str) -> date:
        value = self._options[name]
        return value if isinstance(value, date) else datetime.now(UTC).date()

    def many(self, name: str) -> tuple[str, ...]:
        value = self._options[name]
        return tuple(str(each) for each in value) if isinstance(value, tuple) else ()

    def pairs(self, name: str) -> dict[str, str]:
        return pairs(self.many(name), "--credential", "tenant-a=sk_test_…")


def _judge(job: Job, options: dict[str, object], *, several: bool) -> Report:
    with shown_on(Console(stderr=True), f"{job.role} {job.shown_address}") as progress:
        report = asyncio.run(run_job(job, progress))
    _write(report, job, options, several=several)
    return report


def _write(report: Report, job: Job, options: dict[str, object], *, several: bool) -> None:
    """Every format that was asked for; text always. With several subjects, each has its files: report-client.json."""
    json_file, junit_file = (_of_role(options[name], report.role, several) for name in ("json_file", "junit_file"))
    publish(report, job.profile, json_file, junit_file)


def _of_role(path: object, role: Role, several: bool) -> Path | None:
    if not isinstance(path, Path):
        return None
    return path.with_name(f"{path.stem}-{role}{path.suffix}") if several else path
