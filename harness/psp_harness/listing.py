"""What there is, in lists, and what each name means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from psp_harness import case, faults, profile, rules
from psp_harness.case import Case
from psp_harness.contracts import CASES
from psp_harness.errors import UsageError
from psp_harness.model import Role
from psp_harness.plan import ANY_CASE, CASE_RUNS, WATCHED_COMMAND
from psp_harness.profile import Profile
from psp_harness.quarantine import GATES, Class, Gate
from psp_harness.registry import suggest
from psp_harness.subjects.addresses import KINDS, MINIATURES, MODES, modes_in
from psp_harness.subjects.sdks import USES, Use
from psp_harness.vocabulary import CRASH_POINT, EVENTS, FEATURES, FORGERIES, STEPS

Rows = Iterator[tuple[str, ...]]


def _cases() -> tuple[Case, ...]:
    return case.load([CASES], faults.load())


def _list_cases(role: Role | None) -> Rows:
    return ((each.id, each.role, each.situation) for each in _cases() if role in {None, each.role})


def _list_rules(role: Role | None) -> Rows:
    return ((r.id, r.role, r.level, r.requirement) for r in rules.load().values() if role in {None, r.role})


def _list_miniatures(role: Role | None) -> Rows:
    return ((m.name, m.role, m.mode or "correct", m.says) for m in MINIATURES.values() if role in {None, m.role})


def _list_subjects(role: Role | None) -> Rows:
    for name, kind in KINDS.items():
        if role is None or role in kind.roles:
            yield f"{name}:", ", ".join(kind.roles), kind.meaning
    if role in {None, Role.CLIENT}:
        yield from ((use.address, Role.CLIENT, _called(use)) for use in USES)


def _called(use: Use) -> str:
    options = (use.sdk.options[name][value] for name, value in use.chosen.items())
    return f"the published {use.sdk.package}{': ' if use.chosen else ''}{'; '.join(options)}"


def _list_profiles(role: Role | None) -> Rows:  # noqa: ARG001 - a profile serves every role
    for name in profile.names():
        facts = profile.load(name)
        yield name, facts.title, f"{len(facts.facts)} facts, {len(facts.defects)} known defects"


def _words(words: Mapping[str, str]) -> Callable[[Role | None], Rows]:
    return lambda _: iter(words.items())


LISTS: Mapping[str, Callable[[Role | None], Rows]] = {
    "cases": _list_cases,
    "rules": _list_rules,
    "faults": lambda _: ((each.id, each.says) for each in faults.load().values()),
    "profiles": _list_profiles,
    "features": _words(FEATURES),
    "steps": _words(STEPS),
    "events": _words(EVENTS),
    "forgeries": _words(FORGERIES),
    "subjects": _list_subjects,
    "miniatures": _list_miniatures,
    "gates": lambda _: ((name, gate.meaning, *does(gate)) for name, gate in GATES.items()),
}


def does(gate: Gate) -> Iterator[str]:
    """What a gate runs, excuses, blocks and keeps."""
    yield f"runs {gate.runs}{_but(gate.leaves_out)}"
    yield f"excuses {_signs(gate.excuses)}"
    yield f"blocks what has no row, errors, rows that no longer hold{_and(gate.blocks)}"
    yield "keeps history" if gate.keeps_history else "keeps no history"


def _signs(classes: Iterable[Class]) -> str:
    return " ".join(sign for sign in Class if sign in classes)


def _but(left_out: Iterable[Class]) -> str:
    return f" but {_signs(left_out)}" if left_out else ""


def _and(blocked: Iterable[Class]) -> str:
    return f", and {_signs(blocked)}" if blocked else ""


def show(what: str, role: Role | None, console: Console) -> None:
    """Print one list: a table that fits the terminal, or elsewhere one row a line, with nothing cut off."""
    show_rows([tuple(str(cell) for cell in row) for row in LISTS[what](role)], console)


def show_rows(rows: Sequence[tuple[str, ...]], console: Console) -> None:
    """Print rows as columns."""
    if not console.is_terminal:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            print(
                "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip(),
                file=console.file,
            )
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console.print(table)


# --- what a name means ------------------------------------------------------------------------------------------------


def explain(name: str, console: Console) -> None:
    """Print everything that goes by that name. Raises `UsageError`, with the nearest name, where nothing does."""
    if name.count("/") == 3:
        role, psp, case_id, rule_id = name.split("/")
        wanted = [part for part in (CRASH_POINT.sub("", case_id), rule_id) if part not in _PSEUDO]
        for part in wanted:
            _found(part)
        console.print(f"{name}: what rule {rule_id} says of a {role} under profile {psp} in case {case_id}")
        console.print("\n".join(_PSEUDO[part] for part in (case_id, rule_id) if part in _PSEUDO))
        for part in wanted:
            explain(part, console)
        return
    for text in _found(name):
        console.print(text, soft_wrap=not console.is_terminal)


def _found(name: str) -> list[str]:
    found = [text for explainer in _EXPLAINERS for text in explainer(name)]
    if not found:
        raise UsageError(f"nothing is called {name!r}", do=suggest(name, _all_names()))
    return found


_PSEUDO: Mapping[str, str] = {
    ANY_CASE: f"{ANY_CASE}: stands for the case where no case gave the rule an occasion, or the rule was skipped",
    WATCHED_COMMAND: f"{WATCHED_COMMAND}: stands for the case where psp-harness watch ran a command of a team's own",
    CASE_RUNS: f"{CASE_RUNS}: stands for the rule where a case was skipped, errored, or its fault met nothing",
}


def _rule_text(name: str) -> Iterator[str]:
    for rule in (r for r in rules.load().values() if r.id == name):
        yield f"rule {rule.id} ({rule.level}, of a {rule.role})\n  {rule.requirement}"
        yield f"  source: {rule.source}"
        yield from (f"    {mode}: {MODES[mode].says}" for mode in sorted(modes_in(rule.source)))
        yield f"  fix: {rule.fix}"
        known = {"what happened": rule.needs_effects, "what was asked": rule.needs_intent and rule.role is Role.CLIENT}
        also = "".join(f"; and to know {what}" for what, needed in known.items() if needed)
        yield f"  needs: {', '.join(sorted(rule.needs)) or 'nothing'}{also}"
        broken_by = [m.name for m in MINIATURES.values() if rule.id in m.breaks]
        if broken_by:
            yield (
                f"  see it reported: psp-harness run --subject miniature:{broken_by[0]}\n  broken by: "
                f"{', '.join(broken_by)}"
            )


def _case_text(name: str) -> Iterator[str]:
    for each in (each for each in _cases() if each.id == name):
        yield f"case {each.id} (for a {each.role})\n  {each.situation}"
        for number, step in enumerate(each.steps, 1):
            yield f"  {number}. {_step(step)}"
        for fault in each.faults:
            attempts = f"attempts {', '.join(map(str, fault.attempts))}" if fault.attempts else "every attempt"
            yield f"  fault: {fault.strike} strikes {attempts} of {fault.on!r}"
        yield f"  needs: {', '.join(sorted(each.needs)) or 'nothing'}"


def _step(step: case.Step) -> str:
    if step.parallel:
        return f"at once: {'; '.join(_step(each) for each in step.parallel)}"
    if step.delivery is not None and not step.repeat:
        return _delivery(step.delivery) + (f", {step.times} times at once" if step.times > 1 else "")
    if step.amount is None and step.do:
        return step.do
    words = f"the request of {step.repeat!r} again" if step.repeat else f"{step.do} of {step.amount}"
    times = f", {step.times} times at once" if step.times > 1 else ""
    other = f", with amount {step.amount}" if step.repeat and step.amount else ""
    return words + times + other + (f", as {step.tenant}" if step.tenant else "")


def _delivery(delivery: case.Delivery) -> str:
    """A webhook in words: what it tells, and what is wrong with it."""
    wrong = f", but {FORGERIES[delivery.forged]}" if delivery.forged else ""
    return f"deliver-webhook {delivery.event} of {delivery.order!r}{wrong}"


def _fault_text(name: str) -> Iterator[str]:
    return (f"fault {each.id}\n  {each.says}" for each in faults.load().values() if each.id == name)


def _profile_text(name: str) -> Iterator[str]:
    if name not in profile.names():
        return
    facts = profile.load(name)
    yield f"profile {facts.name}: {facts.title}\n  promises: {', '.join(sorted(facts.features))}"
    if facts.secrets:
        yield f"  signs webhooks with (no secret of anybody): {facts.secrets['tenant-a']}"
    yield from (f"  {path}: {facts.sources[source]}" for path, source in sorted(facts.facts.items()))
    yield from _defects(facts)


def _defects(facts: Profile) -> Iterator[str]:
    for defect in facts.defects:
        yield (
            f"  known defect {defect.id}: {defect.says}\n    rules: {', '.join(defect.rules)}\n    source: "
            f"{defect.source}"
        )


def _miniature_text(name: str) -> Iterator[str]:
    for each in (m for m in MINIATURES.values() if m.name == name):
        broken = ", ".join(sorted(each.breaks)) or "nothing: it is correct"
        yield (
            f"miniature {each.name} (a {each.role}{f', failure mode {each.mode}' if each.mode else ''})\n  "
            f"{each.says}\n  breaks: {broken}"
        )
        yield f"  judge it: psp-harness run --subject miniature:{each.name}"


def _word_text(name: str) -> Iterator[str]:
    for sort, words in (("feature", FEATURES), ("step", STEPS), ("event", EVENTS), ("forgery", FORGERIES)):
        if name in words:
            yield f"{sort} {name}\n  {words[name]}"


def _mode_text(name: str) -> Iterator[str]:
    """A failure mode by its code, however it is written: what goes wrong, who names it, and who shows it."""
    code = name.upper()
    if code not in MODES:
        return
    named_by = [rule.id for rule in rules.load().values() if code in modes_in(rule.source)]
    shown_by = [each.name for each in MINIATURES.values() if each.mode == code]
    yield f"failure mode {code}\n  {MODES[code].says}"
    yield f"  source of the rules: {', '.join(named_by) or 'none names it'}"
    yield f"  miniatures that have it: {', '.join(shown_by) or f'none, because {MODES[code].unshown}'}"


_EXPLAINERS = (_mode_text, _rule_text, _case_text, _fault_text, _profile_text, _miniature_text, _word_text)


def _all_names() -> Iterable[str]:
    yield from rules.load()
    yield from (each.id for each in _cases())
    yield from faults.load()
    yield from profile.names()
    yield from MINIATURES
    yield from MODES
    yield from FEATURES
    yield from EVENTS
    yield from FORGERIES
