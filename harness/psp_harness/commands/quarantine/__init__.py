"""`psp-harness quarantine`: what is tolerated, where and until when, from the first failure to the proof of release."""

from __future__ import annotations

from datetime import date

import click
from rich.console import Console

from psp_harness import listing
from psp_harness.commands import options
from psp_harness.commands.quarantine.add import add
from psp_harness.commands.quarantine.check import check
from psp_harness.commands.quarantine.file import described, opened
from psp_harness.commands.quarantine.history import history
from psp_harness.commands.quarantine.release import release
from psp_harness.commands.quarantine.renew import renew
from psp_harness.commands.quarantine.stats import stats
from psp_harness.quarantine import GATES, gate_named


@click.group()
def quarantine() -> None:
    """Tolerate what fails, at some gates, until a date: list, add, renew, release, check, stats, history."""


@quarantine.command(name="list")
@click.option("--gate", metavar="GATE", help=f"Only rows that do something there: {', '.join(GATES)}.")
@click.option("--within", type=int, metavar="DAYS", help="Only rows that expire within so many days, or have expired.")
@options.today
def list_(gate: str | None, within: int | None, today: date) -> None:
    """Print the rows: class, what, subject, rule, kind and rate, date, owner, issue."""
    file = opened()
    minded = file.rows if gate is None else [row for row in file.rows if row.section in gate_named(gate).minds]
    rows = [row for row in minded if within is None or (row.until - today).days <= within]
    listing.show_rows([tuple(described(row)) for row in rows], Console(highlight=False))
    if not rows:
        click.echo(f"{file.path}: no such row", err=True)


for each in (add, renew, release, check, stats, history):
    quarantine.add_command(each)
