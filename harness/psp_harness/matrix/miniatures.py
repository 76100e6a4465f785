"""`psp-harness matrix`: every miniature through the harness, and which rule reports which.

A faulty miniature declares the rules that must report it; a correct one declares none. Where the rules say something
else, the one or the other is wrong, and the matrix says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from psp_harness import profile, rules
from psp_harness.errors import UsageError
from psp_harness.matrix import Matrix, cell
from psp_harness.model import Errored, Passed, Report, Role, Violated
from psp_harness.rules import Rule
from psp_harness.run import Job, Progress, run
from psp_harness.subjects.addresses import MINIATURES, MODES

AT_ONCE = 5
"""Runs at one time: their races need a processor that is not busy elsewhere."""

ANSWER_TIMEOUT = 1.0
"""Seconds: short, so that what never answers costs little; long enough for a busy machine."""

STEP_TIMEOUT = 20.0
"""Seconds."""

ALONE = 2
"""Times that one is judged again, with the machine to itself, whose requests did not meet."""


@dataclass(frozen=True, slots=True)
class Row:
    """One miniature, and what the rules said of it."""

    name: str
    role: Role
    mode: str
    says: str
    expected: frozenset[str]
    reported: frozenset[str]
    """Without those that depend on whether requests happen to meet."""
    errored: str
    """Why a correct one could not be judged in some case, if so: then nothing was proved by silence."""
    passed: frozenset[str]

    @property
    def disagrees(self) -> bool:
        """The rules say something else than the miniature declares."""
        return self.reported != self.expected


async def judged(role: Role | None, progress: Progress) -> Matrix:
    """Every miniature of a role, or of all of them."""
    found = await rows(role, progress)
    return Matrix(table(found), markdown(found), verdict(found), agrees(found))


async def rows(role: Role | None, progress: Progress) -> Sequence[Row]:
    """Judge every miniature of a role, or of all of them, in the order in which they are declared."""
    chosen = [each.name for each in MINIATURES.values() if role in {None, each.role}]
    found = await reports(chosen, progress)
    return [
        _row(name, each) if isinstance(each, Report) else _unjudged(name, str(each)) for name, each in found.items()
    ]


async def reports(names: Sequence[str], progress: Progress) -> Mapping[str, Report | UsageError]:
    """What the rules say of each; of one whose extra is not installed, what to install.

    Five run at a time, and on a busy machine requests that should meet may not: what is reported of nothing *yet* is
    asked again, alone. What is reported and should not be stays: a rule that cries wolf is wrong on any machine.
    """
    gate = asyncio.Semaphore(AT_ONCE)
    progress.planned(len(names))

    async def one(name: str) -> Report | UsageError:
        async with gate:
            found = await _report(name)
        progress.done(name)
        return found

    found = dict(zip(names, await asyncio.gather(*(one(name) for name in names)), strict=True))
    return {name: await _decided(name, first) for name, first in found.items()}


async def _decided(name: str, found: Report | UsageError) -> Report | UsageError:
    for _ in range(ALONE):
        if isinstance(found, UsageError) or not _undecided(_row(name, found)):
            break
        found = await _report(name)
    return found


async def _report(name: str) -> Report | UsageError:
    made = MINIATURES[name]
    facts = profile.load(made.profile)
    job = Job(made.role, f"miniature:{name}", facts, answer_timeout=ANSWER_TIMEOUT, step_timeout=STEP_TIMEOUT)
    try:
        return await run(job)
    except UsageError as wrong:
        return wrong


def _undecided(row: Row) -> bool:
    """A rule that should report it has not, or a correct one was not driven to the end; and nothing is too much."""
    return row.reported < row.expected or (row.reported == row.expected and bool(row.errored))


def _row(name: str, report: Report) -> Row:
    made, verdicts = MINIATURES[name], report.verdicts
    by_result = {sort: frozenset(v.rule for v in verdicts if isinstance(v.result, sort)) for sort in (Violated, Passed)}
    errored = next((f"{v.case}: {v.result.reason}" for v in verdicts if isinstance(v.result, Errored)), "")
    silent = made.mode or not by_result[Passed]
    return Row(
        name,
        made.role,
        made.mode,
        made.says,
        made.breaks,
        by_result[Violated] - made.may,
        "" if silent else errored,
        by_result[Passed],
    )


def _unjudged(name: str, why: str) -> Row:
    made = MINIATURES[name]
    return Row(name, made.role, made.mode, made.says, made.breaks, frozenset(), why, frozenset())


# --- as a page --------------------------------------------------------------------------------------------------------


def markdown(matrix: Sequence[Row]) -> str:
    """The page `docs/kill-matrix.md`: the same matrix gives the same text."""
    return "\n".join([*_introduction(matrix), *_of_roles(matrix), *_of_rules(matrix), *_unshown(matrix)]) + "\n"


def _introduction(matrix: Sequence[Row]) -> Iterator[str]:
    faulty = [row for row in matrix if row.mode]
    yield "# The kill matrix"
    yield ""
    yield (
        "A miniature is a tiny subject with exactly one documented fault, or a correct one that goes about it in "
        "an unusual way. Each faulty one"
    )
    yield (
        "must be reported by the rules that are meant for its fault and by no other, and no correct one by any. "
        "This page is made by"
    )
    yield "`make matrix`, which puts every miniature through the harness; do not edit it."
    yield ""
    yield (
        "A mode is a way in which real integrations lose or double money. Its code says where: C in a client, P in a "
        "provider, R in the state of"
    )
    yield (
        "payments and refunds, W in a receiver of webhooks, A and B in what a whole integration has to keep beside "
        "that. `psp-harness explain C05`"
    )
    yield "says what a mode is, which rules name it as their source, and which miniatures have it."
    yield ""
    yield f"{len(faulty)} faulty miniatures, {len(matrix) - len(faulty)} correct ones. {verdict(matrix)}"
    yield ""


def _of_roles(matrix: Sequence[Row]) -> Iterator[str]:
    for role in dict.fromkeys(row.role for row in matrix):
        mine = [row for row in matrix if row.role is role]
        yield f"## Faulty {role}s"
        yield ""
        yield "| mode | miniature | what it does | reported by |"
        yield "|---|---|---|---|"
        yield from (
            f"| {row.mode} | `{row.name}` | {cell(row.says)} | {_reported(row)} |" for row in _by_mode(mine) if row.mode
        )
        yield ""
        yield f"## Correct {role}s"
        yield ""
        yield "| miniature | what it does | reported by |"
        yield "|---|---|---|"
        yield from (f"| `{row.name}` | {cell(row.says)} | {_reported(row)} |" for row in mine if not row.mode)
        yield ""


def _by_mode(matrix: Iterable[Row]) -> Sequence[Row]:
    return sorted(matrix, key=lambda row: row.mode)


def _reported(row: Row) -> str:
    """The rules, with what is missing and what is too much said aloud."""
    said = [f"`{name}`" + ("" if name in row.expected else " **unexpected**") for name in sorted(row.reported)]
    said += [f"`{name}` **missing**" for name in sorted(row.expected - row.reported)]
    said += [f"**could not be judged: {cell(row.errored)}**"] if row.errored else []
    return "<br>".join(said) or "nothing"


def _of_rules(matrix: Sequence[Row]) -> Iterator[str]:
    yield "## By rule"
    yield ""
    yield "| rule | level | reports | passed by correct ones |"
    yield "|---|---|---|---|"
    for rule, reports, passers in _counted(matrix):
        yield (
            f"| `{rule.id}` | {rule.level} | {', '.join(f'`{name}`' for name in reports) or '**nothing**'} | "
            f"{passers} |"
        )
    yield ""


def _counted(matrix: Sequence[Row]) -> Iterator[tuple[Rule, Sequence[str], int]]:
    """Each rule of these roles: whom it reports, and how many correct subjects it passes."""
    roles = {row.role for row in matrix}
    for rule in rules.load().values():
        if rule.role in roles:
            reports = [row.name for row in matrix if rule.id in row.reported]
            yield rule, reports, len([row for row in matrix if not row.mode and rule.id in row.passed])


def _unshown(matrix: Sequence[Row]) -> Iterator[str]:
    shown = {row.mode for row in matrix}
    missing = {name: mode for name, mode in MODES.items() if mode.unshown and name not in shown}
    yield "## Failure modes that no miniature shows"
    yield ""
    yield "| mode | what goes wrong | why nothing shows it |"
    yield "|---|---|---|"
    yield from (f"| {name} | {cell(mode.says)} | {cell(mode.unshown)} |" for name, mode in missing.items())


# --- as text ----------------------------------------------------------------------------------------------------------


def table(matrix: Sequence[Row]) -> Table:
    """What each is reported by, and what is wrong with that."""
    shown = Table(box=None, pad_edge=False)
    for head in ("mode", "miniature", "reported by", ""):
        shown.add_column(head, overflow="fold")
    for row in _by_mode(matrix):
        said = "\n".join(sorted(row.reported)) or "nothing"
        shown.add_row(row.mode or "correct", row.name, said, _disagreement(row))
    return shown


def _disagreement(row: Row) -> str:
    words: Mapping[str, Sequence[str]] = {
        "unexpected": sorted(row.reported - row.expected),
        "missing": sorted(row.expected - row.reported),
        "not judged": [row.errored] if row.errored else [],
    }
    return "\n".join(f"{word}: {', '.join(names)}" for word, names in words.items() if names)


def agrees(matrix: Iterable[Row]) -> bool:
    """Every miniature is reported as it declares, and every correct one could be judged."""
    return not any(row.disagrees or row.errored for row in matrix)


def verdict(matrix: Sequence[Row]) -> str:
    """One line."""
    wrong = [row.name for row in matrix if row.disagrees or row.errored]
    if wrong:
        return f"DISAGREES on {len(wrong)} of {len(matrix)} miniatures: {', '.join(wrong)}"
    return f"AGREES: each of {len(matrix)} miniatures is reported by the rules meant for it, and by no other"
