"""Options that several commands have."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from psp_harness.errors import UsageError


class _Day(click.DateTime):
    """A day, written as in QUARANTINE.md."""

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%d"])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            option = param.opts[0] if param else "a day"
            raise UsageError(f"{option}: {value!r} is no day", do="write YYYY-MM-DD, for instance 2026-12-31") from None


DAY = _Day()
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
