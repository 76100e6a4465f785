"""Tests of settling the results of other runners: each law of quarantine, for tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from psp_harness.model import WORD, Errored, Passed, Problem, Result, Skipped, Violated
from psp_harness.quarantine import GATES, UNLIMITED, Budget, Class, Kind, Limits, Row
from psp_harness.runners import Reported
from psp_harness.settle import OF_TESTS, Told, Watch, settle_results, signature, signatures

TODAY = date(2026, 12, 1)
ROW = Row(
    Class.NIGHTLY, "shop.RefundTest::twice", "tests", "two refunds", Kind.BROKEN, "ann", "no lock", "#7",
    date(2026, 11, 20), date(2026, 12, 20), 5,
)  # fmt: skip
FAILED = Violated(1, (Problem("expected one refund, and\n  got two\n  refunds"),))


def ran(result: Result, name: str = "twice", container: str = "shop.RefundTest", **more: object) -> Reported:
    """One test, the first of its file."""
    return replace(Reported(f"{container}::{name}" if container else name, result, container, place=1), **more)  # type: ignore[arg-type]


def told(
    *tests: Reported,
    row: Row = ROW,
    gate: str = "pr",
    today: date = TODAY,
    whole: bool = True,
    limits: Limits = UNLIMITED,
) -> Told:
    """What a file with these tests comes to, with one row."""
    watch = Watch(OF_TESTS, [row], gate, today, limits, whole=lambda _: whole)
    return settle_results([list(tests)], watch, [row])


def test_a_failure_with_its_signature_is_known() -> None:
    """However the lines of the message are broken."""
    done = told(ran(FAILED))
    assert (dict(done.counts), done.status, done.stale) == ({"known": 1}, 0, ())
    skip = done.skips[0][1]
    assert skip.counted_as == "failures"
    assert (
        "no lock (quarantined in QUARANTINE.md, line 5: 🟡 nightly, broken until 2026-12-20, owner ann" in skip.reason
    )


@pytest.mark.parametrize("message", ["expected one refund, and got none", "Two Refunds", "it says nothing"])
def test_a_failure_with_another_signature_is_not_excused(message: str) -> None:
    """What starts to fail differently is out of quarantine; and its row is not thereby wrong."""
    done = told(ran(Violated(1, (Problem(message),))))
    assert (done.counts["violated"], done.status, done.stale) == (1, 1, ())


def test_every_failure_of_a_test_must_be_the_known_one() -> None:
    """Where it fails in two ways, one of which nobody knows, it is red, and both are said."""
    both = Violated(1, (Problem("two refunds"), Problem("the ledger lost 10")))
    done = told(ran(both))
    assert (done.counts["violated"], done.status, done.stale) == (1, 1, ())
    assert list(signatures(done.notable[0])) == ["two refunds", "the ledger lost 10"]
    assert told(ran(Violated(1, (Problem("two refunds"), Problem("two refunds again"))))).status == 0


@pytest.mark.parametrize("section", list(Class))
@pytest.mark.parametrize("gate", list(GATES))
def test_an_error_is_excused_by_no_row(section: Class, gate: str) -> None:
    """At no gate, in no class: something else went wrong."""
    done = told(ran(Errored("two refunds")), row=replace(ROW, section=section, rule="two refunds"), gate=gate)
    assert (dict(done.counts), done.status, done.skips) == ({"errored": 1}, 2, [{}])


@pytest.mark.parametrize(
    ("gate", "red", "yellow", "green"),
    [
        ("pr", "known", "known", "skipped"),
        ("nightly", "known", "known", "skipped"),
        ("release", "violated", "known", "known"),
        ("manual", "known", "known", "known"),
    ],
)
def test_each_gate_excuses_its_classes(gate: str, red: str, yellow: str, green: str) -> None:
    """As for verdicts."""
    done = [told(ran(FAILED), row=replace(ROW, section=section), gate=gate) for section in Class]
    assert [list(each.counts) for each in done] == [[red], [yellow], [green]]


@pytest.mark.parametrize("gate", list(GATES))
def test_past_its_date_a_row_excuses_nothing_and_says_so(gate: str) -> None:
    """The gate fails, whatever the test did."""
    for result, status in ((FAILED, 1), (Passed(1), 2)):
        done = told(ran(result), gate=gate, today=ROW.until + timedelta(days=1))
        assert done.status == status
        assert "expired on 2026-12-20 and excuses nothing any more; ann: fix the cause" in done.stale[0]


def test_a_broken_test_that_passes_fails_the_run() -> None:
    """And it is said how the row goes out."""
    done = told(ran(Passed(1)))
    assert done.status == 2
    assert (
        "but 'shop.RefundTest::twice' passed; take the row out, with proof: psp-harness quarantine release"
        in done.stale[0]
    )
    assert told(ran(Passed(1)), row=replace(ROW, kind=Kind.FLAKY)).status == 0


def test_a_row_that_names_nothing_beside_what_was_run_fails_the_run() -> None:
    """A slip of the pen would otherwise excuse nothing, and nobody would know."""
    other = ran(Passed(1), "once")
    done = told(other, row=replace(ROW, what="shop.RefundTest::twise"))
    assert done.status == 2
    assert "names no verdict and no test of this run" in done.stale[0]
    assert told(other, row=replace(ROW, what="shop.RefundTest::twise"), whole=False).status == 0, "a part of the tests"
    assert told(other, row=replace(ROW, what="shop.OtherTest::twice")).status == 0, "not planned"


def test_of_a_part_only_the_rows_count_that_name_something_in_it() -> None:
    """Expired or too old: whoever runs another test is not the one to be told."""
    late = ROW.until + timedelta(days=1)
    old = Limits({"pr": Budget(days=5)})
    for name, stale in (("once", 0), ("twice", 1)):
        assert len(told(ran(Passed(1), name), whole=False, today=late).stale) == stale
        flaky = replace(ROW, kind=Kind.FLAKY)
        assert len(told(ran(Passed(1), name), row=flaky, whole=False, limits=old).stale) == stale


def test_where_ids_have_no_class_the_suite_says_what_was_planned() -> None:
    """As with jest-junit, where an id begins with its suite."""
    test = ran(Passed(1), "refunds once", "", suite="refunds")
    assert told(test, row=replace(ROW, what="refunds twise")).status == 2
    assert told(test, row=replace(ROW, what="payments twise")).status == 0


@pytest.mark.parametrize("result", [Errored("it died"), Skipped("no clock")])
def test_what_could_not_be_told_is_no_proof(result: Result) -> None:
    """A broken row is not called fixed because nothing could be judged."""
    assert told(ran(result)).stale == ()


def test_the_limits_of_the_gate_hold_for_tests_too() -> None:
    """Age, number, and the shorter leash of what loses money."""
    limits = Limits({"pr": Budget(rows=0, days=5)}, lambda _: True)
    said = " ".join(told(ran(FAILED), limits=limits).stale)
    for part in ("11 days old, and the budget of gate pr is 5", "name 2", "30 days, of which 14", "whose budget is 0"):
        assert part in said
    assert told(ran(FAILED), limits=limits, gate="release").stale != (), "a money risk is one at every gate"


def test_a_glob_is_a_money_risk_if_it_names_one() -> None:
    """Whatever its text looks like beside the configuration's."""
    limits = Limits({}, is_risky_test=lambda test: test.startswith("shop.Refund"))
    for named in (ran(FAILED), ran(Passed(1))):
        stale = " ".join(told(named, row=replace(ROW, what="*::twice"), limits=limits).stale)
        assert "the row for '*::twice' names 'shop.RefundTest::twice', which is a money risk" in stale
    assert told(ran(Passed(1), "once"), row=replace(ROW, what="*::twice"), limits=limits, whole=False).stale == ()


def test_manual_judges_the_quarantined_alone() -> None:
    """Everything else is left out, errors too, and written as skipped."""
    done = told(ran(FAILED, "other", place=1), ran(Errored("x"), "third", place=2), ran(FAILED, place=3), gate="manual")
    assert (dict(done.counts), done.status) == ({"skipped": 2, "known": 1}, 0)
    assert {place: skip.counted_as for place, skip in done.skips[0].items()} == {
        1: "failures",
        2: "errors",
        3: "failures",
    }


@pytest.mark.parametrize(
    ("what", "errored", "holds"),
    [
        ("test_a.py::test_x", {"id": "test_a"}, True),
        ("test_a.py::TestX::test_x", {"id": "test_a"}, True),
        ("tests/*.py::test_x", {"id": "tests.test_a"}, True),
        ("test_a.py::test_x", {"id": "test_b"}, False),
        ("test_ab.py::test_x", {"id": "test_a"}, False),
        ("*::test_x", {"id": "test_a::test_y"}, False),
        ("shop/refunds::TestTwice", {"id": "shop/refunds"}, True),
        ("shop/refunds/eur::TestTwice", {"id": "shop/refunds"}, False),
        ("shop/refunds::TestTwice", {"id": "testsuites", "of_all": True}, True),
        ("refunds twice", {"id": "Test suite failed to run::r.js", "container": "Test suite failed to run"}, True),
        ("refunds twice", {"id": "refunds"}, True),
        ("refunds twice", {"id": "ledger"}, False),
    ],
    ids=str,
)
def test_manual_does_not_hide_that_the_quarantined_were_not_run(
    what: str, errored: dict[str, object], holds: bool
) -> None:
    """A module that cannot be imported, a package that does not compile, a file that cannot be loaded."""
    done = told(Reported(result=Errored("no"), **errored), row=replace(ROW, what=what), gate="manual")  # type: ignore[arg-type]
    assert (done.status, done.stale) == (2 if holds else 0, ())


def test_no_test_at_all_proves_nothing() -> None:
    """But for an empty quarantine, at the gate that runs it alone."""
    assert (told().status, told(gate="manual").status) == (2, 0)


def test_a_violation_comes_before_everything_that_cannot_be_told() -> None:
    """Money that moved twice is not hidden behind a time-out."""
    assert told(ran(Errored("x"), "other"), ran(FAILED, "third")).status == 1


def test_long_messages_are_not_kept() -> None:
    """A million failures must fit."""
    done = told(ran(Violated(1, (Problem("x" * 10_000),))), ran(Errored("y" * 10_000), "other"))
    assert [WORD[type(test.result)] for test in done.notable] == ["violated", "errored"]
    assert all(len(str(test.result)) < 1200 for test in done.notable)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("AssertionError: one key made two refunds\nassert 2 == 1", "AssertionError: one key made two refunds"),
        (
            "Failed\n=== RUN   TestA/usd\n    a_test.go:9: one key made two refunds\n--- FAIL: TestA/usd",
            "one key made two refunds",
        ),
        ("shop.RefundTest::twice with data\none key made two refunds\nFailed asserting", "one key made two refunds"),
        ("it says nothing", "it says nothing"),
        (
            "Error: expect(received).toBe(expected) // Object.is equality\n\nExpected: 1\nReceived: 2\n    at Object.toBe (r.js:7)",
            "Error: expect(received).toBe(expected) // Object.is equality Expected: 1 Received: 2",
        ),
        ("x" * 500, "x" * 120),
    ],
)
def test_a_signature_is_what_will_be_the_same_tomorrow(message: str, says: str) -> None:
    """Neither the name of the test, nor a line number, nor a runner's own words."""
    assert signature(ran(Violated(1, (Problem(message),)))) == says
