"""B15: what all flows share: services that are found, a database for each test, migrations that apply themselves."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import psycopg
import pytest

from psp_harness.reference.shop import open_shop
from psp_harness.reference.shop.settings import Settings
from psp_harness.services import SERVICES
from reference.shop.databases import own
from services import address_of

pytestmark = pytest.mark.integration

HERE = Path(__file__).parent
FLOWS = sorted(HERE.glob("test_*.py"))


def test_every_flow_of_the_mission_has_its_file() -> None:
    """B1 to B15, each once, by the first words of its module."""
    told = [re.match(r'"""B(\d+): ', path.read_text(encoding="utf-8")) for path in FLOWS]
    assert sorted(int(found[1]) for found in told if found) == list(range(1, 16))
    assert all(told)


@pytest.mark.parametrize("kind", SERVICES)
def test_a_service_is_found_and_is_new_enough(kind: str) -> None:
    """Wherever it is; without one, what needs it is skipped and says what to install."""
    service = SERVICES[kind]
    least = [int(number) for number in re.findall(r"\d+", service.needs)]
    found = [int(number) for number in re.findall(r"\d+", service.ask(address_of(kind)))]
    if found[0] < least[0]:
        pytest.skip(f"{service.title} {found} runs, and {service.needs} is what this is made for")
    assert found >= least


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_tests_do_not_meet(kind: str, tmp_path: Path) -> None:
    """What one writes the other does not see, and afterwards nothing of it is left."""
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    with own(kind, tmp_path / "one") as one, own(kind, tmp_path / "other") as other:
        shops = [open_shop(Settings("http://127.0.0.1:9", "k", database_url=url)) for url in (one, other)]
        shops[0].orders.place_order("cart-1", amount=1, currency="EUR")
        assert [len(shop.state()["orders"]) for shop in shops] == [1, 0]
        for shop in shops:
            shop.close()
    if kind == "postgresql":
        schema = one.rpartition("%3D")[2]
        with psycopg.connect(address_of("postgresql")) as db:
            assert db.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,)).fetchall() == []


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_no_flow_waits_for_a_fixed_time(path: Path) -> None:
    """It looks until it is as it should be, with a bound."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    assert [ast.unparse(call) for call in calls if ast.unparse(call.func).endswith("sleep")] == []
