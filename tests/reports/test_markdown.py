"""Tests of the summary in Markdown."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from markdown_it import MarkdownIt

from by_hand import KNOWN, PROBLEM, VIOLATED, report, verdict
from psp_harness.model import Errored, Problem, Violated
from psp_harness.quarantine import Class, Kind, Row
from psp_harness.reports import Clean, markdown

ROW = Row(
    Class.NIGHTLY, "provider/generic/*/x", "asgi:shop:app", "x", Kind.BROKEN, "ann", "so", "#1", date(2026, 11, 1),
    date(2026, 12, 8), 5,
)  # fmt: skip
TODAY = date(2026, 12, 1)


def shown(text: str) -> str:
    """What a page shows of it."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    inline = (token for token in tokens if token.type == "inline")
    return "\n".join("".join(child.content for child in token.children or ()) for token in inline)


def test_a_run_is_its_verdict_its_numbers_and_what_matters() -> None:
    """In that order."""
    text = "\n".join(
        markdown.of_report(Clean(report([verdict(VIOLATED), verdict(KNOWN), verdict(Errored("it died"))], gate="pr")))
    )
    said = shown(text)
    assert "psp-harness: provider reference:provider, profile generic, gate pr" in said
    assert "VIOLATED: 1 MUST rule is violated. Next: psp-harness explain one-key-has-one-effect" in said
    assert "MUST one-key-has-one-effect in case payment-answer-lost-once: one key made two payments" in said
    assert "provider/generic/payment-answer-lost-once/one-key-has-one-effect: it died" in said
    assert "| violated | 1 |" in text
    assert "| passed |" not in text


def test_nothing_that_was_quoted_is_markup() -> None:
    """A subject that answers HTML, stars or a table is shown as it answered."""
    odd = "<img src=x> **bold** | `code` _x_ [a](b) & #1"
    said = shown("\n".join(markdown.of_report(Clean(report([verdict(Violated(1, (Problem(odd),)))])))))
    assert odd in said


def test_what_expires_within_a_week_is_listed_the_first_first() -> None:
    """And what has expired is said to have; the eighth day is not this week."""
    rows = [
        ROW,
        replace(ROW, what="tomorrow", until=date(2026, 12, 2)),
        replace(ROW, what="later", until=date(2026, 12, 9)),
        replace(ROW, what="gone", until=date(2026, 11, 30), section=Class.RELEASE),
    ]
    text = "\n".join(markdown.of_quarantine(rows, "pr", TODAY))
    assert "| 🔴 must pass before release | 1 | 0 | 1 |" in text
    assert "| 🟡 nightly | 3 | 2 | 0 |" in text
    due = [line for line in text.splitlines() if line.startswith("- ")]
    assert [line.split("`")[1] for line in due] == ["gone", "tomorrow", "provider/generic/*/x"]
    assert "**expired on 2026-11-30**" in due[0]
    assert "later" not in text


def test_a_long_list_is_cut_and_says_so() -> None:
    """GitHub takes no summary of more than 1 MiB."""
    many = [verdict(Violated(1, (PROBLEM,)), case=f"case-{number}") for number in range(80)]
    text = "\n".join(markdown.of_report(Clean(report(many))))
    assert "- and 30 more" in text


def test_several_runs_share_one_summary(tmp_path: Path) -> None:
    """What was there before stays."""
    markdown.append(["one"], tmp_path / "new" / "s.md")
    markdown.append(["two"], tmp_path / "new" / "s.md")
    assert (tmp_path / "new" / "s.md").read_text(encoding="utf-8") == "one\ntwo\n"
