"""Plan a run: which cases are driven and which rules judge them, with every key and reference made fresh. Pure.

What a profile or a subject does not claim is *skipped* here, with the reason; everything else must be exercised.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from psp_harness.case import Case
from psp_harness.errors import NothingChosen, UsageError
from psp_harness.model import Claims, Level, Role, Skipped, Strike, Verdict
from psp_harness.plan.apart import refuse_shared_amounts, wrong
from psp_harness.plan.deliveries import Deliveries
from psp_harness.plan.intents import Intents, is_of_another_run, moments
from psp_harness.plan.planned import Planned
from psp_harness.plan.points import is_point_of
from psp_harness.plan.wishes import Wishes
from psp_harness.profile import Profile
from psp_harness.registry import suggest
from psp_harness.rules import Rule
from psp_harness.vocabulary import ANY_CASE, FEATURES

__all__ = [
    "ANY_CASE",
    "CASE_RUNS",
    "WATCHED_COMMAND",
    "Plan",
    "Planned",
    "available",
    "is_of_another_run",
    "make",
    "moments",
    "stand_ins",
]

CASE_RUNS = "case-runs-to-its-end"
"""Stands for the rule in the verdict on a case that was skipped, errored, or whose fault met nothing."""

WATCHED_COMMAND = "watched-command"
"""Stands for the case in the verdicts on a command that was watched: nobody planned what it does."""


def stand_ins(role: Role) -> tuple[str, ...]:
    """The words that stand for a case in the verdicts of a role, beside the cases that there are."""
    return (ANY_CASE, WATCHED_COMMAND) if role is Role.CLIENT else (ANY_CASE,)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run does."""

    run: str
    role: Role
    profile: Profile
    cases: tuple[Planned, ...]
    rules: tuple[Rule, ...]
    skipped: tuple[Verdict, ...]
    only: tuple[str, ...]

    def wants(self, verdict: Verdict) -> bool:
        """Whether `--only` lets it through: never is it left out that what it names could not be told."""
        if verdict.rule == CASE_RUNS or verdict in self.skipped:
            return True
        cases = [each.case.id for each in self.cases] if verdict.case == ANY_CASE else [verdict.case]
        return any(_wanted(replace(verdict, case=case).id, self.only) for case in cases)

    def wants_case(self, case: str) -> bool:
        """Whether `--only` lets through any verdict on this case."""
        names = (*(rule.id for rule in self.rules), CASE_RUNS)
        return any(_wanted(f"{self.role}/{self.profile.name}/{case}/{name}", self.only) for name in names)


def available(
    profile: Profile, role: Role, claims: Claims, given: Collection[str], without: Collection[str]
) -> frozenset[str]:
    """The features that cases and rules may count on. Raises `UsageError` for an unknown one in `without`."""
    for feature in without:
        if feature not in FEATURES:
            raise UsageError(f"unknown feature {feature!r}", do=f"known: {', '.join(FEATURES)}")
    lacking = set(without)
    if "refunds" not in (profile.features & claims.features if role is Role.CLIENT else profile.features):
        lacking.add("refunds")  # they take a PSP that has them, and a client that asks for them
    return (profile.features | claims.features | frozenset(given) | {"intent"}) - lacking


def make(  # noqa: PLR0913 - the parts of a run
    cases: Iterable[Case],
    rules: Iterable[Rule],
    profile: Profile,
    *,
    role: Role,
    features: Collection[str],
    run: str,
    only: Sequence[str] = (),
) -> Plan:
    """The plan of one run.

    Raises `NothingChosen` where `--only` matches nothing, `DataError` where amounts collide or a tenant is unknown.
    """
    scope = _Scope(role, profile, frozenset(features), tuple(only))
    here = [case for case in cases if case.role is role]
    bound = [rule for rule in rules if rule.role is role]
    binding = [rule for rule in bound if scope.has(_needs(rule))]
    skipped = [
        *(scope.skip(case.id, CASE_RUNS, Level.MUST, case.needs) for case in here if not scope.has(case.needs)),
        *(scope.skip(ANY_CASE, rule.id, rule.level, _needs(rule)) for rule in bound if rule not in binding),
    ]
    drivable = [case for case in here if scope.has(case.needs) and scope.wants(case, binding)]
    left_out = tuple(verdict for verdict in skipped if _wanted(verdict.id, only))
    if only and not drivable and not left_out:
        problem = f"--only {' '.join(only)} matches no verdict of {role}/{profile.name}"
        raise NothingChosen(problem, do=f"see psp-harness list cases --role {role}")
    planned = tuple(_ready(case, profile, features, run) for case in drivable)
    refuse_shared_amounts((each.case, each.intents) for each in planned)
    return Plan(run, role, profile, planned, tuple(binding), left_out, tuple(only))


@dataclass(frozen=True, slots=True)
class _Scope:
    """What one run may ask for."""

    role: Role
    profile: Profile
    features: frozenset[str]
    only: tuple[str, ...]

    def has(self, needs: frozenset[str]) -> bool:
        return needs <= self.features

    def wants(self, case: Case, rules: Iterable[Rule]) -> bool:
        names = (*(rule.id for rule in rules), CASE_RUNS)
        here = f"{self.role}/{self.profile.name}/{case.id}"
        if case.crashes and any(is_point_of(pattern, here) for pattern in self.only):
            return True
        return any(_wanted(f"{self.role}/{self.profile.name}/{case.id}/{name}", self.only) for name in names)

    def skip(self, case: str, rule: str, level: Level, needs: frozenset[str]) -> Verdict:
        lacking = needs - self.features
        told = lacking & {"intent"} or lacking  # who only listens has no use for what a client could claim
        missing = "; ".join(f"{name}: {FEATURES[name]}" for name in sorted(told))
        result = Skipped(f"not claimed here: {missing}")
        return Verdict(self.role, self.profile.name, case, rule, level, result)


def _needs(rule: Rule) -> frozenset[str]:
    known = {"effects": rule.needs_effects, "intent": rule.needs_intent}
    return rule.needs | {what for what, needed in known.items() if needed}


def _wanted(verdict_id: str, only: Sequence[str]) -> bool:
    return not only or any(fnmatchcase(verdict_id, pattern) or verdict_id.startswith(pattern) for pattern in only)


def _ready(case: Case, profile: Profile, features: Collection[str], run: str) -> Planned:
    deliveries = Deliveries(case, profile, run)
    if case.role is Role.SHOP:
        intents = tuple(Wishes(case, run).all())
    elif case.role is Role.RECEIVER:
        intents = tuple(deliveries.all())
    else:
        intents = tuple(Intents(case, profile, features, run).all())
    for tenant in sorted({intent.tenant for intent in intents} - set(profile.credentials)):
        problem = f"tenant {tenant!r}, for whom profile {profile.name!r} has no credential"
        raise wrong(case, problem, suggest(tenant, profile.credentials))
    strikes = tuple(
        Strike(fault.strike, intent.step, fault.attempts, fault.options)
        for fault in case.faults
        for intent in intents
        if intent.name == fault.on
    )
    return Planned(case, intents, strikes, tuple(deliveries.orders.values()))
