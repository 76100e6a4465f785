"""The history as JSON Lines, one line for each run: to be committed, or kept from one CI run to the next.

    {"format": "psp-harness-history/1", "id": …, "at": "2026-11-26T03:00:00+00:00", "gate": "nightly",
     "subject": "sdk:stripe", "outcomes": {"passed": [id, …], "violated": [id, …]}}

A row that came in is a line of its own (`added`, of the gate `quarantine`), and so is one that went out (`released`).
A line that is brought in twice counts once, so files may be joined as git joins them: line by line.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from psp_harness.errors import DataError
from psp_harness.records.store import Past, Store

FORMAT = "psp-harness-history/1"

_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Word = Literal["passed", "violated", "skipped", "unexercised", "errored", "added", "released"]


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    format: Literal["psp-harness-history/1"]
    id: _Text
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    gate: str
    subject: str
    outcomes: Mapping[_Word, tuple[_Text, ...]]


def export(runs: Iterable[Past], path: Path) -> int:
    """Write every run, the oldest first; how many there were. What breaks off leaves the file as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count, beside = 0, path.with_name(f".{path.name}.{os.getpid()}")
    try:
        count = _export(runs, beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return count


def _export(runs: Iterable[Past], path: Path) -> int:
    count = 0
    with path.open("x", encoding="utf-8", newline="\n") as file:
        for count, past in enumerate(runs, 1):  # noqa: B007 - the last count is the number of lines
            file.write(_written(past) + "\n")
    return count


def load(path: Path, store: Store) -> int:
    """Bring every run of a file in; how many were new. Raises `DataError` for a wrong line, before any is in."""
    return sum(store.add(past) for past in list(_read(path)))


def _written(past: Past) -> str:
    outcomes: dict[str, list[str]] = {}
    for name, word in past.outcomes:
        outcomes.setdefault(word, []).append(name)
    head = {"format": FORMAT, "id": past.id, "at": past.at.isoformat(), "gate": past.gate, "subject": past.subject}
    return json.dumps({**head, "outcomes": outcomes}, ensure_ascii=False)


def _read(path: Path) -> Iterator[Past]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _past(line, path, number)
    except (OSError, UnicodeDecodeError) as error:
        problem = getattr(error, "strerror", None) or "not UTF-8"
        raise DataError(problem, file=str(path), do="name a file that `quarantine history --export` wrote") from None


def _past(line: str, path: Path, number: int) -> Past:
    try:
        said = msgspec.json.decode(line, type=_Line)
    except msgspec.MsgspecError as error:
        do = f"take the line out, or write it as {FORMAT} has it; after a merge, keep the lines of both sides"
        raise DataError(f"no run: {error}", file=str(path), where=f"line {number}", do=do) from None
    try:
        said.at.astimezone(UTC)
    except OverflowError:
        do = "correct `at`: a time in UTC, in the years 1 to 9999"
        raise DataError(f"no run: at {said.at}", file=str(path), where=f"line {number}", do=do) from None
    outcomes = tuple((name, word) for word, names in said.outcomes.items() for name in names)
    return Past(said.at, said.gate, said.subject, outcomes, said.id)
