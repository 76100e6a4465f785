"""What the tests of commands share."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands.calling import Call, caller


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Calls the program in the test's own folder."""
    return caller(tmp_path, monkeypatch, capsys)
