"""Watch a command: its requests go to a local PSP, everything is recorded, and nobody says what is wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from psp_harness.drive.command import run_to_its_end
from psp_harness.drive.ending import ended
from psp_harness.drive.local import LocalPsp
from psp_harness.drive.observed import observed
from psp_harness.drive.upstreams import OurPsp, Sandbox
from psp_harness.model import Claims, Driven, Exchange, History
from psp_harness.plan import Planned
from psp_harness.profile import Profile
from psp_harness.wire.caller import Target

BASE_URL = "PSP_BASE_URL"

PLACE = "{base_url}"
"""In what `--env NAME=TEXT` gives, where the PSP is."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What is to be watched."""

    command: Sequence[str]
    timeout: float
    """Seconds that it may take."""
    env: Mapping[str, str]
    """Variables beside `PSP_BASE_URL`, each a text in which `{base_url}` is replaced."""
    upstream: Target | None
    """A sandbox to pass the traffic on to; None: our own PSP answers."""
    credentials: dict[str, str] | None
    """By tenant, what our PSP takes; None: any."""
    claims: Claims
    announce: Callable[[str], None]
    """Told where the PSP listens, before the command begins."""


async def watch(planned: Planned, profile: Profile, watched: Watched) -> Driven:
    """Run the command to its end, and write down what happened. Raises `UsageError` if it cannot be started."""
    sandbox = Sandbox(watched.upstream, watched.timeout) if watched.upstream is not None else None
    async with AsyncExitStack() as stack:
        ours = OurPsp(profile, watched.credentials)
        stack.push_async_callback(ours.close)
        async with LocalPsp(profile, (sandbox or ours).handle, planned.strikes) as psp:
            watched.announce(psp.base_url)
            failed = await run_to_its_end(watched.command, _variables(watched, psp.base_url), watched.timeout)
        exchanges, effects = psp.exchanges, None if sandbox else await ours.effects()
        broken = [*psp.broken, *(sandbox.failures[:1] if sandbox else ())]
    errored = "; ".join([*([failed] if failed else []), *broken]) or _silence(exchanges, psp.base_url, profile)
    raw = History(planned.case.id, (), {}, exchanges, effects, watched.claims)
    what = ended(planned, raw, errored=errored, doubtful="")
    seen = observed(planned.case.id, exchanges, effects, profile, watched.claims)
    return Driven(seen, errored=what.errored, unexercised=what.unexercised)


def _variables(watched: Watched, base_url: str) -> dict[str, str]:
    return {name: text.replace(PLACE, base_url) for name, text in {BASE_URL: PLACE, **watched.env}.items()}


def _silence(exchanges: Sequence[Exchange], base_url: str, profile: Profile) -> str:
    """Why nothing was to be seen, if so: it proves nothing."""
    if not exchanges:
        return (
            f"the command sent nothing to {base_url}: it does not read {BASE_URL}; name the variable that it does "
            "read with --env"
        )
    asked = next((x.request for x in exchanges if x.request is not None), None)
    if asked is None:
        return "the command sent no complete HTTP request: is it speaking TLS to an http:// address?"
    if all(x.operation is None for x in exchanges):
        return (
            f"no request is one that profile {profile.name!r} knows, such as "
            f"{profile.operations['create-payment'].route}: the first was {asked.method} {asked.target}; name the PSP "
            "with --profile"
        )
    return ""
