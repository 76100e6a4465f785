"""Tests of `psp-harness settle`, on what five runners wrote."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import parse

import pytest

from commands.calling import Call, refusal
from psp_harness.quarantine import GATES
from psp_harness.records import Store

FIXTURES = Path(__file__).parents[2] / "fixtures" / "runners"
RUNNERS = {
    "pytest": "test_refunds.py::TestTwice::test_one_key_makes_one_refund[usd]",
    "gotestsum": "example.org/shop/refunds::TestOneKeyMakesOneRefund/usd",
    "jest": "refunds one key makes one refund in usd",
    "surefire": "shop.RefundTest::oneKeyMakesOneRefund{String, int}[2]",
    "phpunit": 'RefundTest::testOneKeyMakesOneRefund with data set "usd"',
}
SECTIONS = {"🔴": "release", "🟡": "nightly", "🟢": "manual"}


def quarantine(folder: Path, what: str, sign: str = "🟡", **cells: str) -> None:
    """A file with one row."""
    row = {
        "what": f"`{what}`", "subject": "tests", "rule": "one key made two refunds", "kind": "broken", "owner": "ann",
        "reason": "no lock", "issue": "#7", "since": "2026-11-20", "until": "2026-12-20", **cells,
    }  # fmt: skip
    table = [row.keys(), ["---"] * len(row), row.values()]
    text = "\n".join(f"| {' | '.join(cells)} |" for cells in table)
    (folder / "QUARANTINE.md").write_text(f"## {sign} Those\n\n{text}\n", encoding="utf-8")


def whole(runner: str, folder: Path) -> Path:
    """The fixture without its error: what a team has when only the refund fails."""
    tree = parse(FIXTURES / f"{runner}.xml")  # noqa: S314 - a fixture
    root = tree.getroot()
    for parent in list(root.iter()):
        for case in [
            each
            for each in parent.findall("testcase")
            if each.find("error") is not None or "ledger" in str(each.get("name"))
        ]:
            parent.remove(case)
    for suite in root.iter():
        if "errors" in suite.attrib:
            suite.set("errors", "0")
            suite.set("tests", str(len(list(suite.iter("testcase")))))
    tree.write(folder / f"{runner}.xml")
    return folder / f"{runner}.xml"


DAY = ("--today", "2026-12-01")


@pytest.mark.parametrize("runner", RUNNERS)
def test_without_a_row_a_failure_stops_the_line(runner: str, call: Call, tmp_path: Path) -> None:
    """At every gate but the one that judges the quarantined alone."""
    results = str(whole(runner, tmp_path))
    assert {gate: call("settle", "--gate", gate, results, *DAY).status for gate in GATES} == {
        "pr": 1, "nightly": 1, "release": 1, "manual": 0,
    }  # fmt: skip


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("sign", SECTIONS)
def test_a_row_excuses_at_the_gates_of_its_class(runner: str, sign: str, call: Call, tmp_path: Path) -> None:
    """And nowhere else: release excuses nothing of 🔴."""
    results = str(whole(runner, tmp_path))
    quarantine(tmp_path, RUNNERS[runner], sign)
    found = {gate: call("settle", "--gate", gate, results, *DAY).status for gate in GATES}
    assert found == {"pr": 0, "nightly": 0, "release": 1 if sign == "🔴" else 0, "manual": 0}


@pytest.mark.parametrize("runner", RUNNERS)
def test_an_error_stays_an_error(runner: str, call: Call, tmp_path: Path) -> None:
    """The ledger does not answer: nobody can tell, whatever is excused beside it."""
    quarantine(tmp_path, RUNNERS[runner])
    said = call("settle", "--gate", "pr", str(FIXTURES / f"{runner}.xml"), *DAY)
    assert "ERRORED" in said.out
    assert "EXCUSED" in said.out
    assert said.status == 2


@pytest.mark.parametrize("runner", RUNNERS)
def test_past_its_date_the_same_results_are_red(runner: str, call: Call, tmp_path: Path) -> None:
    """The row is named, with its line and its owner."""
    quarantine(tmp_path, RUNNERS[runner])
    said = call("settle", "--gate", "pr", str(whole(runner, tmp_path)), "--today", "2026-12-21")
    assert said.status == 1
    assert "STALE  QUARANTINE.md line 5: " in said.out
    assert "expired on 2026-12-20" in said.out


@pytest.mark.parametrize("runner", RUNNERS)
def test_the_excused_are_skipped_in_what_is_written(runner: str, call: Call, tmp_path: Path) -> None:
    """What is written is settled without a row, and stays green."""
    quarantine(tmp_path, RUNNERS[runner])
    call("settle", "--gate", "pr", str(whole(runner, tmp_path)), "--junit", "out/settled.xml", *DAY)
    (tmp_path / "QUARANTINE.md").unlink()
    said = call("settle", "--gate", "release", "out/settled.xml", *DAY)
    assert (said.status, said.last_line) == (0, "PASSED: 2 tests passed")
    assert "no lock (quarantined in QUARANTINE.md, line 5" in (tmp_path / "out" / "settled.xml").read_text(
        encoding="utf-8"
    )


def test_rows_are_about_their_subject(call: Call, tmp_path: Path) -> None:
    """Two suites of one project may have tests of one name."""
    results = str(whole("jest", tmp_path))
    quarantine(tmp_path, RUNNERS["jest"], subject="web")
    assert call("settle", "--gate", "pr", results, *DAY).status == 1
    assert call("settle", "--gate", "pr", results, "--subject", "web", *DAY).status == 0


def test_a_part_of_the_tests_may_lack_what_a_row_names(call: Call, tmp_path: Path) -> None:
    """If it is said to be one."""
    quarantine(tmp_path, "test_refunds.py::TestTwice::test_twise", rule="x")
    results = str(FIXTURES / "pytest.xml")
    assert "names no verdict and no test" in call("settle", "--gate", "pr", results, *DAY).out
    assert "names no verdict and no test" not in call("settle", "--gate", "pr", results, "--part", *DAY).out


@pytest.mark.parametrize(("gate", "recorded"), [("pr", 0), ("nightly", 1), ("release", 0), ("manual", 1)])
def test_gates_that_keep_history_record_how_it_came_out(gate: str, recorded: int, call: Call, tmp_path: Path) -> None:
    """An excused failure is a failure there; and git does not see the file."""
    quarantine(tmp_path, RUNNERS["surefire"])
    call("settle", "--gate", gate, str(whole("surefire", tmp_path)), *DAY)
    runs = list(Store(tmp_path / ".psp-harness" / "history.db").runs())
    assert len(runs) == recorded
    for past in runs:
        assert (past.gate, past.subject, dict(past.outcomes)[RUNNERS["surefire"]]) == (gate, "tests", "violated")
        assert (tmp_path / ".psp-harness" / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_a_test_that_failed_before_it_passed_is_recorded_as_flaky(call: Call, tmp_path: Path) -> None:
    """Surefire runs it again, and the job is green: the rate must not be."""
    text = '<testsuite><testcase classname="a" name="b"><flakyFailure message="x"/></testcase></testsuite>'
    (tmp_path / "r.xml").write_text(text, encoding="utf-8")
    assert call("settle", "--gate", "nightly", "r.xml").status == 0
    (past,) = Store(tmp_path / ".psp-harness" / "history.db").runs()
    assert past.outcomes == (("a::b", "violated"), ("a::b", "passed"))


def test_annotations_and_a_summary_say_what_the_text_says(call: Call, tmp_path: Path) -> None:
    """A failure on its line, a row on its own; and what expires this week."""
    quarantine(tmp_path, RUNNERS["phpunit"], until="2026-12-05")
    (tmp_path / "s.md").write_text("before\n", encoding="utf-8")
    said = call("settle", "--gate", "pr", str(FIXTURES / "phpunit.xml"), "--github", "--summary", "s.md", *DAY)
    assert (
        "::error file=/shop/RefundTest.php,line=22,title=errored%3A RefundTest%3A%3AtestTheLedgerBalances::" in said.out
    )
    summary = (tmp_path / "s.md").read_text(encoding="utf-8")
    assert summary.startswith("before\n## tests, gate pr\n\n**CANNOT TELL: 1 test errored.")
    assert "### Known: failed, and excused" in summary
    assert "| 🟡 nightly | 1 | 1 | 0 |" in summary
    assert "### Expires this week" in summary
    late = call("settle", "--gate", "pr", str(FIXTURES / "phpunit.xml"), "--github", "--today", "2026-12-06")
    assert "::error file=QUARANTINE.md,line=5,title=quarantine::the row for" in late.out


def test_no_secret_of_a_message_is_printed(call: Call, tmp_path: Path) -> None:
    """Neither on the terminal, nor in a summary, nor in an annotation."""
    secret = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
    text = f'<testsuite><testcase classname="a" name="b"><failure message="got Authorization: Bearer {secret}"/></testcase></testsuite>'
    (tmp_path / "r.xml").write_text(text, encoding="utf-8")
    said = call("settle", "--gate", "pr", "r.xml", "--github", "--summary", "s.md")
    assert said.status == 1
    assert secret not in said.out + said.err + (tmp_path / "s.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--gate", "prod", "r.xml"), "unknown gate 'prod'"),
        (("--gate", "pr", "none.xml"), "none.xml: No such file or directory; name a file with results"),
        (("--gate", "pr", "cut.xml"), "cut.xml: line 1: it is cut off"),
        (("--gate", "pr", "r.xml", "cut.xml"), "cut.xml: line 1: it is cut off"),
        (("--gate", "nightly", "r.xml", "--history", "r.xml"), "r.xml: no history can be kept here"),
        (("--gate", "pr", "r.xml", "--junit", "r.xml/out"), "name a file that can be written"),
    ],
)
def test_a_wrong_call_is_one_sentence(arguments: tuple[str, ...], says: str, call: Call, tmp_path: Path) -> None:
    """Status 2, and no half of an answer."""
    (tmp_path / "r.xml").write_text('<testsuite><testcase name="a"/></testsuite>', encoding="utf-8")
    (tmp_path / "cut.xml").write_text('<testsuite><testcase name="a"/>', encoding="utf-8")
    assert says in refusal(call("settle", *arguments))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[budget.prod]\nrows = 1", "psp-harness.toml: budget: unknown gate 'prod'"),
        ("[budget.pr]\nrows = -1", "psp-harness.toml: budget"),
        ("[budget.pr]\nrow = 1", "psp-harness.toml: budget"),
        ("money-risk = 3", "psp-harness.toml: money-risk"),
    ],
)
def test_a_wrong_budget_is_one_sentence(text: str, says: str, call: Call, tmp_path: Path) -> None:
    """File and key."""
    (tmp_path / "psp-harness.toml").write_text(text, encoding="utf-8")
    assert says in refusal(call("settle", "--gate", "pr", str(FIXTURES / "pytest.xml")))


def test_a_budget_and_a_money_risk_hold_for_tests(call: Call, tmp_path: Path) -> None:
    """Named in the project's file, in either spelling."""
    quarantine(tmp_path, RUNNERS["pytest"])
    (tmp_path / "psp-harness.toml").write_text(
        'money-risk = ["test_refunds.*"]\n[budget.pr]\nrows = 0', encoding="utf-8"
    )
    said = call("settle", "--gate", "pr", str(whole("pytest", tmp_path)), *DAY)
    assert said.status == 2
    assert "is a money risk and has the owner 'ann' alone" in said.out
    assert "1 row at gate pr, whose budget is 0" in said.out


def test_every_fixture_is_settled_here() -> None:
    """A runner that is added to the fixtures is added to these tests."""
    assert sorted(RUNNERS) == sorted(path.stem for path in FIXTURES.glob("*.xml"))


SUBTESTS = """<testsuites name="pytest tests"><testsuite name="pytest" failures="2" errors="0" skipped="0" tests="3">
<testcase classname="test_a" name="test_twice"><failure message="one key made two refunds"/>
<failure message="contains 1 failed subtest"/></testcase><testcase classname="test_a" name="b"/></testsuite></testsuites>"""


def test_the_subtests_of_pytest_can_be_settled(call: Call, tmp_path: Path) -> None:
    """Their failures are excused as often as they are counted, in what is written too."""
    (tmp_path / "r.xml").write_text(SUBTESTS, encoding="utf-8")
    quarantine(tmp_path, "test_a.py::test_twice")
    said = call("settle", "--gate", "pr", "r.xml", "--junit", "out.xml", *DAY)
    assert (said.status, said.last_line.partition(":")[0]) == (0, "PASSED")
    suite = parse(tmp_path / "out.xml").getroot()[0]  # noqa: S314 - written a line above
    assert (suite.get("failures"), suite.get("skipped")) == ("0", "1")


def test_a_run_of_one_rule_is_not_failed_by_the_expired_row_of_another(call: Call, tmp_path: Path) -> None:
    """`--only` says what was asked for."""
    what = "client/generic/over-long-key/an-over-long-key-is-refused-before-sending"
    quarantine(tmp_path, what, subject="miniature:long-key-not-refused", rule=what.rpartition("/")[2])
    run = ("run", "--subject", "miniature:long-key-not-refused", "--gate", "pr", "--today", "2027-01-01", "--only")
    assert "expired on 2026-12-20" in call(*run, what).out
    other = call(*run, "client/generic/over-long-key/one-key-has-one-effect")
    assert "expired" not in other.out + other.err
