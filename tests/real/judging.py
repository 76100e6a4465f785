"""Applications of `tests/real/apps`, judged under profile `generic`, from the root of this repository."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from psp_harness import profile
from psp_harness.model import Errored, Report, Role, Violated
from psp_harness.run import Job, run

ROOT = Path(__file__).parents[2]


def judged(application: str, package: str, *, only: tuple[str, ...] = ()) -> Report:
    """The report on `asgi:module:attribute` or `wsgi:…` of the applications; skipped where the package is missing."""
    pytest.importorskip(package, reason="pip install 'psp-harness[middlewares]'")
    kind, _, attribute = application.partition(":")
    address = f"{kind}:tests.real.apps.{attribute}"
    generic = profile.load("generic")
    job = Job(Role.PROVIDER, address, generic, effects_path="/effects", clock_path="/clock", only=only)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return asyncio.run(run(job))


def violated(report: Report) -> set[str]:
    """The rules that it breaks."""
    return {verdict.rule for verdict in report.verdicts if isinstance(verdict.result, Violated)}


def errors(report: Report) -> list[str]:
    """Why something could not be told."""
    return [verdict.result.reason for verdict in report.verdicts if isinstance(verdict.result, Errored)]
