"""What was found, for people: each rule that does not hold, with its exchanges; then what was not judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from psp_harness.model import Errored, History, Known, Level, Problem, Report, Skipped, Unexercised, Verdict, Violated
from psp_harness.profile import Profile
from psp_harness.reports.line import Line
from psp_harness.reports.scrub import Clean
from psp_harness.reports.timeline import timeline
from psp_harness.rules import RULES

SHOWN_PROBLEMS = 3
SHOWN_EFFECTS = 10
SHOWN_NAMES = 5


@dataclass(frozen=True, slots=True)
class Page:
    """What the lines are drawn from."""

    clean: Clean
    profile: Profile
    evidence: Mapping[str, Path]
    """The evidence file of each case that has one."""

    @property
    def report(self) -> Report:
        """Without its secrets."""
        return self.clean.report


def findings(page: Page) -> Iterator[Line]:
    """Violated MUST rules first, then SHOULD, then what is known, then what errored, then what was not judged."""
    verdicts = page.report.verdicts
    for level in Level:
        broken = [v for v in verdicts if v.level is level and isinstance(v.result, Violated)]
        for group in _groups(sorted(broken, key=by_money), _rule_of):
            yield from _rule(group, page)
    for group in _groups([v for v in verdicts if isinstance(v.result, Known)], _reason):
        yield from _known(group, page)
    for group in _groups([v for v in verdicts if isinstance(v.result, Errored)], _reason):
        yield from _errored(group)
    yield from (Line(f"\nSTALE  {sentence}", style="red") for sentence in page.report.stale)
    yield from _unjudged(page.report)


def by_money(verdict: Verdict) -> bool:
    """False, which sorts first, for rules on money that moved: they are what a reader has come for."""
    return not (verdict.rule in RULES and RULES[verdict.rule].money_risk)


def _unjudged(report: Report) -> Iterator[Line]:
    """What was skipped or unexercised, by reason; nothing where nothing at all was judged, as the error says it all.

    Of a command that was watched, the many rules that need to know what was wanted are counted: always the same.
    """
    unjudged = [v for v in report.verdicts if isinstance(v.result, (Skipped, Unexercised))]
    if not unjudged or not any(history.exchanges for history in report.histories.values()):
        return
    watched = any(history.observed for history in report.histories.values())
    yield Line("")
    for group in _groups(unjudged, lambda v: (v.outcome, _reason(v))):
        names = _names(group)
        said = f"{len(names)} rules" if watched and len(names) > SHOWN_NAMES else ", ".join(names)
        yield Line(f"{group[0].outcome}: {said}: {_reason(group[0])}", style="dim")


def _groups(verdicts: Iterable[Verdict], key: Callable[[Verdict], object]) -> Iterable[list[Verdict]]:
    groups: dict[object, list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(key(verdict), []).append(verdict)
    return groups.values()


def _rule_of(verdict: Verdict) -> str:
    return verdict.rule


def _reason(verdict: Verdict) -> str:
    return str(getattr(verdict.result, "reason", ""))


# --- a rule that does not hold --------------------------------------------------------------------------------------


def _rule(group: Sequence[Verdict], page: Page) -> Iterator[Line]:
    """One rule: the first case in which it does not hold as a picture, the others in a sentence."""
    first, rule = group[0], RULES.get(group[0].rule)
    style = "bold red" if first.level is Level.MUST else "bold yellow"
    yield Line("")
    yield Line(f"VIOLATED  {first.level} {first.rule}", style=style)
    if rule:
        yield Line(rule.requirement, 2)
    yield from _case(first, page)
    for verdict in group[1:]:
        yield Line(f"in case {verdict.case}: {_sentence(verdict)}", 2)
    if rule:
        yield Line(f"source: {rule.source}", 2, "dim")
        yield Line(f"fix: {rule.fix}", 2)
    yield from _where(group, page)


def _known(group: Sequence[Verdict], page: Page) -> Iterator[Line]:
    """One cause, the first case that shows it as a picture, and every rule that it breaks."""
    yield Line("")
    yield Line(f"KNOWN  {_reason(group[0])}", style="bold cyan")
    yield from _case(group[0], page)
    yield Line("for that reason these rules do not hold, and that is no reason to stop:", 2)
    for of_rule in _groups(group, _rule_of):
        rule = RULES.get(of_rule[0].rule)
        yield Line(f"{of_rule[0].level} {of_rule[0].rule}{f': {rule.requirement}' if rule else ''}", 4)
        yield Line(f"in {', '.join(f'case {verdict.case}' for verdict in of_rule)}", 6, "dim")
    yield from _where(group, page)


def _where(group: Sequence[Verdict], page: Page) -> Iterator[Line]:
    files = [page.evidence[case] for case in dict.fromkeys(v.case for v in group) if case in page.evidence]
    if files:
        more = f" (and {len(files) - 1} more beside it)" if len(files) > 1 else ""
        yield Line(f"evidence: {files[0]}{more}", 2, "dim", wraps=False)


def _case(verdict: Verdict, page: Page) -> Iterator[Line]:
    yield Line(f"in case {verdict.case}:", 2, "bold")
    history = page.report.histories.get(verdict.case)
    problems = _problems(verdict)
    drawn: tuple[int, ...] = ()
    for problem in problems[:SHOWN_PROBLEMS]:
        yield Line(problem.sentence, 4)
        if history and problem.exchanges != drawn:
            yield from (Line(line, 4, wraps=False) for line in timeline(history, problem.exchanges, page.profile))
            drawn = problem.exchanges
    if len(problems) > SHOWN_PROBLEMS:
        yield Line(f"... and {len(problems) - SHOWN_PROBLEMS} more", 4)
    yield from _money(history)


def _problems(verdict: Verdict) -> tuple[Problem, ...]:
    problems: tuple[Problem, ...] = getattr(verdict.result, "problems", ())
    return problems


def _sentence(verdict: Verdict) -> str:
    problems = _problems(verdict)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{problems[0].sentence}{more}" if problems else ""


def _money(history: History | None) -> Iterator[Line]:
    """What the subject did in the end, where it can be read."""
    if history is None or not history.effects:
        return
    effects = [f"{effect.kind} {effect.id} of {effect.amount} {effect.currency}" for effect in history.effects]
    more = f", ... and {len(effects) - SHOWN_EFFECTS} more" if len(effects) > SHOWN_EFFECTS else ""
    yield Line(f"money that moved in this case (minor units): {', '.join(effects[:SHOWN_EFFECTS])}{more}", 4)


# --- what cannot be told --------------------------------------------------------------------------------------------


def _errored(group: Sequence[Verdict]) -> Iterator[Line]:
    """One cause is said once, however many cases it spoiled."""
    yield Line("")
    yield Line(f"ERRORED  {_reason(group[0])}", style="bold magenta")
    names = _names(group)
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    yield Line(f"nothing can be told of: {', '.join(names[:SHOWN_NAMES])}{more}", 2)


def _names(group: Iterable[Verdict]) -> list[str]:
    """What the verdicts are about: a rule, or, where no rule of ours has spoken, the case."""
    return list(dict.fromkeys(v.rule if v.rule in RULES else f"case {v.case}" for v in group))
