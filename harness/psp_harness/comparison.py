"""The axes on which PSPs contradict each other, side by side: what each promises of its keys, as far as it is known.

Read from the facts alone: a value that no fact of the file gives, be it a default, is unknown, and shown as a dash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich.console import Console
from rich.table import Table

from psp_harness import profile
from psp_harness.profile import Profile

UNKNOWN = "-"

WIDTH = 120
"""Columns that the tables need. Where nobody looks at a terminal (a pipe, a file), they are taken."""

_SECONDS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_SHORT = {"create-payment": "payment", "create-refund": "refund"}


def span(seconds: int) -> str:
    """A time as people say it: 45 d, 24 h, 90 min."""
    unit, length = next((unit, length) for unit, length in _SECONDS if seconds % length == 0)
    return "24 h" if seconds == 86_400 else f"{seconds // length} {unit}"


def _length(facts: Profile) -> str:
    least, most = (facts.key.min_length, facts.key.max_length) if facts.key else (None, None)
    return f"{least or 1} to {most}" if most else f"from {least}" if least else UNKNOWN


def _lifetime(facts: Profile) -> str:
    if facts.key is None:
        return UNKNOWN
    of_each = [f"{_SHORT[operation]} {span(seconds)}" for operation, seconds in facts.key.ttl_of.items()]
    return "\n".join(of_each) or (span(facts.key.ttl_seconds) if facts.key.ttl_seconds else UNKNOWN)


def _takes(facts: Profile) -> str:
    operations = facts.key.operations if facts.key else ()
    return " ".join(_SHORT[each] for each in operations) or "all"


def _fact(path: str, read: Callable[[Profile], object]) -> Callable[[Profile], str]:
    """The cell of one fact, if the file gives it, for itself or with the table that it stands in."""

    def cell(facts: Profile) -> str:
        if path not in facts.facts and path.rpartition(".")[0] not in facts.facts:
            return UNKNOWN
        value = read(facts)
        return str(value) if not isinstance(value, bool) else "yes" if value else "no"

    return cell


THE_KEY: Mapping[str, Callable[[Profile], str]] = {
    "carrier": _fact("key.carrier", lambda p: p.key and p.key.carrier),
    "name": lambda p: p.key.name if p.key else UNKNOWN,
    "taken by": _takes,
    "required": _fact("key.required", lambda p: p.key and p.key.required),
    "written": _fact("key.written", lambda p: p.key and p.key.written),
    "length": _length,
    "lives": _lifetime,
    "tenants by": lambda p: p.auth.header,
}

WHAT_IT_DOES: Mapping[str, Callable[[Profile], str]] = {
    "scope": _fact("key.scope", lambda p: " and ".join(p.key.scope) if p.key else UNKNOWN),
    "duplicate": _fact("duplicate.answer", lambda p: p.duplicate and p.duplicate.answer),
    "in flight": _fact("in-flight.answer", lambda p: p.in_flight and p.in_flight.answer),
    "mismatch": _fact("mismatch.answer", lambda p: p.mismatch and p.mismatch.answer),
    "kept": _fact("duplicate.keeps", lambda p: p.duplicate and p.duplicate.keeps),
    "marker": _fact("duplicate.marker", lambda p: p.duplicate and p.duplicate.marker),
}


def show(console: Console) -> None:
    """Print every profile that the package brings, one line each: first its key, then what the key does."""
    if not console.is_terminal:
        console.width = max(console.width, WIDTH)
    everything = {name: profile.load(name) for name in profile.names()}
    console.print(_table("the key", THE_KEY, everything))
    console.print()
    console.print(_table("what it does", WHAT_IT_DOES, everything))


def _table(title: str, axes: Mapping[str, Callable[[Profile], str]], everything: Mapping[str, Profile]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for heading in ("profile", *axes):
        table.add_column(heading, no_wrap=heading == "name")
    for name, facts in everything.items():
        table.add_row(name, *(cell(facts) for cell in axes.values()))
    return table
