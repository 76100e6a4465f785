"""`quarantine history`: the recorded runs, out to JSON Lines and in again."""

from __future__ import annotations

from pathlib import Path

import click

from psp_harness import config, records
from psp_harness.commands import kept, options
from psp_harness.errors import UsageError


@click.command()
@click.option("--export", "export_file", type=options.FILE, metavar="FILE", help="Write every run, a line each.")
@click.option("--import", "import_file", type=options.FILE, metavar="FILE", help="Bring runs in; each counts once.")
@options.history
def history(export_file: Path | None, import_file: Path | None, history_file: Path | None) -> None:
    """Write the history to a file of JSON Lines, or bring one in: to commit it, or to keep it between CI runs."""
    if bool(export_file) == bool(import_file):
        raise UsageError("quarantine history takes --export FILE or --import FILE", do="name one of them")
    settings = config.load(Path.cwd())
    store, own = kept.store(settings, history_file), history_file or Path(settings.history)
    if export_file and export_file.resolve() == own.resolve():
        raise UsageError(f"{export_file} is the history itself", do="name another file: --export history.jsonl")
    if import_file:
        click.echo(f"{records.load(import_file, store)} new runs")
    elif export_file:
        click.echo(f"{export_file}: {records.export(store.runs(), export_file)} runs")
