"""What settling the results of other runners says: as text, in Markdown, and as annotations."""

from __future__ import annotations

from collections.abc import Iterator

from psp_harness.model import Errored, Known, Violated
from psp_harness.quarantine import in_markdown
from psp_harness.reports.github import Note, of_rows
from psp_harness.reports.line import Line
from psp_harness.reports.markdown import code, counts, listed, stale
from psp_harness.reports.scrub import scrub
from psp_harness.runners import Reported
from psp_harness.settle import Told, signatures

_SHOWN = 100


def text(told: Told, subject: str) -> Iterator[Line]:
    """What failed, what could not be told, what is excused and why, what no longer holds; then the verdict."""
    yield Line(f"{subject} at gate {told.gate}", style="bold")
    yield from _group("FAILED", told.of(Violated), "bold red")
    yield from _group("ERRORED", told.of(Errored), "bold magenta")
    yield from _group("EXCUSED", told.of(Known), "bold cyan")
    yield from (Line(f"\nSTALE  {sentence}", style="red") for sentence in told.stale)
    yield Line("")
    yield Line(f"tests: {', '.join(f'{count} {word}' for word, count in told.counts.items()) or 'none'}")
    yield _verdict(told)


def markdown(told: Told, subject: str) -> Iterator[str]:
    """The same, for the page of a CI job."""
    yield from (f"## {subject}, gate {told.gate}", "", f"**{in_markdown(_verdict(told).text)}**", "")
    yield from counts(dict(told.counts), "tests")
    for title, outcome in (("Failed", Violated), ("Errored", Errored), ("Known: failed, and excused", Known)):
        yield from listed(title, (f"{code(test.id)}: {in_markdown(_said(test))}" for test in told.of(outcome)))
    yield from stale(told.stale)


def notes(told: Told, quarantine: str) -> Iterator[Note]:
    """What stops the line: on the line of the test where its runner says it, and on the rows that no longer hold."""
    for test in told.of(Violated, Errored):
        title = f"{'failed' if isinstance(test.result, Violated) else 'errored'}: {test.id}"
        yield Note("error", _said(test), title, test.file, test.line)
    yield from of_rows(told.stale, quarantine)


def _group(title: str, tests: list[Reported], style: str) -> Iterator[Line]:
    for test in tests[:_SHOWN]:
        yield Line(f"\n{title}  {test.id}", style=style)
        yield Line(_said(test), 2)
    if len(tests) > _SHOWN:
        yield Line(f"\n{title}  and {len(tests) - _SHOWN} more", style=style)


def _said(test: Reported) -> str:
    """What went wrong, without what nobody may read in a log."""
    match test.result:
        case Known(_, _, reason):
            return f"{_problems(test)}\n{reason}"
        case Violated():
            return _problems(test)
        case Errored(reason):
            return scrub(reason.partition("\n")[0], ())
        case _:
            return ""


def _problems(test: Reported) -> str:
    """Each thing that it failed with, once."""
    return scrub("; ".join(dict.fromkeys(signatures(test))), ())


def _verdict(told: Told) -> Line:
    failed, errored = told.counts["violated"], told.counts["errored"]
    if failed:
        next_ = "mend it, or psp-harness quarantine add ID --results FILE"
        return Line(
            f"VIOLATED: {_count(failed, 'test')} failed and {_is(failed)} not excused. Next: {next_}", style="bold red"
        )
    untold = [
        *([f"{_count(errored, 'test')} errored"] if errored else ()),
        *([f"{_count(len(told.stale), 'row')} of QUARANTINE.md no longer true"] if told.stale else ()),
        *(["there is no test in the results"] if told.status and not told.counts else ()),
    ]
    if untold:
        next_ = "mend what is named above: an error is never excused" if errored else "see psp-harness quarantine check"
        return Line(f"CANNOT TELL: {', '.join(untold)}. Next: {next_}", style="bold magenta")
    known = told.counts["known"]
    also = f"; {_count(known, 'failure')} excused for now, which {_is(known)} not safe" if known else ""
    return Line(
        f"PASSED: {_count(told.counts['passed'], 'test')} passed{also}", style="bold cyan" if known else "bold green"
    )


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _count(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
