"""Tests of evidence files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from by_hand import CASE, KNOWN, VIOLATED, exchange, history, lost_and_again, report, request, verdict
from psp_harness.model import Delivery, Errored, Intent, Order, Passed, Result, Skipped, Unexercised
from psp_harness.reports import Clean, evidence


def test_evidence_lies_beside_its_report() -> None:
    """In a directory with the report's name."""
    assert evidence.beside(Path("out/nightly.json")) == Path("out/nightly.evidence")


@pytest.mark.parametrize(
    ("result", "kept"),
    [
        (VIOLATED, True),
        (KNOWN, True),
        (Errored("it died"), True),
        (Passed(1), False),
        (Skipped("so"), False),
        (Unexercised("so"), False),
    ],
)
def test_cases_in_which_something_is_wrong_have_a_file(result: Result, kept: bool, tmp_path: Path) -> None:
    """The others have one when asked; no directory is made for nothing."""
    directory = tmp_path / "e"
    clean = Clean(report([verdict(result)]))
    assert list(evidence.write(clean, directory)) == ([CASE] if kept else [])
    assert directory.exists() == kept
    assert list(evidence.write(clean, directory, every_case=True)) == [CASE]


def test_a_file_has_the_exchanges_with_their_bytes(tmp_path: Path) -> None:
    """What was sent, what was answered, and what its sender saw of it, are three things."""
    files = evidence.write(Clean(report([verdict(VIOLATED)])), tmp_path)
    first, second = json.loads(files[CASE].read_text())["exchanges"]
    assert first["request"].startswith("POST /payments HTTP/1.1\r\nIdempotency-Key: RUN-payment\r\n\r\n{")
    assert first["answered"] == 'HTTP/1.1 201 Created\r\ncontent-type: application/json\r\n\r\n{"id":"pay_1"}'
    assert (first["received"], first["seen"], first["fault"]) == ("", None, "response-lost")
    assert second["received"].endswith('{"id":"pay_2"}')
    assert (second["seen"], second["fault"], second["number"]) == (201, None, 2)


def test_a_file_has_what_was_asked_and_what_came_of_it(tmp_path: Path) -> None:
    """Steps with their outcomes, effects, and what the subject printed."""
    told = replace(lost_and_again(), notes=("the SDK says hello",))
    files = evidence.write(Clean(report([verdict(VIOLATED)], histories={CASE: told})), tmp_path)
    document = json.loads(files[CASE].read_text())
    assert document["steps"][0]["outcome"] == {"ok": {"payment_id": "pay_2"}}
    assert [effect["id"] for effect in document["effects"]] == ["pay_1", "pay_2"]
    assert document["notes"] == ["the SDK says hello"]


def test_a_webhook_is_told_with_what_it_says(tmp_path: Path) -> None:
    """Its amount and order, and not those of a request that nobody made."""
    order = Order("RUN-order", 7010, "EUR", "pay_1")
    delivery = Delivery("payment-succeeded", order, "evt_1", "msg_1", 1, "GBP", "tenant-b", forged="stale")
    told = replace(history(), intents=(Intent(1, "told", "deliver-webhook", 1, delivery=delivery),))
    files = evidence.write(Clean(report([verdict(VIOLATED)], histories={CASE: told})), tmp_path)
    (step,) = json.loads(files[CASE].read_text())["steps"]
    assert (step["amount"], step["currency"], step["reference"]) == (1, "GBP", "RUN-order")
    assert (step["tenant"], step["event"], step["forged"]) == ("tenant-b", "payment-succeeded", "stale")


def test_unknown_effects_are_not_no_effects(tmp_path: Path) -> None:
    """Null says that the subject cannot tell."""
    told = replace(lost_and_again(), effects=None)
    files = evidence.write(Clean(report([verdict(VIOLATED)], histories={CASE: told})), tmp_path)
    assert json.loads(files[CASE].read_text())["effects"] is None


def test_every_byte_is_kept(tmp_path: Path) -> None:
    """Bytes that are no text come back from the file as they were on the wire."""
    everything = bytes(range(256))
    told = history(replace(exchange(1, request()), sent=everything))
    files = evidence.write(Clean(report([verdict(VIOLATED)], histories={CASE: told})), tmp_path)
    assert json.loads(files[CASE].read_text())["exchanges"][0]["request"].encode("latin-1") == everything
