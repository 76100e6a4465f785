"""Tests of the JSON report and of its schema."""

from __future__ import annotations

import json as plain
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError

from by_hand import CASE, KNOWN, VIOLATED, report, verdict
from psp_harness.model import Errored, Level, Passed, Skipped, Unexercised
from psp_harness.reports import Clean, json

SCHEMA = plain.loads((Path(__file__).parents[2] / "contracts/schemas/report.schema.json").read_text())
EVERY = (
    verdict(Passed(3), rule="a-key-is-required"),
    verdict(VIOLATED),
    verdict(KNOWN, level=Level.SHOULD),
    verdict(Skipped("no refunds"), case="any-case"),
    verdict(Unexercised("nothing to judge"), case="any-case"),
    verdict(Errored("it died"), rule="case-runs-to-its-end"),
)


def written(directory: Path, **more: object) -> dict[str, object]:
    """A report with every outcome, as it stands in the file."""
    path = directory / "out" / "report.json"
    json.write(Clean(report(EVERY, **more)), path, {CASE: directory / "out" / "report.evidence" / f"{CASE}.json"})  # type: ignore[arg-type]
    document: dict[str, object] = plain.loads(path.read_text())
    return document


def test_the_schema_is_one() -> None:
    """Draft 2020-12 says so itself."""
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("gate", [None, "pr", "nightly", "release", "manual"])
def test_reports_have_the_shape_that_is_published(gate: str | None, tmp_path: Path) -> None:
    """With every outcome, at every gate."""
    Draft202012Validator(SCHEMA).validate(written(tmp_path, gate=gate, stale=("QUARANTINE.md line 3: so",)))


def test_a_report_has_exactly_the_members_of_the_interface(tmp_path: Path) -> None:
    """Programs of others read them."""
    document = written(tmp_path)
    assert list(document) == [
        "format", "tool", "started", "seconds", "role", "subject", "profile", "gate", "verdicts", "summary", "stale",
    ]  # fmt: skip
    assert document["format"] == "psp-harness-report/1"
    assert document["started"] == "2026-11-22T10:05:33.123Z"
    assert document["subject"] == {"name": "my gateway", "version": "1.2", "address": "reference:provider"}
    assert document["summary"] == dict.fromkeys(["passed", "violated", "known", "skipped", "unexercised", "errored"], 1)


def test_a_verdict_says_what_it_stands_on(tmp_path: Path) -> None:
    """The sentence, the exchanges, and where their bytes are."""
    verdicts = written(tmp_path)["verdicts"]
    assert isinstance(verdicts, list)
    assert verdicts[1] == {
        "id": f"provider/generic/{CASE}/one-key-has-one-effect",
        "rule": "one-key-has-one-effect",
        "level": "MUST",
        "outcome": "violated",
        "occasions": 1,
        "problems": [{"sentence": "one key made two payments", "exchanges": [1, 2]}],
        "reason": None,
        "evidence": f"report.evidence/{CASE}.json",
    }
    assert (verdicts[3]["reason"], verdicts[3]["evidence"], verdicts[3]["occasions"]) == ("no refunds", None, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"format": "psp-harness-report/2"},
        {"extra": 1},
        {"started": "2026-11-22T10:05:33+01:00"},
        {"gate": "weekly"},
        {"summary": {"passed": 1}},
        {"subject": {"name": "x"}},
    ],
    ids=str,
)
def test_the_schema_refuses_another_shape(wrong: dict[str, object], tmp_path: Path) -> None:
    """It is strict, so a slip of ours does not pass."""
    with pytest.raises(ValidationError):
        Draft202012Validator(SCHEMA).validate({**written(tmp_path), **wrong})


@pytest.mark.parametrize(
    "wrong",
    [
        {"occasions": 0},
        {"problems": []},
        {"reason": "because"},
        {"outcome": "passed"},
        {"rule": "Not Kebab"},
        {"id": "rule"},
    ],
    ids=str,
)
def test_the_schema_refuses_a_verdict_that_contradicts_itself(wrong: dict[str, object], tmp_path: Path) -> None:
    """A violation has an occasion and a problem; a pass has none of the latter."""
    document = written(tmp_path)
    assert isinstance(document["verdicts"], list)
    document["verdicts"] = [{**document["verdicts"][1], **wrong}]
    with pytest.raises(ValidationError):
        Draft202012Validator(SCHEMA).validate(document)


def test_times_are_utc_wherever_the_run_was() -> None:
    """RFC 3339 with a Z."""
    noon = datetime(2026, 11, 22, 12, tzinfo=timezone(timedelta(hours=1)))
    assert json.started(replace(report(), started=noon)) == "2026-11-22T11:00:00.000Z"
    assert json.started(replace(report(), started=noon.astimezone(UTC))) == "2026-11-22T11:00:00.000Z"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://user:pass@127.0.0.1:8080/v1?key=x#y", "http://127.0.0.1:8080/v1"),
        ("HTTPS://token@psp.example", "HTTPS://psp.example"),
        ("http://psp.example/a@b", "http://psp.example/a@b"),
        ("http://[::1", "http://[::1"),
        ("asgi:shop.app:application", "asgi:shop.app:application"),
        ("exec:./adapter --fast", "exec:./adapter --fast"),
    ],
)
def test_an_address_is_shown_without_user_and_query(address: str, shown: str) -> None:
    """And everything else of it stays, so that the run can be repeated."""
    assert Clean(report(address=address)).report.address == shown
