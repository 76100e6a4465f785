"""`psp-harness watch`: plan, drive, judge and settle a command of a team's own, which nobody asked for anything.

What must hold here: a rule binds only where it holds whoever wanted what; which those are, each rule says of itself.
"""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from psp_harness import rules
from psp_harness.case import Case
from psp_harness.drive.local import as_steps
from psp_harness.drive.striking import strikes_of
from psp_harness.drive.watched import Watched, watch
from psp_harness.errors import UsageError
from psp_harness.model import Claims, Exchange, Report, Role
from psp_harness.plan import WATCHED_COMMAND, Plan, Planned, available, make
from psp_harness.profile import Profile
from psp_harness.run import RUN_ID_BYTES, Begun, Happened, Job, check, conclude
from psp_harness.subjects.addresses import permitted
from psp_harness.wire.caller import Target, target_of

_CASE = Case(WATCHED_COMMAND, Role.CLIENT, "a command of a team's own, whose requests go to a PSP of ours", ())

_SHORTEST_SECRET = 12
"""Characters; a shorter credential is a word that may stand anywhere in a report."""


@dataclass(frozen=True, slots=True)
class Watching:
    """What `watch` is asked for beside what every run is."""

    command: Sequence[str]
    timeout: float = 600.0
    """Seconds that the command may take."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables beside `PSP_BASE_URL`; `{base_url}` in a text is where the PSP is."""
    faults: Sequence[str] = ()
    """As `drive.striking` reads them."""
    upstream: str | None = None
    """A sandbox to pass the traffic on to."""


def job_of(command: Sequence[str], profile: Profile) -> Job:
    """The job of watching a command."""
    return Job(Role.CLIENT, shlex.join(command), profile)


async def run(job: Job, watching: Watching, announce: Callable[[str], None] = lambda _: None) -> Report:
    """Watch the command to its end. Raises `UsageError` for what the caller got wrong."""
    begun = Begun()
    check(job)
    if watching.timeout <= 0:
        raise UsageError("--timeout takes a positive number of seconds", do="for instance --timeout 600")
    strikes = strikes_of(watching.faults, job.profile)
    upstream = _upstream(job, watching)
    claims = Claims(watching.command[0].rpartition("/")[2], features=frozenset({"refunds"}))
    planned = Planned(_CASE, as_steps(), strikes)
    plan = replace(_plan(job, claims, sees_effects=upstream is None), cases=(planned,))
    credentials = job.all_credentials if job.credentials else None
    watched = Watched(watching.command, watching.timeout, watching.env, upstream, credentials, claims, announce)
    driven = await watch(planned, job.profile, watched)
    report = conclude(job, Happened(plan, {WATCHED_COMMAND: driven}, claims, job.address), begun)
    return replace(report, secrets=(*report.secrets, *credentials_in(driven.history.exchanges, job.profile)))


def _plan(job: Job, claims: Claims, *, sees_effects: bool) -> Plan:
    given = {"effects"} if sees_effects else set()
    features = available(job.profile, job.role, claims, given, (*job.without, "intent"))
    run_id = secrets.token_hex(RUN_ID_BYTES)
    return make(
        [_CASE], rules.load().values(), job.profile, role=job.role, features=features, run=run_id, only=job.only
    )


def _upstream(job: Job, watching: Watching) -> Target | None:
    if watching.upstream is None:
        return None
    if job.credentials:
        raise UsageError("--credential says what our own PSP takes", do="leave it out beside --upstream")
    permitted(watching.upstream, job.allowed_hosts)
    try:
        return target_of(watching.upstream, job.ca_file)
    except OSError as error:
        raise UsageError(f"the CA file {job.ca_file!r} cannot be used: {error}", do="name a PEM file") from None


def credentials_in(exchanges: Sequence[Exchange], profile: Profile) -> Iterator[str]:
    """What the command identified itself with: nothing that is written may contain it."""
    for exchange in exchanges:
        for line in exchange.request.lines(profile.auth.header) if exchange.request else ():
            secret = line.decode("latin-1").rpartition(" ")[2]
            if len(secret) >= _SHORTEST_SECRET and secret not in profile.credentials.values():
                yield secret
