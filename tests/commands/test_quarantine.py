"""Tests of `psp-harness quarantine`: from the first failure to the proof of release."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from commands.calling import CAREFUL, FAULTY, ONLY, VERDICT, Call, Said, refusal
from psp_harness.errors import UsageError
from psp_harness.quarantine import Class, Kind, Rate, read
from psp_harness.records import Past, Store

FIXTURES = Path(__file__).parents[2] / "fixtures" / "runners"
TWO = ("--owner", "ann, bob", "--issue", "#7")
DAY = ("--today", "2026-12-01")
TEST = "test_refunds.py::TestTwice::test_one_key_makes_one_refund[usd]"
RESULTS = ("--results", str(FIXTURES / "pytest.xml"))


def add(call: Call, *more: str, what: str = VERDICT) -> Said:
    """A row for what fails, on the first of December."""
    return call("quarantine", "add", what, *TWO, *DAY, *more)


def violated(call: Call, subject: str = FAULTY) -> None:
    """A run in which it is violated; it leaves its report behind."""
    assert call("run", "--subject", subject, *ONLY).status == 1


def record(folder: Path, *words: str, name: str = VERDICT, subject: str = FAULTY) -> None:
    """Nights of November, one for each word."""
    store = Store(folder / ".psp-harness" / "history.db")
    for day, word in enumerate(words, 1):
        at = datetime(2026, 11, 1 + (day - 1) // 20, (day - 1) % 20, tzinfo=UTC)
        store.add(Past(at, "nightly", subject, ((name, word),)))


def passes(folder: Path, count: int, name: str = VERDICT, subject: str = FAULTY) -> None:
    """Nights from now on in which it passes."""
    store = Store(folder / ".psp-harness" / "history.db")
    for _ in range(count):
        store.add(Past(datetime.now(UTC), "nightly", subject, ((name, "passed"),)))


# --- add --------------------------------------------------------------------------------------------------------------


def test_add_fills_in_what_the_last_run_says(call: Call, tmp_path: Path) -> None:
    """Subject, rule, reason, dates and class: only who and where are asked for."""
    violated(call)
    said = add(call)
    assert said.status == 0
    (row,) = read(tmp_path / "QUARANTINE.md")
    assert (row.what, row.subject, row.rule) == (VERDICT, FAULTY, "one-key-has-one-effect")
    assert (row.section, row.kind, row.owners) == (Class.RELEASE, Kind.BROKEN, ("ann", "bob"))
    assert (str(row.since), str(row.until)) == ("2026-12-01", "2026-12-15"), "14 days, for money is at risk"
    assert row.reason.startswith("the payment of 1030 was sent 2 times")
    assert "filled in from .psp-harness/reports/provider-generic.json" in said.out


def test_add_takes_a_report_by_name(call: Call, tmp_path: Path) -> None:
    """Of another machine, say."""
    call("run", "--subject", FAULTY, *ONLY, "--json", "there/report.json")
    assert add(call, "--report", "there/report.json", "--class", "nightly").status == 0
    assert read(tmp_path / "QUARANTINE.md")[0].section is Class.NIGHTLY


def test_a_money_risk_that_a_release_lets_pass_is_said_aloud(call: Call) -> None:
    """It goes into 🔴 unless somebody wants it otherwise, and then they know."""
    violated(call)
    assert "lets it pass" not in add(call).out
    Path("QUARANTINE.md").unlink()
    said = add(call, "--class", "nightly")
    assert f"mind: {VERDICT} is a money risk, and 🟡 lets it pass at every gate, release too" in said.out


def test_what_is_typed_with_more_spaces_is_one_line(call: Call, tmp_path: Path) -> None:
    """As a cell has it."""
    violated(call)
    more = ("--owner", "ann,  bob", "--issue", " #7\n", "--reason", "two  spaces\tand a tab")
    assert add(call, *more).status == 0
    (row,) = read(tmp_path / "QUARANTINE.md")
    assert (row.owner, row.issue, row.reason) == ("ann, bob", "#7", "two spaces and a tab")


@pytest.mark.parametrize(
    "name", ["t[two  spaces]", "t[a&#9;b]", "t[a\u00a0b]", "t[a|b ]", "t[a*  b]", "t[`a  b`]", "t&#10;"]
)
def test_an_id_is_written_to_the_character(name: str, call: Call, tmp_path: Path) -> None:
    """Another number of spaces would be another test."""
    case = f'<testcase classname="a" name="{name}"><failure message="no"/></testcase>'
    (tmp_path / "r.xml").write_text(f"<testsuite>{case}</testsuite>", encoding="utf-8")
    said = add(call, "--results", "r.xml", what="a::t*")
    assert said.status == 0, said.err
    assert call("settle", "--gate", "pr", "r.xml", *DAY).out.count("EXCUSED") == 1


def test_add_takes_the_test_of_another_runner(call: Call, tmp_path: Path) -> None:
    """Under the id that its JUnit XML has, and recognised by a line of its message."""
    said = add(call, *RESULTS, what=TEST)
    assert said.status == 0
    (row,) = read(tmp_path / "QUARANTINE.md")
    assert row.what == "test_refunds.TestTwice::test_one_key_makes_one_refund[usd]"
    assert (row.subject, row.rule) == ("tests", "AssertionError: one key made two refunds")
    assert str(row.until) == "2026-12-31", "30 days"
    assert call("settle", "--gate", "pr", str(FIXTURES / "pytest.xml"), *DAY).out.count("EXCUSED") == 1


@pytest.mark.parametrize("runner", ["gotestsum", "jest", "surefire", "phpunit"])
def test_what_add_writes_excuses_what_failed(runner: str, call: Call, tmp_path: Path) -> None:
    """Whatever the id looks like: braces, quotes, spaces, slashes."""
    results = str(FIXTURES / f"{runner}.xml")
    found = re.search(r"^FAILED  (.*usd.*|.*\[2\])$", call("settle", "--gate", "pr", results).out, re.MULTILINE)
    assert found
    assert add(call, "--results", results, what=found[1]).status == 0
    assert f"EXCUSED  {found[1]}" in call("settle", "--gate", "pr", results, *DAY).out


WATCHED = "client/generic/watched-command/every-post-carries-a-key"
PAYS = """
import http.client, json, os, pathlib
key = {"Idempotency-Key": "order-7"} if pathlib.Path("mended").exists() else {}
psp = http.client.HTTPConnection(os.environ["PSP_BASE_URL"].removeprefix("http://"))
psp.request("POST", "/payments", json.dumps({"amount": 5, "currency": "EUR"}), {"Authorization": "Bearer x", **key})
psp.getresponse()
"""


@pytest.mark.slow
def test_what_a_watched_command_breaks_goes_in_and_out(call: Call, tmp_path: Path) -> None:
    """`add` takes it from the last report, `check` knows the case, and `release` says how it is proven, and proves it."""
    (tmp_path / "pays.py").write_text(PAYS, encoding="utf-8")
    watch = ("watch", "--", sys.executable, "pays.py")
    assert call(*watch).status == 1
    said = add(call, what=WATCHED)
    assert said.status == 0, said.err
    assert call("quarantine", "check", *DAY).status == 0
    (row,) = read(tmp_path / "QUARANTINE.md")
    assert row.subject == f"{sys.executable} pays.py"
    how = f"-- psp-harness watch --strict --profile generic --only '{WATCHED}' --fault … -- {row.subject}"
    assert how in refusal(call("quarantine", "release", WATCHED, "--run", *DAY))
    assert how in call("quarantine", "release", WATCHED, *DAY).err
    program = Path(sys.executable).with_name("psp-harness")
    proof = ("--", str(program), "watch", "--strict", "--only", WATCHED, "--", sys.executable, "pays.py")
    assert call("quarantine", "release", WATCHED, *DAY, *proof).status == 1
    (tmp_path / "mended").touch()
    proven = call("quarantine", "release", WATCHED, *DAY, *proof)
    assert proven.status == 0, proven.err
    assert read(tmp_path / "QUARANTINE.md") == ()


@pytest.mark.slow
def test_what_a_shop_breaks_at_a_crash_point_goes_in_and_is_excused(call: Call) -> None:
    """What a run reports can be named: one call of `add` makes the gate green."""
    only = ("--only", "shop/generic/order-and-refunds-exchange-2-acted/a-refund-is-given-once")
    run = ("run", "--role", "shop", "--subject", "miniature:makes-a-key-for-each-press", "--profile", "generic", *only)
    assert call(*run).status == 1
    said = add(call, what="a-refund-is-given-once")
    assert said.status == 0, said.err
    assert "shop/generic/order-and-refunds-exchange-2-acted/a-refund-is-given-once" in said.out
    assert call(*run, "--gate", "pr", *DAY).status == 0


def test_add_knows_from_the_history_what_is_flaky(call: Call, tmp_path: Path) -> None:
    """What went both ways is, and carries its rate."""
    record(tmp_path, "passed", "violated", "passed", "passed", "violated")
    assert add(call, "--reason", "a race").status == 0
    (row,) = read(tmp_path / "QUARANTINE.md")
    assert (row.kind, row.rate, row.subject) == (Kind.FLAKY, Rate(2, 5), FAULTY)


def test_add_leaves_every_other_character(call: Call, tmp_path: Path) -> None:
    """Of a file that somebody wrote, Windows line ends and all."""
    before = (Path(__file__).parents[2] / "QUARANTINE.md").read_text(encoding="utf-8").replace("\n", "\r\n")
    (tmp_path / "QUARANTINE.md").write_bytes(before.encode())
    violated(call)
    assert add(call).status == 0
    after = (tmp_path / "QUARANTINE.md").read_bytes().decode()
    (new,) = [line for line in after.splitlines(keepends=True) if line not in before.splitlines(keepends=True)]
    assert new.endswith("|\r\n")
    assert after.replace(new, "") == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--owner", "ann"), "is a money risk and has the owner 'ann' alone; name 2"),
        (("--until", "2026-12-16"), "is to last 15 days, of which 14 are allowed"),
        (("--until", "2026-11-30"), "expected a day not before since"),
        (
            ("--kind", "flaky"),
            "a flaky row carries its measured rate; let the nightly gate record it, or say --rate N/M",
        ),
        (("--kind", "flaky", "--rate", "15 %"), "--rate takes failures/runs"),
        (("--owner", "tbd"), "which is nobody"),
        (("--subject", "asgi:other"), "no failure of"),
        (("--rule", "one-key"), "expects the rule 'one-key', and there is none"),
        (("--report", "none.json"), "none.json: No such file or directory; name what psp-harness run --json wrote"),
        (("--report", "QUARANTINE.md"), "QUARANTINE.md: not JSON"),
    ],
)
def test_what_add_refuses_is_not_written(arguments: tuple[str, ...], says: str, call: Call, tmp_path: Path) -> None:
    """One sentence, and the file is what it was."""
    violated(call)
    (tmp_path / "QUARANTINE.md").write_text("# Quarantine\n", encoding="utf-8")
    assert says in refusal(add(call, *arguments))
    assert (tmp_path / "QUARANTINE.md").read_text(encoding="utf-8") == "# Quarantine\n"


def test_a_row_beyond_the_budget_is_not_written(call: Call, tmp_path: Path) -> None:
    """The gate would be red at once."""
    (tmp_path / "psp-harness.toml").write_text("[budget.release]\nrows = 0\n", encoding="utf-8")
    violated(call)
    assert add(call).status == 0, "release excuses nothing of 🔴, so it is no burden there"
    (tmp_path / "QUARANTINE.md").unlink()
    assert "whose budget is 0" in refusal(add(call, "--class", "nightly"))


def test_a_rule_names_the_case_in_which_it_is_violated(call: Call, tmp_path: Path) -> None:
    """Where there is one, the row is about it; where it is violated wherever it was judged, one row is about all."""
    violated(call)
    assert add(call, what="one-key-has-one-effect").status == 0
    assert read(tmp_path / "QUARANTINE.md")[0].what == VERDICT
    (tmp_path / "QUARANTINE.md").unlink()
    call("run", "--subject", FAULTY, "--only", "provider/generic/payment-rep*/one-key-has-one-effect")
    assert add(call, what="one-key-has-one-effect").status == 0
    assert [row.what for row in read(tmp_path / "QUARANTINE.md")] == ["provider/generic/*/one-key-has-one-effect"]


@pytest.mark.parametrize("what", ["provider/generic/payment-rep*/*", "*"])
def test_where_a_glob_names_what_passes_too_each_violation_gets_a_row(what: str, call: Call, tmp_path: Path) -> None:
    """So that one call makes the gate green, and no row says `broken` of what passes."""
    only = ("--only", "provider/generic/payment-rep*/*")
    assert call("run", "--subject", FAULTY, *only).status == 1
    assert add(call, what=what).status == 0
    found = [row.what for row in read(tmp_path / "QUARANTINE.md")]
    assert len(found) == len(set(found)) > 2
    assert not any("*" in each for each in found)
    said = call("run", "--subject", FAULTY, *only, "--gate", "pr", *DAY)
    assert said.status == 0, said.out


def test_what_has_a_row_already_is_left_as_it_is(call: Call, tmp_path: Path) -> None:
    """And the others get theirs."""
    only = ("--only", "provider/generic/payment-rep*/*")
    assert call("run", "--subject", FAULTY, *only).status == 1
    assert add(call).status == 0
    said = add(call, what="provider/generic/payment-rep*/*")
    assert said.status == 0, said.err
    assert f"{VERDICT} has a row already, in line 9" in said.out
    assert len(read(tmp_path / "QUARANTINE.md")) > 1
    assert "there is a row already: " in refusal(add(call))


def test_add_reads_the_newest_report_that_knows_of_it(call: Call, tmp_path: Path) -> None:
    """An older one is of another profile, and what it says may long be mended."""
    violated(call)
    reports = tmp_path / ".psp-harness" / "reports"
    text = (reports / "provider-generic.json").read_text(encoding="utf-8").replace("/generic/", "/stripe/")
    (reports / "provider-stripe.json").write_text(text, encoding="utf-8")
    os.utime(reports / "provider-stripe.json", (0, 0))
    assert add(call, what="one-key-has-one-effect").status == 0
    assert [row.what for row in read(tmp_path / "QUARANTINE.md")] == [VERDICT]


def test_a_day_beyond_the_calendar_is_refused(call: Call, tmp_path: Path) -> None:
    """In one sentence, and not as a mistake of the harness."""
    violated(call)
    late = ("--today", "9999-12-20")
    assert "there is no day any more; say --until" in refusal(call("quarantine", "add", VERDICT, *TWO, *late))
    assert add(call).status == 0
    assert VERDICT in call("quarantine", "list", "--within", "99999999999").out


def test_a_run_at_a_gate_keeps_to_the_projects_limits(call: Call, tmp_path: Path) -> None:
    """The budget of that gate, and the money at risk."""
    (tmp_path / "QUARANTINE.md").write_text(rows({"subject": FAULTY, "owner": "ann"}), encoding="utf-8")
    (tmp_path / "psp-harness.toml").write_text("[budget.pr]\nrows = 0\n", encoding="utf-8")
    said = call("run", "--subject", FAULTY, *ONLY, "--gate", "pr", *DAY)
    assert said.status == 2
    assert "is a money risk and has the owner 'ann' alone" in said.out
    assert "1 row at gate pr, whose budget is 0" in said.out
    assert "whose budget" not in call("run", "--subject", FAULTY, *ONLY, "--gate", "nightly", *DAY).out


def test_what_did_not_fail_cannot_be_quarantined(call: Call, tmp_path: Path) -> None:
    """There is nothing to excuse; and an error is never excused."""
    call("run", "--subject", CAREFUL, *ONLY)
    assert "is passed there; there is nothing to excuse" in refusal(add(call))
    error = "test_refunds::test_the_ledger_balances"
    assert "errored, and an error is never excused" in refusal(add(call, *RESULTS, what=error))
    assert not (tmp_path / "QUARANTINE.md").exists()


def test_a_glob_of_tests_must_name_one_that_failed(call: Call, tmp_path: Path) -> None:
    """Each fails in its own words."""
    suite = "".join(f'<testcase classname="a" name="t{n}"><failure message="no {n}"/></testcase>' for n in (1, 2))
    (tmp_path / "r.xml").write_text(f"<testsuite>{suite}</testsuite>", encoding="utf-8")
    said = refusal(add(call, "--results", "r.xml", what="a::t*"))
    assert "'a::t*' names 2 tests that failed; name one of them: a::t1, a::t2" in said


def test_where_several_subjects_fail_it_is_asked_which(call: Call, tmp_path: Path) -> None:
    """A row is about one."""
    record(tmp_path, "violated", subject="asgi:a:app")
    record(tmp_path, "violated", subject="asgi:b:app")
    assert "is violated by several subjects; say --subject: asgi:a:app, asgi:b:app" in refusal(add(call))
    assert add(call, "--subject", "asgi:b:app", "--reason", "so").status == 0


# --- list and check ---------------------------------------------------------------------------------------------------


def test_list_prints_every_row_in_one_line(call: Call) -> None:
    """Of a gate, or of a week."""
    violated(call)
    add(call)
    assert VERDICT in call("quarantine", "list").out
    assert VERDICT in call("quarantine", "list", "--gate", "pr").out
    assert VERDICT not in call("quarantine", "list", "--gate", "release").out
    assert VERDICT not in call("quarantine", "list", "--within", "7", *DAY).out
    assert VERDICT in call("quarantine", "list", "--within", "7", "--today", "2026-12-09").out
    assert call("quarantine", "list", "--within", "7", *DAY).status == 0


def rows(*changes: dict[str, str], sign: str = "🟡") -> str:
    """A file with a row for each set of changes."""
    good = {
        "what": f"`{VERDICT}`", "subject": "asgi:shop:app", "rule": "one-key-has-one-effect", "kind": "broken", "owner": "ann, bob",
        "reason": "so", "issue": "#7", "since": "2026-12-01", "until": "2026-12-14", "rate": "",
    }  # fmt: skip
    table = [good.keys(), ["---"] * len(good), *({**good, **change}.values() for change in changes)]
    return f"## {sign} Those\n\n" + "\n".join(f"| {' | '.join(cells)} |" for cells in table) + "\n"


def test_check_is_green_on_a_file_in_order(call: Call, tmp_path: Path) -> None:
    """And says what expires next."""
    (tmp_path / "QUARANTINE.md").write_text(rows({}), encoding="utf-8")
    said = call("quarantine", "check", *DAY)
    assert (said.status, said.err) == (0, "")
    assert said.out == f"QUARANTINE.md: 1 row, all in order; the next to expire is {VERDICT} on 2026-12-14\n"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"until": "2026-12-01", "since": "2026-11-30"}, "QUARANTINE.md line 5: the row for 'provider/generic/payment-repeated-after-its-answer-was-lost/one-key-has-one-effect' expired on 2026-12-01; ann, bob: fix"),
        ({"owner": "ann"}, "QUARANTINE.md line 5: the row for"),
        ({"since": "2026-12-03"}, "is to begin on 2026-12-03 and excuses nothing before; ann, bob: correct `since`"),
        ({"until": "2026-12-31"}, "is to last 30 days, of which 14 are allowed"),
        ({"kind": "flaky"}, "is flaky and says no rate; measure it: psp-harness quarantine stats"),
        ({"rule": "one-key-has-one-efect"}, "expects the rule 'one-key-has-one-efect', and there is none; did you mean 'one-key-has-one-effect'?"),
        ({"what": "provider/generic/payment-repeated/*", "rule": "every-post-carries-a-key"}, "expects the rule 'every-post-carries-a-key', by which no provider is judged"),
        ({"rule": "retry-gets-the-first-answer"}, "names no verdict of rule 'retry-gets-the-first-answer'; let both name the same rule"),
        ({"what": "provider/generic/payment-repeatd/*"}, "names a case that does not exist; did you mean 'payment-repeated'?"),
        ({"what": "provider/strip/payment-repeated/*"}, "names a profile that does not exist; did you mean 'stripe'?"),
        ({"what": "client/stripe/payment-repeated/*"}, "names a case that does not exist"),
        ({"what": "provider/generic/watched-command/*"}, "names a case that does not exist"),
    ],
)  # fmt: skip
def test_check_judges_the_whole_file(change: dict[str, str], says: str, call: Call, tmp_path: Path) -> None:
    """Whatever was run: each row that is wrong is one line, and the exit status is 2."""
    (tmp_path / "QUARANTINE.md").write_text(rows(change), encoding="utf-8")
    said = call("quarantine", "check", "--today", "2026-12-02")
    assert said.status == 2
    assert says in said.out
    assert len(said.out.splitlines()) == 1


@pytest.mark.parametrize(
    "case",
    [
        "order-and-refunds-exchange-2-before",
        "order-and-refunds-commit-120-after",
        "order-*-exchange-?-acted",
        "order*-acted",
    ],
)
def test_check_knows_the_crash_points_of_a_shop(case: str, call: Call, tmp_path: Path) -> None:
    """Each is a case of its own in what a run reports, so a row may name it."""
    about = {"what": f"shop/generic/{case}/a-refund-is-given-once", "rule": "a-refund-is-given-once"}
    (tmp_path / "QUARANTINE.md").write_text(rows(about), encoding="utf-8")
    said = call("quarantine", "check", *DAY)
    assert said.status == 0, said.out


@pytest.mark.parametrize(
    "case",
    ["order-and-refunds-exchange-2-after", "order-and-refund-exchange-2-acted", "order-and-refunds-exchange-two"],
)
def test_check_knows_what_is_no_crash_point(case: str, call: Call, tmp_path: Path) -> None:
    """A moment that there is not, and a case that there is not."""
    about = {"what": f"shop/generic/{case}/a-refund-is-given-once", "rule": "a-refund-is-given-once"}
    (tmp_path / "QUARANTINE.md").write_text(rows(about), encoding="utf-8")
    assert "names a case that does not exist" in call("quarantine", "check", *DAY).out


def test_check_takes_rows_about_tests_and_cases_of_ones_own(call: Call, tmp_path: Path) -> None:
    """What a test is called nobody knows here; a case of the project's is known by its file."""
    case = '[[case]]\nid = "mine"\nrole = "provider"\nsituation = "x"\nsteps = [{ do = "create-payment", as = "p", amount = 77 }]\n'
    (tmp_path / "mine.toml").write_text(case, encoding="utf-8")
    (tmp_path / "psp-harness.toml").write_text('cases = ["mine.toml"]\n', encoding="utf-8")
    about = [
        {"what": "provider/generic/mine/*"},
        {"what": TEST, "subject": "tests", "rule": "two | refunds".replace("|", r"\|")},
    ]
    (tmp_path / "QUARANTINE.md").write_text(rows(*about), encoding="utf-8")
    assert call("quarantine", "check", *DAY).status == 0


def test_check_minds_a_glob_that_reaches_into_another_class(call: Call, tmp_path: Path) -> None:
    """It is no mistake, for the stricter counts; but whoever wrote it may not know."""
    about = {"subject": "tests", "rule": "two refunds"}
    red = rows({**about, "what": "test_a.py::test_twice"}, sign="🔴")
    (tmp_path / "QUARANTINE.md").write_text(red + "\n" + rows({**about, "what": "test_a::test_*"}), encoding="utf-8")
    said = call("quarantine", "check", *DAY)
    assert said.status == 0
    assert "QUARANTINE.md line 11: mind: 'test_a::test_*' also names what 🔴 has in line 5" in said.out


def test_add_writes_a_star_of_an_id_as_one(call: Call, tmp_path: Path) -> None:
    """The row is about that test alone, and is released by its id."""
    case = '<testcase classname="a" name="t[{}]"><failure message="no"/></testcase>'
    (tmp_path / "r.xml").write_text(f"<testsuite>{case.format('*')}{case.format('b')}</testsuite>", encoding="utf-8")
    assert add(call, "--results", "r.xml", what="a::t[*]").status == 0
    assert read(tmp_path / "QUARANTINE.md")[0].what == r"a::t[\*]"
    assert call("settle", "--gate", "pr", "r.xml", *DAY).out.count("EXCUSED") == 1
    assert "a::t[*]" in call("quarantine", "release", "a::t[*]", *DAY).err


def test_check_shows_what_a_change_tolerates_on_its_lines(call: Call, tmp_path: Path) -> None:
    """A reviewer reads it where the row was added; what was there before is not told again."""

    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-b", "main")
    (tmp_path / "QUARANTINE.md").write_text(rows({"subject": "asgi:old:app"}), encoding="utf-8")
    git("add", "-A")
    git("commit", "-m", "one row")
    (tmp_path / "QUARANTINE.md").write_text(rows({"subject": "asgi:old:app"}, {}), encoding="utf-8")
    said = call("quarantine", "check", "--github", "--base", "HEAD", *DAY)
    assert said.status == 0
    assert re.findall(r"^::notice file=QUARANTINE.md,line=(\d+),title=🟡", said.out, re.MULTILINE) == ["6"]
    assert "tolerated from now on, until 2026-12-14: so (owner ann, bob, issue #7)" in said.out
    assert "--base no-such: git says" in refusal(call("quarantine", "check", "--github", "--base", "no-such", *DAY))


def test_check_writes_the_quarantines_state(call: Call, tmp_path: Path) -> None:
    """For the page of a job."""
    (tmp_path / "QUARANTINE.md").write_text(rows({}), encoding="utf-8")
    call("quarantine", "check", "--summary", "s.md", "--today", "2026-12-10")
    text = (tmp_path / "s.md").read_text(encoding="utf-8")
    assert "| 🟡 nightly | 1 | 1 | 0 |" in text
    assert f"- `{VERDICT}` of `asgi:shop:app`: until 2026-12-14, owner ann, bob (QUARANTINE.md line 5)" in text


# --- renew ------------------------------------------------------------------------------------------------------------


def test_renew_moves_the_date_and_writes_down_why(call: Call, tmp_path: Path) -> None:
    """Nothing else moves."""
    add(call, *RESULTS, what=TEST)
    before = (tmp_path / "QUARANTINE.md").read_text(encoding="utf-8")
    said = call(
        "quarantine",
        "renew",
        TEST,
        "--until",
        "2027-01-31",
        "--reason",
        "the vendor answers in January",
        "--today",
        "2026-12-20",
    )
    assert said.status == 0
    after = (tmp_path / "QUARANTINE.md").read_text(encoding="utf-8")
    assert after.startswith(before.replace("2026-12-31", "2027-01-31"))
    assert re.search(
        r"## History\n\n- 2026-12-20: renewed .* from 2026-12-31 to 2027-01-31: the vendor answers in January\n$", after
    )


@pytest.mark.parametrize(
    ("until", "says"),
    [("2026-12-16", "is to last 15 days, of which 14 are allowed"), ("2026-11-30", "--until 2026-11-30 is over")],
)
def test_a_money_risk_is_not_renewed_beyond_its_days(until: str, says: str, call: Call, tmp_path: Path) -> None:
    """Whatever the reason."""
    violated(call)
    add(call)
    before = (tmp_path / "QUARANTINE.md").read_text(encoding="utf-8")
    assert says in refusal(call("quarantine", "renew", VERDICT, "--until", until, "--reason", "so", *DAY))
    assert (tmp_path / "QUARANTINE.md").read_text(encoding="utf-8") == before


def test_a_row_that_is_not_there_is_met_with_the_nearest(call: Call, tmp_path: Path) -> None:
    """And several are told apart by subject and rule."""
    (tmp_path / "QUARANTINE.md").write_text(rows({}, {"subject": "asgi:b:app"}), encoding="utf-8")
    more = ("--until", "2026-12-10", "--reason", "so", *DAY)
    assert "no row is about 'nothing'" in refusal(call("quarantine", "renew", "nothing", *more))
    assert "2 rows are about" in refusal(call("quarantine", "renew", VERDICT, *more))
    assert call("quarantine", "renew", VERDICT, "--subject", "asgi:b:app", *more).status == 0


# --- history, stats and release ---------------------------------------------------------------------------------------


def test_nightly_records_what_happened_and_stats_says_how_often(call: Call, tmp_path: Path) -> None:
    """Excused or not, with the interval that its number of runs allows."""
    violated(call)
    add(call)
    for _ in range(2):
        assert call("run", "--subject", FAULTY, *ONLY, "--gate", "nightly", *DAY).status == 0
    said = call("quarantine", "stats")
    assert "2/2 = 100 % (34 % to 100 %)" in said.out
    assert "0 of 11 passes in a row for its release" in said.out
    assert said.last_line.startswith("history: 2 recorded, ")


def test_stats_names_what_goes_both_ways_without_a_row(call: Call, tmp_path: Path) -> None:
    """The next row, before somebody is woken by it."""
    record(tmp_path, *["passed"] * 17, *["violated"] * 3)
    said = call("quarantine", "stats")
    assert "passed and failed, and not in quarantine:" in said.out
    assert re.search(rf"{VERDICT}\s+{FAULTY}\s+3/20 = 15 % \(5\.2 % to 36 %\)", said.out)


def test_the_history_goes_to_another_machine(call: Call, tmp_path: Path) -> None:
    """As JSON Lines, in and out."""
    record(tmp_path, "passed", "violated")
    assert call("quarantine", "history", "--export", "h.jsonl").out == "h.jsonl: 2 runs\n"
    assert call("quarantine", "history", "--import", "h.jsonl", "--history", "there.db").out == "2 new runs\n"
    assert call("quarantine", "history", "--import", "h.jsonl", "--history", "there.db").out == "0 new runs\n"
    assert "takes --export FILE or --import FILE" in refusal(call("quarantine", "history"))


def test_an_export_never_harms_the_history(call: Call, tmp_path: Path) -> None:
    """Its own file is refused; and one that is lost is said to be."""
    record(tmp_path, "passed", "violated")
    for file in (".psp-harness/history.db", ".psp-harness/../.psp-harness/history.db"):
        assert "is the history itself" in refusal(call("quarantine", "history", "--export", file))
    assert len(list(Store(tmp_path / ".psp-harness" / "history.db").runs())) == 2
    (tmp_path / "empty.db").touch()
    (tmp_path / "h.jsonl").write_text("as it was", encoding="utf-8")
    said = refusal(call("quarantine", "history", "--export", "h.jsonl", "--history", "empty.db"))
    assert "empty.db: the file is empty: a history that was lost, or never begun" in said
    assert (tmp_path / "h.jsonl").read_text(encoding="utf-8") == "as it was"


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"])
def test_a_time_beyond_the_calendar_is_refused_before_any_line_is_in(at: str, call: Call, tmp_path: Path) -> None:
    """In UTC there is no such day."""
    head = '{"format": "psp-harness-history/1", "gate": "nightly", "subject": "s", "outcomes": {}, '
    lines = [head + f'"id": "{n}", "at": "{when}"}}' for n, when in enumerate(["2026-11-26T03:00:00+00:00", at])]
    (tmp_path / "h.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert "h.jsonl: line 2: no run: at " in refusal(call("quarantine", "history", "--import", "h.jsonl"))
    assert not (tmp_path / ".psp-harness" / "history.db").exists()


def test_a_release_without_proof_is_refused(call: Call, tmp_path: Path) -> None:
    """With how much is lacking, and how to prove it; the file is what it was."""
    violated(call)
    add(call)
    before = (tmp_path / "QUARANTINE.md").read_bytes()
    said = call("quarantine", "release", VERDICT, *DAY)
    assert said.status == 1
    assert "0 of 20 passes in a row, and nothing was written; mend it and prove it" in said.err
    assert (tmp_path / "QUARANTINE.md").read_bytes() == before


def test_recorded_passes_are_a_proof(call: Call, tmp_path: Path) -> None:
    """As many in a row as the recorded rate asks for; it is written down with the bound that they reach."""
    record(tmp_path, *["violated"] * 3, *["passed"] * 30, *["violated"] * 3)
    add(call, "--kind", "broken", "--reason", "so")
    assert "0 of 8 passes" in call("quarantine", "release", VERDICT, *DAY).err, "they are from before the failure"
    passes(tmp_path, 7)
    assert "7 of 8 passes" in call("quarantine", "release", VERDICT, *DAY).err
    passes(tmp_path, 1)
    said = call("quarantine", "release", VERDICT, *DAY)
    text = (tmp_path / "QUARANTINE.md").read_text(encoding="utf-8")
    assert read(tmp_path / "QUARANTINE.md") == ()
    assert said.status == 0
    assert re.search(
        r"## History\n\n- 2026-12-01: released .* broken since 2026-12-01: 8 passes in a row; it had failed in 3 of 3 runs",
        text,
    )
    assert "at 99 % confidence it now fails in at most 44 % of runs" in text


def test_a_relapse_is_not_what_was_released(call: Call, tmp_path: Path) -> None:
    """The passes that were the proof are neither a rate of what fails now nor a proof that it is over again."""
    record(tmp_path, "violated")
    add(call, "--reason", "so")
    passes(tmp_path, 20)
    assert call("quarantine", "release", VERDICT, *DAY).status == 0
    Store(tmp_path / ".psp-harness" / "history.db").add(
        Past(datetime.now(UTC), "nightly", FAULTY, ((VERDICT, "violated"),))
    )
    assert add(call, "--reason", "so").status == 0
    (row,) = read(tmp_path / "QUARANTINE.md")
    assert (row.kind, row.rate) == (Kind.BROKEN, None)
    assert "0 of 20 passes" in call("quarantine", "release", VERDICT, *DAY).err


def test_a_row_written_by_hand_counts_the_passes_after_it(call: Call, tmp_path: Path) -> None:
    """The first call that is to prove something sees it come: the passes of the same day from before are no proof."""
    about = {"subject": CAREFUL, "kind": "flaky", "rate": "9/10", "since": f"{datetime.now(UTC):%Y-%m-%d}"}
    (tmp_path / "QUARANTINE.md").write_text(rows({**about, "until": "2099-01-01"}), encoding="utf-8")
    passes(tmp_path, 5, subject=CAREFUL)
    said = call("quarantine", "release", VERDICT, "--run")
    assert said.status == 0, said.err
    gates = [past.gate for past in Store(tmp_path / ".psp-harness" / "history.db").runs()]
    assert gates.count("proof") == 6


def test_release_runs_a_verdict_until_it_is_proven(call: Call, tmp_path: Path) -> None:
    """By itself, as often as is lacking, and no longer than to the first failure."""
    (tmp_path / "QUARANTINE.md").write_text(
        rows({"subject": "miniature:*", "kind": "flaky", "rate": "9/10"}), encoding="utf-8"
    )
    more = ("--run", *DAY)
    assert "which may be anybody" in refusal(call("quarantine", "release", VERDICT, *more))
    failing = call("quarantine", "release", VERDICT, *more, "--address", FAULTY)
    assert failing.status == 1
    assert "violated: the payment of 1030 was sent 2 times" in failing.err
    assert "RUN-payment" in failing.err
    gates = [past.gate for past in Store(tmp_path / ".psp-harness" / "history.db").runs()]
    assert gates == ["quarantine", "proof"]
    passing = call("quarantine", "release", VERDICT, *more, "--address", CAREFUL)
    assert passing.status == 0, passing.err
    assert (
        "6 passes in a row; it had failed in 9 of 10 runs, and at 99 % confidence it now fails in at most 54 % of runs"
        in passing.out
    )
    assert read(tmp_path / "QUARANTINE.md") == ()


def test_release_proves_nothing_by_another_subject(call: Call, tmp_path: Path) -> None:
    """The row is about whom it names."""
    (tmp_path / "QUARANTINE.md").write_text(rows({"subject": FAULTY}), encoding="utf-8")
    said = refusal(call("quarantine", "release", VERDICT, "--run", "--address", CAREFUL, *DAY))
    assert f"the row is about {FAULTY!r}, of which {CAREFUL!r} proves nothing" in said


def test_release_runs_the_command_of_another_runner(call: Call, tmp_path: Path) -> None:
    """Exit status 0 is a pass; one that takes too long tells nothing, and one that fails ends the proof."""
    add(call, *RESULTS, what=TEST)
    assert "which only you know how to run" in refusal(call("quarantine", "release", TEST, "--run", *DAY))
    count = "import pathlib, sys; p = pathlib.Path('n'); n = int(p.read_text()) + 1 if p.exists() else 1; p.write_text(str(n)); sys.exit(n == 3)"
    command = ("--", sys.executable, "-c", count)
    failed = call("quarantine", "release", TEST, *DAY, *command)
    assert (failed.status, (tmp_path / "n").read_text(encoding="utf-8")) == (1, "3")
    assert "exit status 1" in failed.err
    hanging = call(
        "quarantine",
        "release",
        TEST,
        *DAY,
        "--timeout",
        "0.2",
        "--",
        sys.executable,
        "-c",
        "import time; time.sleep(60)",
    )
    assert (hanging.status, "it did not end within 0.2 s" in hanging.err) == (2, True)
    assert "No such file or directory; name a command" in refusal(
        call("quarantine", "release", TEST, *DAY, "--", "./none")
    )
    proven = call("quarantine", "release", TEST, *DAY, *command)
    assert proven.status == 0, proven.err
    assert read(tmp_path / "QUARANTINE.md") == ()


@pytest.mark.parametrize("command", [("true",), ("psp-harness", "list"), ("pytest", "psp-harness", "run")])
def test_a_verdict_is_proven_by_the_harness_alone(command: tuple[str, ...], call: Call, tmp_path: Path) -> None:
    """The exit status of something else says nothing of it, least of all where money is at risk."""
    for what in (VERDICT, "provider/*"):
        (tmp_path / "QUARANTINE.md").write_text(rows({"subject": FAULTY, "what": what}), encoding="utf-8")
        said = refusal(call("quarantine", "release", what, *DAY, "--", *command))
        assert "is a verdict of the harness, of which the exit status of" in said
    assert not (tmp_path / ".psp-harness" / "history.db").exists()


def test_a_command_of_the_harness_is_judged_by_its_report(call: Call, tmp_path: Path) -> None:
    """At a gate that excuses it the status is 0, and it is violated all the same; of another subject it is no proof."""
    about = {"subject": FAULTY, "kind": "flaky", "rate": "9/10"}
    (tmp_path / "QUARANTINE.md").write_text(rows(about), encoding="utf-8")
    run = ("--", str(Path(sys.executable).with_name("psp-harness")), "run", *ONLY, *DAY)
    excused = call("quarantine", "release", VERDICT, *DAY, *run, "--subject", FAULTY, "--gate", "pr")
    assert excused.status == 1
    assert "violated: the payment of" in excused.err
    assert "of which 'miniature:careful-gateway' proves nothing" in refusal(
        call("quarantine", "release", VERDICT, *DAY, *run, "--subject", CAREFUL)
    )
    skipped = call("quarantine", "release", VERDICT, *DAY, *run, "--subject", FAULTY, "--without", "effects")
    assert skipped.status == 2


@pytest.mark.parametrize(
    ("script", "name"), [("import sys; sys.exit(5)", "pytest"), ("import os; os.kill(os.getpid(), 9)", "x")]
)
def test_a_runner_that_did_not_run_it_says_nothing(script: str, name: str, call: Call, tmp_path: Path) -> None:
    """No test collected, a wrong call, a death by a signal: neither a pass nor a failure, and nothing is recorded."""
    add(call, *RESULTS, what=TEST)
    said = call("quarantine", "release", TEST, *DAY, "--", sys.executable, "-c", script, name)
    assert (said.status, "it did not come to its end" in said.err) == (2, True)
    assert [past.gate for past in Store(tmp_path / ".psp-harness" / "history.db").runs()] == ["quarantine"]


def test_release_judges_by_the_results_that_a_command_writes(call: Call, tmp_path: Path) -> None:
    """Where a test is skipped its runner says 0; only what is told as passed is a pass."""
    add(call, *RESULTS, what=TEST)
    case = '<testcase classname="test_refunds.TestTwice" name="test_one_key_makes_one_refund[usd]">{}</testcase>'
    write = "import pathlib, sys; pathlib.Path('r.xml').write_text(sys.argv[1])"

    def release(inside: str) -> Said:
        suite = f"<testsuite>{case.format(inside)}</testsuite>"
        return call("quarantine", "release", TEST, *DAY, "--results", "r.xml", "--", sys.executable, "-c", write, suite)

    skipped = release("<skipped/>")
    assert (skipped.status, "is skipped" in skipped.err) == (2, True)
    assert release('<failure message="two"/>').status == 1
    silent = call("quarantine", "release", TEST, *DAY, "--results", "r.xml", "--", sys.executable, "-c", "")
    assert (silent.status, "it wrote no results" in silent.err) == (2, True)
    assert release("").status == 0


def test_release_says_what_cannot_be_told(call: Call, tmp_path: Path) -> None:
    """A subject that cannot be opened is neither a pass nor a failure."""
    (tmp_path / "QUARANTINE.md").write_text(rows({"subject": "http://127.0.0.1:9"}), encoding="utf-8")
    said = call("quarantine", "release", VERDICT, "--run", *DAY)
    assert said.status == 2
    assert "errored: " in said.err
    assert "127.0.0.1:9" in said.err
    assert len(read(tmp_path / "QUARANTINE.md")) == 1


def test_a_broken_file_is_one_sentence_for_every_command(call: Call, tmp_path: Path) -> None:
    """With its line, and nothing is written."""
    broken = rows({}).replace("broken", "brocken")
    (tmp_path / "QUARANTINE.md").write_text(broken, encoding="utf-8")
    for command in (
        ("list",),
        ("check",),
        ("stats",),
        ("release", "x"),
        ("renew", "x", "--until", "2026-12-02", "--reason", "x"),
        ("add", "x", *TWO),
    ):
        assert "QUARANTINE.md: line 5, column 'kind': got 'brocken'" in refusal(call("quarantine", *command))
    conflict = rows({}) + "<<<<<<< HEAD\n"
    (tmp_path / "QUARANTINE.md").write_text(conflict, encoding="utf-8")
    assert "got the merge conflict marker '<<<<<<<'" in refusal(call("quarantine", "add", "x", *TWO))
    assert (tmp_path / "QUARANTINE.md").read_text(encoding="utf-8") == conflict


def test_a_file_that_changed_meanwhile_is_not_overwritten(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two commands at once: one of them is told to say it again."""
    from psp_harness.commands.quarantine import file

    (tmp_path / "QUARANTINE.md").write_text(rows({}), encoding="utf-8")
    opened = file.opened()
    (tmp_path / "QUARANTINE.md").write_text(rows({}) + "\nmore\n", encoding="utf-8")
    with pytest.raises(Exception, match="was changed meanwhile, and nothing was written"):
        opened.write("mine")
    assert (tmp_path / "QUARANTINE.md").read_text(encoding="utf-8").endswith("more\n")


def test_two_writers_lose_no_edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between comparing and replacing nobody else writes."""
    from psp_harness.commands.quarantine import file

    monkeypatch.chdir(tmp_path)
    (tmp_path / "QUARANTINE.md").write_text(rows({}), encoding="utf-8")
    both, compare = threading.Barrier(2), file.quarantine.text_of
    opened = file.opened()

    def slowly(path: Path) -> str:
        text = compare(path)
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(0.5)
        return text

    def write(text: str) -> bool:
        try:
            opened.write(text)
        except UsageError:
            return False
        return True

    monkeypatch.setattr(file.quarantine, "text_of", slowly)
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(write, ["one", "two"])) == [False, True]


def test_the_report_of_a_run_is_kept_for_add_alone(call: Call, tmp_path: Path) -> None:
    """In a folder that git ignores."""
    violated(call)
    report = json.loads((tmp_path / ".psp-harness" / "reports" / "provider-generic.json").read_text(encoding="utf-8"))
    assert [each["outcome"] for each in report["verdicts"]] == ["violated"]
    assert (tmp_path / ".psp-harness" / ".gitignore").read_text(encoding="utf-8") == "*\n"
