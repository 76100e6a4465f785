"""asgi-idempotency-header 0.2.0: its store knows a key and an answer, and neither who asked nor for what."""

from __future__ import annotations

import pytest

from psp_harness.model import Report
from real.judging import errors, judged, violated

pytestmark = [pytest.mark.integration, pytest.mark.slow]

KEYLESS = "a request without a key, or with an empty one, goes past it, and it has no option to refuse that"
ANYTHING = "whatever stands in the header is a key; enforce_uuid4_formatting is the only check that it has"
NO_BODY = "an answer is looked up by the key alone: no fingerprint of the body is kept"
NO_SCOPE = "an answer is looked up by the key alone: neither tenant nor route is a part of it"
STORES_ALL = "every answer in JSON is stored, so the corrected request gets the refusal"
NEVER_CLEARED = "the key of a stored answer stays in the set of pending ones, and outlives the answer"
NOT_ON_ERRORS = "where the application raises, as it does when half a body arrives, nobody clears the key"

CAUSES = {
    "a-key-is-never-stuck": NOT_ON_ERRORS,
    "a-malformed-key-is-refused": ANYTHING,
    "a-missing-key-is-refused": KEYLESS,
    "a-refused-request-frees-its-key": STORES_ALL,
    "an-empty-key-is-refused": KEYLESS,
    "an-expired-key-is-a-new-request": NEVER_CLEARED,
    "another-body-is-refused": NO_BODY,
    "another-operation-never-gets-the-answer": NO_SCOPE,
    "another-tenant-never-gets-the-answer": NO_SCOPE,
}

NEEDS = {
    "a used key, from nobody": "the answer is given before anybody looks at who asks",
    "a key whose first request was 401": "401 is stored, and given to whoever comes with a credential",
}
"""What is true beside that, by situation, for rules that it takes a case to reach."""


@pytest.fixture(scope="module")
def report() -> Report:
    """The application, judged once."""
    return judged("asgi:asgi_idempotency_header:app", "idempotency_header_middleware")


def test_it_is_reported_for_what_is_true_of_it_and_nothing_else(report: Report) -> None:
    """Each rule that it breaks has a cause in its source, and no other is reported."""
    assert violated(report) == set(CAUSES)
    assert errors(report) == []


def test_another_tenant_is_shown_the_first_ones_payment(report: Report) -> None:
    """The bytes of the finding: the two tenants got one body."""
    first, other = report.histories["same-key-from-another-tenant"].exchanges
    assert first.request is not None
    assert other.request is not None
    assert first.request.lines("Authorization") != other.request.lines("Authorization")
    assert first.answer is not None
    assert other.answer is not None
    assert first.answer.body == other.answer.body


def test_another_amount_is_answered_with_the_first_payment(report: Report) -> None:
    """The bytes of the finding: 1111 was asked for, and 1110 answered as if that were it."""
    _, other = report.histories["payment-repeated-with-another-amount"].exchanges
    assert other.request is not None
    assert other.answer is not None
    assert b"1111" in other.request.body
    assert b"1110" in other.answer.body
    assert other.answer.status == 201


def test_after_half_a_body_its_key_is_never_free(report: Report) -> None:
    """The bytes of the finding: nothing happened, and all that comes with the key is 409 for as long as it is asked."""
    history = report.histories["payment-after-its-request-was-lost"]
    assert history.effects == ()
    assert {x.answer.status for x in history.exchanges if x.answer is not None} == {409}
