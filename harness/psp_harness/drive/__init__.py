"""Drive the cases of a plan: the only stage that touches the world. One file per role.

Every wait has a bound, and whatever goes wrong leaves a history: what was recorded before is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from psp_harness.drive.client import OVER_TLS, ClientCase, introduce
from psp_harness.drive.provider import ProviderCase
from psp_harness.drive.receiver import ReceiverCase, refuse_unmet, said_in_the_end
from psp_harness.drive.shop import introduce_shop
from psp_harness.drive.shops import drive_shop
from psp_harness.errors import SubjectError
from psp_harness.model import Claims, Driven, History
from psp_harness.plan import Plan, Planned
from psp_harness.subjects.asked import Asked
from psp_harness.subjects.client import ClientSubject
from psp_harness.subjects.provider import ProviderSubject
from psp_harness.subjects.receiver import ReceiverSubject
from psp_harness.wire import tls

__all__ = ["OnCase", "drive", "drive_receiver", "drive_shop", "errored", "introduce", "introduce_shop"]

OnCase = Callable[[str], None]
"""Called with a case's id when it came to its end."""


GRACE_SECONDS = 0.3
"""What a subject does so late after its last answer is still held against it."""


async def drive(
    plan: Plan, subject: ClientSubject | ProviderSubject, *, jobs: int, on_case: OnCase
) -> Mapping[str, Driven]:
    """Drive every case of the plan, at most `jobs` at once; those that run alone come after the others."""
    if isinstance(subject, ClientSubject):
        return await _clients(plan, subject, jobs, on_case)
    return await _providers(plan, subject, jobs, on_case)


async def _clients(plan: Plan, subject: ClientSubject, jobs: int, on_case: OnCase) -> Mapping[str, Driven]:
    driven: dict[str, Driven] = {}
    if any(OVER_TLS in planned.case.needs for planned in plan.cases):
        tls.authority()  # now: while it is made, nobody who waits gets an answer

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
    failed = await _send(plan, cases, subject.address, jobs, on_case)
    effects, unread = None, ""
    try:
        effects = await subject.effects()
    except SubjectError as error:
        unread = str(error)
    return {each: failed[each] if each in failed else case.end(effects, unread) for each, case in cases.items()}


async def drive_receiver(
    plan: Plan, subject: ReceiverSubject, asked: Asked, *, jobs: int, on_case: OnCase
) -> Mapping[str, Driven]:
    """Drive every case of a receiver. `asked` is what it may ask; what it did is read once, after the last case.

    Raises `SubjectError` where nobody takes webhooks at its address.
    """
    cases = {planned.case.id: ReceiverCase(planned, plan, subject, asked) for planned in plan.cases}
    failed = await _send(plan, cases, subject.address, jobs, on_case)
    said, unread = None, ""
    if subject.standing is not None:
        try:
            said = await said_in_the_end(subject.standing, [each for each in cases.values() if each.is_shared])
        except SubjectError as error:
            unread = str(error)
    driven = {each: failed[each] if each in failed else case.end(said, unread) for each, case in cases.items()}
    refuse_unmet(driven.values(), subject.address)
    return driven


async def _send(
    plan: Plan, cases: Mapping[str, ProviderCase | ReceiverCase], address: str, jobs: int, on_case: OnCase
) -> Mapping[str, Driven]:
    """Send every case and wait for what comes late. What is returned are the cases that failed in our own hands."""
    failed: dict[str, Driven] = {}

    async def one(planned: Planned) -> None:
        try:
            await cases[planned.case.id].send()
        except Exception as error:  # noqa: BLE001 - ours to answer for: the other cases are judged all the same
            failed[planned.case.id] = _failed(planned, error, address)

    await _in_order(plan, one, jobs, on_case)
    await asyncio.sleep(GRACE_SECONDS if cases else 0)
    return failed


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
