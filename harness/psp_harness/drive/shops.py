"""Drive every case of a shop, and those with crash points once more for each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from psp_harness.drive.shop import ShopCase
from psp_harness.model import Claims, Driven, History
from psp_harness.plan import Plan, Planned
from psp_harness.plan.points import Point, at, points
from psp_harness.subjects.shop import ShopSubject


async def drive_shop(
    plan: Plan,
    subject: ShopSubject,
    *,
    jobs: int,
    on_more: Callable[[int], None],
    on_case: Callable[[str], None],
) -> Mapping[str, Driven]:
    """Every case, and every point of those that have them, at most `jobs` at once, each with a shop of its own.

    `on_more` is told of the points of a case when they are known.
    """
    gate = asyncio.Semaphore(jobs)

    async def one(planned: Planned, point: Point | None) -> Driven:
        async with gate:
            try:
                driven = await ShopCase(planned, plan, subject, point).drive()
            except Exception as error:  # noqa: BLE001 - ours to answer for: the other cases are judged all the same
                driven = _failed(planned, error, subject.address)
        on_case(planned.case.id)
        return driven

    async def with_points(planned: Planned) -> dict[str, Driven]:
        driven = {planned.case.id: await one(planned, None)}
        found = driven[planned.case.id]
        if not planned.case.crashes or found.errored:
            return driven
        ready = [(at(planned, point), point) for point in _points_of(found.history)]
        ready = [(each, point) for each, point in ready if plan.wants_case(each.case.id)]
        on_more(len(ready))
        ended = await asyncio.gather(*(one(each, point) for each, point in ready))
        return driven | {each.case.id: end for (each, _), end in zip(ready, ended, strict=True)}

    together: dict[str, Driven] = {}
    for each in await asyncio.gather(*(with_points(planned) for planned in plan.cases)):
        together |= each
    return together


def _points_of(history: History) -> list[Point]:
    """Where its process can be ended: at each request that it sent, and at each commit that it counts."""
    sent = [x.number for x in history.exchanges if x.request is not None and x.operation != "deliver-webhook"]
    counts = "commit-points" in history.claims.features and history.books
    return list(points(sent, history.books[-1].commits if counts else 0))


def _failed(planned: Planned, problem: Exception, address: str) -> Driven:
    nothing = History(planned.case.id, planned.intents, {}, (), None, Claims(address))
    return Driven(nothing, errored=f"the harness itself failed on this case: {problem!r}; please report this")
