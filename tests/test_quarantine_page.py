"""docs/quarantine.md and the section of the front page are true: their commands run, and say what the pages say."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pages import blocks, table
from psp_harness.listing import does
from psp_harness.quarantine import GATES

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "quarantine.md"
_STATUS = re.compile(r"   # exit status (\d)$")


WHOLE = "".join(blocks(PAGE, "console"))
(SECTION,) = [block for block in blocks(ROOT / "README.md", "console") if "quarantine add" in block]


def commands(session: str) -> list[tuple[str, int, list[str]]]:
    """Each command of a session, its exit status, and what it says."""
    found: list[tuple[str, int, list[str]]] = []
    for line in session.splitlines():
        if line.startswith("$ "):
            status = _STATUS.search(line)
            found.append((_STATUS.sub("", line[2:]), int(status[1]) if status else 0, []))
        else:
            found[-1][2].append(line)
    return found


@pytest.mark.timeout(400)  # some thirty commands, one after the other
@pytest.mark.parametrize(
    "session", [pytest.param(WHOLE, id="page", marks=pytest.mark.slow), pytest.param(SECTION, id="section")]
)
def test_a_newcomer_quarantines_sees_it_expire_and_releases_it(session: str, tmp_path: Path) -> None:
    """In a folder of their own, with nothing but what is written there."""
    program = tmp_path / "bin" / "psp-harness"
    program.parent.mkdir()
    call = "from psp_harness.cli import main; main()"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c "{call}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    (tmp_path / "project").mkdir()
    environment = {
        **os.environ,
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "harness"),
        "HARNESS": str(ROOT),
        "COLUMNS": "300",
    }
    for command, status, says in commands(session):
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path / "project", env=environment, capture_output=True, text=True, timeout=100, check=False
        )  # fmt: skip
        told = f"$ {command}\n{done.stdout}{done.stderr}"
        assert done.returncode == status, told
        assert [line for line in says if line not in told] == [], told


def test_the_table_of_gates_on_the_page_is_the_one_that_counts() -> None:
    """Row by row, as `psp-harness list gates` prints it."""
    told = {
        row["gate"].strip("`"): [row[""], row["runs"], row["excuses"], row["blocks"], row["keeps"]]
        for row in table(PAGE, "gate")
    }
    assert told == {name: [gate.meaning, *does(gate)] for name, gate in GATES.items()}
