"""Drive the cases of a plan: the only stage that touches the world. One file per role.

Every wait has a bound, and whatever goes wrong leaves a history: what was recorded before is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from psp_harness.drive.client import ClientCase, introduce
from psp_harness.drive.provider import ProviderCase
from psp_harness.model import Claims, Driven, History
from psp_harness.plan import Plan, Planned
from psp_harness.subjects.client import ClientSubject
from psp_harness.subjects.provider import ProviderSubject

__all__ = ["OnCase", "drive", "errored", "introduce"]

OnCase = Callable[[str], None]
"""Called with a case's id when it came to its end."""


async def drive(
    plan: Plan, subject: ClientSubject | ProviderSubject, *, jobs: int, on_case: OnCase
) -> Mapping[str, Driven]:
    """Drive every case of the plan, at most `jobs` at once; those that run alone come after the others."""
    gate = asyncio.Semaphore(jobs)

    async def one(planned: Planned) -> tuple[str, Driven]:
        async with gate:
            try:
                driven = await _one(planned, plan, subject)
            except Exception as error:  # noqa: BLE001 - ours to answer for: the other cases are judged all the same
                driven = _failed(planned, repr(error), subject)
        on_case(planned.case.id)
        return planned.case.id, driven

    together = await asyncio.gather(*(one(planned) for planned in plan.cases if not planned.case.alone))
    alone = [await one(planned) for planned in plan.cases if planned.case.alone]
    driven = dict([*together, *alone])
    return {planned.case.id: driven[planned.case.id] for planned in plan.cases}


def _one(planned: Planned, plan: Plan, subject: ClientSubject | ProviderSubject) -> Awaitable[Driven]:
    if isinstance(subject, ClientSubject):
        return ClientCase(planned, plan, subject).drive()
    return ProviderCase(planned, plan, subject).drive()


def _failed(planned: Planned, problem: str, subject: ClientSubject | ProviderSubject) -> Driven:
    nothing = History(planned.case.id, planned.intents, {}, (), None, Claims(subject.address))
    return Driven(nothing, errored=f"the harness itself failed on this case: {problem}; please report this")


def errored(plan: Plan, problem: str, claims: Claims) -> Mapping[str, Driven]:
    """Every case of the plan, none of which could be driven, for one and the same reason."""
    return {
        planned.case.id: Driven(History(planned.case.id, planned.intents, {}, (), None, claims), errored=problem)
        for planned in plan.cases
    }
