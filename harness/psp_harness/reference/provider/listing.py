"""Pages of a list: newest first; all of it, or as much as `limit` and the cursor ask for where the PSP has a cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from psp_harness.profile import Operation
from psp_harness.reference.provider.ledger import Entry, Refusal

DEFAULT_LIMIT = "10"
MAX_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list, and whether there is more behind it."""

    items: Sequence[Entry]
    has_more: bool


def page_of(operation: Operation, target: str, entries: Sequence[Entry]) -> Page | Refusal:
    """The page that the query of `target` asks for; `entries` are in the order in which they happened."""
    newest_first = entries[::-1]
    if operation.cursor is None:
        return Page(newest_first, has_more=False)
    query = dict(parse_qsl(target.partition("?")[2]))
    limit = query.get("limit", DEFAULT_LIMIT)
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:4]) <= MAX_LIMIT):
        return Refusal("invalid", f"limit must be a number from 1 to {MAX_LIMIT}, not {limit!r}")
    return _slice(newest_first, int(limit), query.get(operation.cursor))


def _slice(entries: Sequence[Entry], limit: int, after: str | None) -> Page | Refusal:
    ids = [entry.id for entry in entries]
    if after is not None and after not in ids:
        return Refusal("invalid", f"there is no {after!r} to go on from")
    start = ids.index(after) + 1 if after is not None else 0
    return Page(entries[start : start + limit], has_more=start + limit < len(entries))
