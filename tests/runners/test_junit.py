"""Tests of reading JUnit XML: what each runner's own tool wrote, and what is not to be read as a pass."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from psp_harness.errors import DataError
from psp_harness.model import WORD, Errored, Skipped, Violated
from psp_harness.runners import Reported, read

FIXTURES = Path(__file__).parents[2] / "fixtures" / "runners"
SAID = "one key made two refunds"


def reported(text: str, folder: Path) -> list[Reported]:
    """What a file with that text says."""
    (folder / "r.xml").write_text(text, encoding="utf-8")
    return list(read(folder / "r.xml"))


def outcomes(tests: list[Reported]) -> dict[str, str]:
    """The outcome of each test, by its id."""
    return {test.id: WORD[type(test.result)] for test in tests}


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (
            "pytest.xml",
            {
                "test_refunds.TestTwice::test_one_key_makes_one_refund[eur]": "passed",
                "test_refunds.TestTwice::test_one_key_makes_one_refund[usd]": "violated",
                "test_refunds::test_a_refund_is_not_larger_than_its_payment": "passed",
                "test_refunds::test_the_ledger_balances": "errored",
                "test_refunds::test_a_key_expires": "skipped",
            },
        ),
        (
            "gotestsum.xml",
            {
                "example.org/shop/refunds::TestOneKeyMakesOneRefund/usd": "violated",
                "example.org/shop/refunds::TestOneKeyMakesOneRefund": "skipped",
                "example.org/shop/refunds::TestAKeyExpires": "skipped",
                "example.org/shop/refunds::TestOneKeyMakesOneRefund/eur": "passed",
                "example.org/shop/refunds::TestARefundIsNotLargerThanItsPayment": "passed",
                "testsuites": "errored",
            },
        ),
        (
            "jest.xml",
            {
                "refunds one key makes one refund in eur": "passed",
                "refunds one key makes one refund in usd": "violated",
                "refunds a refund is not larger than its payment": "passed",
                "refunds a key expires": "skipped",
                "Test suite failed to run::ledger.test.js": "errored",
            },
        ),
        (
            "surefire.xml",
            {
                "shop.RefundTest::aKeyExpires": "skipped",
                "shop.RefundTest::theLedgerBalances": "errored",
                "shop.RefundTest::aRefundIsNotLargerThanItsPayment": "passed",
                "shop.RefundTest::oneKeyMakesOneRefund{String, int}[1]": "passed",
                "shop.RefundTest::oneKeyMakesOneRefund{String, int}[2]": "violated",
            },
        ),
        (
            "phpunit.xml",
            {
                'RefundTest::testOneKeyMakesOneRefund with data set "eur"': "passed",
                'RefundTest::testOneKeyMakesOneRefund with data set "usd"': "violated",
                "RefundTest::testARefundIsNotLargerThanItsPayment": "passed",
                "RefundTest::testTheLedgerBalances": "errored",
                "RefundTest::testAKeyExpires": "skipped",
            },
        ),
    ],
)
def test_each_runner_is_understood(file: str, expected: dict[str, str]) -> None:
    """A pass, a failure, an error and a skip, as the runner's own tool writes them."""
    tests = list(read(FIXTURES / file))
    assert outcomes(tests) == expected
    (failed,) = [test for test in tests if "key" in test.id.lower() and isinstance(test.result, Violated)]
    assert SAID in failed.message


def test_the_index_of_fixtures_and_the_files_agree() -> None:
    """Each says which tool wrote it, and how."""
    index = tomllib.loads((FIXTURES / "index.toml").read_text(encoding="utf-8"))["result"]
    assert sorted(each["path"] for each in index) == sorted(path.name for path in FIXTURES.glob("*.xml"))
    assert all(each["by"] and each["how"] and each["recorded"] for each in index)


@pytest.mark.parametrize("file", sorted(FIXTURES.glob("*")), ids=lambda path: path.name)
def test_the_fixtures_say_nothing_of_the_machine_that_made_them(file: Path) -> None:
    """No folder, no user, no host."""
    text = file.read_text(encoding="utf-8")
    assert [word for word in ("/tmp", "/root", "/home", 'hostname="vm"') if word in text] == []  # noqa: S108


COUNTED = (
    '<testsuites><testsuite name="s" tests="1" failures="{failures}" errors="{errors}">{cases}</testsuite></testsuites>'
)
PASSED = '<testcase classname="a" name="b"/>'
FAILED = '<testcase classname="a" name="c"><failure message="no"/></testcase>'


@pytest.mark.parametrize(
    ("failures", "errors", "cases", "says"),
    [
        ("1", "0", PASSED, "it counts 1 failure that no test case shows"),
        ("0", "2", PASSED, "it counts 2 errors that no test case shows"),
        ("2", "1", FAILED, "it counts 1 failure and 1 error that no test case shows"),
    ],
)
def test_a_failure_that_is_counted_and_not_shown_is_an_error(
    failures: str, errors: str, cases: str, says: str, tmp_path: Path
) -> None:
    """A package that did not compile has no test case, and must not look like a pass."""
    tests = reported(COUNTED.format(failures=failures, errors=errors, cases=cases), tmp_path)
    assert tests[-1].id == "s"
    assert isinstance(tests[-1].result, Errored)
    assert tests[-1].result.reason.startswith(says)


@pytest.mark.parametrize(
    "text",
    [
        COUNTED.format(failures="1", errors="0", cases=FAILED),
        COUNTED.format(failures="", errors="none", cases=FAILED),
        '<testsuite failures="1"><testsuite failures="1">' + FAILED + "</testsuite></testsuite>",
    ],
)
def test_what_is_shown_is_not_missed(text: str, tmp_path: Path) -> None:
    """Nor in suites that count what stands in suites inside them."""
    assert [WORD[type(test.result)] for test in reported(text, tmp_path)] == ["violated"]


def test_what_is_missing_is_said_once(tmp_path: Path) -> None:
    """By the innermost suite that counts it."""
    text = '<testsuites errors="1"><testsuite name="outer" errors="1"><testsuite name="inner" errors="1"/></testsuite></testsuites>'
    assert [test.id for test in reported(text, tmp_path)] == ["inner"]


@pytest.mark.parametrize(
    ("inside", "outcome"),
    [
        ("<failure/><error/>", "errored"),
        ("<error/><failure/>", "errored"),
        ("<skipped/><failure/>", "violated"),
        ("<warning>No tests found</warning>", "errored"),
        ("<system-out>FAIL</system-out>", "passed"),
        ("<properties><property name='failure' value='x'/></properties>", "passed"),
        ("<rerunFailure message='x'/><failure message='x'/>", "violated"),
        ("<flakyFailure message='x'/>", "passed"),
    ],
)
def test_the_worst_of_what_a_test_case_says_counts(inside: str, outcome: str, tmp_path: Path) -> None:
    """An error beside a failure is an error: it cannot be told, and is not excused."""
    (test,) = reported(f'<testsuite><testcase name="a">{inside}</testcase></testsuite>', tmp_path)
    assert WORD[type(test.result)] == outcome
    assert test.failed_before == inside.startswith("<flaky")


def test_a_go_test_that_says_something_of_its_own_fails_for_itself(tmp_path: Path) -> None:
    """Only one that fails through its subtests alone is left to them."""
    head = '<testsuite><testcase classname="p" name="T/a"><failure message="Failed">no</failure></testcase>'
    own = '<testcase classname="p" name="T"><failure message="Failed">=== RUN   T\n{}--- FAIL: T (0.0s)</failure></testcase></testsuite>'
    by_subtest, by_itself = (reported(head + own.format(line), tmp_path)[1] for line in ("", "    a_test.go:3: no\n"))
    assert isinstance(by_subtest.result, Skipped)
    assert by_subtest.through_subtests
    assert isinstance(by_itself.result, Violated)
    alone = reported("<testsuite>" + own.format(""), tmp_path)
    assert isinstance(alone[0].result, Violated), "without a subtest that failed, it is the failure"


def test_where_it_stands_is_read(tmp_path: Path) -> None:
    """For annotations, where the runner says it."""
    (test,) = reported('<testsuite><testcase name="a" file="x.py" line="7"/></testsuite>', tmp_path)
    assert (test.file, test.line) == ("x.py", 7)
    (test,) = reported('<testsuite><testcase name="a" line="many"/></testsuite>', tmp_path)
    assert (test.file, test.line) == ("", 0)


@pytest.mark.parametrize(
    ("inside", "problems"),
    [
        ("<failure>two refunds</failure><failure>the ledger lost 10</failure>", ["two refunds", "the ledger lost 10"]),
        ("<failure message='two refunds'/><rerunFailure message='lost'/>", ["two refunds", "lost"]),
        ("<failure message='two refunds'/><failure message='contains 1 failed subtest'/>", ["two refunds"]),
        ("<failure message='contains 1 failed subtest'/>", ["contains 1 failed subtest"]),
        ("<rerunFailure message='lost'/>", ["lost"]),
    ],
)
def test_each_failure_of_a_test_case_is_a_problem(inside: str, problems: list[str], tmp_path: Path) -> None:
    """A test and its `afterEach` (Jest), the runs of one test (Surefire), the subtests of one (pytest)."""
    (test,) = reported(f'<testsuite><testcase name="a">{inside}</testcase></testsuite>', tmp_path)
    assert isinstance(test.result, Violated)
    assert [each.sentence for each in test.result.problems] == problems


def test_an_error_of_a_second_run_is_an_error(tmp_path: Path) -> None:
    """Surefire: it failed, and when it was run again it could not be told."""
    inside = "<failure message='two refunds'/><rerunError message='NullPointer'/>"
    (test,) = reported(f'<testsuite><testcase name="a">{inside}</testcase></testsuite>', tmp_path)
    assert test.result == Errored("NullPointer")


SUBTESTS = """<testsuites name="pytest tests"><testsuite name="shop" failures="{count}" tests="4">
<testcase classname="test_a" name="test_twice"><failure message="two refunds"/><failure message="two refunds in EUR"/>
<failure message="contains 2 failed subtests"/></testcase><testcase classname="test_a" name="b"/></testsuite></testsuites>"""


@pytest.mark.parametrize(("count", "outcomes"), [(3, ["violated", "passed"]), (4, ["violated", "passed", "errored"])])
def test_pytest_counts_each_failure_of_a_subtest(count: int, outcomes: list[str], tmp_path: Path) -> None:
    """And only as many as it shows."""
    tests = reported(SUBTESTS.format(count=count), tmp_path)
    assert [WORD[type(test.result)] for test in tests] == outcomes
    assert tests[0].times_failed == 3


@pytest.mark.parametrize(
    ("text", "outcomes"),
    [
        ('<testsuite name="x" tests="1"><error message="no database"/><testcase name="a"/></testsuite>', ["errored", "passed"]),
        ('<testsuite name="x" failures="1"><failure>no</failure><testcase name="a"/></testsuite>', ["errored", "passed"]),
        ('<testsuites><testsuite errors="1"/><error/></testsuites>', ["errored", "errored"]),
        ('<testsuite name="x" tests="5" failures="0"><testcase name="a"/></testsuite>', ["passed", "errored"]),
        ('<testsuites tests="2"><testsuite tests="2"><testcase name="a"/></testsuite></testsuites>', ["passed", "errored"]),
        ('<testsuite name="pytest" tests="5"><testcase name="a"/></testsuite>', ["passed"]),
        ('<testsuite xmlns:t="u"><testcase name="a"><t:failure/></testcase></testsuite>', ["violated"]),
        ('<testsuite xmlns:t="u"><t:testcase name="a"><t:error/></t:testcase></testsuite>', ["errored"]),
    ],
)  # fmt: skip
def test_what_stands_in_an_unusual_place_is_seen_too(text: str, outcomes: list[str], tmp_path: Path) -> None:
    """Beside the test cases, in another namespace, or only in a number."""
    assert [WORD[type(test.result)] for test in reported(text, tmp_path)] == outcomes


def test_what_a_suite_says_beside_its_tests_is_said_once_and_in_its_words(tmp_path: Path) -> None:
    """With its name, and it is not missed a second time."""
    (test,) = reported('<testsuite name="x" errors="1"><error message="no database">at x</error></testsuite>', tmp_path)
    assert (test.id, test.result) == ("x", Errored("beside its test cases: no database\nat x"))


@pytest.mark.parametrize("inner", ["testcase", "testsuite"])
def test_a_test_within_a_test_is_refused(inner: str, tmp_path: Path) -> None:
    """Nobody knows whose the failure behind it is."""
    with pytest.raises(DataError, match=f"got a <{inner}> within the test case 'a'; no test runner writes that"):
        reported(f'<testsuite><testcase name="a"><{inner} name="b"/><failure/></testcase></testsuite>', tmp_path)
