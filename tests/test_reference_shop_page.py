"""docs/reference-shop.md is true: its variables are those that are read, its routes those that are answered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from pages import table

pytest.importorskip("sqlalchemy", reason="pip install 'psp-harness[shop]'")

from psp_harness.reference.shop.front import front
from psp_harness.reference.shop.settings import from_environment
from psp_harness.reference.shop.shop import Shop
from reference.shop.selling import Psp

PAGE = Path(__file__).parents[1] / "docs" / "reference-shop.md"


class Asked(Mapping[str, str]):
    """An environment that has nothing but what is needed, and notes what is asked for."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __getitem__(self, name: str) -> str:
        self.names.append(name)
        if name in {"PSP_BASE_URL", "PSP_API_KEY"}:
            return "http://127.0.0.1:9"
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def test_the_variables_on_the_page_are_those_that_are_read() -> None:
    """With what is taken where they are not set."""
    asked = Asked()
    settings = from_environment(asked)
    rows = {row["variable"].strip("`"): row["without it"].strip("`") for row in table(PAGE, "variable")}
    assert set(rows) == set(asked.names)
    assert rows["DATABASE_URL"] == settings.database_url
    assert rows["SHOP_NAME"] == settings.name
    assert float(rows["PSP_TIMEOUT_SECONDS"]) == settings.psp_timeout_seconds
    assert float(rows["SHOP_RECONCILE_SECONDS"]) == settings.reconcile_seconds


def test_the_routes_on_the_page_are_those_that_are_answered(tmp_path: Path) -> None:
    """Each of them, and no other."""
    shop = Shop(f"sqlite:///{tmp_path / 's.sqlite3'}", Psp())
    told = {row["route"].strip("`") for row in table(PAGE, "route")}
    routes = front(shop, reconcile_seconds=60).routes
    answered = {f"{method} {route.path}" for route in routes for method in route.methods - {"HEAD"}}
    shop.close()
    assert told == answered


def test_the_commands_on_the_page_use_what_is_there() -> None:
    """The module, and the key of the profile that is served."""
    text = PAGE.read_text(encoding="utf-8")
    (key,) = set(re.findall(r"PSP_API_KEY=(\S+)", text))
    from psp_harness.profile import load

    assert key == load("hyperswitch").credentials["tenant-a"]
