"""One run, from a job to a report: the only module that knows all the stages and their order."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

from psp_harness import case, faults, rules
from psp_harness.case import Case
from psp_harness.contracts import CASES
from psp_harness.drive import drive, drive_receiver, drive_shop, errored, introduce, introduce_shop
from psp_harness.errors import SubjectError, UsageError
from psp_harness.judge import judge
from psp_harness.model import Claims, Driven, Report, Role
from psp_harness.plan import Plan, available, make
from psp_harness.plan.points import is_point_of
from psp_harness.profile import REFRESHED, Profile
from psp_harness.quarantine import UNLIMITED, Limits, Row, Runs, gate_named, names, names_case
from psp_harness.registry import suggest
from psp_harness.settle import settle
from psp_harness.subjects.addresses import Options, open_client, open_provider, open_receiver, open_shop, presentable
from psp_harness.subjects.asked import Asked, answering
from psp_harness.subjects.options import WEBHOOK_PATH
from psp_harness.subjects.receivers import SECRET
from psp_harness.vocabulary import OF_A_RUN, OF_A_SUBJECT
from psp_harness.wire import tls

RUN_ID_BYTES = 4


@dataclass(frozen=True, slots=True)
class Job:
    """What one run is asked for: the command line as values."""

    role: Role
    address: str
    profile: Profile
    gate: str | None = None
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    claimed: tuple[str, ...] = ()
    effects_path: str | None = None
    clock_path: str | None = None
    orders_path: str | None = None
    webhook_path: str = WEBHOOK_PATH
    """Of a receiver that is started for the run."""
    credentials: Mapping[str, str] = field(default_factory=dict)
    allowed_hosts: frozenset[str] = frozenset()
    ca_file: str | None = None
    step_timeout: float = 60.0
    """Seconds; past it a case is errored."""
    answer_timeout: float = 2.0
    """Seconds that a client is asked to wait for an answer."""
    strict: bool = False
    jobs: int = 16
    cases: tuple[Path, ...] = (CASES,)
    rows: tuple[Row, ...] = ()
    limits: Limits = UNLIMITED
    today: date = field(default_factory=lambda: datetime.now(UTC).date())

    @property
    def shown_address(self) -> str:
        """As it may be printed: without the password of a store."""
        return presentable(self.address)

    @property
    def all_credentials(self) -> dict[str, str]:
        """Those in use, by tenant: the profile's, which are no secrets, unless others were given."""
        return {**self.profile.credentials, **self.credentials}


class Progress:
    """Told how far a run is; does nothing unless somebody wants to show it."""

    def planned(self, cases: int) -> None:
        """So many cases will be driven."""

    def done(self, case_id: str) -> None:
        """This one came to its end."""


async def run(job: Job, progress: Progress | None = None) -> Report:
    """Plan, drive, judge and settle one job.

    Raises `UsageError` and `DataError` for what the caller got wrong; a subject that cannot be driven is no exception
    but a report whose verdicts are *errored*.
    """
    progress = progress or Progress()
    begun = Begun()
    faults.load()
    cases = case.load(job.cases, faults.FAULTS)
    check(job)
    return conclude(job, await _driven(job, cases, progress), begun)


@dataclass(frozen=True, slots=True)
class Begun:
    """When a run began: for people, and for its length."""

    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    clock: float = field(default_factory=time.perf_counter)


@dataclass(frozen=True, slots=True)
class Happened:
    """What was planned, what became of it, and of whom."""

    plan: Plan
    driven: Mapping[str, Driven]
    claims: Claims
    address: str
    """As it may be printed."""


def conclude(job: Job, happened: Happened, begun: Begun) -> Report:
    """Judge and settle what was driven: the report on it."""
    plan, driven = happened.plan, happened.driven
    settled = settle(
        [verdict for verdict in judge(plan, driven) if plan.wants(verdict)],
        profile=job.profile,
        subject=job.shown_address,
        rows=job.rows,
        gate=job.gate,
        today=job.today,
        limits=job.limits,
        whole=not job.only,
    )
    return Report(
        run=plan.run,
        started=begun.started,
        seconds=time.perf_counter() - begun.clock,
        role=job.role,
        subject=happened.claims,
        address=happened.address,
        profile=job.profile.name,
        gate=job.gate,
        strict=job.strict,
        verdicts=settled.verdicts,
        histories={name: each.history for name, each in driven.items()},
        stale=settled.stale,
        secrets=tuple(job.credentials.values()),
    )


async def _driven(job: Job, cases: Sequence[Case], progress: Progress) -> Happened:
    options = Options(
        job.profile,
        job.all_credentials,
        job.step_timeout,
        job.answer_timeout,
        effects_path=job.effects_path,
        clock_path=job.clock_path,
        allowed_hosts=job.allowed_hosts,
        ca_file=job.ca_file,
        claimed=frozenset(job.claimed),
        orders_path=job.orders_path,
        webhook_path=job.webhook_path,
    )
    openers = {Role.CLIENT: _client, Role.PROVIDER: _provider, Role.RECEIVER: _receiver, Role.SHOP: _shop}
    return await openers[job.role](job, cases, options, progress)


async def _client(job: Job, cases: Sequence[Case], options: Options, progress: Progress) -> Happened:
    subject = open_client(job.address, options)
    try:
        claims = await introduce(subject, job.profile)
    except SubjectError as error:
        return _nothing(job, cases, Claims(job.shown_address), str(error))
    plan = _plan(job, cases, claims, {"effects", *(["made-certificates"] if tls.can_be_spoken() else [])})
    progress.planned(len(plan.cases))
    driven = await drive(plan, subject, jobs=job.jobs, on_case=progress.done)
    return Happened(plan, driven, claims, job.shown_address)


async def _provider(job: Job, cases: Sequence[Case], options: Options, progress: Progress) -> Happened:
    try:
        async with open_provider(job.address, options) as subject:
            plan = _plan(job, cases, subject.claims, subject.given)
            progress.planned(len(plan.cases))
            driven = await drive(plan, subject, jobs=job.jobs, on_case=progress.done)
            return Happened(plan, driven, subject.claims, subject.address)
    except SubjectError as error:
        return _nothing(job, cases, Claims(job.shown_address), str(error))


async def _receiver(job: Job, cases: Sequence[Case], options: Options, progress: Progress) -> Happened:
    asked = Asked(job.profile)
    try:
        async with answering(asked), open_receiver(job.address, replace(options, psp_url=asked.url)) as subject:
            asked.certificate = subject.sender.other.proves
            plan = _plan(job, cases, subject.claims, set(subject.features))
            progress.planned(len(plan.cases))
            driven = await drive_receiver(plan, subject, asked, jobs=job.jobs, on_case=progress.done)
            return Happened(plan, driven, subject.claims, subject.address)
    except SubjectError as error:
        return _nothing(job, cases, Claims(job.shown_address), str(error))


async def _shop(job: Job, cases: Sequence[Case], options: Options, progress: Progress) -> Happened:
    try:
        async with open_shop(job.address, options) as subject:
            claims = await introduce_shop(subject)
            plan = _plan(job, cases, claims, {"effects"})
            planned = len(plan.cases)
            progress.planned(planned)

            def more(points: int) -> None:
                nonlocal planned
                planned += points
                progress.planned(planned)

            driven = await drive_shop(plan, subject, jobs=job.jobs, on_more=more, on_case=progress.done)
            return Happened(plan, driven, claims, job.shown_address)
    except SubjectError as error:
        return _nothing(job, cases, Claims(job.shown_address), str(error))


def _nothing(job: Job, cases: Sequence[Case], claims: Claims, problem: str) -> Happened:
    """The subject could not even be opened: every case is errored for that reason."""
    everything = frozenset({*OF_A_SUBJECT, *OF_A_RUN, "refunds"})  # it never said what it does not have
    plan = _plan(job, cases, replace(claims, features=everything), everything)
    return Happened(plan, errored(plan, problem, claims), claims, job.shown_address)


def _plan(job: Job, cases: Sequence[Case], claims: Claims, given: Collection[str]) -> Plan:
    features = available(job.profile, job.role, claims, given, job.without)
    run_id = secrets.token_hex(RUN_ID_BYTES)
    wanted = [case for case in cases if _is_for_this_gate(case, job)]
    return make(wanted, rules.load().values(), job.profile, role=job.role, features=features, run=run_id, only=job.only)


def _is_for_this_gate(case: Case, job: Job) -> bool:
    """Whether its gate runs this case at all: one that runs the quarantined alone leaves out what no row names."""
    if job.gate is None or gate_named(job.gate).runs is not Runs.QUARANTINED:
        return True
    rows = (row for row in job.rows if names(row.subject, job.address))
    name = f"{job.role}/{job.profile.name}/{case.id}"
    return any(names_case(row, name) or (case.crashes and is_point_of(row.what, name)) for row in rows)


def _is_secret(name: str, job: Job) -> bool:
    return name == SECRET and job.role in {Role.RECEIVER, Role.SHOP}


def check(job: Job) -> None:
    """Raise `UsageError` for what does not go together."""
    for name in job.credentials:
        if name.removesuffix(REFRESHED) not in job.profile.credentials and not _is_secret(name, job):
            known = ", ".join(job.profile.credentials)
            raise UsageError(
                f"--credential names {name!r}, which profile {job.profile.name!r} does not have", do=f"known: {known}"
            )
    for feature in job.claimed:
        if feature not in OF_A_SUBJECT:
            raise UsageError(f"no subject can claim {feature!r}", do=suggest(feature, OF_A_SUBJECT))
    for path in (job.effects_path, job.clock_path, job.orders_path, job.webhook_path):
        if path is not None and not path.startswith("/"):
            raise UsageError(f"{path!r} is no path of a route", do=f"it begins with a slash: /{path}")
    if job.gate is not None:
        gate_named(job.gate)
    if job.step_timeout <= 0 or job.jobs < 1:
        raise UsageError(
            "--step-timeout and --jobs take positive numbers", do="for instance --step-timeout 60 --jobs 16"
        )
