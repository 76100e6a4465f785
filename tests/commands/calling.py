"""Calling the program in a folder with nothing in it, as people do."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from psp_harness import cli

VERDICT = "provider/generic/payment-repeated-after-its-answer-was-lost/one-key-has-one-effect"
ONLY = ("--only", VERDICT)
FAULTY, CAREFUL = "miniature:no-dedupe", "miniature:careful-gateway"


@dataclass(frozen=True)
class Said:
    """What a call left behind."""

    status: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        """The verdict."""
        return self.out.strip().splitlines()[-1]


Call = Callable[..., Said]


def caller(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """A call in that folder; nothing that it says is ever a traceback."""
    monkeypatch.chdir(folder)

    def call(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["psp-harness", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = Said(int(str(ended.value.code)), *capsys.readouterr())
        assert "Traceback" not in said.out + said.err
        assert "mistake of the harness" not in said.out + said.err
        return said

    return call


def refusal(said: Said) -> str:
    """The only line that a wrong call gets."""
    assert said.status == 2
    (line,) = said.err.strip().splitlines()
    assert line.startswith("psp-harness: ")
    return line
