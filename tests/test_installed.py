"""The package as a stranger has it: installed by pip into an environment with nothing in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pages import blocks

ROOT = Path(__file__).parents[1]
BOUND = 300

pytestmark = [pytest.mark.integration, pytest.mark.timeout(BOUND + 60)]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with this project and pytest; its programs."""
    home = tmp_path_factory.mktemp("fresh") / "venv"
    subprocess.run([sys.executable, "-m", "venv", home], check=True, timeout=BOUND)
    pip = [home / "bin" / "pip", "--disable-pip-version-check", "--quiet", "install"]
    asked = [*pip, "--constraint", ROOT / ".ci" / "constraints.txt", ROOT, "pytest"]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=BOUND, check=False)
    if done.returncode:
        told = f"pip install did not work: {done.stderr.strip()[-300:]}"
        pytest.fail(told) if "CI" in os.environ else pytest.skip(told)
    return home / "bin"


def test_ten_lines_lose_an_answer_and_assert_the_key(environment: Path, tmp_path: Path) -> None:
    """Following docs/pytest.md alone, without a line of configuration."""
    _, whole = blocks(ROOT / "docs" / "pytest.md", "python")
    (tmp_path / "test_mine.py").write_text(whole, encoding="utf-8")
    done = subprocess.run(
        [environment / "pytest", "-q"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_the_command_judges_without_any_extra(environment: Path, tmp_path: Path) -> None:
    """What the package brings, its cases and schemas among them, is in the wheel."""
    asked = ["run", "--subject", "miniature:careful-client", "--only", "client/generic/two-payments"]
    done = subprocess.run(
        [environment / "psp-harness", *asked], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    smoke = [environment / "psp-harness", "smoke", "miniature:careful-client"]
    assert subprocess.run(smoke, cwd=tmp_path, capture_output=True, timeout=60, check=False).returncode == 0
