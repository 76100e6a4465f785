"""A shop that is not ours, in Flask with Stripe's library: right as it is written, and reported without its keys."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from psp_harness import profile
from psp_harness.model import Passed, Report, Role, Violated
from psp_harness.run import Job, run
from psp_harness.vocabulary import CRASH_POINT
from real.judging import ROOT, errors, violated

pytestmark = pytest.mark.integration


def judged(name: str) -> Report:
    """Its report, at every request that it sends."""
    pytest.importorskip("flask", reason="pip install 'psp-harness[receivers]'")
    pytest.importorskip("stripe", reason="pip install 'psp-harness[sdks]'")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        address = f"python:tests.real.apps.flask_stripe_shop:{name}"
        return asyncio.run(run(Job(Role.SHOP, address, profile.load("stripe"))))


def cases_of(report: Report) -> Mapping[str, set[str]]:
    """By rule: the cases in which it is violated."""
    found: dict[str, set[str]] = {}
    for verdict in report.verdicts:
        if isinstance(verdict.result, Violated):
            found.setdefault(verdict.rule, set()).add(verdict.case)
    return found


def test_it_passes_with_its_keys_whatever_is_lost_and_wherever_it_is_ended() -> None:
    """Every rule that binds, MUST and SHOULD; nothing is errored, and each request was a crash point."""
    report = judged("Adapter")
    assert violated(report) == set()
    assert errors(report) == []
    assert len({verdict.rule for verdict in report.verdicts if isinstance(verdict.result, Passed)}) > 14
    assert len([case for case in report.histories if CRASH_POINT.search(case)]) >= 21


def test_without_its_keys_it_charges_and_refunds_twice() -> None:
    """The library's random key protects its own retries, and not the shop's: each crash after the PSP acted doubles."""
    found = cases_of(judged("WithoutKeys"))
    assert set(found) == {
        "a-wish-keeps-its-key",
        "an-order-is-charged-once",
        "a-refund-is-given-once",
        "a-refund-row-lends-its-id-as-key",
        "money-that-moved-has-one-row",
        "the-books-balance",
    }
    assert {"order-answer-lost", "order-and-refunds-exchange-1-acted"} <= found["an-order-is-charged-once"]
    assert {"order-and-refunds-exchange-2-acted"} <= found["a-refund-is-given-once"]
