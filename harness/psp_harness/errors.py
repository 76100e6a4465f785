"""What the harness raises, as a tree: our data is wrong, the call is wrong, or the subject could not be driven.

    HarnessError
     ├─ DataError      a file that people wrote (case, profile, QUARANTINE.md, configuration) is wrong
     ├─ UsageError     the command line names something that does not exist
     │   └─ NothingChosen  `--only` names nothing of one subject, and perhaps of another
     └─ SubjectError   the subject could not be driven: its verdicts are *errored*, never passed
         ├─ NoAnswer   a provider closed the connection: the case goes on, for the retry may show why
         └─ NotStarted it ended, or said no, instead of starting: without a secret that is right

Each error is one sentence for people (what is wrong, what was expected) and one more that says what to do.
"""

from __future__ import annotations


class HarnessError(Exception):
    """An error that is shown to people as it stands, without a traceback."""

    def __init__(self, problem: str, *, do: str = "") -> None:
        super().__init__(f"{problem}; {do}" if do else problem)
        self.problem = problem
        self.do = do


class DataError(HarnessError):
    """A file is wrong: names the file, the key or line in it, what was expected, and what to do."""

    def __init__(self, problem: str, *, file: str, where: str = "", do: str = "") -> None:
        place = f"{file}: {where}" if where else file
        super().__init__(f"{place}: {problem}", do=do)
        self.file = file
        self.where = where


class UsageError(HarnessError):
    """The call is wrong: a name that does not exist, or options that do not go together."""


class NothingChosen(UsageError):
    """`--only` leaves nothing of this subject to be judged; where several are, another may have what it names."""


class SubjectError(HarnessError):
    """The subject could not be driven: it died, never answered, or answered what the protocol does not know."""


class NoAnswer(SubjectError):
    """A provider closed the connection instead of answering: what became of the request is not known."""


class NotStarted(SubjectError):
    """A subject ended, or said no, instead of starting. One that only failed later, or was silent, is none of these."""
