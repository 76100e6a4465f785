from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from subjects.adapters import Program, program


@pytest.fixture
def runs(tmp_path: Path) -> Program:
    """Makes a command of a program's text."""
    return partial(program, tmp_path)
