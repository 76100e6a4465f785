"""Faults as people write them: read, or refused with what was expected."""

from __future__ import annotations

import pytest

from psp_harness import faults, profile
from psp_harness.drive.striking import strikes_of
from psp_harness.errors import UsageError

GENERIC = profile.load("generic")
faults.load()


@pytest.mark.parametrize(
    ("text", "fault", "attempts", "options"),
    [
        ("response-lost:create-payment", "response-lost", (), {}),
        ("response-lost:create-payment:1", "response-lost", (1,), {}),
        ("request-lost:create-refund:1,3", "request-lost", (1, 3), {}),
        ("answer-truncated:create-payment:2-4", "answer-truncated", (2, 3, 4), {}),
        ("status-answer:create-payment:1:status=503:after=true", "status-answer", (1,), {"status": 503, "after": True}),
        ("slow-answer:get-payment:seconds=2", "slow-answer", (), {"seconds": 2.0}),
    ],
)
def test_a_fault_is_read(text: str, fault: str, attempts: tuple[int, ...], options: dict[str, object]) -> None:
    """Which, on which requests, and how."""
    (strike,) = strikes_of([text], GENERIC)
    assert (strike.fault, strike.attempts, dict(strike.options)) == (fault, attempts, options)


def test_faults_on_two_operations_do_not_meet() -> None:
    """Each counts the requests of its own."""
    one, other = strikes_of(["response-lost:create-payment:1", "response-lost:create-refund:1"], GENERIC)
    assert one.step != other.step


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rain:create-payment", "unknown fault 'rain'"),
        ("", "unknown fault ''"),
        ("response-lost", "does not say which requests it strikes; name an operation, and perhaps which of its requests: response-lost:create-payment:1"),
        ("response-lost:create-paymnt:1", "did you mean 'create-payment'?"),
        ("response-lost:create-payment:first", "'first' names no requests; count them from 1"),
        ("response-lost:create-payment:0", "'0' names no requests"),
        ("response-lost:create-payment:3-1", "'3-1' names no requests"),
        ("response-lost:create-payment:99999", "'99999' names no requests; count them from 1 to 10000"),
        ("response-lost:create-payment:", "'' names no requests"),
        ("response-lost:create-payment:status=1", "response-lost has no option 'status'; it takes none"),
        ("status-answer:create-payment:staus=1", "status-answer has no option 'staus'; did you mean 'status'?"),
        ("status-answer:create-payment:status=five", "status is 'five'; expected int"),
        ("status-answer:create-payment:after=yes", "after is 'yes'; expected true or false"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said(text: str, says: str) -> None:
    """With what was written, and what to write."""
    with pytest.raises(UsageError) as wrong:
        strikes_of([text], GENERIC)
    assert says in str(wrong.value)
