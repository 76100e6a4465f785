"""The best demonstration: two published packages, one lost answer, and twice the money given back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pages import blocks

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
COMMAND = "$ python docs/examples/lost_refund.py\n"


def test_the_program_on_the_page_says_what_stands_there() -> None:
    """One key on both attempts, the shop told of one refund, and two made."""
    pytest.importorskip("stripe", reason="pip install 'psp-harness[sdks]'")
    pytest.importorskip("localstripe", reason="pip install 'psp-harness[doubles]'")
    said = subprocess.run(
        [sys.executable, "docs/examples/lost_refund.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    ).stdout
    assert COMMAND + said in blocks(ROOT / "docs" / "sdks.md", "console")
    assert "2000 of 1000, in 2 refunds" in said
