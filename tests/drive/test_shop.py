"""A shop is driven: ended at every point and started again; whatever else it does, the run ends and says why."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter

import pytest
from msgspec import structs

from psp_harness import profile
from psp_harness.errors import UsageError
from psp_harness.model import Report, Role, Verdict
from psp_harness.profile import Profile
from psp_harness.run import Job, run

GENERIC = profile.load("generic")
ODD = "python:drive.odd_shops:{}"


async def judged(subject: str, *only: str, seconds: float = 20.0, facts: Profile = GENERIC) -> Report:
    """A shop of profile `generic`, or of one that is called so."""
    named = tuple(f"shop/generic/{name}" for name in only)
    return await run(Job(Role.SHOP, subject, facts, only=named, step_timeout=seconds, answer_timeout=0.4))


def of_outcome(report: Report, *outcomes: str) -> list[Verdict]:
    """The verdicts with these words."""
    return [verdict for verdict in report.verdicts if verdict.outcome in outcomes]


def reasons(report: Report, *outcomes: str) -> set[str]:
    """What they say."""
    return {str(getattr(verdict.result, "reason", "")) for verdict in of_outcome(report, *outcomes)}


@pytest.fixture(scope="module")
def careful() -> Report:
    """A correct shop, in every case and at every point."""
    return asyncio.run(judged("miniature:careful-shop"))


# --- ended --------------------------------------------------------------------------------------------------------------


def test_a_shop_is_ended_at_every_request_and_every_commit(careful: Report) -> None:
    """Three points for each request, two for each commit; each history shows that its process ended once."""
    points = [name for name in careful.histories if name.startswith("order-and-refunds-")]
    kinds = Counter(re.sub(r"-\d+-", "-N-", name.removeprefix("order-and-refunds-")) for name in points)
    assert kinds == {
        **dict.fromkeys(("exchange-N-before", "exchange-N-acted", "exchange-N-answered"), 3),
        **dict.fromkeys(("commit-N-before", "commit-N-after"), 7),
    }
    assert {careful.histories[name].ended for name in points} == {1}
    assert of_outcome(careful, "violated", "errored", "unexercised") == []


def test_a_point_is_what_its_name_says(careful: Report) -> None:
    """Before: the PSP did nothing. Acted: it did, and the shop saw no answer. Answered: it was on its way."""
    first = {
        when: careful.histories[f"order-and-refunds-exchange-1-{when}"].exchanges[0]
        for when in ("before", "acted", "answered")
    }
    assert [each.fault for each in first.values()] == ["sender-ended"] * 3
    assert first["before"].answer is None
    assert first["acted"].answer is not None
    assert first["acted"].seen is None
    assert first["answered"].seen is not None


async def test_one_point_can_be_judged_alone() -> None:
    """By the name of its verdict, as a report has it."""
    report = await judged("miniature:keeps-its-keys-in-memory", "order-and-refunds-exchange-1-acted/*")
    ended = [name for name in report.histories if "exchange" in name or "commit" in name]
    assert ended == ["order-and-refunds-exchange-1-acted"]
    assert "an-order-is-charged-once" in {verdict.rule for verdict in of_outcome(report, "violated")}


async def test_a_shop_that_does_not_end_itself_proves_nothing_at_its_commits() -> None:
    """Unexercised, never passed."""
    report = await judged(ODD.format("NeverEnds"), "subscription-commit-")
    assert of_outcome(report, "passed", "violated", "errored") == []
    assert reasons(report, "unexercised") >= {"the commit never happened this time"}


def test_at_each_point_the_psp_tells_of_what_happened_there(careful: Report) -> None:
    """Points share the ids of their events, and never a payment; what comes again has the same bytes there."""
    told = [name for name in careful.histories if name.startswith("order-and-events")]
    assert len(told) > 10
    for name in told:
        history = careful.histories[name]
        bodies = [x.request.body for x in history.exchanges if x.operation == "deliver-webhook" and x.request]
        ids = {effect.id for effect in history.effects or ()}
        assert {json.loads(body)["data"]["payment_id"] for body in bodies} <= ids, name


async def test_goods_that_leave_again_after_a_restart_are_reported() -> None:
    """By what the event names: the payment that this very shop booked before it was ended."""
    report = await judged(ODD.format("ShipsAgainAfterARestart"), "order-and-events")
    assert {verdict.rule for verdict in of_outcome(report, "violated")} == {"an-order-is-shipped-once"}
    assert of_outcome(report, "errored") == []


# --- as it pleases ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["NumbersItsOrders", "shop_that_is_lent"])
async def test_a_shop_in_python_is_a_class_or_a_function_and_may_number_its_orders(name: str) -> None:
    """What the harness proposes is a proposal."""
    report = await judged(ODD.format(name), "two-orders-and-refunds", "paid-twice-in-a-row", "event-told-twice")
    assert of_outcome(report, "violated", "errored") == []
    assert of_outcome(report, "passed")


async def test_a_shop_that_does_it_a_little_later_is_judged_as_well() -> None:
    """That it cannot tell is no reason to say that it is not set up right, if it can tell in the end."""
    report = await judged(ODD.format("DoesItLater"), "order-paid/*", "paid-twice-in-a-row/*", "order-answer-lost/*")
    assert of_outcome(report, "violated", "errored") == []
    assert {verdict.case for verdict in of_outcome(report, "passed")} > {"order-paid", "paid-twice-in-a-row"}


WHOLE = structs.replace(
    GENERIC,
    operations={
        **GENERIC.operations,
        "create-refund": structs.replace(GENERIC.operations["create-refund"], whole_without_amount=True),
    },
)
"""A PSP that lets the amount of a refund be left out, where all that is left goes back."""


async def test_a_refund_of_all_that_is_left_needs_no_amount_where_the_psp_lets_it_be_left_out() -> None:
    """It is the wish for the whole, also when it comes again; where an amount is needed, nobody wished for it."""
    cases = ("order-refunded-as-a-whole/*", "two-orders-and-refunds/*")
    whole = await judged(ODD.format("GivesAllBackWithoutAnAmount"), *cases, facts=WHOLE)
    assert of_outcome(whole, "violated", "errored") == []
    (refund,) = (e for e in whole.histories["order-refunded-as-a-whole"].effects or () if e.kind == "refund")
    assert refund.amount == 8030
    needed = await judged(ODD.format("GivesAllBackWithoutAnAmount"), *cases)
    found = {(verdict.case, verdict.rule) for verdict in of_outcome(needed, "violated")}
    assert ("order-refunded-as-a-whole", "the-psp-is-asked-for-what-was-wished") in found


async def test_a_part_that_is_sent_without_an_amount_is_reported_where_the_psp_then_gives_back_all() -> None:
    """More went back than anybody wished for."""
    report = await judged(ODD.format("GivesAllBackForAPart"), "two-orders-and-refunds/*", facts=WHOLE)
    found = {verdict.rule for verdict in of_outcome(report, "violated")}
    assert {"the-psp-is-asked-for-what-was-wished", "a-row-that-is-done-is-money-that-moved"} <= found


OF_A_WORKER = ("order-paid/*", "order-answer-lost/*", "event-told-twice", "refund-made-at-the-psp", "late-events/*")


@pytest.mark.parametrize(
    ("name", "cases"),
    [
        ("HasAnOutbox", (*OF_A_WORKER, "order-and-events/*", "order-and-events-exchange-*")),
        ("SendsRefundsWhenItResumes", ("two-orders-and-refunds", "events-of-two-refunds")),
        ("GivesUpWhatThePspNeverHeardOf", ("order-and-events",)),
        (
            "RefusesASecondForm",
            ("checkout-submitted-twice", "order-and-events-commit-1-*", "order-and-refunds-commit-1-*"),
        ),
        ("NumbersItsOrdersAndRefusesASecondForm", ("checkout-submitted-twice",)),
    ],
)
async def test_a_shop_that_is_right_in_its_own_way_is_not_errored(name: str, cases: tuple[str, ...]) -> None:
    """It asks the PSP a little later, or when it resumes; it gives up what never happened; it takes a form once."""
    report = await judged(ODD.format(name), *cases)
    assert of_outcome(report, "violated", "errored") == []
    assert of_outcome(report, "passed")


@pytest.mark.parametrize("name", ["SaysDeclinedWhenPaid", "SaysNothingWasDoneWhenPaid"])
async def test_a_shop_that_denies_a_plain_payment_which_it_booked_is_not_passed(name: str) -> None:
    """Only of what it said that it could not tell is it excused by what it did in the end."""
    report = await judged(ODD.format(name), "order-paid/*")
    assert of_outcome(report, "passed") == []
    assert of_outcome(report, "violated", "errored")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Dies", "the subject's process ended before it answered"),
        ("SaysWhatIsNoState", "does not fit the protocol at .orders[0].status: 'perhaps' is not one of"),
        ("Raises", "'do' raised AttributeError"),
        ("Sleeps", "no answer to 'do' within 1 s"),
    ],
)
async def test_a_shop_that_cannot_be_driven_is_errored(name: str, said: str) -> None:
    """With the reason, and nothing passes in that case."""
    report = await judged(ODD.format(name), "two-orders-and-refunds/*", seconds=1.0)
    assert of_outcome(report, "passed", "violated") == []
    (reason,) = reasons(report, "errored")
    assert said in reason


async def test_a_module_that_is_not_there_is_one_sentence() -> None:
    """Before anything is driven."""
    with pytest.raises(UsageError, match=r"^python:no_such_shop:Shop: ModuleNotFoundError: .*; name module:attribute"):
        await judged("python:no_such_shop:Shop")
