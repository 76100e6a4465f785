"""What doctor says is true of this machine, and each missing part has its price."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from rich.console import Console

from psp_harness import doctor
from psp_harness.services import SERVICES


def test_each_extra_that_users_install_is_looked_at() -> None:
    """An extra that doctor does not know would be missing without a word."""
    extras = set(doctor.metadata.metadata("psp-harness").get_all("Provides-Extra") or ())
    assert extras - {"test", "lint", "doubles", "middlewares", "receivers", "peers"} == set(doctor.PARTS)


def test_each_service_is_looked_at() -> None:
    """With the version of what runs, or what it costs to have none."""
    lines = {line.what: line for line in doctor.examine({"SKIP_TESTCONTAINERS": "true"})}
    for service in SERVICES.values():
        line = lines[service.title]
        assert line.found or service.costs in line.costs


def test_what_is_named_and_absent_is_missing() -> None:
    """A variable that leads nowhere is said by its name, and its password is not."""
    lines = {line.what: line for line in doctor.examine({"REDIS_ADDR": "redis://:geheim@127.0.0.1:1"})}
    assert lines["Redis"].found == ""
    assert "REDIS_ADDR is set" in lines["Redis"].costs
    assert "geheim" not in lines["Redis"].costs


def test_the_order_of_places_is_said() -> None:
    """Each with what it takes, so that nobody has to look into the source."""
    places = list(doctor.places())
    assert [place.split()[0] for place in places[1:]] == ["1.", "2.", "3.", "4.", "5."]
    for said, place in zip(
        ("DATABASE_URL", "5432", "SKIP_TESTCONTAINERS", "[embedded]", "PATH"), places[1:], strict=True
    ):
        assert said in place


def test_docker_without_a_daemon_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program alone starts no container."""
    program = tmp_path / "docker"
    program.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Docker version 28.2.2\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    (line,) = (line for line in doctor.examine({}) if line.what == "docker")
    assert line.found == ""
    assert "Docker version 28.2.2 is installed, and no daemon answers it" in line.costs


def test_what_is_missing_is_shown_with_its_price() -> None:
    """In the third column; and the caller is told that something is."""
    out = io.StringIO()
    lines = iter([doctor.Line("a", "1.0", "unseen"), doctor.Line("b", "", "without it: c")])
    assert doctor.render(lines, Console(file=out, width=80))
    assert [line.split() for line in out.getvalue().splitlines()[1:]] == [
        ["a", "1.0"],
        ["b", "-", "without", "it:", "c"],
    ]


def test_a_distribution_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its bare name."""
    monkeypatch.setattr(
        doctor.metadata, "requires", lambda _: ["no-such[x]>=1; extra == 'stores'", "click; extra == 'stores'"]
    )
    assert doctor._missing_of("stores") == ["no-such"]
