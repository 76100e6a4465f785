"""Tests of JUnit XML that is written again."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, parse

import pytest

from psp_harness.model import WORD
from psp_harness.runners import Skip, read, rewrite

FIXTURES = sorted((Path(__file__).parents[2] / "fixtures" / "runners").glob("*.xml"))


def written(paths: list[Path], skips: list[dict[int, Skip]], folder: Path, stale: tuple[str, ...] = ()) -> Element:
    """The root of what is written."""
    rewrite(paths, skips, stale, folder / "out" / "r.xml")
    return parse(folder / "out" / "r.xml").getroot()  # noqa: S314 - written a line above


def flat(path: Path) -> list[tuple[str, dict[str, str], str]]:
    """Every element below the root, with its attributes and its text."""
    root = parse(path).getroot()  # noqa: S314 - a fixture
    elements = root.iter() if root.tag == "testsuite" else (each for top in root for each in top.iter())
    return [(each.tag, dict(each.attrib), (each.text or "").strip()) for each in elements]


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_what_is_not_excused_is_as_it_was(path: Path, tmp_path: Path) -> None:
    """Every element, attribute and text of every runner."""
    root = written([path], [{}], tmp_path)
    assert root.tag == "testsuites"
    assert flat(tmp_path / "out" / "r.xml") == flat(path)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_an_excused_failure_is_skipped_and_counted_so(path: Path, tmp_path: Path) -> None:
    """In its suite and in those around it; its message stays, and the others stay what they were."""
    (failed,) = [test for test in read(path) if WORD[type(test.result)] == "violated" and "ledger" not in test.id]
    before = [WORD[type(test.result)] for test in read(path)]
    by_subtests = {test.place: Skip("so", "failures") for test in read(path) if test.through_subtests}
    root = written([path], [{**by_subtests, failed.place: Skip("the ledger has no lock", "failures")}], tmp_path)
    after = [WORD[type(test.result)] for test in read(tmp_path / "out" / "r.xml")]
    assert after == ["skipped" if place == failed.place else word for place, word in enumerate(before, 1)][: len(after)]
    (case,) = [
        case for case in root.iter("testcase") if case.find("skipped[@message='the ledger has no lock']") is not None
    ]
    assert "one key made two refunds" in "".join(case.itertext())
    for suite in root.iter("testsuite"):
        shown = {
            tag: sum(case.find(tag) is not None for case in suite.iter("testcase")) for tag in ("failure", "skipped")
        }
        if shown["skipped"]:
            assert int(suite.get("skipped", "0")) >= 1
            assert int(suite.get("failures", "0")) <= max(shown["failure"], 1)


def test_several_files_become_one(tmp_path: Path) -> None:
    """A CI server takes one."""
    root = written(FIXTURES, [{} for _ in FIXTURES], tmp_path)
    assert len(list(root.iter("testcase"))) == sum(1 for path in FIXTURES for test in read(path) if test.place)


def test_a_file_may_take_its_own_place(tmp_path: Path) -> None:
    """Whoever settles in place loses nothing."""
    (tmp_path / "r.xml").write_bytes(FIXTURES[0].read_bytes())
    rewrite([tmp_path / "r.xml"], [{}], (), tmp_path / "r.xml")
    assert flat(tmp_path / "r.xml") == flat(FIXTURES[0])
    assert [path.name for path in tmp_path.iterdir()] == ["r.xml"]


def test_what_passed_and_was_not_to_run_is_skipped(tmp_path: Path) -> None:
    """It has no failure in whose place the reason could stand."""
    (tmp_path / "a.xml").write_text('<testsuite tests="1"><testcase name="a"/></testsuite>', encoding="utf-8")
    root = written([tmp_path / "a.xml"], [{1: Skip("not run at this gate", "")}], tmp_path)
    assert root.find("testsuite/testcase/skipped[@message='not run at this gate']") is not None
    assert root.find("testsuite[@skipped='1']") is not None


def test_a_row_that_no_longer_holds_is_an_error_there(tmp_path: Path) -> None:
    """It fails the run, so it is seen where the run's results are seen."""
    (tmp_path / "a.xml").write_text("<testsuites/>", encoding="utf-8")
    root = written([tmp_path / "a.xml"], [{}], tmp_path, ("QUARANTINE.md line 3: it expired",))
    case = root.find("testsuite[@name='QUARANTINE.md'][@errors='1']/testcase[@name='QUARANTINE.md line 3']")
    assert case is not None
    assert case.find("error[@message='it expired']") is not None


def test_what_is_of_another_namespace_is_skipped_too(tmp_path: Path) -> None:
    """Its prefix goes with it."""
    text = '<testsuite xmlns:t="u" failures="1"><testcase name="a"><t:failure>no</t:failure></testcase></testsuite>'
    (tmp_path / "a.xml").write_text(text, encoding="utf-8")
    root = written([tmp_path / "a.xml"], [{1: Skip("so", "failures")}], tmp_path)
    assert [(each.tag, each.text) for each in root.iterfind("testsuite/testcase/*")] == [("skipped", "no")]


def test_the_root_keeps_the_name_that_all_files_have(tmp_path: Path) -> None:
    """By it the counts of pytest are understood, which counts subtests too."""
    text = (
        '<testsuites name="pytest tests"><testsuite name="shop" tests="3"><testcase name="a"/></testsuite></testsuites>'
    )
    (tmp_path / "a.xml").write_text(text, encoding="utf-8")
    root = written([tmp_path / "a.xml"] * 2, [{}, {}], tmp_path)
    assert root.get("name") == "pytest tests"
    assert [WORD[type(test.result)] for test in read(tmp_path / "out" / "r.xml")] == ["passed", "passed"]
    assert written([tmp_path / "a.xml", FIXTURES[0]], [{}, {}], tmp_path).get("name") is None
