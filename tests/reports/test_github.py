"""Tests of annotations: what GitHub takes, on the line that it is about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from by_hand import KNOWN, VIOLATED, report, verdict
from psp_harness.model import Errored, Level, Passed, Skipped
from psp_harness.reports import Clean, github
from psp_harness.reports.github import Note


def notes(*stale: str, strict: bool = False) -> list[str]:
    """The annotations of a run with one verdict of each sort."""
    verdicts = [
        verdict(VIOLATED),
        verdict(VIOLATED, level=Level.SHOULD, rule="a-replay-carries-its-marker"),
        verdict(Errored("it died")),
        verdict(KNOWN),
        verdict(Passed(1)),
        verdict(Skipped("so")),
    ]
    return [
        str(note) for note in github.of_report(Clean(report(verdicts, stale=stale, strict=strict)), "q/QUARANTINE.md")
    ]


def test_what_stops_the_line_is_annotated() -> None:
    """A violated MUST and an error; a SHOULD under `--strict` alone, and nothing that is excused."""
    assert notes() == [
        "::error title=MUST one-key-has-one-effect%3A reference%3Aprovider under generic::one key made two payments",
        "::error title=errored%3A provider/generic/payment-answer-lost-once/one-key-has-one-effect%3A reference%3Aprovider under generic::it died",
    ]
    assert len(notes(strict=True)) == 3


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("QUARANTINE.md line 31: it expired", "::error file=q/QUARANTINE.md,line=31,title=quarantine::it expired"),
        ("QUARANTINE.md: 3 rows", "::error file=q/QUARANTINE.md,title=quarantine::3 rows"),
        ("something else", "::error file=q/QUARANTINE.md,title=quarantine::something else"),
    ],
)
def test_a_row_that_no_longer_holds_is_annotated_on_its_line(sentence: str, expected: str) -> None:
    """In the file that the project names."""
    assert notes(sentence)[-1] == expected


@given(said=st.text(), title=st.text())
def test_nothing_that_was_quoted_is_a_command_of_its_own(said: str, title: str) -> None:
    """A subject that prints `::set-output` or a line break cannot speak to GitHub."""
    line = str(Note("error", said, title, "a,b:c.py", 3))
    assert not {"\n", "\r"} & set(line)
    head, _, _ = line.removeprefix("::error ").partition("::")
    assert head.startswith("file=a%2Cb%3Ac.py,line=3")
