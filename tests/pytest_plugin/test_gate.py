"""Tests of `pytest --gate`: real sessions of pytest, in a folder of their own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import parse

import pytest

from psp_harness import rules
from psp_harness.pytest_plugin import at_gate
from psp_harness.records import Store

assert at_gate  # a session within this one forgets what it imported itself
rules.load()

SUITE = """
import pytest

def test_twice():
    assert 2 == 1, "one key made two refunds"

def test_once():
    pass

@pytest.fixture
def ledger():
    raise ConnectionError("the ledger does not answer")

def test_ledger(ledger):
    pass

@pytest.mark.slow
def test_that_takes_its_time():
    pass
"""
HEAD = "| what | subject | rule | kind | owner | reason | issue | since | until |\n" + "| --- " * 9 + "|\n"


def row(what: str, rule: str = "two refunds", kind: str = "broken", until: str = "2026-12-20") -> str:
    """One row about a test."""
    return f"| `{what}` | tests | {rule} | {kind} | ann | no lock | #7 | 2026-11-20 | {until} |\n"


@dataclass(frozen=True)
class Session:
    """What a session of pytest came to."""

    status: int
    out: str

    @property
    def counts(self) -> dict[str, int]:
        """Of its last line."""
        return {
            word.rstrip("s"): int(count) for count, word in re.findall(r"(\d+) ([a-z]+)", self.out.splitlines()[-1])
        }


@dataclass(frozen=True)
class Project:
    """A folder with tests and a quarantine."""

    pytester: pytest.Pytester

    @property
    def folder(self) -> Path:
        """Its root."""
        return self.pytester.path

    def quarantine(self, *rows: str, sign: str = "🟡") -> None:
        """Write the file, with these rows in one class."""
        (self.folder / "QUARANTINE.md").write_text(f"## {sign} Those\n\n{HEAD}{''.join(rows)}", encoding="utf-8")

    def pytest(self, *arguments: str) -> Session:
        """A session; with xdist in a process of its own."""
        off = ("-rA", "-p", "no:cacheprovider", "-p", "no:pact", "-p", "no:asyncio", "-p", "no:hypothesispytest")
        run = self.pytester.runpytest_subprocess if "-n" in arguments else self.pytester.runpytest_inprocess
        done = run(*off, *arguments)
        return Session(int(done.ret), re.sub(r" in [\d.]+s.*", "", (done.stdout.str() + done.stderr.str()).strip()))


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    """One failure, one pass, one error, one slow test."""
    pytester.makepyfile(test_refunds=SUITE)
    pytester.makeini("[pytest]\naddopts = --strict-markers\n")
    return Project(pytester)


DAY = ("--today", "2026-12-01")
NO_ERROR = ("--deselect", "test_refunds.py::test_ledger")
TWICE = "test_refunds.py::test_twice"


def test_without_a_gate_no_row_counts(project: Project) -> None:
    """Not even a broken file is read."""
    project.quarantine("| x |\n")
    assert project.pytest().counts == {"failed": 1, "passed": 2, "error": 1}


def test_a_folder_with_hooks_of_its_own_is_run_too(project: Project) -> None:
    """Where a `conftest.py` does not bind everywhere, pytest keeps its plugins in sets."""
    (project.folder / "shop").mkdir()
    (project.folder / "shop" / "conftest.py").write_text(
        "def pytest_runtest_makereport():\n    pass\n", encoding="utf-8"
    )
    (project.folder / "shop" / "test_shop.py").write_text("def test_shop():\n    pass\n", encoding="utf-8")
    project.quarantine(row(TWICE))
    assert project.pytest("--gate", "pr", *DAY, *NO_ERROR).counts["passed"] == 2


@pytest.mark.parametrize(
    ("sign", "gate", "counts", "status"),
    [
        ("🔴", "pr", {"passed": 1, "skipped": 1, "xfailed": 1}, 0),
        ("🔴", "nightly", {"passed": 2, "xfailed": 1}, 0),
        ("🔴", "release", {"passed": 2, "failed": 1}, 1),
        ("🔴", "manual", {"xfailed": 1}, 0),
        ("🟡", "release", {"passed": 2, "xfailed": 1}, 0),
        ("🟢", "pr", {"passed": 1, "skipped": 2}, 0),
        ("🟢", "nightly", {"passed": 2, "skipped": 1}, 0),
        ("🟢", "manual", {"xfailed": 1}, 0),
    ],
)
def test_each_gate_runs_and_excuses_its_classes(
    sign: str, gate: str, counts: dict[str, int], status: int, project: Project
) -> None:
    """As `psp-harness list gates` says; what is slow is not run at `pr`."""
    project.quarantine(row(TWICE), sign=sign)
    session = project.pytest("--gate", gate, *DAY, *NO_ERROR)
    session.counts.pop("deselected", None)
    assert ({word: n for word, n in session.counts.items() if word != "deselected"}, session.status) == (counts, status)


def test_whoever_reads_the_report_learns_why(project: Project) -> None:
    """On the terminal, and in JUnit XML, where the excused are skipped."""
    project.quarantine(row(TWICE))
    session = project.pytest("--gate", "pr", *DAY, *NO_ERROR, "--junitxml", "r.xml")
    why = "no lock (quarantined in QUARANTINE.md, line 5: 🟡 nightly, broken until 2026-12-20, owner ann, issue #7)"
    assert why in session.out
    tree = parse(project.folder / "r.xml")  # noqa: S314 - pytest wrote it a line above
    assert [each.get("message") for each in tree.iter("skipped") if each.get("type") == "pytest.xfail"] == [why]


def test_an_error_is_never_excused(project: Project) -> None:
    """A fixture that fails is no violation."""
    project.quarantine(row("test_refunds.py::*", "the ledger does not answer", "flaky"))
    assert project.pytest("--gate", "pr", *DAY).counts["error"] == 1


def test_another_failure_is_not_excused(project: Project) -> None:
    """The message has not what the row expects."""
    project.quarantine(row(TWICE, "three refunds"))
    session = project.pytest("--gate", "pr", *DAY, *NO_ERROR)
    assert (session.status, session.counts["failed"]) == (1, 1)


def test_a_pass_of_what_is_broken_fails(project: Project) -> None:
    """Strictly, and with the command that takes the row out; what is flaky may pass."""
    project.quarantine(row(TWICE), row("test_refunds.py::test_once"))
    session = project.pytest("--gate", "pr", *DAY, *NO_ERROR)
    assert (session.status, session.counts["failed"]) == (1, 1)
    assert "[passes again] the row says that it is broken" in session.out
    assert "psp-harness quarantine release 'test_refunds.py::test_once'" in session.out
    project.quarantine(row(TWICE), row("test_refunds.py::test_once", kind="flaky"))
    assert project.pytest("--gate", "pr", *DAY, *NO_ERROR).status == 0


def test_a_row_that_no_longer_holds_is_a_failure_of_its_own(project: Project) -> None:
    """Expired, or naming nothing beside what was collected."""
    project.quarantine(row(TWICE, until="2026-11-30"), row("test_refunds.py::test_twise"))
    session = project.pytest("--gate", "nightly", *DAY)
    assert (session.status, session.counts["failed"]) == (1, 3), "the test, and two rows"
    assert "QUARANTINE.md line 5: the row for 'test_refunds.py::test_twice' expired on 2026-11-30" in session.out
    assert (
        "QUARANTINE.md line 6: the row for 'test_refunds.py::test_twise' and rule 'two refunds' names no" in session.out
    )


def test_a_part_of_a_file_does_not_make_rows_wrong(project: Project) -> None:
    """Whoever runs one test by its name has not asked for the others."""
    project.quarantine(row(TWICE), row("test_refunds.py::test_twise"))
    assert project.pytest("--gate", "pr", *DAY, TWICE).status == 0
    assert project.pytest("--gate", "pr", *DAY, "-k", "twice").status == 0
    expired = project.pytest("--gate", "pr", "--today", "2027-01-01", "-k", "twice")
    assert expired.counts == {"failed": 2, "deselected": 3}, "the test, and its row, which -k does not hide"
    other = project.pytest("--gate", "pr", "--today", "2027-01-01", "-k", "once")
    assert other.counts == {"passed": 1, "deselected": 3}
    assert project.pytest("--gate", "pr", "--today", "2027-01-01", "test_refunds.py::test_once").status == 0


@pytest.mark.parametrize("arguments", [("test_b.py",), ("--ignore", "test_refunds.py")])
def test_a_part_of_the_files_does_not_make_a_wide_row_wrong(arguments: tuple[str, ...], project: Project) -> None:
    """What it names may stand in another file; of a whole file a row is judged all the same."""
    project.pytester.makepyfile(test_b="def test_b():\n    pass\n")
    (project.folder / "psp-harness.toml").write_text("", encoding="utf-8")
    project.quarantine(row("*.py::test_twice"))
    assert project.pytest("--gate", "pr", *DAY, *arguments).status == 0
    project.quarantine(row("test_b.py::test_typo"))
    assert project.pytest("--gate", "pr", *DAY, *arguments).counts["failed"] == 1
    project.quarantine(row("*::test_typo"))
    assert project.pytest("--gate", "pr", *DAY, ".").counts["failed"] >= 1, "the folder is all there is"


def test_what_failed_last_is_a_part_too(project: Project) -> None:
    """`--lf` leaves the others out while it collects, and says nothing of them to anybody."""
    project.quarantine(row("test_refunds.py::test_once", kind="flaky"))
    for arguments, failed in (((), 1), (("--lf",), 1)):
        done = project.pytester.runpytest_inprocess("--gate", "pr", *DAY, *NO_ERROR, *arguments)
        done.assert_outcomes(
            failed=failed, passed=0 if arguments else 1, skipped=0 if arguments else 1, deselected=None
        )


def test_a_name_with_colons_in_its_brackets_stands_in_its_file(project: Project) -> None:
    """And so a row that names nothing there is said."""
    body = "import pytest\n@pytest.mark.parametrize('n', ['a::b'])\ndef test_p(n):\n    pass\n"
    project.pytester.makepyfile(test_refunds=body)
    project.quarantine(row("test_refunds.py::test_q"))
    assert "names no verdict and no test of this run" in project.pytest("--gate", "pr", *DAY).out


def test_a_row_is_wrong_at_manual_too_where_nothing_else_is_left_to_run(project: Project) -> None:
    """The gate that runs the quarantined alone says that there is none of that name."""
    project.quarantine(row("test_refunds.py::test_twise"))
    session = project.pytest("--gate", "manual", *DAY)
    assert (session.status, session.counts) == (1, {"failed": 1, "deselected": 4})
    assert "QUARANTINE.md line 5: the row for 'test_refunds.py::test_twise'" in session.out


@pytest.mark.parametrize("strict", [False, True])
def test_an_expected_failure_that_passes_is_no_longer_broken(strict: bool, project: Project) -> None:
    """Whoever marked it besides has not taken the row out."""
    body = f"import pytest\n@pytest.mark.xfail(strict={strict})\ndef test_twice():\n    pass\n"
    project.pytester.makepyfile(test_refunds=body)
    assert project.pytest("--gate", "nightly", *DAY).counts == ({"failed": 1} if strict else {"xpassed": 1})
    project.quarantine(row(TWICE))
    assert project.pytest("--gate", "nightly", *DAY).counts == {"failed": 1}


@pytest.mark.parametrize("mark", ["", "@pytest.mark.xfail"])
def test_an_excused_failure_leaves_no_error_behind(mark: str, project: Project) -> None:
    """What was to strike the PSP never came, for the test failed before."""
    body = f"import pytest\n{mark}\ndef test_twice(psp):\n    psp.lose_answer()\n    assert 0, 'two refunds'\n"
    project.pytester.makepyfile(test_refunds=body)
    project.quarantine(row(TWICE))
    assert project.pytest("--gate", "pr", *DAY).counts == {"xfailed": 1}


def test_a_test_whose_subtests_fail_does_not_pass(project: Project) -> None:
    """Each failure of a subtest is settled by itself, and the test around them is not called fixed."""
    body = "def test_twice(subtests):\n    for n in (1, 2):\n        with subtests.test(n=n):\n            assert n == 1, 'two refunds'\n"
    project.pytester.makepyfile(test_refunds=body)
    project.quarantine(row(TWICE))
    excused = project.pytest("--gate", "nightly", *DAY)
    assert (excused.status, "passes again" in excused.out) == (0, False), excused.out
    assert project.pytest("--gate", "release", *DAY, "--today", "2027-01-01").status == 1
    (past,) = Store(project.folder / ".psp-harness" / "history.db").runs()
    assert dict(past.outcomes) == {"test_refunds::test_twice": "violated"}


def test_the_rules_of_a_subject_are_settled_by_the_rows_about_its_verdicts(project: Project) -> None:
    """As at `psp-harness run --gate`: what is excused is expected to fail, and a row that expired fails the last test."""
    subject = ("--psp-subject", "miniature:long-key-not-refused", "--psp-strict")
    name = "an-over-long-key-is-refused-before-sending"
    what = f"client/generic/over-long-key/{name}"
    cells = (
        f"| `{what}` | miniature:long-key-not-refused | {name} | broken | ann | so | #1 | 2026-11-20 | 2026-12-20 |\n"
    )
    project.quarantine(cells, sign="🔴")
    mine = ("--gate", "pr", *subject, "-k", f"{name} or case-runs")
    assert project.pytest(*mine, *DAY).counts["xfailed"] == 1
    assert project.pytest("--gate", "release", *mine[2:], *DAY).counts["failed"] == 1
    by_hand = project.pytest("--gate", "manual", *mine[2:], *DAY)
    assert by_hand.counts["xfailed"] == 1
    assert "passed" not in by_hand.counts, "what nobody judged is skipped"
    late = project.pytest(*mine, "--today", "2027-01-01")
    assert late.counts["failed"] == 2
    assert f"QUARANTINE.md line 5: the row for '{what}' expired on 2026-12-20" in late.out


def test_the_quarantined_can_be_chosen(project: Project) -> None:
    """By their mark."""
    project.quarantine(row(TWICE))
    session = project.pytest("--gate", "nightly", *DAY, "-m", "quarantined")
    assert session.counts == {"deselected": 3, "xfailed": 1}


def test_an_empty_quarantine_is_no_failure_of_the_gate_that_runs_it(project: Project) -> None:
    """There is nothing to run, and that is what was asked for."""
    project.quarantine()
    assert project.pytest("--gate", "manual", *DAY).status == 0
    assert project.pytest("--gate", "pr", *DAY, "-k", "nothing").status == 5


OUTCOMES = {
    "test_refunds::test_twice": "violated",
    "test_refunds::test_once": "passed",
    "test_refunds::test_ledger": "errored",
    "test_refunds::test_that_takes_its_time": "passed",
}


def test_nightly_keeps_history(project: Project) -> None:
    """Of what came out, under the ids that JUnit XML has; `pr` keeps none."""
    project.quarantine(row(TWICE))
    project.pytest("--gate", "pr", *DAY)
    project.pytest("--gate", "nightly", *DAY)
    (past,) = Store(project.folder / ".psp-harness" / "history.db").runs()
    assert (past.gate, past.subject, dict(past.outcomes)) == ("nightly", "tests", OUTCOMES)


def test_with_workers_it_is_the_same(project: Project) -> None:
    """Under xdist a failure is excused once, a row is wrong once, and the history is kept once."""
    project.quarantine(row(TWICE), row("test_refunds.py::test_twise"))
    session = project.pytest("--gate", "nightly", *DAY, "-n", "2")
    assert session.counts == {"failed": 1, "passed": 2, "xfailed": 1, "error": 1}
    (past,) = Store(project.folder / ".psp-harness" / "history.db").runs()
    assert dict(past.outcomes) == OUTCOMES


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--gate", "prod"), "unknown gate 'prod'"),
        (("--gate", "releas"), "did you mean 'release'?"),
        (("--gate", "pr", "--today", "soon"), "--today 'soon': expected a day as YYYY-MM-DD"),
        (("--gate", "pr"), "line 6: got a table row outside a table"),
    ],
)
def test_a_wrong_call_is_one_sentence(arguments: tuple[str, ...], says: str, project: Project) -> None:
    """A slip of the pen must not turn the quarantine off."""
    project.quarantine("\n| x |\n" if "outside" in says else "")
    session = project.pytest(*arguments)
    assert session.status == 4
    assert says in session.out
    assert "Traceback" not in session.out


@pytest.mark.parametrize("style", ["long", "short", "native"])
def test_the_source_beside_a_failure_is_not_what_failed(style: str, project: Project) -> None:
    """An assertion that holds has the words of the row; another one failed."""
    body = 'def test_twice():\n    total = 7\n    assert total, "two refunds"\n    assert total == 5, "wrong amount"\n'
    project.pytester.makepyfile(test_refunds=body)
    project.quarantine(row(TWICE))
    session = project.pytest("--gate", "pr", *DAY, f"--tb={style}")
    assert (session.status, session.counts) == (1, {"failed": 1})
    project.quarantine(row(TWICE, "wrong amount"))
    assert project.pytest("--gate", "pr", *DAY, f"--tb={style}").counts == {"xfailed": 1}
