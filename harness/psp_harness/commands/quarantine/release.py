"""`quarantine release`: a row goes out when passes in a row prove that it may, and the proof is written down."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import click
from rich.console import Console

from psp_harness import quarantine, rules
from psp_harness.commands import kept, options
from psp_harness.commands.quarantine.by_command import of_harness, of_test
from psp_harness.commands.quarantine.file import File, opened
from psp_harness.commands.quarantine.repeating import of_verdict
from psp_harness.commands.quarantine.repetition import Repetition
from psp_harness.commands.quarantine.stats import basis, needed
from psp_harness.errors import UsageError
from psp_harness.plan import WATCHED_COMMAND
from psp_harness.progress import shown_on
from psp_harness.quarantine import Row, is_glob, is_verdict_id, name_of
from psp_harness.quarantine.rate import bound_after, percent
from psp_harness.records import Past, Standing, standing, was_seen_to_come


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("what")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND…]")
@click.option("--run", "runs_it", is_flag=True, help="Judge the verdict as often as the proof still lacks.")
@click.option("--subject", help="Of which row, where several are about it.")
@click.option("--address", help="Whom to judge, where the row's subject is a glob.")
@click.option("--rule", help="Of which row, where several are about it.")
@click.option("--results", type=options.FILE, metavar="XML", help="The JUnit XML that COMMAND writes: judge by that.")
@click.option("--timeout", default=600.0, show_default=True, metavar="S", help="Bound on each run of COMMAND.")
@options.history
@options.today
def release(  # noqa: PLR0913 - one for each option
    *,
    what: str,
    command: tuple[str, ...],
    runs_it: bool,
    subject: str | None,
    address: str | None,
    rule: str | None,
    results: Path | None,
    timeout: float,
    history_file: Path | None,
    today: date,
) -> None:
    """Take the row about WHAT out, once enough passes in a row are recorded, and write the proof into the file.

    --run judges a verdict that often; for the test of another runner say how: -- pytest tests/test_a.py::test_twice
    """
    file = opened()
    row = file.row(what, subject, rule)
    stands = standing(row, kept.store(file.settings, history_file).runs())
    how = _by_command(row, command, results, timeout) if command else None
    if repeat := how or _by_itself(row, file, address, runs_it=runs_it):
        stands = _prove(row, repeat, file, history_file)
    asked = needed(row, stands)
    if stands.streak < asked:
        click.echo(_lacking(row, stands, asked), err=True)
        sys.exit(1)
    note = f"{today}: released {_proof(row, stands)}"
    text = quarantine.taken_out(file.text, row, str(file.path))
    file.write(quarantine.noted(text, note, str(file.path)))
    kept.went_out(row, file.settings, history_file)
    click.echo(f"{file.path}: {note}")


def _by_command(row: Row, command: tuple[str, ...], results: Path | None, timeout: float) -> Callable[[], Repetition]:
    """As the command line says. A verdict of the harness is judged by the harness, whoever calls it."""
    if is_verdict_id(row.what) or row.rule in rules.load():
        return of_harness(row, command, timeout)
    return of_test(row, command, results, timeout)


def _by_itself(row: Row, file: File, address: str | None, *, runs_it: bool) -> Callable[[], Repetition] | None:
    """As the harness judges it; None where nothing is to be run."""
    if not runs_it:
        return None
    if not is_verdict_id(row.what):
        do = f"say how: psp-harness quarantine release {name_of(row.what)!r} -- COMMAND"
        raise UsageError(f"{row.what!r} is a test of another runner, which only you know how to run", do=do)
    if _is_watched(row):
        do = f"say how, with the fault that showed it: psp-harness quarantine release {name_of(row.what)!r} {_how(row)}"
        raise UsageError(f"{row.what!r} is of a command that was watched, which only you know how to run", do=do)
    return of_verdict(row, address or row.subject, file.settings)


def _prove(row: Row, repeat: Callable[[], Repetition], file: File, history_file: Path | None) -> Standing:
    """Run it until the proof is complete, or until it does not pass; each run is recorded when it is over."""
    runs = list(kept.store(file.settings, history_file).runs())
    if not was_seen_to_come(row, runs) and not any(past.at.date() > row.since for past in runs):
        kept.came_in(row, (), file.settings, history_file)  # written by hand today: the passes to come are after it
        runs = list(kept.store(file.settings, history_file).runs())
    stands = standing(row, runs)
    lacking = max(0, needed(row, stands) - stands.streak)
    with shown_on(Console(stderr=True), "proof", "passes") as progress:
        progress.planned(lacking)
        for _ in range(lacking):
            done = repeat()
            past = Past(datetime.now(UTC), "proof", done.subject, done.outcomes)
            if done.outcomes:
                kept.record(past, file.settings, history_file)
                runs.append(past)
            if done.why:
                click.echo(f"{row.what}: {done.why}", err=True)
                if done.untold:
                    sys.exit(2)
                break
            progress.done(row.what)
    return standing(row, runs)


def _lacking(row: Row, stands: Standing, asked: int) -> str:
    return (
        f"psp-harness: {row.what}: {stands.streak} of {asked} passes in a row, and nothing was written; mend it and "
        f"prove it: psp-harness quarantine release {name_of(row.what)!r} {_how(row)}"
    )


def _is_watched(row: Row) -> bool:
    return is_verdict_id(row.what) and row.what.split("/")[2] == WATCHED_COMMAND


def _how(row: Row) -> str:
    """How a pass is shown once more; of a watched command one that only seems so, as nothing was judged, is none."""
    if _is_watched(row):
        psp, whom = row.what.split("/")[1], "COMMAND" if is_glob(row.subject) else row.subject
        return f"-- psp-harness watch --strict --profile {psp} --only '{row.what}' --fault … -- {whom}"
    return "--run" if is_verdict_id(row.what) else "-- COMMAND"


def _proof(row: Row, stands: Standing) -> str:
    rate = basis(row, stands)
    was = f"had failed in {rate.failures} of {rate.runs} runs" if rate else "had no recorded rate"
    return (
        f"{row.what} ({row.subject}, {row.rule}), {row.kind} since {row.since}: {stands.streak} passes in a row; "
        f"it {was}, and at 99 % confidence it now fails in at most {percent(bound_after(stands.streak))} of runs"
    )
