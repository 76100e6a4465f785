"""The layers of the architecture, held: a module imports only from rows below its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "harness" / "psp_harness"

ROWS = (
    ("cli", "pytest_plugin"),
    ("commands",),
    (
        "listing",
        "comparison",
        "matrix",
        "serving",
        "watching",
        "publishing",
        "smoke",
        "progress",
        "config",
        "schemas",
        "doctor",
    ),
    ("run",),
    ("plan", "drive", "judge", "settle", "records", "reports", "pacts"),
    ("subjects",),
    ("wire",),
    ("runners",),
    ("rules", "faults", "quarantine"),
    ("case",),
    ("profile",),
    ("signing",),
    ("template", "registry", "expected", "contracts", "private", "html_page"),
    ("model", "errors", "vocabulary", "minor_units", "services"),
)
"""High to low. What stands in one row may not import each other, but for what `BESIDE` names."""

BESIDE = {
    ("drive", "plan"): "driving takes a plan",
    ("judge", "plan"): "judging takes a plan",
    ("reports", "settle"): "what was settled is told",
    ("expected", "registry"): "a wrong word is answered with the nearest",
}

WORLDS = {
    "reference": {"model", "errors", "signing", "profile", "template"},
    "miniatures": {"model", "errors", "signing", "profile", "template", "registry"},
}
"""Worlds of their own: what they may import, beside themselves. Only `subjects` reaches them."""

HEIGHT = {name: len(ROWS) - height for height, row in enumerate(ROWS) for name in row}


def modules() -> Iterator[tuple[str, Path]]:
    """Every module, under the name of the room that it stands in."""
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if room != "__init__":
            yield room, path


def imported(path: Path) -> Iterator[str]:
    """The rooms that a module imports from."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "psp_harness":
            yield from (alias.name for alias in node.names if alias.name != "__version__")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("psp_harness."):
            yield str(node.module).split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("psp_harness."))


def wrong(room: str, other: str) -> str:
    """Why this import must not be, or nothing."""
    if room == other:
        return ""
    if room in WORLDS:
        return "" if other in WORLDS[room] else f"{room} is a world of its own and may not know {other}"
    if other in WORLDS:
        return "" if room == "subjects" else f"only subjects may reach {other}"
    if HEIGHT[room] > HEIGHT[other] or (room, other) in BESIDE:
        return ""
    return f"{room} may not import {other}: it stands no higher"


@pytest.mark.parametrize(("room", "path"), [pytest.param(r, p, id=str(p.relative_to(PACKAGE))) for r, p in modules()])
def test_a_module_imports_only_from_rows_below(room: str, path: Path) -> None:
    """No import points up, and no world is reached but through its door."""
    assert [problem for other in imported(path) if (problem := wrong(room, other))] == []


def test_every_room_has_its_row() -> None:
    """A new room is placed in the layers before it is used."""
    rooms = {room for room, _ in modules()}
    assert rooms - set(HEIGHT) - set(WORLDS) == set()


@pytest.mark.parametrize(
    ("room", "other"),
    [("model", "rules"), ("wire", "subjects"), ("rules", "drive"), ("run", "reference"), ("reference", "rules")],
)
def test_an_import_that_points_up_is_seen(room: str, other: str) -> None:
    """The law itself refuses what it is there to refuse."""
    assert wrong(room, other)
