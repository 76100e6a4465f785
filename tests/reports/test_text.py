"""Tests of the report for people."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from by_hand import CASE, KNOWN, PROBLEM, RULE, VIOLATED, exchange, history, lost_and_again, report, request, verdict
from psp_harness.model import (
    Errored,
    Exchange,
    Known,
    Level,
    Passed,
    Problem,
    Report,
    Result,
    Skipped,
    Unexercised,
    Violated,
)
from psp_harness.profile import load
from psp_harness.reports import Clean, text
from psp_harness.rules import RULES, provider_retries
from psp_harness.settle import exit_status, settle

GENERIC = load("generic")
assert provider_retries  # importing it registers the rule that these reports name
ENDS = "case-runs-to-its-end"
SIX = list(RULES)[:6]


def shown(
    told: Report,
    *,
    width: int = 80,
    terminal: bool = False,
    evidence: Mapping[str, Path] | None = None,
    encoding: str = "utf-8",
) -> str:
    """What is printed."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    console = Console(
        file=file, width=width, force_terminal=terminal, color_system="standard" if terminal else None, _environ={}
    )
    text.render(Clean(told), GENERIC, console, evidence or {})
    return raw.getvalue().decode(encoding)


def last(told: Report) -> str:
    """The last line."""
    return shown(told).rstrip("\n").split("\n")[-1]


class TestAViolation:
    """What is shown of a rule that does not hold."""

    def test_it_is_shown_with_its_exchanges(self) -> None:
        """Rule, requirement, case, problem, picture, money, source, fix and evidence, in this order."""
        printed = shown(report([verdict(VIOLATED)]), evidence={CASE: Path("out.evidence") / f"{CASE}.json"})
        rule = RULES[RULE]
        parts = [
            "provider reference:provider (my gateway 1.2), profile generic, no gate",
            f"VIOLATED  MUST {RULE}",
            rule.requirement,
            f"in case {CASE}:",
            "one key made two payments",
            "   1    0.010 s  -> POST /payments  amount 6540  key RUN-payment",
            "         0.015 s  <- answer lost: response-lost (the PSP had answered 201)",
            "   2    0.020 s  -> POST /payments  amount 6540  key RUN-payment",
            "         0.025 s  <- 201",
            "payment pay_1 of 6540 EUR, payment pay_2 of 6540 EUR",
            f"source: {rule.source}",
            f"fix: {rule.fix}",
            f"evidence: out.evidence/{CASE}.json",
            "verdicts: 0 passed, 1 violated",
            "1 case, 2 exchanges, 1.2 s",
            f"VIOLATED: 1 MUST rule is violated. Next: psp-harness explain {RULE}",
        ]
        places = [printed.find(part) for part in parts]
        assert -1 not in places
        assert places == sorted(places)

    def test_more_than_three_problems_are_counted(self) -> None:
        """Eight duplicates of one request are one story."""
        printed = shown(report([verdict(Violated(5, (PROBLEM,) * 5))]))
        assert printed.count(PROBLEM.sentence) == 3
        assert "... and 2 more" in printed
        assert printed.count("-> POST") == 2

    def test_a_rule_is_explained_once(self) -> None:
        """However many cases break it."""
        printed = shown(report([verdict(VIOLATED), verdict(VIOLATED, case="other")]))
        assert printed.count(RULES[RULE].requirement) == 1
        assert "in case other:" in printed

    def test_must_comes_before_should_and_that_before_what_is_known(self) -> None:
        """The worst is read first."""
        verdicts = [
            verdict(Errored("it died"), rule=ENDS),
            verdict(KNOWN, rule="known-rule"),
            verdict(VIOLATED, rule="should-rule", level=Level.SHOULD),
            verdict(VIOLATED, rule="must-rule"),
        ]
        printed = shown(report(verdicts))
        order = ["MUST must-rule", "SHOULD should-rule", "MUST known-rule", "ERRORED  it died"]
        assert sorted(order, key=printed.index) == order

    def test_a_rule_that_is_not_registered_is_shown_all_the_same(self) -> None:
        """The verdict matters more than its documentation."""
        assert "VIOLATED  MUST no-such-rule" in shown(report([verdict(VIOLATED, rule="no-such-rule")]))


class TestTheTimeline:
    """The picture of the exchanges."""

    @pytest.mark.parametrize(
        ("change", "line"),
        [
            ({}, "<- 201"),
            ({"fault": "status-answer"}, "<- 201 (fault: status-answer)"),
            (
                {"seen": None, "received": b"", "fault": "response-lost"},
                "<- answer lost: response-lost (the PSP had answered 201)",
            ),
            (
                {"seen": None, "fault": "answer-truncated"},
                "<- answer truncated: answer-truncated (the PSP had answered 201)",
            ),
            ({"seen": None, "received": b"", "answer": None, "fault": "request-lost"}, "<- no answer: request-lost"),
            ({"seen": None, "received": b"", "answer": None}, "<- no answer"),
            ({"request": None}, "-> (not a whole HTTP request)"),
        ],
    )
    def test_what_came_back_is_said_in_words(self, change: dict[str, object], line: str) -> None:
        """An answer that was given is told from one that was seen."""
        one: Exchange = replace(exchange(1, request()), **change)  # type: ignore[arg-type]
        printed = shown(report([verdict(Violated(1, (Problem("so", (1,)),)))], histories={CASE: history(one)}))
        assert line in [part.strip()[-len(line) :] for part in printed.split("\n")]

    @pytest.mark.parametrize(
        ("key", "said"),
        [
            (None, "no key"),
            (b"", "key b''"),
            (b" ", "key b' '"),
            (b"order-17", "key order-17"),
            (b"caf\xc3\xa9", r"key b'caf\xc3\xa9'"),
            (b"a\x1bb", r"key b'a\x1bb'"),
            (b"x" * 300, f"key {'x' * 45}..."),
        ],
    )
    def test_a_key_is_shown_so_that_every_byte_is_seen(self, key: bytes | None, said: str) -> None:
        """An empty key and none are two things."""
        told = history(exchange(1, request(key)))
        printed = shown(report([verdict(Violated(1, (Problem("so", (1,)),)))], histories={CASE: told}))
        assert f"amount 6540  {said}\n" in printed

    def test_two_key_lines_are_both_shown(self) -> None:
        """A duplicate header line is a finding of its own."""
        asked = request(b"one", {"idempotency-key": "two"})
        told = history(exchange(1, asked))
        assert "key one and key two\n" in shown(
            report([verdict(Violated(1, (Problem("so", (1,)),)))], histories={CASE: told})
        )

    def test_only_the_exchanges_of_the_problem_are_drawn(self) -> None:
        """The others are in the evidence."""
        assert shown(report([verdict(Violated(1, (Problem("so", (2,)),)))])).count("->") == 1


class TestWhatIsKnown:
    """A violation that is excused."""

    def test_a_newcomer_understands_a_known_defect(self) -> None:
        """Both payments are shown, with what the profile says, and the last line does not call it safe."""
        profile = load("hyperswitch")
        judged = [verdict(VIOLATED), verdict(Passed(2), rule="a-key-is-required")]
        today = report().started.date()
        done = settle(judged, profile=profile, subject="reference:provider", rows=[], gate=None, today=today)
        printed = shown(report(done.verdicts))
        assert f"MUST {RULE}: " in printed
        assert "the header alone protects nothing, and the same key sent twice charges twice" in printed
        assert printed.count("-> POST /payments  amount 6540  key RUN-payment") == 2
        assert "payment pay_1 of 6540 EUR, payment pay_2 of 6540 EUR" in printed
        assert "It does not fail the run, and it is not safe." in printed
        assert printed.split("\n")[-2].startswith("PASSED, but 1 rule marked KNOWN above: do not rely on")

    def test_one_reason_is_said_once(self) -> None:
        """Also where it excuses many cases."""
        printed = shown(report([verdict(KNOWN), verdict(KNOWN, case="other")]))
        assert printed.count(KNOWN.reason) == 1


class TestWhatWasNotJudged:
    """Errors, and what there was nothing to say about."""

    def test_one_cause_is_said_once_with_its_cases(self) -> None:
        """A provider that refuses connections is one error, not thirty."""
        verdicts = [verdict(Errored("it refuses connections"), rule=ENDS, case=case) for case in ("one", "two")]
        printed = shown(report([*verdicts, verdict(Errored("it died"), rule=ENDS, case="three")]))
        assert printed.count("it refuses connections") == 1
        assert "nothing can be told of: case one, case two\n" in printed

    def test_skipped_and_unexercised_are_one_line_for_each_reason(self) -> None:
        """Rules by their id, cases by theirs."""
        verdicts = [
            verdict(Skipped("no refunds"), case="any-case"),
            verdict(Skipped("no refunds"), case="refund-twice", rule=ENDS),
            verdict(Unexercised("no case showed it"), case="any-case"),
        ]
        lines = shown(report(verdicts)).split("\n")
        assert f"skipped: {RULE}, case refund-twice: no refunds" in lines
        assert f"unexercised: {RULE}: no case showed it" in lines

    @pytest.mark.parametrize(("observed", "said"), [(True, "6 rules"), (False, ", ".join(SIX))])
    def test_of_a_watched_command_many_that_share_a_reason_are_counted(self, observed: bool, said: str) -> None:
        """It is the same long list each time, and tells nobody anything."""
        verdicts = [verdict(Skipped("nobody said what was wanted"), rule=rule, case="any-case") for rule in SIX]
        told = replace(lost_and_again(), observed=observed)
        lines = shown(report(verdicts, histories={CASE: told})).split("\n")
        assert f"skipped: {said}: nobody said what was wanted" in lines

    def test_stale_rows_are_shown(self) -> None:
        """They fail the run, so the reader sees why."""
        assert "STALE  QUARANTINE.md line 3: it expired" in shown(report(stale=("QUARANTINE.md line 3: it expired",)))


RESULTS: st.SearchStrategy[Result] = st.sampled_from(
    [Passed(1), VIOLATED, KNOWN, Skipped("so"), Unexercised("so"), Errored("so")]
)
VERDICTS = st.builds(lambda result, level: verdict(result, level=level), RESULTS, st.sampled_from(Level))


class TestTheLastLine:
    """The verdict of the run, and what to do next."""

    @given(
        verdicts=st.lists(VERDICTS, max_size=5),
        stale=st.sampled_from([(), ("QUARANTINE.md line 1: so",)]),
        strict=st.booleans(),
    )
    def test_it_says_what_the_exit_status_says(
        self, verdicts: list[object], stale: tuple[str, ...], strict: bool
    ) -> None:
        """People and CI never hear two stories; and each ending says what to do next."""
        told = report(verdicts, stale=stale, strict=strict)  # type: ignore[arg-type]
        said = last(told)
        words = {1: ("VIOLATED: ",), 2: ("CANNOT TELL: ",), 0: ("PASSED", "NOTHING JUDGED: ")}
        assert said.startswith(words[exit_status(told.verdicts, stale, strict=strict)])
        assert ". Next: " in said

    def test_it_counts_rules_not_cases(self) -> None:
        """One fault breaks many cases."""
        told = [verdict(VIOLATED), verdict(VIOLATED, case="other"), verdict(VIOLATED, rule="s", level=Level.SHOULD)]
        assert last(report(told)).startswith("VIOLATED: 1 MUST rule is violated.")
        assert last(report(told, strict=True)).startswith("VIOLATED: 1 MUST rule and 1 SHOULD rule are violated.")

    def test_silence_is_no_pass(self) -> None:
        """A run that judged nothing does not call itself passed."""
        assert last(report([verdict(Skipped("so"))])).startswith("NOTHING JUDGED: ")

    def test_a_broken_should_is_not_hidden_in_a_pass(self) -> None:
        """It is one line up, and it counts under `--strict`."""
        told = report([verdict(Passed(1)), verdict(VIOLATED, level=Level.SHOULD, case="other")])
        assert last(told) == (
            "PASSED: 1 rule judged, no MUST violated; 1 SHOULD rule violated, which counts under --strict alone."
            " Next: run this for every change, in CI"
        )


LONG = "the quick brown payment " * 12


class TestWhereItIsShown:
    """Terminals, pipes and files."""

    def test_a_pipe_gets_whole_lines_without_colour(self) -> None:
        """So a search finds a sentence, and no escape is in the log of a CI server."""
        printed = shown(report([verdict(Violated(1, (Problem(LONG.strip()),)))]))
        assert f"    {LONG.strip()}\n" in printed
        assert "\x1b" not in printed

    def test_a_terminal_gets_colour_and_wrapped_prose(self) -> None:
        """With the indentation kept, and within its width."""
        printed = shown(report([verdict(Violated(1, (Problem(LONG),)))], histories={}), terminal=True)
        assert "\x1b[1;31mVIOLATED" in printed
        wrapped = [line for line in printed.split("\n") if "payment the" in line]
        assert len(wrapped) > 2
        assert all(line.startswith("    ") and len(line) <= 80 for line in wrapped)

    def test_a_timeline_fits_into_eighty_columns(self) -> None:
        """With a key as the harness makes it."""
        printed = shown(report([verdict(VIOLATED)]))
        assert max(len(line) for line in printed.split("\n") if "->" in line or "<-" in line) <= 80

    def test_a_subject_cannot_steer_the_terminal(self) -> None:
        """Its bytes are quoted in sentences, and it may be hostile."""
        printed = shown(report([verdict(Errored("said \x1b]0;owned\x07 and \u202e"), rule=ENDS)]), terminal=True)
        assert "\x1b]0;owned" not in printed
        assert r"said \x1b]0;owned\x07 and \u202e" in printed

    def test_markup_and_emoji_codes_are_text(self) -> None:
        """Brackets and colons are part of what was said."""
        assert "ERRORED  got [red]x[/red] :smile:" in shown(
            report([verdict(Errored("got [red]x[/red] :smile:"), rule=ENDS)])
        )

    def test_a_terminal_without_unicode_gets_codes(self) -> None:
        """The signs of QUARANTINE.md do not end the run."""
        assert r"quarantined \U0001f7e1" in shown(
            report([verdict(Known(1, (PROBLEM,), "quarantined 🟡"))]), encoding="ascii"
        )

    def test_the_same_run_gives_the_same_text(self) -> None:
        """The id that makes its keys fresh is written as RUN."""
        first = report([verdict(VIOLATED)])
        told = {CASE: history(*(exchange(n, request(b"0ther1d-payment"), lost=n == 1) for n in (1, 2)))}
        assert shown(first) == shown(replace(first, run="0ther1d", histories=told))
        assert lost_and_again().exchanges[0].sent != told[CASE].exchanges[0].sent
