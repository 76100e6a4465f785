"""idempot 1.0.0: it stores what was answered 200, under the key alone."""

from __future__ import annotations

import pytest

from psp_harness.model import Report
from real.judging import errors, judged, violated

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ONLY_200 = "cache_on_status is [200]: an answer 201 is never stored, so whatever comes with the key executes"
ANYTHING = "whatever stands in the header is a key"
NO_BODY = "an answer is looked up by the key alone: no fingerprint of the body is kept"
NO_SCOPE = "an answer is looked up by the key alone: neither tenant nor route is a part of it"
PLAIN_TEXT = "its refusals are plain text, and it has no option to word them"

CAUSES = {
    "a-malformed-key-is-refused": ANYTHING,
    "another-body-in-flight-never-executes": ONLY_200,
    "another-body-is-refused": ONLY_200,
    "another-body-never-executes": ONLY_200,
    "concurrent-duplicates-have-one-effect": ONLY_200,
    "one-key-has-one-effect": ONLY_200,
    "refusals-are-answered-as-documented": PLAIN_TEXT,
    "retry-gets-the-first-answer": ONLY_200,
    "retry-names-the-same-resource": ONLY_200,
}

CAUSES_WHERE_201_IS_STORED = {
    "a-malformed-key-is-refused": ANYTHING,
    "another-body-in-flight-never-gets-the-answer": NO_BODY,
    "another-body-is-refused": NO_BODY,
    "another-operation-never-gets-the-answer": NO_SCOPE,
    "another-tenant-never-gets-the-answer": NO_SCOPE,
    "refusals-are-answered-as-documented": PLAIN_TEXT,
}

NEEDS = {
    "a handler slower than lock_timeout, on Redis": "the lock expires under it, and a duplicate executes",
    "an error after the effect": "5xx is not stored, so the retry executes again",
    "a used key, from nobody, where 201 is stored": "the answer is given before anybody looks at who asks",
}
"""What is true beside that, by situation, for rules that it takes a case to reach."""


@pytest.fixture(scope="module")
def report() -> Report:
    """The application, judged once."""
    return judged("asgi:idempot:app", "idempot")


def test_it_is_reported_for_what_is_true_of_it_and_nothing_else(report: Report) -> None:
    """Each rule that it breaks has a cause in its source, and no other is reported."""
    assert violated(report) == set(CAUSES)
    assert errors(report) == []


def test_a_retry_charges_again(report: Report) -> None:
    """The effects of the finding: the answer to a payment was lost, and its retry was a second payment."""
    effects = report.histories["payment-repeated-after-its-answer-was-lost"].effects
    assert effects is not None
    assert [effect.amount for effect in effects] == [1030, 1030]


def test_an_option_mends_it_and_shows_what_was_behind_it() -> None:
    """With cache_on_status [200, 201] a retry charges once; what is then stored, anybody gets for anything."""
    storing = judged("asgi:idempot:app_that_stores_201", "idempot")
    assert violated(storing) == set(CAUSES_WHERE_201_IS_STORED)
    assert errors(storing) == []
