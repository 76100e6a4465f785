"""Options that several commands have."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import click

DAY = click.DateTime(["%Y-%m-%d"])
FILE = click.Path(dir_okay=False, path_type=Path)


def _today(_: click.Context, __: click.Parameter, value: datetime | None) -> date:
    return (value or datetime.now(UTC)).date()


today = click.option(
    "--today", type=DAY, metavar="YYYY-MM-DD", callback=_today, help="Settle as if it were that day (UTC)."
)
summary = click.option("--summary", "summary_file", type=FILE, help="Append a summary in Markdown.")
github = click.option("--github", is_flag=True, help="Print annotations as GitHub takes them.")
history = click.option(
    "--history", "history_file", type=FILE, help="The history; without it, what psp-harness.toml names."
)
