from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from psp_harness.cli import cli
from psp_harness.errors import UsageError
from psp_harness.model import Passed, Role
from psp_harness.profile import load
from psp_harness.run import Job, run
from psp_harness.settle import exit_status
from psp_harness.subjects.addresses import default_role
from psp_harness.subjects.reference_provider import presentable
from reference.provider.sharing import SHARED
from services import address_of

WITH_PASSWORD = "reference:provider?store=postgresql://somebody:geheim@127.0.0.1:1/shop"
ONE_CASE = ("*/payment-repeated/*",)


@pytest.fixture(params=SHARED)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a run may have a store of its own."""
    return f"sqlite:{tmp_path / 'provider.db'}" if request.param == "sqlite" else address_of(request.param)


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stores that are removed meanwhile."""
    from psp_harness.reference.provider.stores import opening

    addresses: list[str] = []
    remove = opening.remove

    def remembered(address: str) -> None:
        addresses.append(address)
        remove(address)

    monkeypatch.setattr(opening, "remove", remembered)
    return addresses


async def test_the_provider_conforms_on_each_store(place: str, tmp_path: Path) -> None:
    """The whole suite passes on it; nothing that was promised is left untold, and nothing is left behind."""
    report = await run(Job(Role.PROVIDER, f"reference:provider?store={place}", load("generic"), strict=True))
    assert exit_status(report.verdicts, report.stale, strict=True) == 0
    assert sum(isinstance(verdict.result, Passed) for verdict in report.verdicts) > 50
    assert left_in(tmp_path) == []


def left_in(folder: Path) -> list[Path]:
    """What stands in a folder."""
    return list(folder.iterdir())


async def test_each_run_has_a_store_of_its_own(place: str, removed: list[str]) -> None:
    """Two runs at the same place do not meet, and each removes what it made."""
    job = Job(Role.PROVIDER, f"reference:provider?store={place}", load("generic"), only=ONE_CASE)
    reports = [await run(job), await run(job)]
    assert [exit_status(report.verdicts, report.stale, strict=False) for report in reports] == [0, 0]
    assert len(set(removed)) == 2


@pytest.mark.parametrize("address", [WITH_PASSWORD, WITH_PASSWORD.replace("provider", "provder")])
def test_no_password_of_a_store_comes_out(address: str) -> None:
    """A store that cannot be opened, and an address that is mistyped, are told of without their credentials."""
    asked = CliRunner().invoke(cli, ["run", "--role", "provider", "--subject", address, "--profile", "generic"])
    assert isinstance(asked.exception, UsageError)
    assert "geheim" not in asked.output + asked.stderr + str(asked.exception)
    assert "somebody" not in asked.output + asked.stderr + str(asked.exception)


@pytest.mark.integration
async def test_no_password_of_a_store_stands_in_a_report() -> None:
    """The report names the store, and not who may open it."""
    scheme, _, rest = address_of("redis").partition("://")
    with_password = f"reference:provider?store={scheme}://:geheim@{rest}"
    report = await run(Job(Role.PROVIDER, with_password, load("generic"), only=ONE_CASE))
    assert report.address == f"reference:provider?store={scheme}://{rest.partition('?')[0]}"
    assert "geheim" not in repr(report)


def test_the_role_is_seen_through_the_store() -> None:
    """An address that names a store needs no `--role`."""
    assert default_role("reference:provider?store=memory") is Role.PROVIDER


def test_addresses_without_a_store_are_shown_as_they_are() -> None:
    """Nothing else is taken for a store."""
    assert presentable("exec:run --store=a@b?x") == "exec:run --store=a@b?x"
