"""The axes on which PSPs contradict each other, as facts: each is read from the file, and means what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from psp_harness import profile
from psp_harness.errors import DataError
from psp_harness.model import Answer, Request
from psp_harness.profile import is_in_flight, keys_of, matches, meaning, wording

EXTENDED = """
extends = "generic"
name = "mine"
sources = {{ docs = "docs.example" }}
{}
"""


def post(path: str, body: bytes, *headers: tuple[bytes, bytes]) -> Request:
    """A request as it came off the socket."""
    return Request("POST", path, headers, body)


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        (b'{"idempotency_key": "order-7", "source_id": "x"}', [b"order-7"]),
        (b'{"idempotency_key": ""}', [b""]),
        (b'{"idempotency_key": 7}', [b""]),
        (b'{"source_id": "x"}', []),
        (b'{"payment": {"idempotency_key": "order-7"}}', []),
        (b"no JSON", []),
    ],
)
def test_a_key_in_the_body_is_read_from_there(body: bytes, keys: list[bytes]) -> None:
    """From its top level; what is no text is no key, and a header of that name is none."""
    asked = post("/v2/payments", body, (b"idempotency_key", b"header"), (b"Idempotency-Key", b"header"))
    assert keys_of(profile.load("square"), asked) == keys


def test_a_key_may_be_taken_by_refunds_alone() -> None:
    """Then a payment with a key is a payment without one."""
    razorpay = profile.load("razorpay")
    assert (razorpay.takes_key("create-payment"), razorpay.takes_key("create-refund")) == (False, True)
    assert not {"payment-keys"} & razorpay.features
    assert {"idempotency-key", "mismatch-refused"} <= razorpay.features


def test_keys_may_live_for_different_times() -> None:
    """By operation; elsewhere one time is that of all, and where none is known there is none."""
    paypal, mollie, square = (profile.load(name) for name in ("paypal", "mollie", "square"))
    assert [paypal.lifetime(each) for each in ("create-payment", "create-refund")] == [21_600, 3_888_000]
    assert [mollie.lifetime(each) for each in ("create-payment", "create-refund")] == [3_600, 3_600]
    assert square.lifetime("create-payment") is None
    assert {"key-lifetime"} <= paypal.features & mollie.features
    assert not {"key-lifetime"} & square.features


def test_statuses_are_the_psps_words() -> None:
    """Where several mean the same, the first is said; a word that is not listed is its own meaning."""
    gocardless = profile.load("gocardless")
    assert wording(gocardless, "payment", "succeeded") == "pending_submission"
    assert [meaning(gocardless, "payment", word) for word in ("paid_out", "failed", "odd")] == [
        "succeeded",
        "failed",
        "odd",
    ]
    assert wording(profile.load("generic"), "payment", "succeeded") == "succeeded"


def test_what_is_left_out_is_not_promised() -> None:
    """Neither what the profile below says of it, nor its refusals."""
    klarna = profile.load("klarna")
    assert klarna.mismatch is klarna.in_flight is None
    assert klarna.key is not None
    assert (klarna.key.max_length, klarna.key.characters) == (None, None)
    assert "key-reused" not in klarna.refusals
    assert klarna.operations == profile.load("generic").operations


def test_a_refused_duplicate_is_not_taken_for_one_in_flight() -> None:
    """Though both are 409: waiting would not help."""
    gocardless = profile.load("gocardless")
    message = b'"message": "A resource has already been created with this idempotency key"'
    reason = b'{"reason": "idempotent_creation_conflict", %s}' % message
    refused = Answer(
        409, (), b'{"error": {"type": "invalid_state", "code": 409, %s, "errors": [%s]}}' % (message, reason)
    )
    assert matches(gocardless.refusals["duplicate"], refused)
    assert not is_in_flight(refused, gocardless)
    assert is_in_flight(Answer(409, (), b"{}"), gocardless)


def test_an_error_in_a_list_is_told_from_another() -> None:
    """Item by item: the code of the first error is a fixed member, too."""
    refusal = profile.load("square").refusals["unauthorized"]
    right, other = (
        b'{"errors": [{"category": "AUTHENTICATION_ERROR", "code": "%s"}]}' % code for code in (b"UNAUTHORIZED", b"X")
    )
    assert matches(refusal, Answer(401, (), right))
    assert not matches(refusal, Answer(401, (), other))
    assert not matches(refusal, Answer(401, (), b'{"errors": []}'))
    assert not matches(refusal, Answer(401, (), b"{}"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            'leaves-out = ["refusals.nothing"]',
            "leaves-out: leaves out 'refusals.nothing', which the profile below does not have",
        ),
        (
            'key = { operations = { is = ["create-coffee"], source = "docs" } }',
            "key.operations: unknown name 'create-coffee'",
        ),
        ('key = { ttl-of = { is = { get-payment = 1 }, source = "docs" } }', "key.ttl-of: unknown name 'get-payment'"),
        (
            'statuses = { invoice = { is = { paid = "succeeded" }, source = "docs" } }',
            "statuses: unknown name 'invoice'",
        ),
        ('statuses = { refund = { is = { paid = "done" }, source = "docs" } }', "unknown word 'done'"),
    ],
)
def test_a_wrong_name_in_a_fact_is_refused(text: str, says: str, tmp_path: Path) -> None:
    """With the fact that it stands in."""
    path = tmp_path / "mine.toml"
    path.write_text(EXTENDED.format(text), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        profile.load(str(path))
    assert says in str(caught.value)
