"""Correct miniatures of receivers, each in its own way: what the page says of them is what they do."""

from __future__ import annotations

import asyncio

import pytest

from psp_harness import profile
from psp_harness.miniatures import MINIATURES
from psp_harness.miniatures.correct_receivers import ReceiverWithAQueue
from psp_harness.miniatures.receivers import CarefulReceiver, Event
from psp_harness.model import Answer, Errored, Report, Request, Role, Violated
from psp_harness.run import Job, run
from psp_harness.subjects.hosting import in_thread

GENERIC = profile.load("generic")


async def judged(made: CarefulReceiver, only: str) -> Report:
    """It, at a URL."""
    made.secrets = [GENERIC.secrets["tenant-a"]]
    async with in_thread(made) as base_url:
        job = Job(
            Role.RECEIVER,
            f"{base_url}/webhooks",
            GENERIC,
            only=(only,),
            effects_path="/psp-harness/effects",
            orders_path="/psp-harness/orders",
        )
        return await run(job)


def wrong(report: Report) -> list[str]:
    """What is said against it."""
    results = [verdict.result for verdict in report.verdicts if isinstance(verdict.result, Violated | Errored)]
    return [result.reason if isinstance(result, Errored) else result.problems[0].sentence for result in results]


async def test_a_worker_may_be_slow() -> None:
    """What was acknowledged is done more than a second later: nobody calls that lost."""

    class Slow(ReceiverWithAQueue):
        delay = 1.2

    assert wrong(await judged(Slow(), "receiver/generic/payment-told*")) == []


async def test_a_receiver_under_load_may_turn_copies_away() -> None:
    """Of eight at once it takes one, and answers the others 503 or 429: the PSP comes again."""

    class Busy(CarefulReceiver):
        busy = False

        async def take(self, event: Event, request: Request) -> Answer:
            if self.busy:
                return Answer(503, (), b"{}")
            self.busy = True
            try:
                await asyncio.sleep(0.1)
                return await super().take(event, request)
            finally:
                self.busy = False

    assert wrong(await judged(Busy(), "receiver/generic/payment-told-eight*")) == []
    assert wrong(await judged(Busy(), "receiver/generic/payment-told-while*")) == []


async def test_a_receiver_may_refuse_what_does_not_fit() -> None:
    """Another amount, account or mode is answered 422: nothing moved, and nobody says that it must be 2xx."""

    class Strict(CarefulReceiver):
        async def take(self, event: Event, request: Request) -> Answer:
            order = self.order_of(event)
            fits = order is None or self.fits(order, event)
            return await super().take(event, request) if fits else Answer(422, (), b"{}")

    assert wrong(await judged(Strict(), "receiver/generic/other-*")) == []


@pytest.mark.parametrize("name", [n for n, each in MINIATURES.items() if each.role is Role.RECEIVER and not each.mode])
def test_a_correct_receiver_says_what_is_its_own(name: str) -> None:
    """One sentence, which no other has."""
    says = [each.says for each in MINIATURES.values()]
    assert says.count(MINIATURES[name].says) == 1
