"""How far a run is, for whoever watches: a bar on a terminal, a line now and then elsewhere; on standard error."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from psp_harness.run import Progress as Silent

QUIET_SECONDS = 2.0
"""A run that is faster says nothing."""


@contextmanager
def shown_on(console: Console, title: str, things: str = "cases") -> Iterator[Silent]:
    """A progress that shows itself on that console, in things such as cases."""
    if not console.is_terminal:
        yield _Lines(console, title, things)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        yield _Bar(bar, title)


class _Bar(Silent):
    def __init__(self, bar: Progress, title: str) -> None:
        self._bar, self._task = bar, bar.add_task(title, total=None)

    def planned(self, cases: int) -> None:
        self._bar.update(self._task, total=cases)

    def done(self, case_id: str) -> None:  # noqa: ARG002 - the bar counts, it does not name
        self._bar.advance(self._task)


class _Lines(Silent):
    """For logs: at most one line every `QUIET_SECONDS`."""

    def __init__(self, console: Console, title: str, things: str) -> None:
        self._console, self._title, self._things = console, title, things
        self._cases, self._count, self._last = 0, 0, time.monotonic()

    def planned(self, cases: int) -> None:
        self._cases = cases

    def done(self, case_id: str) -> None:
        self._count += 1
        if time.monotonic() - self._last >= QUIET_SECONDS:
            self._last = time.monotonic()
            said = f"{self._title}: {self._count} of {self._cases} {self._things}, last {case_id}"
            self._console.print(said, highlight=False, soft_wrap=True)
