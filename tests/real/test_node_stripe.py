"""`exec:node adapter.js`: the stripe package of npm, judged through the example adapter; every finding was checked by hand."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from psp_harness import profile
from psp_harness.model import Passed, Report, Role, Violated
from psp_harness.run import Job, run

pytestmark = pytest.mark.integration

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "node-stripe"
INSTALL_SECONDS = 100

CAUSES = {
    (
        "empty-key",
        "an-unusable-key-is-refused-before-sending",
    ): "RequestSender takes '' for none, and makes a key that begins with stripe-node-retry-",
    (
        "blank-key",
        "an-unusable-key-is-refused-before-sending",
    ): "it passes '   ' on as it is, and HTTP takes that for an empty value",
    ("over-long-key", "an-over-long-key-is-refused-before-sending"): "it does not know the limit of 255",
    (
        "payment-answered-503-once",
        "waits-as-long-as-it-is-told",
    ): "RequestSender._getSleepTimeInMS takes the number of the attempt, and nothing of the answer",
}


@pytest.fixture(scope="module")
def adapter() -> Path:
    """The example with its packages: installed once for these versions, beside other temporary files."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}, 20 or later: apt-get install nodejs npm")
    files = sorted(path for path in EXAMPLE.iterdir() if path.is_file())
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
    home = Path(tempfile.gettempdir()) / f"psp-harness-node-stripe-{os.getuid()}-{digest}"
    home.mkdir(mode=0o700, exist_ok=True)
    with (home / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "node_modules" / "stripe").is_dir():
            for path in files:
                shutil.copy(path, home)
            _install(home)
    return home


def _install(home: Path) -> None:
    npm = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"]
    try:
        done = subprocess.run(npm, cwd=home, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
        problem = done.stderr.strip()[-300:] if done.returncode else ""
    except subprocess.TimeoutExpired:
        problem = f"it took more than {INSTALL_SECONDS} s"
    if problem:
        shutil.rmtree(home / "node_modules", ignore_errors=True)
        told = f"npm install in docs/examples/node-stripe did not work: {problem}"
        pytest.fail(told) if "CI" in os.environ else pytest.skip(told)


@pytest.fixture(scope="module")
def report(adapter: Path) -> Report:
    """All cases, with the SDK's retries on."""
    address = "exec:node adapter.js"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(adapter)
        return asyncio.run(run(Job(Role.CLIENT, address, profile.load("stripe"), jobs=4, answer_timeout=1.0)))


def test_it_is_reported_for_what_is_true_of_it_and_nothing_else(report: Report) -> None:
    """Each violation has one of four causes, all are found, and nothing could not be told."""
    violated = {(v.case, v.rule) for v in report.verdicts if isinstance(v.result, Violated)}
    assert violated == set(CAUSES)
    assert "errored" not in {verdict.outcome for verdict in report.verdicts}


def test_it_is_the_version_that_the_example_pins(report: Report) -> None:
    """A finding names it."""
    pinned = json.loads((EXAMPLE / "package.json").read_text(encoding="utf-8"))["dependencies"]["stripe"]
    assert (report.subject.name, report.subject.version) == ("stripe-node", pinned)


def test_it_keeps_one_key_through_every_lost_answer(report: Report) -> None:
    """Where answers are lost, every attempt of a call carries the same key and body, and money moves once."""
    lost = {v.rule: v.result for v in report.verdicts if v.case == "payment-answer-lost"}
    rules = ("attempts-of-one-call-share-one-key", "attempts-of-one-call-share-one-body", "one-call-has-one-effect")
    assert [isinstance(lost[rule], Passed) for rule in rules] == [True, True, True]
    assert len(report.histories["payment-answer-lost"].exchanges) == 3


def test_an_empty_key_leaves_as_one_of_its_own(report: Report) -> None:
    """The bytes of the first finding."""
    sent = [x.request.lines("Idempotency-Key") for x in report.histories["empty-key"].exchanges if x.request]
    assert [line.startswith(b"stripe-node-retry-") for (line,) in sent] == [False, True, True]


def test_a_blank_key_leaves_as_an_empty_one(report: Report) -> None:
    """The bytes of the second."""
    sent = [x.request.lines("Idempotency-Key") for x in report.histories["blank-key"].exchanges if x.request]
    assert sent[1] == [b""]
    assert b"Idempotency-Key:    \r\n" in report.histories["blank-key"].exchanges[1].sent


def test_it_comes_again_sooner_than_it_is_told(report: Report) -> None:
    """The times of the fourth."""
    first, again = report.histories["payment-answered-503-once"].exchanges
    assert b"\r\nRetry-After: 2\r\n" in first.received
    assert again.began - first.began < 1.8


def test_the_example_pins_versions_and_names_no_registry() -> None:
    """No lock file, no address: the versions alone."""
    manifest = json.loads((EXAMPLE / "package.json").read_text(encoding="utf-8"))
    assert all(version[0].isdigit() for version in manifest["dependencies"].values())
    assert not (EXAMPLE / "package-lock.json").exists()
    assert "://" not in "".join(path.read_text(encoding="utf-8") for path in EXAMPLE.glob("package*.json"))
