"""Laws of judging: no pass without an occasion, none from a case that did not end, and no violation lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from by_hand import exchange, request
from psp_harness import profile
from psp_harness.case import Case
from psp_harness.judge import judge
from psp_harness.model import (
    Claims,
    Driven,
    Effect,
    Errored,
    History,
    Level,
    Passed,
    Problem,
    Role,
    Skipped,
    Unexercised,
    Verdict,
    Violated,
)
from psp_harness.plan import ANY_CASE, CASE_RUNS, Plan, make
from psp_harness.rules import Rule

GENERIC = profile.load("generic")
CASES = msgspec.convert(
    [
        {"id": name, "role": "provider", "situation": "x", "steps": [{"do": "create-payment", "amount": amount}]}
        for amount, name in enumerate(("one", "two", "three"), 1)
    ],
    tuple[Case, ...],
)


@dataclass(frozen=True, slots=True)
class Seen:
    """An occasion: one exchange."""

    exchanges: tuple[int, ...]


def rule(name: str, *, says: str | None = None, occasions: Any = None, **more: Any) -> Rule:
    """A rule that has an occasion in each exchange, and says the same of all."""

    def on(history: History, _: object) -> Iterator[Seen]:
        return occasions(history) if occasions else (Seen((each.number,)) for each in history.exchanges)

    facts = {
        "level": Level.MUST,
        "needs": frozenset(),
        "needs_effects": False,
        "needs_intent": False,
        "otherwise": "there was nothing",
    }
    return Rule(
        name, Role.PROVIDER, requirement="r", source="s", fix="f", on=on, check=lambda _, __: says, **{**facts, **more}
    )


HOLDS, BREAKS = rule("holds"), rule("breaks", says="money moved twice")
NEVER = rule("never", occasions=lambda _: iter(()))


def plan(*rules: Rule, only: tuple[str, ...] = (), features: frozenset[str] = frozenset({"effects"})) -> Plan:
    """All three cases, under these rules."""
    return make(CASES, rules, GENERIC, role=Role.PROVIDER, features=features, run="a1b2c3d4", only=only)


def driven(*, exchanges: int = 1, effects: tuple[Effect, ...] | None = (), **why: Any) -> Driven:
    """A case with so many exchanges."""
    made = tuple(exchange(number, request()) for number in range(1, exchanges + 1))
    return Driven(History("x", (), {}, made, effects, Claims("x")), **why)


def judged(a_plan: Plan, **cases: Driven) -> dict[str, Verdict]:
    """By the end of their ids."""
    return {f"{v.case}/{v.rule}": v for v in judge(a_plan, cases) if a_plan.wants(v)}


def results(a_plan: Plan, **cases: Driven) -> dict[str, object]:
    """What became of each."""
    return {name: verdict.result for name, verdict in judged(a_plan, **cases).items()}


def test_a_rule_is_judged_in_every_case_that_gives_an_occasion() -> None:
    """With the number of its occasions, and the exchanges that show what is wrong."""
    found = results(plan(HOLDS, BREAKS), one=driven(exchanges=2), two=driven(exchanges=1))
    assert found == {
        "one/holds": Passed(2),
        "one/breaks": Violated(2, (Problem("money moved twice", (1,)), Problem("money moved twice", (2,)))),
        "two/holds": Passed(1),
        "two/breaks": Violated(1, (Problem("money moved twice", (1,)),)),
    }


def test_unexercised_is_told_once_over_the_run() -> None:
    """Not for each case, and not where any case gave an occasion."""
    found = results(plan(HOLDS, NEVER), one=driven(exchanges=0), two=driven(), three=driven(exchanges=0))
    assert found == {"two/holds": Passed(1), f"{ANY_CASE}/never": Unexercised("there was nothing")}


def test_a_rule_that_raises_is_errored() -> None:
    """It neither passes nor ends the run, and the other rules are judged."""

    def raising(_: History) -> Iterator[Seen]:
        raise ZeroDivisionError("a bug")

    found = results(plan(rule("raises", occasions=raising), HOLDS), one=driven())
    assert found["one/holds"] == Passed(1)
    assert isinstance(found["one/raises"], Errored)
    assert "ZeroDivisionError('a bug'); please report this" in found["one/raises"].reason
    assert f"{ANY_CASE}/raises" not in found


@pytest.mark.parametrize("why", ["errored", "unexercised", "doubtful", "unclaimed"])
def test_a_case_that_did_not_end_proves_no_pass_and_keeps_its_violations(why: str) -> None:
    """What was seen to be wrong was seen; that the rest was right is not known."""
    reason: dict[str, Any] = {why: "the subject died"}
    cut = driven(**reason)
    found = results(plan(HOLDS, BREAKS), one=cut, two=driven())
    assert isinstance(found["one/breaks"], Violated)
    assert "one/holds" not in found
    assert found["two/holds"] == Passed(1)


@pytest.mark.parametrize(
    ("why", "kind"),
    [("errored", Errored), ("unexercised", Unexercised), ("doubtful", Errored), ("unclaimed", Skipped)],
)
def test_why_a_case_did_not_end_is_told(why: str, kind: type) -> None:
    """On a verdict of its own, at level MUST; its dropped passes leave the rule unexercised."""
    reason: dict[str, Any] = {why: "the subject died"}
    found = judged(plan(HOLDS), one=driven(**reason))
    assert found[f"one/{CASE_RUNS}"].result == kind("the subject died")
    assert found[f"one/{CASE_RUNS}"].level is Level.MUST
    assert found[f"{ANY_CASE}/holds"].result == Unexercised(
        "there was something to judge only in a case that proves nothing, for the reason that is told of it"
    )
    assert set(found) == {f"one/{CASE_RUNS}", f"{ANY_CASE}/holds"}


def test_a_doubt_that_a_violation_explains_is_no_error() -> None:
    """A plain step did not work, and a rule says why."""
    assert set(judged(plan(BREAKS), one=driven(doubtful="the payment was refused"))) == {"one/breaks"}
    assert f"one/{CASE_RUNS}" in judged(plan(BREAKS), one=driven(errored="the subject died"))


def test_without_effects_a_rule_that_needs_them_is_unexercised() -> None:
    """Never passed; the reason says what to give."""
    needy = rule("needy", needs_effects=True)
    assert results(plan(needy), one=driven(effects=None)) == {
        f"{ANY_CASE}/needy": Unexercised(
            "nobody can say what the subject did: give --effects PATH, with all that was accepted"
        )
    }
    assert results(plan(needy), one=driven(effects=None), two=driven()) == {"two/needy": Passed(1)}


def test_what_was_skipped_is_told_too() -> None:
    """With its reason, beside what was judged."""
    lacking = rule("lacking", needs=frozenset({"clock"}))
    found = results(plan(HOLDS, lacking), one=driven())
    assert isinstance(found[f"{ANY_CASE}/lacking"], Skipped)


# --- only -------------------------------------------------------------------------------------------------------------

ONLY = ("provider/generic/one/holds",)


def test_only_keeps_what_it_names() -> None:
    """The other rules of the case are not told."""
    assert results(plan(HOLDS, BREAKS, only=ONLY), one=driven()) == {"one/holds": Passed(1)}


def test_only_never_hides_that_a_case_could_not_be_driven() -> None:
    """A provider that is not there is no green run, however narrow the pattern."""
    found = results(plan(HOLDS, only=ONLY), one=driven(exchanges=0, errored="connection refused"))
    assert found == {
        f"one/{CASE_RUNS}": Errored("connection refused"),
        f"{ANY_CASE}/holds": Unexercised("there was nothing"),
    }


def test_only_tells_that_its_rule_had_nothing_to_judge() -> None:
    """And says nothing of rules that it does not name."""
    found = results(plan(HOLDS, NEVER, only=ONLY), one=driven(exchanges=0))
    assert found == {f"{ANY_CASE}/holds": Unexercised("there was nothing")}


def test_what_a_history_leaves_open_is_no_pass() -> None:
    """A rule that it neither breaks nor proves cannot be told; one that it breaks is broken."""
    holds, breaks = (rule(name, says=says, unsure=lambda _: "who knows") for name, says in (("h", None), ("b", "no")))
    found = judged(plan(holds, breaks), one=driven())
    assert found["one/h"].result == Errored("who knows")
    assert isinstance(found["one/b"].result, Violated)


def test_why_there_was_nothing_may_depend_on_what_was_seen() -> None:
    """A rule may say it by the histories."""
    never = rule("never", occasions=lambda _: iter(()), otherwise=lambda histories: f"{len(histories)} were seen")
    assert judged(plan(never), one=driven(), two=driven())[f"{ANY_CASE}/never"].result == Unexercised("2 were seen")
