"""Tests of files that nobody vouches for: cut off, huge, of another dialect, with entities."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from psp_harness.errors import DataError
from psp_harness.runners import read

CASE = '<testcase classname="a" name="b"/>'
BILLION = (
    '<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]><testsuite><testcase name="&lol2;"/></testsuite>'
)
OUTSIDE = '<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuite><testcase name="&x;"/></testsuite>'


def refused(content: bytes | str, folder: Path) -> str:
    """The sentence with which the file is refused."""
    (folder / "r.xml").write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(DataError) as raised:
        list(read(folder / "r.xml"))
    said = str(raised.value).removeprefix(f"{folder}/")
    assert said.startswith("r.xml: ")
    assert "; " in said, "what to do"
    return said


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "r.xml: it is empty; let the runner come to its end"),
        (f"<testsuite>{CASE}", "r.xml: line 1: it is cut off: the document does not end"),
        (f"<testsuite>\n{CASE}<testcase name='c", "r.xml: line 2: it is cut off"),
        (f"<testsuite>{CASE}<testcase><failure><![CDATA[no", "r.xml: line 1: it is cut off"),
        ("{}", "r.xml: line 1: not XML"),
        ("<testsuite></testsuites>", "r.xml: line 1: not XML: mismatched tag"),
        (b"<testsuite name='\xff'/>", "r.xml: line 1: not XML"),
        (f"<testsuite>{CASE}\x1b</testsuite>", "r.xml: line 1: not XML"),
        (BILLION, "it has a document type, which may declare entities"),
        (OUTSIDE, "it has a document type, which may declare entities"),
        ("<TestRun/>", "got <TestRun>, a .trx file of Visual Studio, expected <testsuites> or <testsuite>"),
        ("<assemblies/>", "got <assemblies>, results of xUnit.net"),
        ("<test-run/>", "got <test-run>, results of NUnit"),
        ("<html/>", "got <html>, a web page"),
        ("<feed/>", "got <feed>, no JUnit XML"),
        ("<testsuite>" * 100, "got elements 64 deep"),
        ("<testsuite>" * 70 + "</testsuite>" * 70, "got elements 64 deep"),
        *(
            (f"<?xml version='1.0' encoding='{name}'?><testsuite>{CASE}</testsuite>", "encoding")
            for name in ("shift_jis", "bogus-8", "base64")
        ),
    ],
)
def test_a_wrong_file_is_one_sentence(content: bytes | str, says: str, tmp_path: Path) -> None:
    """What is wrong, where, and what to do."""
    assert says in refused(content, tmp_path)


def test_a_tag_without_end_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    """A name of 17 MiB is nobody's."""
    assert "got a tag of more than 16 MiB" in refused(b"<testsuite name='" + b"x" * (17 << 20), tmp_path)


@pytest.mark.parametrize("content", [f"<testsuite>{CASE}</testsuite>".encode("utf-16"), b"\xef\xbb\xbf<testsuite/>"])
def test_other_encodings_are_read(content: bytes, tmp_path: Path) -> None:
    """Whatever XML itself allows."""
    (tmp_path / "r.xml").write_bytes(content)
    assert len(list(read(tmp_path / "r.xml"))) in {0, 1}


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    """And a folder is none."""
    with pytest.raises(DataError, match="No such file or directory; name a file with results"):
        list(read(tmp_path / "none.xml"))
    with pytest.raises(DataError, match="Is a directory"):
        list(read(tmp_path))


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    """It would be settled, and then be empty for the history."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="a pipe can be read once, and results are read again; write the results into"):
        list(read(tmp_path / "pipe"))


SETTLE = """
import sys
from psp_harness.cli import main
sys.argv = ["psp-harness", "settle", "--gate", "nightly", "huge.xml", "--junit", "out.xml"]
main()
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_hundred_megabytes_take_no_more_room_than_two(tmp_path: Path) -> None:
    """50 000 tests, one with 100 MB of output, are settled, recorded and written again in bounded memory."""
    (tmp_path / "QUARANTINE.md").write_text("# Quarantine\n", encoding="utf-8")
    with (tmp_path / "huge.xml").open("w", encoding="utf-8") as file:
        file.write("<testsuites><testsuite name='s'>\n")
        for number in range(50_000):
            file.write(f'<testcase classname="com.shop.refunds.RefundTest{number % 977}" name="case{number}">')
            file.write(f"<system-out>{'o' * 2000}</system-out></testcase>\n")
        file.write('<testcase classname="a" name="big"><failure message="two refunds">')
        for _ in range(1000):
            file.write("x" * 100_000)
        file.write("</failure></testcase></testsuite></testsuites>")
    assert (tmp_path / "huge.xml").stat().st_size > 200_000_000
    limit = 400 << 20

    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    done = subprocess.run(
        [sys.executable, "-c", SETTLE], cwd=tmp_path, capture_output=True, text=True, timeout=500, check=False, preexec_fn=bounded
    )  # fmt: skip
    assert done.returncode == 1, done.stdout[-500:] + done.stderr[-500:]
    assert "tests: 50000 passed, 1 violated" in done.stdout
    assert sum(1 for _ in read(tmp_path / "out.xml")) == 50_001
