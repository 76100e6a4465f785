"""localstripe, a published double of Stripe, judged over HTTP; every finding traces to one of its causes."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from psp_harness import profile
from psp_harness.model import Errored, Report, Role, Violated
from psp_harness.run import Job, run

pytestmark = pytest.mark.integration

IGNORES_KEYS = {
    "retry-gets-the-first-answer",
    "retry-names-the-same-resource",
    "one-key-has-one-effect",
    "another-body-never-executes",
    "another-body-is-refused",
    "another-body-in-flight-never-executes",
    "a-replay-carries-its-marker",
}
CHARGES_ONCE_PER_DUPLICATE = {"concurrent-duplicates-have-one-effect"}
REFUNDS_MORE_THAN_WAS_CAPTURED = {
    "refunds-never-exceed-the-captured-amount",
    "concurrent-refunds-never-exceed-the-captured-amount",
}
REFUNDS_WHAT_WAS_NOT_CAPTURED = {"only-captured-money-is-given-back"}
"""`Refund.__init__` asks neither whether a charge was captured nor whether its payment intent is void."""
CHARGES_A_DECLINED_CARD = {"a-decline-moves-no-money"}
"""`pm_card_visa_chargeDeclined` is declined where it is attached, and not where it is charged (resources.py, 1.15.10)."""
KNOWS_NO_ACCOUNTS = {"its-owner-alone-gives-a-payment-back"}
"""One `store` holds everything, whatever key it is asked with (resources.py, 1.15.10)."""

READY_SECONDS = 20.0


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """A localstripe of its own, with nothing in its books."""
    pytest.importorskip("localstripe", reason="pip install 'psp-harness[doubles]'")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "localstripe", "--port", str(port), "--from-scratch"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_until_it_accepts(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _wait_until_it_accepts(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    pytest.fail("localstripe did not accept connections")


@pytest.fixture(scope="module")
def report(base_url: str) -> Report:
    """It is asked in the words of profile `stripe`; its list routes say what it did."""
    return asyncio.run(run(Job(Role.PROVIDER, base_url, profile.load("stripe"))))


def test_it_is_reported_for_these_causes_and_nothing_else(report: Report) -> None:
    """It ignores keys and accounts, refunds what was not captured or more, and charges a card that is declined."""
    violated = {v.rule for v in report.verdicts if isinstance(v.result, Violated)}
    refunds = REFUNDS_MORE_THAN_WAS_CAPTURED | REFUNDS_WHAT_WAS_NOT_CAPTURED
    assert violated == IGNORES_KEYS | CHARGES_ONCE_PER_DUPLICATE | refunds | CHARGES_A_DECLINED_CARD | KNOWS_NO_ACCOUNTS
    assert [v.result for v in report.verdicts if isinstance(v.result, Errored)] == []


def test_eight_duplicates_charge_eight_times(report: Report) -> None:
    """The effects of the finding: eight payments for one key."""
    effects = report.histories["eight-payments-at-once"].effects
    assert effects is not None
    assert len({effect.id for effect in effects}) == 8


def test_a_second_run_does_not_meet_the_first(base_url: str, report: Report) -> None:
    """A second run against the same books finds the same: its keys are fresh, and old effects are not its own."""
    cases = ("payment-repeated", "refund-repeated", "eight-payments-at-once")
    only = tuple(f"provider/stripe/{name}/*" for name in cases)
    again = asyncio.run(run(Job(Role.PROVIDER, base_url, profile.load("stripe"), only=only)))
    found = [(v.id, v.outcome) for v in again.verdicts if v.case in cases]
    assert found == [(v.id, v.outcome) for v in report.verdicts if v.case in cases]
