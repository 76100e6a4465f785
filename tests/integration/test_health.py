"""B6: what lives says so, what is missing is said, and `doctor` tells what this machine has."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from integration.psps import Provider
from integration.shops import Running, serving
from psp_harness.cli import cli
from psp_harness.reference.shop.settings import Settings

pytestmark = pytest.mark.integration


async def test_the_psp_lives_and_is_ready(provider: Provider) -> None:
    """Without a credential, as Hyperswitch's router answers (crates/router/src/routes/health.rs)."""
    alive = await provider.http.get("/health")
    assert (alive.status_code, alive.text) == (200, "health is good")
    ready = await provider.http.get("/health/ready")
    assert (ready.status_code, ready.json()["database"]) == (200, True)


async def test_the_shop_lives_and_its_database_answers(told: Running) -> None:
    """On each kind of database."""
    assert (await told.http.get("/health")).text == "shop is good"
    ready = await told.http.get("/health/ready")
    assert (ready.status_code, ready.json()) == (200, {"database": True})


async def test_a_shop_without_its_psp_lives_and_loses_nothing(database: str) -> None:
    """Nobody can pay, and it is said that nothing was sent."""
    async with serving(Settings("http://127.0.0.1:9", "k", database_url=database)) as shop:
        assert (await shop.http.get("/health/ready")).status_code == 200
        answer = await shop.pay()
        assert (answer.status_code, "nothing was sent" in answer.json()["message"]) == (503, True)
        (order,) = (await shop.state())["orders"]
        assert (order["status"], order["in_doubt"]) == ("created", 0)


def test_doctor_names_every_service_of_these_tests() -> None:
    """With its version, or with what it costs to have none."""
    told = CliRunner().invoke(cli, ["doctor"]).output
    assert all(name in told for name in ("PostgreSQL", "Redis", "RabbitMQ", "[shop]"))
