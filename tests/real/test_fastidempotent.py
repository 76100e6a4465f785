"""fastidempotent 0.1.0: it claims keys, compares bodies, and does not know tenants."""

from __future__ import annotations

import pytest

from psp_harness.model import Report
from real.judging import errors, judged, violated

pytestmark = [pytest.mark.integration, pytest.mark.slow]

NO_TENANT = "the key is looked up with method and path, and without the tenant"
NO_CODE = "its refusals are {'detail': …}, and it has no option to word them"
ANYTHING = "whatever stands in the header is a key, up to its length"
BYTES = "the bytes of the body are compared, not the JSON that they are"
STORES_ALL = "every answer is stored, so the corrected request is another body under a used key"
TTL = "ttl= of the middleware is not handed to its store, which drops answers after its own 3600 s"
RECORD = "method and path are put before the key, and the record takes 256 characters: it fails after the money moved"

CAUSES = {
    "a-fresh-key-executes": RECORD,
    "a-key-lives-as-long-as-documented": TTL,
    "a-malformed-key-is-refused": ANYTHING,
    "a-refused-request-frees-its-key": STORES_ALL,
    "another-tenant-never-gets-the-answer": NO_TENANT,
    "refusals-are-answered-as-documented": NO_CODE,
    "retry-gets-the-first-answer": BYTES,
    "retry-names-the-same-resource": TTL,
    "the-longest-key-is-accepted": RECORD,
}

MENDED_BY_AN_OPTION = {"another-tenant-never-gets-the-answer"}

NEEDS = {
    "a handler slower than lock_timeout": "the lock expires under it, and a duplicate executes",
    "a retry of the longest key": "the lock is not released: 409 until lock_timeout, and then it executes again",
    "a key whose first request was 401": "401 is stored, and given to whoever comes with a credential",
}
"""What is true beside that, by situation, for rules that it takes a case to reach."""


@pytest.fixture(scope="module")
def report() -> Report:
    """The application, judged once."""
    return judged("asgi:fastidempotent:app", "fastidempotent")


def test_it_is_reported_for_what_is_true_of_it_and_nothing_else(report: Report) -> None:
    """Each rule that it breaks has a cause in its source, and no other is reported."""
    assert violated(report) == set(CAUSES)
    assert errors(report) == []


def test_another_tenant_is_shown_the_first_ones_payment(report: Report) -> None:
    """The bytes of the finding: the two tenants got one body."""
    first, other = report.histories["same-key-from-another-tenant"].exchanges
    assert first.answer is not None
    assert other.answer is not None
    assert first.answer.body == other.answer.body


def test_an_option_keeps_one_tenants_answer_from_another() -> None:
    """With the Authorization header in the fingerprint, no tenant gets another's answer, and all else stays."""
    with_fingerprint = judged("asgi:fastidempotent:app_with_fingerprint", "fastidempotent")
    assert violated(with_fingerprint) == set(CAUSES) - MENDED_BY_AN_OPTION


def test_the_longest_key_moves_money_and_is_answered_500(report: Report) -> None:
    """The bytes of the finding: a key of the length that the middleware was told, an error, and a payment."""
    history = report.histories["the-longest-key"]
    longest = history.exchanges[1]
    assert longest.answer is not None
    assert longest.answer.status == 500
    assert history.effects is not None
    assert sorted(effect.amount for effect in history.effects) == [2130, 2131]
