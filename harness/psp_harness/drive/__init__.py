"""Drive the cases of a plan: the only stage that touches the world. One file per role.

Every wait has a bound, and whatever goes wrong leaves a history: what was recorded before is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from psp_harness.drive.client import ClientCase, introduce
from psp_harness.drive.provider import ProviderCase
from psp_harness.errors import SubjectError
from psp_harness.model import Claims, Driven, History
from psp_harness.plan import Plan, Planned
from psp_harness.subjects.client import ClientSubject
from psp_harness.subjects.provider import ProviderSubject

__all__ = ["OnCase", "drive", "errored", "introduce"]

OnCase = Callable[[str], None]
"""Called with a case's id when it came to its end."""


GRACE_SECONDS = 0.3
"""What a provider does so late after its last answer is still held against it."""


async def drive(
    plan: Plan, subject: ClientSubject | ProviderSubject, *, jobs: int, on_case: OnCase
) -> Mapping[str, Driven]:
    """Drive every case of the plan, at most `jobs` at once; those that run alone come after the others."""
    if isinstance(subject, ClientSubject):
        return await _clients(plan, subject, jobs, on_case)
    return await _providers(plan, subject, jobs, on_case)


async def _clients(plan: Plan, subject: ClientSubject, jobs: int, on_case: OnCase) -> Mapping[str, Driven]:
    driven: dict[str, Driven] = {}

    async def one(planned: Planned) -> None:
        try:
            driven[planned.case.id] = await ClientCase(planned, plan, subject).drive()
        except Exception as error:  # noqa: BLE001 - ours to answer for: the other cases are judged all the same
            driven[planned.case.id] = _failed(planned, error, subject.address)

    await _in_order(plan, one, jobs, on_case)
    return {planned.case.id: driven[planned.case.id] for planned in plan.cases}


async def _providers(plan: Plan, subject: ProviderSubject, jobs: int, on_case: OnCase) -> Mapping[str, Driven]:
    """All cases are sent, and only then is read what the provider did: late effects count as well."""
    cases = {planned.case.id: ProviderCase(planned, plan, subject) for planned in plan.cases}
    failures: dict[str, Exception] = {}

    async def one(planned: Planned) -> None:
        try:
            await cases[planned.case.id].send()
        except Exception as error:  # noqa: BLE001 - ours to answer for: the other cases are judged all the same
            failures[planned.case.id] = error

    await _in_order(plan, one, jobs, on_case)
    await asyncio.sleep(GRACE_SECONDS if cases else 0)
    effects, unread = None, ""
    try:
        effects = await subject.effects()
    except SubjectError as error:
        unread = str(error)
    return {
        planned.case.id: _failed(planned, failures[planned.case.id], subject.address)
        if planned.case.id in failures
        else cases[planned.case.id].end(effects, unread)
        for planned in plan.cases
    }


async def _in_order(plan: Plan, one: Callable[[Planned], Awaitable[None]], jobs: int, on_case: OnCase) -> None:
    gate = asyncio.Semaphore(jobs)

    async def in_turn(planned: Planned) -> None:
        async with gate:
            await one(planned)
        on_case(planned.case.id)

    await asyncio.gather(*(in_turn(planned) for planned in plan.cases if not planned.case.alone))
    for planned in plan.cases:
        if planned.case.alone:
            await in_turn(planned)


def _failed(planned: Planned, problem: Exception, address: str) -> Driven:
    nothing = History(planned.case.id, planned.intents, {}, (), None, Claims(address))
    return Driven(nothing, errored=f"the harness itself failed on this case: {problem!r}; please report this")


def errored(plan: Plan, problem: str, claims: Claims) -> Mapping[str, Driven]:
    """Every case of the plan, none of which could be driven, for one and the same reason."""
    return {
        planned.case.id: Driven(History(planned.case.id, planned.intents, {}, (), None, claims), errored=problem)
        for planned in plan.cases
    }
