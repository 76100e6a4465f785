"""Rules: an *occasion* (when is there something to judge?) and a *check* (what is wrong with it, or nothing).

A rule is one function in `rules/<area>.py`:

    @rule("retry-gets-the-first-answer", role=Role.PROVIDER, on=retries, needs={"first-answer"}, source=…, fix=…)
    def retry_gets_the_first_answer(retry: Pair, profile: Profile) -> str | None:
        '''A retry with the same key and body gets the first answer: its status and an equal body.'''

Its docstring is the requirement, and reports print it. What must hold here: a check is pure and sees one occasion; an
occasion is drawn from the history alone; no rule knows the name of a PSP; where the history shows nothing to judge
there is no occasion, and so no pass.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from psp_harness.model import History, Level, Role
from psp_harness.profile import Profile
from psp_harness.registry import Registry
from psp_harness.vocabulary import FEATURES


class Occasion(Protocol):
    """One thing to judge; `exchanges` are the numbers of those that show it."""

    @property
    def exchanges(self) -> tuple[int, ...]:
        """In the order of the history."""


Judged = TypeVar("Judged", bound=Occasion)
On = Callable[[History, Profile], Iterable[Judged]]
Check = Callable[[Judged, Profile], str | None]
OfHistories = Callable[[Sequence[History]], str]


@dataclass(frozen=True, slots=True)
class Rule:
    """One requirement, judged on every case of its role."""

    id: str
    role: Role
    level: Level
    requirement: str
    """One sentence that could be false."""
    source: str
    """Where the requirement comes from."""
    fix: str
    """What the owner of a subject that breaks it should do."""
    needs: frozenset[str]
    """Features of the profile and the subject without which it does not bind."""
    needs_effects: bool
    """It cannot be told without knowing what the subject did."""
    needs_intent: bool
    """It cannot be told without knowing what was asked of the subject: it does not bind on traffic that was watched."""
    otherwise: str | OfHistories
    """What to say where no case gave an occasion; a function, where that depends on what was seen."""
    on: On[Occasion]
    check: Check[Occasion]
    unsure: Callable[[History], str] | None = None
    """Why a history leaves open how the rule stands, though nothing in it breaks it; empty where it does not."""
    money_risk: bool = False
    """A violation is a double charge, a double refund or lost money: it is tolerated for days, not for months."""


RULES: Registry[Rule] = Registry("rule")


def rule(  # noqa: PLR0913 - a declaration: each argument is one fact of the rule
    name: str,
    *,
    role: Role,
    on: On[Judged],
    source: str,
    fix: str,
    level: Level = Level.MUST,
    needs: Collection[str] = (),
    needs_effects: bool = False,
    needs_intent: bool = True,
    money_risk: bool = False,
    otherwise: str | OfHistories = "no case of this run gave an occasion to judge it",
    unsure: Callable[[History], str] | None = None,
) -> Callable[[Check[Judged]], Check[Judged]]:
    """Register a check under a kebab-case id; raises `ValueError` for a feature that is in no vocabulary.

    What needs effects is about money that moved, and so a money risk of itself.
    """
    if unknown := set(needs) - set(FEATURES):
        message = f"rule {name!r} needs unknown features {sorted(unknown)}"
        raise ValueError(message)

    def register(check: Check[Judged]) -> Check[Judged]:
        requirement = " ".join((inspect.getdoc(check) or "").split())
        declared = Rule(
            name,
            role,
            level,
            requirement,
            source,
            fix,
            frozenset(needs),
            needs_effects,
            needs_intent,
            otherwise,
            on,
            check,  # type: ignore[arg-type]
            unsure,
            money_risk=needs_effects or money_risk,
        )
        RULES.add(name, declared)
        return check

    return register


def load() -> Registry[Rule]:
    """Every rule that there is: importing an area registers its rules."""
    for area in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{area.name}")
    return RULES
