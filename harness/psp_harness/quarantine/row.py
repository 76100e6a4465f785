"""One row of QUARANTINE.md, and what it is about."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from html import unescape

from psp_harness.quarantine.naming import names
from psp_harness.quarantine.rate import Rate

FILE = "QUARANTINE.md"

COLUMNS: Mapping[str, str] = {
    "what": "a verdict id (role/profile/case/rule) or a test id; * and ? are globs",
    "subject": "the address that it is about, such as sdk:stripe; * and ? are globs",
    "rule": "the id of the rule that is violated, or a piece of the test's failure message",
    "kind": "broken (must still fail) or flaky (may go either way)",
    "owner": "who sees to it",
    "reason": "why it fails, in a sentence",
    "issue": "where it is tracked",
    "since": "a date as YYYY-MM-DD",
    "until": "the last day on which it excuses anything, as YYYY-MM-DD",
}
"""Every one of them is required in every row; the order is free."""

OPTIONAL: Mapping[str, str] = {"rate": "how often it was measured to fail, as failures/runs, such as 3/20"}
"""A column that a table may have beside them, and a cell of it may be empty: what a `flaky` row was measured to do."""

NOBODY = frozenset({"", "na", "nobody", "noone", "none", "tbd", "todo", "unknown", "xxx"})
"""What people write where they mean that there is no owner, without what is no letter and no digit: `n/a`, `-`."""


_COMMENT = re.compile(r"<!--.*?-->")
_BETWEEN = re.compile(r"[,;&]|\sand\s")


class Class(StrEnum):
    """How much a row is allowed to cost: the sign of the section that it stands in."""

    RELEASE = "🔴"
    NIGHTLY = "🟡"
    MANUAL = "🟢"

    @property
    def meaning(self) -> str:
        """What the section's heading says."""
        return _MEANING[self]

    @property
    def word(self) -> str:
        """Its name where a sign is awkward to type: `release`, `nightly`, `manual`."""
        return self.name.lower()


_MEANING: Mapping[Class, str] = {
    Class.RELEASE: "must pass before release",
    Class.NIGHTLY: "nightly",
    Class.MANUAL: "manual only",
}


class Kind(StrEnum):
    """What the row says of the future: a `broken` one must still fail, a `flaky` one may go either way."""

    BROKEN = "broken"
    FLAKY = "flaky"


@dataclass(frozen=True, slots=True)
class Row:
    """One excuse."""

    section: Class
    what: str
    subject: str
    rule: str
    kind: Kind
    owner: str
    reason: str
    issue: str
    since: date
    until: date
    """The last day on which it excuses anything."""
    line: int
    """Where it stands in the file, from 1."""
    rate: Rate | None = None
    """How often it was measured to fail."""

    @property
    def owners(self) -> tuple[str, ...]:
        """Everybody who sees to it: names with a comma, a semicolon, `&` or `and` between them."""
        shown = unescape(_COMMENT.sub("", self.owner))
        named = {_folded(each): each.strip() for each in _BETWEEN.split(shown)}
        return tuple(name for folded, name in named.items() if folded not in NOBODY)

    def is_expired(self, today: date) -> bool:
        """Past its date it excuses nothing."""
        return today > self.until

    def is_in_force(self, today: date) -> bool:
        """It excuses from its first day to its last: one that is yet to begin could be written for years ahead."""
        return self.since <= today <= self.until


def _folded(name: str) -> str:
    """What tells one person from another: `Ann`, `@ann`, and an `ann` with something invisible are one."""
    return "".join(char for char in unicodedata.normalize("NFKC", name).casefold() if char.isalnum())


def matches(row: Row, verdict_id: str, subject_address: str, rule: str) -> bool:
    """Whether the row is about this verdict: of its subject, under its name, and of exactly its rule."""
    return names(row.subject, subject_address) and speaks_of(row, verdict_id, rule)


def speaks_of(row: Row, verdict_id: str, rule: str) -> bool:
    """Whether the row is about a verdict of that name and rule, whoever its subject is."""
    return row.rule == rule and names(row.what, verdict_id)


def names_case(row: Row, case: str) -> bool:
    """Whether the row is about something in the case `role/profile/case`, whatever there is in it."""
    last = row.what.rpartition("/")[2]
    return any(names(row.what, name) for name in (case, f"{case}/{row.rule}", f"{case}/{last}"))
