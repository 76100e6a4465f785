"""What a runner reported of one test."""

from __future__ import annotations

from dataclasses import dataclass

from psp_harness.model import Result, Violated


@dataclass(frozen=True, slots=True)
class Reported:
    """One test, in the words of our verdicts: a failure is *violated*, an error *errored*, never excused."""

    id: str
    """`class::name`, as QUARANTINE.md names it."""
    result: Result
    container: str = ""
    """The class, package or module that it stands in."""
    suite: str = ""
    file: str = ""
    line: int = 0
    """From 1; 0 where the runner does not say."""
    place: int = 0
    """Which test of its file it is, from 1."""
    of_all: bool = False
    """It is no test but what went wrong with the file's tests, nobody knows with which of them."""
    through_subtests: bool = False
    """It failed because its subtests did (Go), and they stand for themselves: it is skipped."""
    times_failed: int = 1
    """As how many failures its suite counts it, if it failed: pytest counts each subtest."""
    failed_before: int = 0
    """How often the runner saw it fail before it passed."""

    @property
    def message(self) -> str:
        """All that it failed with."""
        return "\n".join(each.sentence for each in self.result.problems) if isinstance(self.result, Violated) else ""
