"""Plan a run: which cases are driven and which rules judge them, with every key and reference made fresh. Pure.

What a profile or a subject does not claim is *skipped* here, with the reason; everything else must be exercised.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from psp_harness.case import Case, OddKey, Step
from psp_harness.errors import DataError, UsageError
from psp_harness.model import Claims, Intent, Level, Role, Skipped, Strike, Verdict
from psp_harness.profile import Profile
from psp_harness.registry import suggest
from psp_harness.rules import Rule
from psp_harness.vocabulary import FEATURES

CASE_RUNS = "case-runs-to-its-end"
"""Stands for the rule in the verdict on a case that was skipped, errored, or whose fault met nothing."""

_FRESH = re.compile("[0-9a-f]{8}-.*-[0-9a-f]{8}")
"""What `_Intents` makes of a label."""

ANY_CASE = "any-case"
"""Stands for the case in the verdict on a rule that was skipped, or that no case exercised."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A case made ready for one run."""

    case: Case
    intents: tuple[Intent, ...]
    strikes: tuple[Strike, ...]


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

    def wants(self, verdict_id: str) -> bool:
        """Whether `--only` lets this verdict through."""
        return _wanted(verdict_id, self.only)

    def wants_rule(self, case: str, rule: str) -> bool:
        """Whether `--only` lets through what this rule says of this case."""
        return self.wants(f"{self.role}/{self.profile.name}/{case}/{rule}")


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
    return (profile.features | claims.features | frozenset(given)) - lacking


def make(
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

    Raises `UsageError` where `--only` matches nothing, `DataError` where amounts collide or a tenant is unknown.
    """
    here = [case for case in cases if case.role is role]
    bound = [rule for rule in rules if rule.role is role]
    prefix = f"{role}/{profile.name}"
    drivable = [case for case in here if case.needs <= set(features)]
    binding = [rule for rule in bound if _needs(rule) <= set(features)]
    skipped = [
        *(
            _skip(prefix, role, profile, case.id, CASE_RUNS, Level.MUST, case.needs, features)
            for case in here
            if case not in drivable
        ),
        *(
            _skip(prefix, role, profile, ANY_CASE, rule.id, rule.level, _needs(rule), features)
            for rule in bound
            if rule not in binding
        ),
    ]
    wanted = [case for case in drivable if any(_wanted(f"{prefix}/{case.id}/{name}", only) for name in _names(binding))]
    if only and not wanted and not any(_wanted(verdict.id, only) for verdict in skipped):
        raise UsageError(
            f"--only {' '.join(only)} matches no verdict of {prefix}", do=f"see psp-harness list cases --role {role}"
        )
    planned = tuple(_ready(case, profile, features, run) for case in wanted)
    _amounts_are_apart(planned)
    return Plan(
        run, role, profile, planned, tuple(binding), tuple(v for v in skipped if _wanted(v.id, only)), tuple(only)
    )


def _needs(rule: Rule) -> frozenset[str]:
    return rule.needs | {"effects"} if rule.needs_effects else rule.needs


def _names(rules: Iterable[Rule]) -> Iterator[str]:
    yield from (rule.id for rule in rules)
    yield CASE_RUNS


def _wanted(verdict_id: str, only: Sequence[str]) -> bool:
    return not only or any(fnmatchcase(verdict_id, pattern) or verdict_id.startswith(pattern) for pattern in only)


def _skip(
    prefix: str,
    role: Role,
    profile: Profile,
    case: str,
    rule: str,
    level: Level,
    needs: frozenset[str],
    features: Collection[str],
) -> Verdict:
    missing = "; ".join(f"{name}: {FEATURES[name]}" for name in sorted(needs - set(features)))
    return Verdict(role, profile.name, case, rule, level, Skipped(f"not claimed here: {missing}"))


# --- from the words of a case to what is asked ----------------------------------------------------------------------


def _ready(case: Case, profile: Profile, features: Collection[str], run: str) -> Planned:
    intents = tuple(_Intents(case, profile, features, run).all())
    for tenant in sorted({intent.tenant for intent in intents} - set(profile.credentials)):
        problem = f"tenant {tenant!r}, for whom profile {profile.name!r} has no credential"
        raise _wrong(case, problem, suggest(tenant, profile.credentials))
    strikes = tuple(
        Strike(fault.strike, intent.step, fault.attempts, fault.options)
        for fault in case.faults
        for intent in intents
        if intent.name == fault.on
    )
    return Planned(case, intents, strikes)


class _Intents:
    """Expands the steps of one case."""

    def __init__(self, case: Case, profile: Profile, features: Collection[str], run: str) -> None:
        self._case, self._profile, self._run = case, profile, run
        self._gives_keys = case.role is not Role.CLIENT or "caller-keys" in features
        self._named: dict[str, Intent] = {}
        self._count = 0
        self._last_payment: int | None = None

    def all(self) -> Iterator[Intent]:
        for moment, step in enumerate(self._case.steps, 1):
            for single in step.parallel or (step,):
                for _ in range(single.times):
                    yield self._one(single, moment)

    def _one(self, step: Step, moment: int) -> Intent:
        self._count += 1
        name = step.as_ or f"step-{self._count}"
        intent = self._again(step, moment) if step.repeat else self._first(step, name, moment)
        if intent.operation == "create-payment":
            self._last_payment = intent.step
        self._named.setdefault(name, intent)
        return intent

    def _first(self, step: Step, name: str, moment: int) -> Intent:
        kind = (step.do or "").removeprefix("create-")
        refunded = self._named[step.of].step if step.of else self._last_payment
        return Intent(
            step=self._count,
            name=name,
            operation=step.do or "",
            moment=moment,
            amount=step.amount or 0,
            currency=step.currency or "EUR",
            key=self._key(step.key),
            tenant=step.tenant or "tenant-a",
            reference=self._fresh(f"{kind}-{name if step.times == 1 else step.as_ or 'copies'}"),
            payment=refunded if kind == "refund" else None,
            chosen_id=self._fresh(step.id) if step.id else None,
        )

    def _again(self, step: Step, moment: int) -> Intent:
        first = self._named[step.repeat or ""]
        return replace(
            first,
            step=self._count,
            name=step.as_ or first.name,
            moment=moment,
            amount=step.amount or first.amount,
            tenant=step.tenant or first.tenant,
            key=self._key(step.key) if step.key is not None else first.key,
        )

    def _key(self, key: str | OddKey | None) -> bytes | None:
        if isinstance(key, OddKey):
            return self._odd(key)
        return self._fresh(key).encode() if key is not None and self._gives_keys else None

    def _odd(self, key: OddKey) -> bytes:
        if key.text is not None:
            return key.text.encode()
        limit = self._profile.key.max_length if self._profile.key else None
        length = (limit or 255) + (key.beyond_limit or 0)
        return self._fresh("long").ljust(length, "x").encode()

    def _fresh(self, label: str) -> str:
        """Meets no other run's and no other case's; letters, digits and hyphens, which every PSP takes."""
        return f"{self._run}-{label}-{zlib.crc32(self._case.id.encode()):08x}"


def _wrong(case: Case, problem: str, do: str) -> DataError:
    return DataError(f"case {case.id!r}: {problem}", file="the cases of this run", do=do)


def _amounts_are_apart(planned: Iterable[Planned]) -> None:
    """Requests and effects are attributed by amount: no two payments share one, nor two things asked in one case."""
    seen: dict[int, str] = {}
    for one in planned:
        _steps_are_apart(one)
        for amount in {intent.amount for intent in one.intents if intent.operation == "create-payment"}:
            if amount in seen:
                raise _wrong(one.case, f"pays {amount}, as does case {seen[amount]!r}", _OWN_AMOUNT)
            seen[amount] = one.case.id


def _steps_are_apart(planned: Planned) -> None:
    asked: dict[tuple[object, ...], Intent] = {}
    for intent in planned.intents:
        of_client = planned.case.role is Role.CLIENT
        what = (intent.operation, intent.amount, None if of_client else intent.payment)
        other = asked.setdefault(what, intent)
        if other is not intent and (of_client or other.reference != intent.reference):
            problem = f"two steps ask for {intent.operation} of {intent.amount}"
            raise _wrong(planned.case, problem, _OWN_AMOUNT)


_OWN_AMOUNT = "give each step an amount of its own: what a subject did is attributed by it"


def is_of_another_run(reference: str, run: str) -> bool:
    """Whether a reference was made fresh for a run, and not for this one; a provider's own are anybody's."""
    return _FRESH.fullmatch(reference) is not None and not reference.startswith(f"{run}-")


def written_for_people(text: str, run: str) -> str:
    """The same run gives the same text: `RUN` in place of the id that makes this run's keys fresh."""
    return text.replace(run, "RUN")


def moments(intents: Iterable[Intent]) -> list[list[Intent]]:
    """The intents in the order in which they are released."""
    grouped: dict[int, list[Intent]] = {}
    for intent in intents:
        grouped.setdefault(intent.moment, []).append(intent)
    return list(grouped.values())
