"""django-idempotency-key 1.3.0: it stores after the fact, under a hash of key, path, body and credential."""

from __future__ import annotations

import pytest

from psp_harness.model import Report
from real.judging import errors, judged, violated

pytestmark = [pytest.mark.integration, pytest.mark.slow]

LOCKS_THE_LOOKUP = "its lock is held while the key is looked up, and not while the request is handled"
BYTES_IN_THE_KEY = "the bytes of the body are a part of what is looked up, so others are another key, and execute"
EMPTY = "an empty key is not None, and so a key like any other"
ANYTHING = "whatever stands in the header is a key"
CONFLICT = "a repetition is answered with CONFLICT_STATUS_CODE, 409 unless it is set"
NO_CLOCK = "its memory keeps answers for as long as the process lives"

CAUSES = {
    "a-malformed-key-is-refused": ANYTHING,
    "an-empty-key-is-refused": EMPTY,
    "an-expired-key-is-a-new-request": NO_CLOCK,
    "another-body-in-flight-never-executes": BYTES_IN_THE_KEY,
    "another-body-is-refused": BYTES_IN_THE_KEY,
    "another-body-never-executes": BYTES_IN_THE_KEY,
    "concurrent-duplicates-have-one-effect": LOCKS_THE_LOOKUP,
    "one-key-has-one-effect": BYTES_IN_THE_KEY,
    "retry-gets-the-first-answer": CONFLICT,
    "retry-names-the-same-resource": BYTES_IN_THE_KEY,
}

NEEDS = {
    "a token that was refreshed": "the Authorization header is hashed, so the retry executes again",
    "an error after the effect": "5xx is not stored, so the retry executes again",
    "a duplicate between the end of the first request and its answer": "the stored answer itself is made a 409",
}
"""What is true beside that, by situation, for rules that it takes a case to reach."""


@pytest.fixture(scope="module")
def report() -> Report:
    """The application, judged once."""
    return judged("wsgi:django_idempotency_key:app", "idempotency_key")


def test_it_is_reported_for_what_is_true_of_it_and_nothing_else(report: Report) -> None:
    """Each rule that it breaks has a cause in its source, and no other is reported."""
    assert violated(report) == set(CAUSES)
    assert errors(report) == []


def test_duplicates_at_once_all_execute(report: Report) -> None:
    """The effects of the finding: one key, and each request that found it unused was a payment."""
    effects = report.histories["eight-payments-at-once"].effects
    assert effects is not None
    assert len(effects) > 1


def test_an_option_gives_a_repetition_the_first_status() -> None:
    """With CONFLICT_STATUS_CODE None the same bytes get the first answer again, and all else stays."""
    replaying = judged("wsgi:django_idempotency_key:app_that_replays", "idempotency_key")
    assert violated(replaying) == set(CAUSES)
    assert [x.answer.status for x in replaying.histories["payment-repeated"].exchanges if x.answer] == [201, 201]


def test_without_it_a_repetition_gets_the_first_body_as_a_conflict(report: Report) -> None:
    """The bytes of the finding: the payment that was made, under 409."""
    first, again = (x.answer for x in report.histories["payment-repeated"].exchanges)
    assert first is not None
    assert again is not None
    assert (first.status, again.status) == (201, 409)
    assert first.body == again.body
