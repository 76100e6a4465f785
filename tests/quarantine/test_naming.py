"""Tests of what a row calls things by."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree.ElementTree import parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psp_harness.quarantine import (
    containers,
    id_of_test,
    is_glob,
    is_verdict_id,
    name_of,
    names,
    names_test,
    node_test_id,
    pattern_of,
)

SUITE = """
import pytest


class TestOuter:
    class TestInner:
        @pytest.mark.parametrize("x", ["a::b", "c/d.py", "[e]"])
        def test_it(self, x): ...


def test_plain(): ...
"""


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("test_twice[*]", "test_twice[eur]"),
        ("test_twice[eur]", "test_twice[eur]"),
        ("test_twice[a]b*", "test_twice[a]bc"),
        (r"test_par[\*]", "test_par[*]"),
        (r"test_par[\?*]", "test_par[?]"),
        (r"Shop\Tests\RefundTest::twice*", r"Shop\Tests\RefundTest::twice_eur"),
        (r"Shop\\*", r"Shop\Tests"),
        ("*/generic/refund-*", "provider/generic/refund-again"),
    ],
)
def test_a_star_and_a_question_mark_are_globs_and_brackets_themselves(pattern: str, name: str) -> None:
    """The ids of tests contain them; a backslash says that a star is one, and is itself before anything else."""
    assert names(pattern, name)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("test_step[12]", "test_step1"),
        ("test_[ab]", "test_a"),
        ("test_[!a]", "test_b"),
        (r"test_par[\*]", "test_par[a]"),
        (r"test_\?", "test_a"),
    ],
)
def test_nothing_else_is_a_glob(pattern: str, name: str) -> None:
    """A row would excuse what nobody meant."""
    assert not names(pattern, name)


@given(st.text(st.sampled_from(r"ab*?[]\!-"), max_size=8), st.text(st.sampled_from(r"ab*?[]\!-"), max_size=8))
def test_a_name_can_be_written_as_a_pattern_of_it_alone(name: str, other: str) -> None:
    """Whatever is in it."""
    pattern = pattern_of(name)
    assert names(pattern, name)
    assert name_of(pattern) == name or not is_glob(name)
    assert not is_glob(pattern)
    assert names(pattern, other) <= (other in {name, pattern})


def test_a_name_is_not_named_by_its_beginning() -> None:
    """Only a star says that more may follow, and case matters."""
    assert not names("test_twice", "test_twice[eur]")
    assert not names("Test_*", "test_twice")


def test_a_node_id_is_what_pytest_writes_into_junit_xml(tmp_path: Path) -> None:
    """Asked of pytest itself, brackets, colons and slashes in parameters included."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "test_odd.py").write_text(SUITE, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:pact",
        "--junitxml=r.xml",
        "-rA",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    nodes = [line.removeprefix("PASSED ") for line in done.stdout.splitlines() if line.startswith("PASSED ")]
    cases = parse(tmp_path / "r.xml").iter("testcase")  # noqa: S314 - pytest wrote it a line above
    written = {id_of_test(case.get("classname", ""), case.get("name", "")) for case in cases}
    assert len(nodes) == 4
    assert {node_test_id(node) for node in nodes} == written


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("tests/test_a.py::test_x", "tests.test_a::test_x"),
        ("tests/test_a.py::TestC::test_x[*]", "tests.test_a.TestC::test_x[eur]"),
        ("tests/test_a.py::*", "tests.test_a::test_x"),
        ("tests/test_a.py::*", "tests.test_a.TestC::test_x"),
        ("tests/test_a.py", "tests.test_a.TestC::test_x"),
        ("tests/*.py::test_x", "tests.test_a::test_x"),
        ("com.shop.RefundTest::*", "com.shop.RefundTest::twice{String}[1]"),
        ("example.org/shop/*::TestTwice/eur", "example.org/shop/refunds::TestTwice/eur"),
    ],
)
def test_a_pytest_test_goes_by_both_spellings(pattern: str, name: str) -> None:
    """That of pytest, and that of its JUnit XML, globs included."""
    assert names_test(pattern, name)


@pytest.mark.parametrize("pattern", ["tests/test_a.py::test_y", "tests/test_ab.py", "tests/test_a.py::TestD::*"])
def test_another_test_is_not_named(pattern: str) -> None:
    """Neither one that stands beside it nor one whose name it begins."""
    assert not names_test(pattern, "tests.test_a::test_x")


@pytest.mark.parametrize(
    ("class_name", "name", "expected"),
    [("a.B", "c", "a.B::c"), ("refunds twice", "refunds twice", "refunds twice"), ("", "c", "c")],
)
def test_an_id_is_class_and_name(class_name: str, name: str, expected: str) -> None:
    """Or the one word that there is."""
    assert id_of_test(class_name, name) == expected


def test_a_verdict_is_told_from_a_test() -> None:
    """By its role, and by having no class."""
    assert is_verdict_id("client/stripe/empty-key/an-unusable-key-is-refused-before-sending")
    assert not is_verdict_id("client/shop/refunds/x::TestTwice")
    assert not is_verdict_id("tests/a/b/c")


def test_containers_are_where_a_named_test_would_stand() -> None:
    """A file of pytest is a module, and its classes; what is in a test's parameters is no class."""
    assert "tests.test_a" in containers("tests/test_a.py::test_x[a::b]")
    assert containers("com.shop.T::twice[a::b]") == ("com.shop.T",)
    assert "tests.test_a" in containers("tests/test_a.py::test_x")
    assert containers("a jest test without a class") == ()
