"""One thing that was seen of an adapter, in a sentence, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from psp_harness.errors import SubjectError


class Sort(StrEnum):
    """Only what is wrong changes the exit status."""

    OK = "ok"
    NOTE = "note"
    WRONG = "WRONG"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the answer."""

    sort: Sort
    about: str
    """The command or the claim that was tried."""
    says: str
    do: str = ""


def ok(about: str, says: str) -> Finding:
    """It does that."""
    return Finding(Sort.OK, about, says)


def note(about: str, says: str, do: str = "") -> Finding:
    """Worth knowing, and not wrong."""
    return Finding(Sort.NOTE, about, says, do)


def wrong(about: str, says: str, do: str) -> Finding:
    """It has to be mended before a verdict on the client means anything."""
    return Finding(Sort.WRONG, about, says, do)


def failed(about: str, error: SubjectError) -> Finding:
    """It could not be driven."""
    return wrong(about, error.problem, error.do or "see docs/subject-protocol.md")
