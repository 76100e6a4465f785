"""Tests of the JUnit report."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from by_hand import CASE, KNOWN, VIOLATED, report, verdict
from psp_harness.model import Errored, Level, Passed, Problem, Report, Result, Skipped, Unexercised, Violated
from psp_harness.reports import Clean, junit


def suite(told: Report, directory: Path) -> Element:
    """The test suite of the run."""
    junit.write(Clean(told), directory / "report.xml")
    found = parse(directory / "report.xml").getroot().find("testsuite")  # noqa: S314 - written a line above
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("level", "result", "strict", "tag"),
    [
        (Level.MUST, Passed(1), False, None),
        (Level.MUST, VIOLATED, False, "failure"),
        (Level.SHOULD, VIOLATED, False, "system-out"),
        (Level.SHOULD, VIOLATED, True, "failure"),
        (Level.MUST, KNOWN, False, "skipped"),
        (Level.MUST, Skipped("so"), False, "skipped"),
        (Level.MUST, Unexercised("so"), False, "skipped"),
        (Level.SHOULD, Errored("so"), False, "error"),
    ],
)
def test_each_outcome_is_what_a_ci_server_knows(
    level: Level, result: Result, strict: bool, tag: str | None, tmp_path: Path
) -> None:
    """A SHOULD fails under `--strict` alone, an error is no failure, and what is known is no pass."""
    (case,) = suite(report([verdict(result, level=level)], strict=strict), tmp_path).iter("testcase")
    assert [child.tag for child in case] == ([] if tag is None else [tag])
    assert (case.get("classname"), case.get("name")) == (f"provider.generic.{CASE}", "one-key-has-one-effect")


def test_a_failure_says_every_problem(tmp_path: Path) -> None:
    """With the exchanges that show it."""
    result = Violated(2, (Problem("charged twice", (1, 2)), Problem("refunded twice")))
    found = suite(report([verdict(result)]), tmp_path).find(".//failure")
    assert found is not None
    assert found.get("message") == "MUST charged twice"
    assert found.text == "charged twice (exchanges 1, 2)\nrefunded twice (exchanges none)"


def test_a_stale_row_is_an_error(tmp_path: Path) -> None:
    """It fails the run, so it is seen where the run's results are seen."""
    found = suite(report([verdict(Passed(1))], stale=("QUARANTINE.md line 31: it expired",)), tmp_path)
    case = found.findall("testcase")[1]
    assert case.get("name") == "QUARANTINE.md line 31"
    error = case.find("error")
    assert error is not None
    assert error.get("message") == "it expired"


def test_the_suite_is_counted(tmp_path: Path) -> None:
    """CI servers show these numbers without looking further."""
    verdicts = [verdict(Passed(1)), verdict(VIOLATED), verdict(KNOWN), verdict(Errored("so"))]
    found = suite(report(verdicts, stale=("QUARANTINE.md line 1: so",)), tmp_path)
    counts = {name: found.get(name) for name in ("tests", "failures", "errors", "skipped", "time", "timestamp")}
    assert counts == {
        "tests": "5",
        "failures": "1",
        "errors": "2",
        "skipped": "1",
        "time": "1.250",
        "timestamp": "2026-11-22T10:05:33.123Z",
    }


def test_the_subject_is_named_by_its_address(tmp_path: Path) -> None:
    """As in the name of the suite; what it calls itself stands beside it."""
    found = suite(report([verdict(Passed(1))]), tmp_path)
    properties = {each.get("name"): each.get("value") for each in found.iter("property")}
    assert properties["subject"] == "reference:provider"
    assert properties["subject"] in str(found.get("name"))
    assert properties["subject-name"] == "my gateway 1.2"


@given(said=st.text(st.characters() | st.sampled_from("\x00\x1b\x0b\ufffe]]>"), min_size=1))
def test_no_character_breaks_the_file(said: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever a subject answered is quoted in a sentence: control characters, surrogates, markup."""
    told = report([verdict(Errored(said)), verdict(Violated(1, (Problem(said),)))], stale=(said,), address=said)
    assert suite(told, tmp_path_factory.mktemp("junit")).get("tests") == "3"


def test_a_control_character_is_shown_as_its_code(tmp_path: Path) -> None:
    """It is part of what went wrong, and is not dropped."""
    error = suite(report([verdict(Errored("got \x1b[31m"))]), tmp_path).find(".//error")
    assert error is not None
    assert error.get("message") == "got \\x1b[31m"
