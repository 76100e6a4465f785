"""`quarantine stats`: how often what is quarantined fails, how sure that is, and what its release would take."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.console import Console

from psp_harness import listing
from psp_harness.commands import kept, options
from psp_harness.commands.quarantine.file import opened
from psp_harness.quarantine import Kind, Rate, Row, names, names_test
from psp_harness.quarantine.rate import MOST_PASSES, passes_needed, percent
from psp_harness.records import Past, Standing, since_released, standing

SHOWN = 10


@click.command()
@options.history
def stats(history_file: Path | None) -> None:
    """Print the failure rate of each row, with its 95 % interval (Wilson), and what else went both ways."""
    file = opened()
    runs = list(kept.store(file.settings, history_file).runs())
    told = [tuple(_told(row, standing(row, runs))) for row in file.rows]
    listing.show_rows(told, Console(highlight=False))
    unsteady = list(_unsteady(file.rows, runs))
    if unsteady:
        click.echo("\npassed and failed, and not in quarantine:")
        listing.show_rows(unsteady[:SHOWN], Console(highlight=False))
    of_gates = [past for past in runs if past.gate != kept.FILE]
    days = sorted({past.at.date() for past in of_gates})
    recorded = (
        f"{len(of_gates)} recorded, {days[0]} to {days[-1]}"
        if days
        else "no runs: gates nightly and manual record them"
    )
    click.echo(f"\nhistory: {recorded}")


def basis(row: Row, stands: Standing) -> Rate | None:
    """The rate that a proof of release is to refute: as measured before the passes that are to prove it.

    Of what the row says and what the history says, that of more runs. The failure for which a `broken` row was written
    is one of one.
    """
    measured = [rate for rate in (row.rate, stands.rate_before) if rate]
    return max(measured, key=lambda rate: rate.runs, default=Rate(1, 1) if row.kind is Kind.BROKEN else None)


def needed(row: Row, stands: Standing) -> int:
    """So many passes in a row are asked for."""
    rate = basis(row, stands)
    return passes_needed(rate) if rate else MOST_PASSES


def shown(rate: Rate) -> str:
    """`3/20 = 15 % (5.2 % to 36 %)`."""
    low, high = rate.interval()
    return f"{rate} = {percent(rate.share)} ({percent(low)} to {percent(high)})"


def _told(row: Row, stands: Standing) -> Iterator[str]:
    yield from (row.section, row.what, row.subject, row.kind)
    yield shown(stands.rate) if stands.rate else "never recorded"
    yield f"{stands.streak} of {needed(row, stands)} passes in a row for its release"
    yield f"last failed {stands.last_failure}" if stands.last_failure else "no failure recorded"


def _unsteady(rows: Sequence[Row], runs: Sequence[Past]) -> Iterator[tuple[str, ...]]:
    """What went both ways and has no row, the worst first."""
    seen: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for past in since_released(runs):
        for name, word in past.outcomes:
            if word in {"passed", "violated"}:
                seen[past.subject, name][word == "violated"] += 1
    both = [(key, passed, failed) for key, (passed, failed) in seen.items() if passed and failed]
    for (subject, name), passed, failed in sorted(both, key=lambda each: -each[2] / (each[1] + each[2])):
        if not any(names(row.subject, subject) and names_test(row.what, name) for row in rows):
            yield name, subject, shown(Rate(failed, passed + failed))
