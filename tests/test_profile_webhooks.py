"""How PSPs tell of events: what a profile writes it reads, and takes for no other event."""

from __future__ import annotations

from pathlib import Path

import pytest

from psp_harness import profile
from psp_harness.errors import DataError
from psp_harness.profile import Told, Webhooks, body_of, told_by

VALUES = {
    "event_id": "evt_1",
    "id": "pay_1",
    "payment_id": "pay_1",
    "refund_id": "ref_1",
    "payout_id": "out_1",
    "dispute_id": "dp_1",
    "amount_text": "1050",
    "amount": 1050,
    "captured": 1050,
    "currency": "EUR",
    "reference": "order-1",
    "account": "account-1",
    "mode": "test",
    "created": "2026-11-26T12:00:00Z",
    "created_unix": 1_795_000_000,
}
WEBHOOKS = {name: facts.webhooks for name in profile.names() if (facts := profile.load(name)).webhooks}
EVENTS = [(name, means) for name, webhooks in WEBHOOKS.items() if webhooks for means in webhooks.events]


def of(name: str) -> Webhooks:
    """How that PSP tells of events."""
    found = WEBHOOKS[name]
    assert found is not None
    return found


@pytest.mark.parametrize(("name", "means"), EVENTS)
def test_an_event_is_read_as_what_it_was_written(name: str, means: str) -> None:
    """Its meaning, and every value that has a place in it."""
    (told,) = told_by(of(name), body_of(of(name), [(means, VALUES)]))
    assert told.means == means
    assert told.values == {key: VALUES[key] for key in told.values if key != "items"} | (
        {"items": told.values["items"]} if "items" in told.values else {}
    )
    if means.startswith("payment"):
        assert told.values["id"] == "pay_1"


@pytest.mark.parametrize("name", [name for name in WEBHOOKS if of(name).envelope])
def test_a_batch_is_read_item_by_item(name: str) -> None:
    """In order, each with its own values."""
    both = [("payment-succeeded", VALUES), ("payment-failed", {**VALUES, "id": "pay_2"})]
    told = list(told_by(of(name), body_of(of(name), both)))
    assert [(each.means, each.values["id"]) for each in told] == [
        ("payment-succeeded", "pay_1"),
        ("payment-failed", "pay_2"),
    ]


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{}", b'{"events":[3,null]}', b'{"type":"unheard.of"}', b"\xff"]
)
def test_what_is_no_event_means_nothing(body: bytes) -> None:
    """Junk, and types that nobody has heard of."""
    for name in ("generic", "gocardless", "adyen", "stripe"):
        assert {each.means for each in told_by(of(name), body)} <= {""}


def test_a_type_that_is_not_ours_is_told_as_such() -> None:
    """It is an event, and means nothing to a shop."""
    assert list(told_by(of("generic"), b'{"type":"unheard.of"}')) == [Told("", {})]


def test_features_follow_from_the_facts() -> None:
    """A rule on staleness binds where a time is signed, one on bytes where the body is."""
    assert {"timestamped-webhooks", "rotating-signatures"} <= profile.load("stripe").features
    assert not {"timestamped-webhooks", "signatures-of-bytes"} & profile.load("adyen").features
    assert {"signed-items", "joined-fields"} <= profile.load("adyen").features
    assert {"unsigned-webhooks"} <= profile.load("mollie").features
    assert not {"webhooks"} & profile.load("checkout").features
    assert not {"webhooks", "signed-webhooks"} & profile.load("ietf-draft").features


def test_the_horizon_is_the_sum_of_the_waits_where_they_are_known() -> None:
    """Hyperswitch: 24 hours and a minute; Stripe says three days and no more."""
    horizons = {name: of(name).horizon for name in ("hyperswitch", "stripe", "square")}
    assert horizons == {"hyperswitch": 86_460, "stripe": 259_200, "square": None}


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ("scheme = { is = 'strype', source = 'docs' }", "did you mean 'stripe'?"),
        ("events = { is = { payment-done = { body = 1 } }, source = 'docs' }", "unknown event 'payment-done'"),
        ("events.other.body = { is = { a = '{amunt}' }, source = 'docs' }", "nothing is called 'amunt'"),
        ("scheme = 'stripe'", "a fact without a source"),
    ],
)
def test_a_wrong_fact_is_one_clear_error(facts: str, said: str, tmp_path: Path) -> None:
    """File, key, and what was meant."""
    path = tmp_path / "mine.toml"
    path.write_text(f"extends = 'generic'\nname = 'mine'\nsources = {{ docs = 'd' }}\n[webhooks]\n{facts}\n")
    with pytest.raises(DataError) as caught:
        profile.read_file(path)
    assert said in str(caught.value)
    assert "mine.toml: webhooks" in str(caught.value)
