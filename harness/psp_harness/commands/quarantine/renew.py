"""`quarantine renew`: a later date for a row, with its reason, which is written down."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from psp_harness import quarantine
from psp_harness.commands import kept, options
from psp_harness.commands.quarantine.file import opened
from psp_harness.errors import UsageError
from psp_harness.quarantine import Kind, beyond_money_limits


@click.command()
@click.argument("what")
@click.option("--until", type=options.DAY, required=True, metavar="YYYY-MM-DD", help="The new last day.")
@click.option("--reason", required=True, help="Why it is not mended yet.")
@click.option("--subject", help="Of which row, where several are about it.")
@click.option("--rule", help="Of which row, where several are about it.")
@options.history
@options.today
def renew(  # noqa: PLR0913 - one for each option
    *,
    what: str,
    until: datetime,
    reason: str,
    subject: str | None,
    rule: str | None,
    history_file: Path | None,
    today: date,
) -> None:
    """Let the row about WHAT excuse until a later day. A money risk cannot be renewed beyond its 14 days."""
    file = opened()
    row = file.row(what, subject, rule)
    new, day = {"until": until.date()}, until.date()
    if day < today:
        raise UsageError(f"--until {day} is over", do=f"name a day from {today} on")
    rate = kept.measured(row, file.settings, history_file) if row.kind is Kind.FLAKY else None
    values: dict[str, object] = {**new, **({"rate": rate} if rate else {})}
    text = quarantine.changed(file.text, row, str(file.path), **values)
    renewed = next(each for each in quarantine.parse(text, str(file.path)) if each.line == row.line)
    if file.settings.limits.is_money_risk(renewed) and (wrong := next(beyond_money_limits(renewed), "")):
        raise UsageError(wrong, do="nothing was written")
    note = f"{today}: renewed {row.what} ({row.subject}) from {row.until} to {day}: {reason}"
    file.write(quarantine.noted(text, note, str(file.path)))
    click.echo(f"{file.path} line {row.line}: {row.what} excuses until {day}{f', rate {rate}' if rate else ''}")
