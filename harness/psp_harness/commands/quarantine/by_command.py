"""Something quarantined, run once more by a command: the test of another runner, or a verdict by the harness itself.

What must hold here: only what was judged and passed is a pass. A verdict of the harness is read in its report, never
told from an exit status; a runner that did not come to run the test says nothing of it.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from psp_harness import runners
from psp_harness.commands.quarantine.found import report_of
from psp_harness.commands.quarantine.repetition import Repetition
from psp_harness.errors import UsageError
from psp_harness.model import WORD
from psp_harness.quarantine import Row, name_of, names, names_test, node_test_id, speaks_of

_LAST_LINES = 10
_JUDGING = (("run",), ("watch",))
_PYTEST = frozenset({"pytest", "py.test"})
_PYTEST_TELLS_NOTHING = frozenset({2, 3, 4, 5})
"""Interrupted, a mistake of its own, a wrong call, no test collected."""
_BY_SIGNAL = 128
"""A shell adds the signal to it."""


def of_test(row: Row, command: tuple[str, ...], results: Path | None, timeout: float) -> Callable[[], Repetition]:
    """Run a command that runs the test alone: by its exit status, or by the results that it writes."""

    def once() -> Repetition:
        before = _stamp(results)
        done = _done(command, timeout)
        if done is None:
            return _untold(row, f"it did not end within {timeout:g} s")
        if results:
            told = "it wrote no results" if _stamp(results) == before else ""
            return _untold(row, f"{told}: {results}") if told else _in_results(row, results)
        return _by_status(row, command, done)

    return once


def of_harness(row: Row, command: tuple[str, ...], timeout: float) -> Callable[[], Repetition]:
    """Run a psp-harness command that judges the verdict, and read the verdict in its report.

    Raises `UsageError` for any other command: a verdict of the harness is proven by the harness alone.
    """
    if not _judges(command):
        problem = f"{row.what!r} is a verdict of the harness, of which the exit status of {command[0]!r} proves nothing"
        raise UsageError(problem, do="say --run, or a psp-harness run or watch that judges it")

    def once() -> Repetition:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "report.json"
            told = (*command[:2], "--json", str(file), *command[2:])
            done = _done(told, timeout)
            if done is None:
                return _untold(row, f"it did not end within {timeout:g} s")
            if not file.exists():
                return _untold(row, f"it wrote no report of one subject alone\n{_last(done)}".rstrip())
            return _in_report(row, file)

    return once


def _in_report(row: Row, file: Path) -> Repetition:
    report = report_of(file)
    subject = report["subject"]["address"]
    if not names(row.subject, subject):
        problem = f"the row is about {row.subject!r}, of which {subject!r} proves nothing"
        raise UsageError(problem, do="judge whom the row is about")
    about = [each for each in report["verdicts"] if speaks_of(row, each["id"], each["rule"])]
    outcomes = tuple((each["id"], "violated" if each["outcome"] == "known" else each["outcome"]) for each in about)
    if not about:
        return _untold(row, f"no verdict of {subject} is one of {row.what!r}, rule {row.rule!r}")
    words = {word for _, word in outcomes}
    if "violated" in words:
        sentence = next(each["problems"][0]["sentence"] for each in about if each["problems"])
        return Repetition(subject, outcomes, f"violated: {sentence}")
    why = next((f"{each['outcome']}: {each['reason']}" for each in about if each["outcome"] != "passed"), "")
    return Repetition(subject, outcomes, why, untold=bool(why))


def _in_results(row: Row, results: Path) -> Repetition:
    about = [test for test in runners.read(results) if names_test(row.what, test.id)]
    outcomes = tuple((test.id, WORD[type(test.result)]) for test in about)
    words = {word for _, word in outcomes}
    if "violated" in words or any(test.failed_before for test in about):
        failed = tuple((test.id, "violated") for test in about if test.failed_before)
        return Repetition(row.subject, (*outcomes, *failed), f"it failed: {results}")
    if words == {"passed"}:
        return Repetition(row.subject, outcomes)
    other = next((f"{name} is {word}" for name, word in outcomes if word != "passed"), "it is not there")
    return _untold(row, f"{results}: {other}")


def _by_status(row: Row, command: tuple[str, ...], done: subprocess.CompletedProcess[bytes]) -> Repetition:
    status = done.returncode
    if status == 0:
        return Repetition(row.subject, ((_id_of(row), "passed"),))
    why = f"exit status {status}\n{_last(done)}".rstrip()
    is_pytest = any(Path(word).name in _PYTEST for word in command)
    if status < 0 or status > _BY_SIGNAL or (is_pytest and status in _PYTEST_TELLS_NOTHING):
        return _untold(row, f"it did not come to its end: {why}")
    return Repetition(row.subject, ((_id_of(row), "violated"),), why)


def _id_of(row: Row) -> str:
    """What the history calls the test."""
    return node_test_id(name_of(row.what))


def _untold(row: Row, why: str) -> Repetition:
    return Repetition(row.subject, (), why, untold=True)


def _done(command: tuple[str, ...], timeout: float) -> subprocess.CompletedProcess[bytes] | None:
    try:
        return subprocess.run(command, capture_output=True, timeout=timeout, check=False)  # noqa: S603 - the user's
    except subprocess.TimeoutExpired:
        return None
    except OSError as error:
        raise UsageError(f"{command[0]}: {error.strerror}", do="name a command that runs the test alone") from None


def _last(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = (done.stdout + done.stderr).decode(errors="replace").strip().splitlines()[-_LAST_LINES:]
    return "\n".join(f"  {line}" for line in lines)


def _stamp(results: Path | None) -> object:
    """Whether a file was written anew."""
    if results is None or not results.exists():
        return None
    known = results.stat()
    return known.st_mtime_ns, known.st_ino, known.st_size


def _judges(command: tuple[str, ...]) -> bool:
    """It is psp-harness that is called, and it judges."""
    return Path(command[0]).name.removesuffix(".exe") == "psp-harness" and command[1:2] in _JUDGING
