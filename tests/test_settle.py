"""Tests of settling: each law of quarantine."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from by_hand import CASE, RULE, VIOLATED, verdict
from psp_harness.errors import UsageError
from psp_harness.model import Errored, Known, Level, Passed, Result, Role, Skipped, Unexercised, Verdict
from psp_harness.profile import Profile, load
from psp_harness.quarantine import GATES, Budget, Class, Kind, Limits, Row, read
from psp_harness.settle import OF_VERDICTS, Excused, Settled, Watch, exit_status, settle

GENERIC = load("generic")
TODAY = date(2026, 12, 1)
AFTER = date(2027, 2, 23)
ENDS = "case-runs-to-its-end"
ROW = Row(
    Class.NIGHTLY,
    f"provider/generic/{CASE}/{RULE}",
    "asgi:shop:app",
    RULE,
    Kind.BROKEN,
    "ann",
    "the store has no lock",
    "#7",
    date(2026, 11, 1),
    date(2027, 2, 22),
    31,
)


def settled(
    *verdicts: Verdict,
    row: Row | None = ROW,
    gate: str | None = "pr",
    today: date = TODAY,
    subject: str = "asgi:shop:app",
    profile: Profile = GENERIC,
) -> Settled:
    """What a run with at most one row comes to."""
    rows = [] if row is None else [row]
    return settle(verdicts, profile=profile, subject=subject, rows=rows, gate=gate, today=today)


def outcomes(result: Settled) -> list[str]:
    """The outcome of each verdict."""
    return [one.outcome for one in result.verdicts]


class TestExcuses:
    """What a row excuses."""

    def test_a_violation_is_known_and_says_why(self) -> None:
        """Whoever reads it learns who sees to it, and until when."""
        result = settled(verdict(VIOLATED)).verdicts[0].result
        assert isinstance(result, Known)
        assert result.problems == VIOLATED.problems
        for part in ("the store has no lock", "ann", "#7", "2027-02-22", "🟡", "line 31"):
            assert part in result.reason

    def test_nothing_is_excused_before_its_first_day(self) -> None:
        """And the run says that the row is wrong."""
        result = settled(verdict(VIOLATED), today=date(2026, 10, 31))
        assert outcomes(result) == ["violated"]
        assert "is to begin on 2026-11-01" in result.stale[0]

    @pytest.mark.parametrize("other", [verdict(VIOLATED, rule="another-rule"), verdict(VIOLATED, case="another-case")])
    def test_nothing_else_is_excused(self, other: Verdict) -> None:
        """Neither another rule in that case, nor that rule in another case."""
        assert outcomes(settled(other, verdict(VIOLATED))) == ["violated", "known"]

    def test_another_subject_is_not_excused(self) -> None:
        """A row is about whom it names, and silent about everybody else."""
        assert settled(verdict(VIOLATED), subject="asgi:other:app") == Settled((verdict(VIOLATED),), ())

    @pytest.mark.parametrize("result", [Errored("it died"), Passed(3), Unexercised("nothing"), Skipped("no refunds")])
    @pytest.mark.parametrize("gate", ["release", "manual"])
    def test_only_a_violation_is_excused(self, result: Result, gate: str) -> None:
        """An error stays an error, at every gate."""
        assert settled(verdict(result), gate=gate).verdicts == (verdict(result),)

    @pytest.mark.parametrize("section", list(Class))
    def test_an_error_is_excused_by_no_class(self, section: Class) -> None:
        """Not even where the row is not run: something else went wrong."""
        row = replace(ROW, what=f"provider/generic/{CASE}/{ENDS}", rule=ENDS, section=section)
        errored = verdict(Errored("it died"), rule=ENDS)
        assert all(settled(errored, row=row, gate=gate).verdicts == (errored,) for gate in GATES)

    def test_without_a_gate_no_row_counts(self) -> None:
        """Nothing is excused, left out or stale, whatever stands in the file."""
        every = (verdict(VIOLATED), verdict(Passed(1), case="other"))
        assert settled(*every, gate=None, today=AFTER) == Settled(every, ())

    def test_an_unknown_gate_is_an_error(self) -> None:
        """A slip of the pen must not turn the quarantine off."""
        with pytest.raises(UsageError, match="did you mean 'nightly'"):
            settled(verdict(VIOLATED), gate="nigthly")


class TestGates:
    """What the gates do with the three classes."""

    @pytest.mark.parametrize(
        ("gate", "red", "yellow", "green"),
        [
            ("pr", "known", "known", "skipped"),
            ("nightly", "known", "known", "skipped"),
            ("release", "violated", "known", "known"),
            ("manual", "known", "known", "known"),
        ],
    )
    def test_each_gate_excuses_its_classes(self, gate: str, red: str, yellow: str, green: str) -> None:
        """As the table in QUARANTINE.md says."""
        found = [
            outcomes(settled(verdict(VIOLATED), row=replace(ROW, section=section), gate=gate)) for section in Class
        ]
        assert found == [[red], [yellow], [green]]

    @pytest.mark.parametrize("today", [TODAY, AFTER])
    @pytest.mark.parametrize("other", [Class.NIGHTLY, Class.MANUAL])
    def test_what_must_pass_before_release_is_excused_by_no_other_row(self, other: Class, today: date) -> None:
        """Whichever of them stands first, and although the red one is expired."""
        red = replace(ROW, section=Class.RELEASE)
        wide = replace(ROW, section=other, what="provider/generic/*", line=40, until=AFTER)
        for rows in ([red, wide], [wide, red]):
            found = settle(
                [verdict(VIOLATED)], profile=GENERIC, subject=ROW.subject, rows=rows, gate="release", today=today
            )
            assert outcomes(found) == ["violated"]
            assert found.stale == ()

    def test_manual_runs_the_quarantined_alone(self) -> None:
        """Everything else is left out, and what could not be told of the quarantined is not."""
        result = settled(
            verdict(VIOLATED),
            verdict(VIOLATED, case="another-case"),
            verdict(Errored("it died"), case="another-case", rule=ENDS),
            verdict(Errored("it died"), rule=ENDS),
            gate="manual",
        )
        assert [(one.case, one.outcome) for one in result.verdicts] == [(CASE, "known"), (CASE, "errored")]

    @pytest.mark.parametrize("result", [VIOLATED, Passed(1)])
    def test_what_is_not_run_at_a_gate_is_skipped_with_its_reason(self, result: Result) -> None:
        """It is neither a pass nor proof that the row is out of date."""
        found = settled(verdict(result), row=replace(ROW, section=Class.MANUAL))
        assert found.stale == ()
        skipped = found.verdicts[0].result
        assert isinstance(skipped, Skipped)
        assert "not run at this gate: the store has no lock" in skipped.reason


def test_the_projects_own_row_excuses_what_it_was_written_for() -> None:
    """The finding about the published SDK is known at the gates of its class, and no later than its date."""
    rule = "an-unusable-key-is-refused-before-sending"
    found = replace(verdict(VIOLATED, rule=rule, case="empty-key", role=Role.CLIENT), profile="stripe")
    rows = read(Path(__file__).parents[1] / "QUARANTINE.md")
    done = [
        settle([found], profile=load("stripe"), subject="sdk:stripe", rows=rows, gate=gate, today=today)
        for gate, today in (("pr", TODAY), ("release", TODAY), ("release", AFTER))
    ]
    assert [outcomes(one) for one in done] == [["known"], ["known"], ["violated"]]


class TestStaleRows:
    """Rows that a run shows to be wrong."""

    @pytest.mark.parametrize("gate", list(GATES))
    def test_past_its_date_a_row_excuses_nothing_and_says_so(self, gate: str) -> None:
        """The gate fails, and its owner is told."""
        found = settled(verdict(VIOLATED), gate=gate, today=AFTER)
        assert outcomes(found) == ["violated"]
        assert found.stale[0].startswith("QUARANTINE.md line 31: ")
        assert "expired on 2027-02-22" in found.stale[0]
        assert "ann: fix the cause" in found.stale[0]

    def test_an_expired_row_does_not_fail_a_gate_that_it_never_applied_to(self) -> None:
        """Release excuses nothing of 🔴 in any case."""
        red = replace(ROW, section=Class.RELEASE)
        assert settled(verdict(VIOLATED), row=red, gate="release", today=AFTER).stale == ()

    def test_an_expired_row_that_is_not_run_fails_its_gates_too(self) -> None:
        """🟢 is no place to forget a row in."""
        found = settled(verdict(VIOLATED), row=replace(ROW, section=Class.MANUAL), today=AFTER)
        assert outcomes(found) == ["violated"]
        assert len(found.stale) == 1

    def test_a_broken_row_whose_verdict_passes_is_stale(self) -> None:
        """Known failures are earned: the row goes out when the fault is gone."""
        (sentence,) = settled(verdict(Passed(1))).stale
        assert "line 31: the row says that it is broken" in sentence
        assert "take the row out" in sentence

    def test_a_flaky_row_may_go_either_way(self) -> None:
        """It excuses a violation, and a pass says nothing against it."""
        flaky = replace(ROW, kind=Kind.FLAKY)
        assert settled(verdict(Passed(1)), row=flaky).stale == ()
        assert outcomes(settled(verdict(VIOLATED), row=flaky)) == ["known"]

    @pytest.mark.parametrize("what", ["provider/generic/*", f"provider/generic/other/?{RULE[1:]}"])
    def test_one_pass_under_a_wide_glob_is_enough(self, what: str) -> None:
        """What passes is not broken, and must not become broken again unseen."""
        wide = replace(ROW, what=what)
        (sentence,) = settled(verdict(VIOLATED), verdict(Passed(1), case="other"), row=wide).stale
        assert f"'provider/generic/other/{RULE}' passed" in sentence
        assert "let `what` name only what still fails" in sentence

    @pytest.mark.parametrize(
        "open_still",
        [
            verdict(Errored("it died"), rule=ENDS),
            verdict(Unexercised("the fault met nothing"), rule=ENDS),
            verdict(Skipped("not claimed here: refunds"), rule=ENDS),
            verdict(Unexercised("no case showed it"), case="any-case"),
            verdict(Skipped("not claimed here: replay"), case="any-case"),
            verdict(Errored("the rule itself failed")),
            verdict(Unexercised("nothing to judge")),
        ],
        ids=lambda one: f"{one.outcome}-{one.case}-{one.rule}",
    )
    @pytest.mark.parametrize("gate", list(GATES))
    def test_what_could_not_be_told_is_no_proof(self, open_still: Verdict, gate: str) -> None:
        """A broken row is not called fixed because nothing could be judged."""
        others = verdict(Passed(1), rule="another-rule")
        assert settled(open_still, others, gate=gate).stale == ()

    def test_what_could_not_be_told_elsewhere_leaves_nothing_open(self) -> None:
        """Another case that did not come to its end says nothing of the one that the row names."""
        row = replace(ROW, what=f"provider/generic/{CASE}/case-run", rule=ENDS)
        elsewhere = verdict(Unexercised("the fault met nothing"), rule=ENDS, case="another-case")
        (sentence,) = settled(verdict(Passed(1), rule="case-run"), elsewhere, row=row).stale
        assert "names no verdict and no test of this run" in sentence

    @pytest.mark.parametrize(
        "wrong",
        [
            {"rule": "one-key-has-one-efect"},
            {"rule": "another-rule"},
            {"what": f"provider/generic/{CASE}/one-key-has-one-efect"},
            {"what": f"provider/generic/{CASE}"},
            {"what": f"provider/generic/{CASE}/*", "rule": "typo"},
        ],
        ids=str,
    )
    def test_a_row_that_names_nothing_in_a_case_that_was_run_is_stale(self, wrong: dict[str, str]) -> None:
        """A slip of the pen would otherwise excuse nothing, and nobody would know."""
        found = settled(verdict(VIOLATED), row=replace(ROW, **wrong))  # type: ignore[arg-type]
        assert outcomes(found) == ["violated"]
        assert "names no verdict and no test of this run" in found.stale[0]
        assert "correct `what` or `rule`" in found.stale[0]

    @pytest.mark.parametrize(
        "elsewhere",
        [
            {"what": f"client/generic/{CASE}/{RULE}"},
            {"what": f"provider/stripe/{CASE}/{RULE}"},
            {"what": f"provider/generic/not-planned/{RULE}"},
            {"what": "tests/test_refunds.py::test_twice"},
            {"subject": "sdk:stripe"},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("today", [TODAY, AFTER])
    def test_a_row_about_what_was_not_planned_is_silent(self, elsewhere: dict[str, str], today: date) -> None:
        """Each run judges only what it has seen, expired or not."""
        assert settled(verdict(Passed(1)), row=replace(ROW, **elsewhere), today=today).stale == ()  # type: ignore[arg-type]


def test_a_part_of_the_verdicts_makes_no_row_wrong_that_names_none_of_them() -> None:
    """Whoever asks for another rule is not told of it, though the case was driven."""
    for today in (TODAY, AFTER):
        for asked, stale in (("another-rule", 0), (RULE, 1)):
            found = settle(
                [verdict(Passed(1), rule=asked)],
                profile=GENERIC,
                subject=ROW.subject,
                rows=[ROW],
                gate="pr",
                today=today,
                whole=False,
            )
            assert len(found.stale) == stale


class TestLimits:
    """How much a gate puts up with."""

    LIMITS = Limits({"pr": Budget(rows=0, days=20)}, lambda row: row.rule == RULE)

    def test_what_is_beyond_the_limits_fails_the_gate(self) -> None:
        """Age, owners and days of the rows that were planned, and the number of all."""
        said = [
            " ".join(
                settle(
                    [verdict(VIOLATED)],
                    profile=GENERIC,
                    subject=subject,
                    rows=[ROW],
                    gate="pr",
                    today=TODAY,
                    limits=self.LIMITS,
                ).stale
            )
            for subject in ("asgi:shop:app", "asgi:other:app")
        ]
        for part in ("30 days old, and the budget of gate pr is 20", "the owner 'ann' alone", "113 days, of which 14"):
            assert part in said[0]
            assert part not in said[1]
        assert all("1 row at gate pr, whose budget is 0" in each for each in said)

    def test_a_row_within_its_limits_is_silent(self) -> None:
        """Two owners, fourteen days."""
        row = replace(ROW, owner="ann, bob", since=TODAY, until=TODAY + timedelta(days=14))
        limits = Limits({"pr": Budget(rows=1, days=0)}, self.LIMITS.is_money_risk)
        assert (
            settle(
                [verdict(VIOLATED)],
                profile=GENERIC,
                subject="asgi:shop:app",
                rows=[row],
                gate="pr",
                today=TODAY,
                limits=limits,
            ).stale
            == ()
        )


@pytest.mark.parametrize("gate", list(GATES))
@pytest.mark.parametrize("result", [Errored("it died"), Passed(1), Skipped("so"), Unexercised("so")])
def test_nothing_but_a_violation_is_ever_called_excused(result: Result, gate: str) -> None:
    """The law itself, before anybody acts on it."""
    for section in Class:
        watch = Watch(OF_VERDICTS, [replace(ROW, section=section)], gate, TODAY)
        assert not isinstance(watch.fate(verdict(result)), Excused)
        assert not (isinstance(result, Errored) and watch.fate(verdict(result)))


class TestKnownDefects:
    """What the profile says that the PSP does wrong."""

    @pytest.mark.parametrize("gate", [None, *(name for name in GATES if name != "manual")])
    def test_a_violation_of_a_listed_defect_is_known_at_every_gate(self, gate: str | None) -> None:
        """With what the profile says about it, and its source."""
        profile = load("hyperswitch")
        result = settled(verdict(VIOLATED), row=None, gate=gate, profile=profile).verdicts[0].result
        assert isinstance(result, Known)
        assert profile.defects[0].says in result.reason
        assert profile.defects[0].source in result.reason

    @pytest.mark.parametrize("result", [Passed(1), Errored("it died")])
    def test_only_a_violation_is_a_known_defect(self, result: Result) -> None:
        """A defect explains what was seen, not what could not be seen."""
        assert settled(verdict(result), row=None, profile=load("hyperswitch")).verdicts == (verdict(result),)

    def test_a_rule_that_no_defect_names_stays_violated(self) -> None:
        """A profile excuses exactly what it lists."""
        other = verdict(VIOLATED, rule="refunds-never-exceed-the-captured-amount")
        assert outcomes(settled(other, row=None, profile=load("hyperswitch"))) == ["violated"]


MUST, SHOULD = Level.MUST, Level.SHOULD


@pytest.mark.parametrize(
    ("level", "result", "stale", "lenient", "strict"),
    [
        (MUST, Passed(1), (), 0, 0),
        (MUST, VIOLATED, (), 1, 1),
        (SHOULD, VIOLATED, (), 0, 1),
        (MUST, Known(1, VIOLATED.problems, "so"), (), 0, 0),
        (MUST, Skipped("so"), (), 0, 0),
        (MUST, Unexercised("so"), (), 0, 2),
        (SHOULD, Errored("so"), (), 2, 2),
        (MUST, Passed(1), ("a row",), 2, 2),
        (MUST, VIOLATED, ("a row",), 1, 1),
    ],
)
def test_the_exit_status_is_that_of_the_interface(
    level: Level, result: Result, stale: tuple[str, ...], lenient: int, strict: int
) -> None:
    """1 for a violation, else 2 for what cannot be told, else 0."""
    verdicts = [verdict(result, level=level)]
    assert (exit_status(verdicts, stale, strict=False), exit_status(verdicts, stale, strict=True)) == (lenient, strict)


def test_a_violation_comes_before_an_error() -> None:
    """Money that moved twice is not hidden behind a time-out."""
    assert exit_status([verdict(Errored("so")), verdict(VIOLATED)], (), strict=False) == 1
