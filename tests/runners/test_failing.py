"""Tests of what a failure is called by: the words of what failed, and no source beside them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from psp_harness.runners import read, what_failed

SUITE = """
import pytest

def test_amount():
    count, total = 1, 7
    assert count == 1, "two refunds"
    assert total == 5, "the wrong amount went back"

def test_group():
    raise ExceptionGroup("the wrong amount", [ValueError("x" if True else "two refunds")])

def test_cause():
    try:
        assert 0, "two refunds"
    except AssertionError as error:
        raise RuntimeError("the wrong amount") from error

def test_no_trace():
    note = "two refunds"
    pytest.fail("the wrong amount", pytrace=False)

def test_long():
    assert 0, "x\\n" * 4000 + "the wrong amount" or "two refunds"
"""
GUIDE = """
>>> "two refunds" and "the wrong amount"
'nothing'
"""


@pytest.mark.parametrize("style", ["long", "short", "native", "line", "auto"])
def test_of_pytest_only_what_was_raised_counts(style: str, tmp_path: Path) -> None:
    """In no style does the source of an assertion that holds stand for the failure of another."""
    (tmp_path / "test_refunds.py").write_text(SUITE, encoding="utf-8")
    (tmp_path / "guide.txt").write_text(GUIDE, encoding="utf-8")
    off = ("-q", "-p", "no:cacheprovider", "-p", "no:pact", "-p", "no:asyncio", "-p", "no:hypothesispytest")
    call = [sys.executable, "-m", "pytest", *off, f"--tb={style}", "--junitxml=r.xml", "test_refunds.py", "guide.txt"]
    subprocess.run(call, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    said = {test.id.rpartition("::")[2]: test.message for test in read(tmp_path / "r.xml")}
    assert len(said) == 6
    assert [name for name, words in said.items() if "the wrong amount" not in words and name != "test_long"] == []
    assert [name for name, words in said.items() if "two refunds" in words] == []


TRACEBACK = """Traceback (most recent call last):
  File "test_refunds.py", line 5, in test_amount
    settle(total, "two refunds")
    ~~~~~~^^^^^^^^^^^^^^^^^^^^^^
AssertionError: the wrong amount went back"""


@pytest.mark.parametrize(
    ("message", "text", "words"),
    [
        ("no", TRACEBACK, "no\nTraceback (most recent call last):\nAssertionError: the wrong amount went back"),
        ("", "Error: two refunds\n    at x", "Error: two refunds\n    at x"),
        ("Failed", "    a_test.go:9: two refunds", "Failed\n    a_test.go:9: two refunds"),
        ("", "", ""),
        ("", "EUR 3\nE: 4", "EUR 3\nE: 4"),
    ],
)
def test_other_runners_are_taken_at_their_word(message: str, text: str, words: str) -> None:
    """They print no source, but for a traceback of Python's own."""
    assert what_failed(message, text) == words
