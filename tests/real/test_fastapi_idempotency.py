"""fastapi-idempotency 0.1.1: it claims keys, compares bodies, and takes an address for a tenant."""

from __future__ import annotations

import pytest

from psp_harness.model import Report
from real.judging import errors, judged, violated

pytestmark = [pytest.mark.integration, pytest.mark.slow]

KEYLESS = "a request without a key is no error but another mode, and it has no option to refuse that"
ANYTHING = "whatever stands in the header is a key, up to its length"
SCOPE_IS_THE_ADDRESS = "the scope of a key is the caller's IP address, unless one is given"
ROUTE_IS_COMPARED = "the path is a part of the fingerprint and not of the key, so the other route is refused"
BYTES = "the bytes of the body are compared, not the JSON that they are"
STORES_REFUSALS = "4xx is stored, so the corrected request is another body under a used key"
COOKIES_ARE_NOT_STORED = (
    "an answer that sets a cookie is not stored, and its key is released: whatever comes then executes"
)
ERRORS_ARE_NOT_STORED = "an answer 5xx is not stored, and its key is released, also where the money had moved"

CAUSES = {
    "a-key-belongs-to-its-operation": ROUTE_IS_COMPARED,
    "a-malformed-key-is-refused": ANYTHING,
    "a-missing-key-is-refused": KEYLESS,
    "a-refused-request-frees-its-key": STORES_REFUSALS,
    "another-tenant-never-gets-the-answer": SCOPE_IS_THE_ADDRESS,
    "one-key-has-one-effect": SCOPE_IS_THE_ADDRESS,
    "retry-gets-the-first-answer": BYTES,
    "retry-names-the-same-resource": SCOPE_IS_THE_ADDRESS,
}

MENDED_BY_A_SCOPE = {
    "another-tenant-never-gets-the-answer",
    "one-key-has-one-effect",
    "retry-names-the-same-resource",
}

CAUSES_WITH_COOKIES = {
    "a-malformed-key-is-refused": ANYTHING,
    "a-missing-key-is-refused": KEYLESS,
    "another-body-is-refused": COOKIES_ARE_NOT_STORED,
    "another-body-never-executes": COOKIES_ARE_NOT_STORED,
    "concurrent-duplicates-have-one-effect": COOKIES_ARE_NOT_STORED,
    "one-key-has-one-effect": COOKIES_ARE_NOT_STORED,
    "retry-gets-the-first-answer": COOKIES_ARE_NOT_STORED,
    "retry-names-the-same-resource": COOKIES_ARE_NOT_STORED,
}

CAUSES_AFTER_AN_ERROR = {"one-key-has-one-effect": ERRORS_ARE_NOT_STORED}

NEEDS = {
    "two requests without a key, alike, where none is required": "within ten seconds the second gets the first answer",
    "a used key, from nobody": "the answer is given before anybody looks at who asks",
    "a key whose first request was 401": "401 is stored, and given to whoever comes with a credential",
}
"""What is true beside that, by situation, for rules that it takes a case to reach."""


def of(attribute: str, *only: str) -> Report:
    """The report on one of the applications."""
    return judged(f"asgi:fastapi_idempotency:{attribute}", "fastapi_idempotency", only=only)


@pytest.fixture(scope="module")
def report() -> Report:
    """The application with the package's defaults, judged once."""
    return of("app")


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


def test_a_scope_keeps_one_tenants_answer_from_another() -> None:
    """With a scope by tenant no tenant gets another's answer, and all else stays."""
    assert violated(of("app_with_scope")) == set(CAUSES) - MENDED_BY_A_SCOPE


def test_where_answers_set_cookies_every_repetition_executes() -> None:
    """A session beside it undoes it: nothing is stored, and each retry moves money again."""
    with_cookies = of("app_with_cookies")
    assert violated(with_cookies) == set(CAUSES_WITH_COOKIES)
    assert errors(with_cookies) == []


def test_after_an_error_that_came_after_the_effect_the_retry_executes() -> None:
    """The money moved, the answer was 500, and the same request with the same key moved it again."""
    failing = of("app_that_fails_at_first", "provider/generic/payment-repeated/")
    assert violated(failing) == set(CAUSES_AFTER_AN_ERROR)
    first, again = failing.histories["payment-repeated"].exchanges
    assert first.answer is not None
    assert again.answer is not None
    assert (first.answer.status, again.answer.status) == (500, 201)
