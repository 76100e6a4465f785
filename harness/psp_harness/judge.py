"""Hold what was driven against the rules. Pure.

What must hold here: a rule without an occasion is *unexercised*, told once for the run; a case that did not come to its
end proves no pass, but what was seen to be violated in it stays violated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from psp_harness.model import (
    Driven,
    Errored,
    History,
    Level,
    Passed,
    Problem,
    Result,
    Skipped,
    Unexercised,
    Verdict,
    Violated,
)
from psp_harness.plan import ANY_CASE, CASE_RUNS, Plan
from psp_harness.profile import Profile
from psp_harness.rules import Rule


@dataclass(frozen=True, slots=True)
class Judged:
    """What one rule finds in one history."""

    occasions: int
    problems: tuple[Problem, ...]


_UNKNOWN = "nobody can say what the subject did: give --effects PATH, with all that was accepted"

_CUT_SHORT = "there was something to judge only in a case that proves nothing, for the reason that is told of it"


def judge(plan: Plan, driven: Mapping[str, Driven]) -> tuple[Verdict, ...]:
    """A verdict for each case and rule that had an occasion, and for each that could not be told or was skipped."""
    verdicts = [verdict for case, each in driven.items() for verdict in _case(plan, case, each)]
    verdicts += _unexercised(plan, driven, {verdict.rule for verdict in verdicts})
    return (*verdicts, *plan.skipped)


def _case(plan: Plan, case: str, driven: Driven) -> Iterator[Verdict]:
    complete = not (driven.errored or driven.unexercised or driven.doubtful or driven.unclaimed)
    violated = False
    for rule in plan.rules:
        result = _result(rule, driven.history, plan.profile)
        violated |= isinstance(result, Violated)
        if isinstance(result, Violated | Errored) or (complete and isinstance(result, Passed)):
            yield Verdict(plan.role, plan.profile.name, case, rule.id, rule.level, result)
    told = _told(driven, violated=violated)
    if told is not None:
        yield Verdict(plan.role, plan.profile.name, case, CASE_RUNS, Level.MUST, told)


def _told(driven: Driven, *, violated: bool) -> Result | None:
    """Why the case itself proves nothing, if so."""
    if driven.errored:
        return Errored(driven.errored)
    if driven.doubtful and not violated:
        return Errored(driven.doubtful)
    if driven.unclaimed:
        return Skipped(driven.unclaimed)
    return Unexercised(driven.unexercised) if driven.unexercised else None


def _result(rule: Rule, history: History, profile: Profile) -> Result | None:
    """None where the history shows no occasion."""
    if rule.needs_effects and history.effects is None:
        return None
    try:
        judged = hold(rule, history, profile)
    except Exception as error:  # noqa: BLE001 - a rule that fails is our error: it must not pass, nor end the run
        return Errored(f"the rule failed on this history: {error!r}; please report this")
    if judged.problems:
        return Violated(judged.occasions, judged.problems)
    if rule.unsure is not None and (reason := rule.unsure(history)):
        return Errored(reason)
    return Passed(judged.occasions) if judged.occasions else None


def hold(rule: Rule, history: History, profile: Profile) -> Judged:
    """One rule against one history."""
    occasions = list(rule.on(history, profile))
    found = ((occasion, rule.check(occasion, profile)) for occasion in occasions)
    return Judged(len(occasions), tuple(Problem(said, occasion.exchanges) for occasion, said in found if said))


def _unexercised(plan: Plan, driven: Mapping[str, Driven], judged: set[str]) -> Iterator[Verdict]:
    for rule in plan.rules:
        if rule.id not in judged:
            reason = _why_nothing(rule, plan.profile, list(driven.values()))
            yield Verdict(plan.role, plan.profile.name, ANY_CASE, rule.id, rule.level, Unexercised(reason))


def _why_nothing(rule: Rule, profile: Profile, driven: Sequence[Driven]) -> str:
    histories = [each.history for each in driven]
    if rule.needs_effects and any(history.effects is None for history in histories):
        return _UNKNOWN
    if any(_result(rule, history, profile) is not None for history in histories):
        return _CUT_SHORT
    return rule.otherwise if isinstance(rule.otherwise, str) else rule.otherwise(histories)
