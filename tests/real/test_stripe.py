"""`sdk:stripe`: the published package, judged; every finding traces to a cause that was checked by hand."""

from __future__ import annotations

import asyncio

import pytest

from psp_harness import profile
from psp_harness.model import Passed, Report, Role, Violated
from psp_harness.run import Job, run

pytestmark = pytest.mark.integration

CAUSES = {
    (
        "empty-key",
        "an-unusable-key-is-refused-before-sending",
    ): "stripe-python takes '' for none, and makes a random key",
    ("over-long-key", "an-over-long-key-is-refused-before-sending"): "it does not know the limit of 255",
}


@pytest.fixture(scope="module")
def report() -> Report:
    """The SDK, with its retries on."""
    pytest.importorskip("stripe", reason="pip install 'psp-harness[sdks]'")
    return asyncio.run(run(Job(Role.CLIENT, "sdk:stripe", profile.load("stripe"))))


def test_it_is_reported_for_what_is_true_of_it_and_nothing_else(report: Report) -> None:
    """Each violation has one of two causes, and both are found."""
    violated = {(v.case, v.rule) for v in report.verdicts if isinstance(v.result, Violated)}
    assert violated == set(CAUSES)


def test_it_keeps_one_key_through_every_lost_answer(report: Report) -> None:
    """Where answers are lost, every attempt of a call carries the same key and body, and money moves once."""
    lost = {v.rule: v.result for v in report.verdicts if v.case == "payment-answer-lost"}
    rules = ("attempts-of-one-call-share-one-key", "attempts-of-one-call-share-one-body", "one-call-has-one-effect")
    assert [isinstance(lost[rule], Passed) for rule in rules] == [True, True, True]
    assert len(report.histories["payment-answer-lost"].exchanges) == 3


def test_an_empty_key_leaves_as_a_random_one(report: Report) -> None:
    """The bytes of the finding: a payment and a refund, each with a key that nobody gave."""
    result = next(v.result for v in report.verdicts if v.case == "empty-key" and isinstance(v.result, Violated))
    assert len(result.problems) == 2
    sent = [x.request for x in report.histories["empty-key"].exchanges if x.request is not None]
    assert [len(request.lines("Idempotency-Key")[0]) for request in sent[1:]] == [36, 36]
