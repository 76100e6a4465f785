"""`psp-harness matrix --sdks`: every published SDK, in every way that it can be used, against the rules for clients."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.table import Table

from psp_harness import rules
from psp_harness.matrix import Matrix, cell
from psp_harness.matrix.sdk_rows import Row, disagreements, rows
from psp_harness.model import Errored, Known, Passed, Result, Skipped, Unexercised, Violated
from psp_harness.rules import Rule
from psp_harness.run import Progress
from psp_harness.subjects.sdks.findings import FINDINGS, Finding

_SIGNS: Mapping[type[Result], str] = {
    Violated: "✗",
    Errored: "errored",
    Known: "known",
    Passed: "✓",
    Unexercised: "no occasion",
    Skipped: "not asked",
}


async def judged(progress: Progress) -> Matrix:
    """Every SDK in every way of use. Raises `UsageError` where a package is not installed."""
    found = await rows(progress)
    return Matrix(table(found), markdown(found), verdict(found), agrees(found))


def agrees(matrix: Iterable[Row]) -> bool:
    """Every SDK is reported as it was found, and could be judged."""
    return not any(disagreements(row) for row in matrix)


def verdict(matrix: Sequence[Row]) -> str:
    """One line."""
    wrong = [row.use.address for row in matrix if disagreements(row)]
    if wrong:
        return f"DISAGREES on {len(wrong)} of {len(matrix)} ways of use: {', '.join(wrong)}"
    sdks = len({row.use.name for row in matrix})
    return f"AGREES: {sdks} SDKs in {len(matrix)} ways of use are reported for what was found, and for nothing else"


# --- as text ----------------------------------------------------------------------------------------------------------


def table(matrix: Sequence[Row]) -> Table:
    """What each is reported by, and what is wrong with that."""
    shown = Table(box=None, pad_edge=False)
    for head in ("subject", "version", "reported by", ""):
        shown.add_column(head, overflow="fold")
    for row in matrix:
        said = "\n".join(sorted(row.reported)) or "nothing"
        shown.add_row(row.use.address, row.claims.version, said, "\n".join(disagreements(row)))
    return shown


# --- as a page --------------------------------------------------------------------------------------------------------


_PAGE = """\
# Published SDKs, judged

The official Python SDKs of six PSPs, as PyPI has them. Each talks to the reference provider, which speaks its PSP's
words, and is put through every case for clients. `make sdks` writes this page; `psp-harness run --subject sdk:stripe`
judges one SDK, and shows the bytes.

{verdict}.

## In their defaults

✓: it held whenever there was something to judge. ✗: it did not. *No occasion*: nothing happened that the rule could
judge. *Not asked*: the PSP or the SDK does not claim what the rule needs.

{defaults}

## In every way of use

{uses}

## What was found

Each finding was checked by hand: against the bytes on a plain socket, and in the source of the package.

{findings}
"""


def markdown(matrix: Sequence[Row]) -> str:
    """The page `docs/sdks.md`: the same matrix gives the same text."""
    parts = {"defaults": _in_their_defaults, "uses": _in_every_way, "findings": _found}
    return _PAGE.format(verdict=verdict(matrix), **{name: "\n".join(part(matrix)) for name, part in parts.items()})


def _in_their_defaults(matrix: Sequence[Row]) -> Iterator[str]:
    mine = [row for row in matrix if row.is_in_defaults]
    yield f"| rule | level | {' | '.join(f'{row.use.sdk.package} {row.claims.version}' for row in mine)} |"
    yield f"|---|---|{'---|' * len(mine)}"
    for rule in _binding(mine):
        yield f"| `{rule.id}` | {rule.level} | {' | '.join(_sign(row, rule) for row in mine)} |"


def _binding(matrix: Sequence[Row]) -> Iterator[Rule]:
    """The rules that bind somebody."""
    for rule in rules.load().values():
        if any(not isinstance(row.results.get(rule.id), Skipped | None) for row in matrix):
            yield rule


def _sign(row: Row, rule: Rule) -> str:
    return _SIGNS[type(row.results.get(rule.id, Unexercised("")))]


def _in_every_way(matrix: Sequence[Row]) -> Iterator[str]:
    yield "| subject | how it is called | tries again by itself | reported by |"
    yield "|---|---|---|---|"
    for row in matrix:
        options = row.use.sdk.options
        called = "<br>".join(cell(options[name][value]) for name, value in row.use.chosen.items()) or "as it is"
        said = [*(f"`{name}`" for name in sorted(row.reported)), *(f"**{cell(s)}**" for s in disagreements(row))]
        yield f"| `{row.use.address}` | {called} | {_retries(row)} | {'<br>'.join(said) or 'nothing'} |"


def _retries(row: Row) -> str:
    retries = row.claims.retries
    return f"up to {retries.max} times: {', '.join(sorted(retries.on))}" if retries.max else "never"


def _found(matrix: Sequence[Row]) -> Iterator[str]:
    yield "| SDK | rule | what it does | where | how it is used | shown in |"
    yield "|---|---|---|---|---|---|"
    for finding in FINDINGS:
        shown = [row for row in matrix if finding.holds_for(row.use)]
        yield from (_line(finding, row) for row in shown[:1])


def _line(finding: Finding, row: Row) -> str:
    """A finding, as the first way of use shows it: a busy machine may show it elsewhere, too."""
    when = " ".join(f"`{name}={value}`" for name, value in finding.when.items()) or "however"
    cases = ", ".join(case for case in finding.cases if case in row.cases.get(finding.rule, ())) or "**none**"
    package = f"{row.use.sdk.package} {row.use.sdk.checked}"
    return f"| {package} | `{finding.rule}` | {cell(finding.says)} | {finding.source} | {when} | {cases} |"
