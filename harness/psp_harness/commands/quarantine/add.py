"""`quarantine add`: a row for what fails, with everything filled in that is known of it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import click

from psp_harness import quarantine
from psp_harness.commands import kept, options
from psp_harness.commands.quarantine.check import problems
from psp_harness.commands.quarantine.file import File, opened
from psp_harness.commands.quarantine.found import Found, Known, looked_up
from psp_harness.errors import UsageError
from psp_harness.quarantine import MONEY_DAYS, Class, Kind, Rate, Row, node_test_id
from psp_harness.quarantine.rate import rate_of

DAYS = 30
"""How long a row lasts, if nobody says otherwise and no money is at risk."""
REASON = 120
"""Characters of a sentence that are reason enough."""


@click.command()
@click.argument("what")
@click.option("--owner", required=True, help="Who sees to it; a money risk needs two: 'ann, bob'.")
@click.option("--issue", required=True, help="Where it is tracked.")
@click.option("--reason", help="Why it fails; without it, what the report says.")
@click.option(
    "--class",
    "section",
    type=click.Choice([each.word for each in Class]),
    default=Class.RELEASE.word,
    show_default=True,
    help="How much it may cost: 🔴 release, 🟡 nightly, 🟢 manual.",
)
@click.option("--kind", type=click.Choice([each.value for each in Kind]), help="Without it, what the history says.")
@click.option(
    "--rate", metavar="N/M", help="Of what is flaky: N failures in M runs; without it, what the history says."
)
@click.option(
    "--until",
    type=options.DAY,
    metavar="YYYY-MM-DD",
    help=f"The last day; without it, in {DAYS} days, and in {MONEY_DAYS} where money is at risk.",
)
@click.option("--subject", help="Whom it is about; without it, what the report says.")
@click.option("--rule", help="The rule, or a piece of the message; without it, what the report says.")
@click.option("--report", "reports", multiple=True, type=options.FILE, help="A JSON report; without it, the last one.")
@click.option("--results", multiple=True, type=options.FILE, help="JUnit XML of another runner.")
@options.history
@options.today
def add(  # noqa: PLR0913 - one for each option
    *,
    what: str,
    owner: str,
    issue: str,
    reason: str | None,
    section: str,
    kind: str | None,
    rate: str | None,
    until: datetime | None,
    subject: str | None,
    rule: str | None,
    reports: tuple[Path, ...],
    results: tuple[Path, ...],
    history_file: Path | None,
    today: date,
) -> None:
    """Add a row about WHAT: the id of a violated verdict, a glob of such ids, a rule, or the id of a failed test.

    Where a glob or a rule names what passes as well, each violated verdict gets a row of its own.
    """
    file = opened()
    owner, issue = _one_line(owner), _one_line(issue)
    rule, reason = rule and _one_line(rule), reason and _one_line(reason)
    found = looked_up(Known(what, subject, rule), reports, results, kept.store(file.settings, history_file))
    text, new = file.text, []
    found = _without_a_row(found, file.rows, subject, rule)
    for each in found:
        row = Row(
            section=next(each for each in Class if each.word == section),
            what=each.id,
            subject=subject or each.subject,
            rule=rule or each.rule,
            kind=Kind(kind or Kind.BROKEN),
            owner=owner,
            reason=reason or textwrap.shorten(each.sentence, REASON, placeholder=" …"),
            issue=issue,
            since=today,
            until=today,
            line=0,
        )
        row = _with_kind(row, file, kind, rate, history_file)
        new.append(_until(row, file, until.date() if until else None))
        text = quarantine.added(text, new[-1], str(file.path))
    rows = quarantine.parse(text, str(file.path))
    written = [_same(row, rows) for row in new]
    _refuse_what_check_refuses({row.line for row in written}, rows, file, today)
    file.write(text)
    for row, each in zip(written, found, strict=True):
        kept.came_in(row, each.ids, file.settings, history_file)
        click.echo(
            f"{file.path} line {row.line}: {row.section} {row.what} of {row.subject} until {row.until}, {row.kind}"
        )
    for row in written:
        if row.section is not Class.RELEASE and file.settings.limits.is_money_risk(row):
            click.echo(f"mind: {row.what} is a money risk, and {row.section} lets it pass at every gate, release too")
    click.echo(f"filled in from {found[0].source}")


def _one_line(text: str) -> str:
    """As the cell of a table has it."""
    return " ".join(text.split())


def _without_a_row(
    found: Sequence[Found], rows: tuple[Row, ...], subject: str | None, rule: str | None
) -> Sequence[Found]:
    """Of several failures those that have no row yet. Raises `UsageError` where every one has its row."""
    lines = {(node_test_id(row.what), row.subject, row.rule): row.line for row in rows}
    had = {each: lines.get((node_test_id(each.id), subject or each.subject, rule or each.rule)) for each in found}
    new = [each for each, line in had.items() if line is None]
    for each, line in had.items():
        if line is not None and new:
            click.echo(f"{each.id} has a row already, in line {line}")
    if not new:
        told = ", ".join(f"{each.id!r} in line {line}" for each, line in had.items())
        raise UsageError(f"there is a row already: {told}", do="renew it, or say another --rule or --subject")
    return new


def _with_kind(row: Row, file: File, kind: str | None, rate: str | None, history_file: Path | None) -> Row:
    """`flaky` with its rate where it was seen to go both ways, or where it is said so; else `broken`."""
    known = _rate(rate) if rate else kept.measured(row, file.settings, history_file)
    both = known is not None and 0 < known.failures < known.runs
    if kind == Kind.FLAKY or (kind is None and both):
        if known is None:
            do = "let the nightly gate record it, or say --rate N/M: N failures in M runs"
            raise UsageError(f"nothing is recorded of {row.what!r}, and a flaky row carries its measured rate", do=do)
        return replace(row, kind=Kind.FLAKY, rate=known)
    return row


def _until(row: Row, file: File, until: date | None) -> Row:
    days = MONEY_DAYS if file.settings.limits.is_money_risk(row) else DAYS
    try:
        return replace(row, until=until or row.since + timedelta(days=days))
    except OverflowError:
        raise UsageError(f"{days} days after {row.since} there is no day any more", do="say --until") from None


def _rate(text: str) -> Rate:
    rate = rate_of(text)
    if rate is None:
        raise UsageError(f"--rate takes failures/runs, and got {text!r}", do="for instance --rate 3/20")
    return rate


def _refuse_what_check_refuses(new: set[int], rows: tuple[Row, ...], file: File, today: date) -> None:
    """Rows that `quarantine check` would refuse are not written; `new`: their lines."""
    for line, sentence in problems(rows, file.settings, today):
        if line in {*new, 0}:
            raise UsageError(sentence, do="nothing was written")


def _same(row: Row, rows: tuple[Row, ...]) -> Row:
    return next(each for each in rows if (each.what, each.subject, each.rule) == (row.what, row.subject, row.rule))
