"""The reference shop as a subject: money is right at every point, on SQLite and PostgreSQL, and it leaves nothing there."""

from __future__ import annotations

from collections import Counter

import psycopg
import pytest

from psp_harness import profile
from psp_harness.errors import UsageError
from psp_harness.model import Report, Role
from psp_harness.run import Job, run
from psp_harness.subjects.addresses import default_profile
from psp_harness.subjects.reference_shop import database_of
from psp_harness.vocabulary import CRASH_POINT
from services import address_of

pytest.importorskip("sqlalchemy", reason="pip install 'psp-harness[shop]'")


async def judged(address: str, name: str = "hyperswitch-docs", *only: str) -> Report:
    """In every case, or in these."""
    named = tuple(f"shop/{name}/{each}" for each in only)
    return await run(Job(Role.SHOP, address, profile.load(name), only=named))


def outcomes(report: Report) -> set[str]:
    """The words that fall."""
    return {verdict.outcome for verdict in report.verdicts}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["hyperswitch-docs", pytest.param("hyperswitch", marks=pytest.mark.slow)])
async def test_it_passes_every_rule_at_every_point(name: str) -> None:
    """Where the PSP reads the key, and where it goes by the ids in the body alone."""
    report = await judged("reference:shop", name)
    assert outcomes(report) <= {"passed", "skipped", "unexercised"}
    points = Counter(found[1] for case in report.histories if (found := CRASH_POINT.search(case)))
    assert points["exchange"] >= 30
    assert points["commit"] >= 52
    assert {"passed"} == {v.outcome for v in report.verdicts if "/subscription" in v.id}
    assert all(history.ended == 1 for case, history in report.histories.items() if CRASH_POINT.search(case))


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_it_passes_on_postgresql_and_leaves_nothing_there() -> None:
    """Each case has a schema of its own, which is gone in the end."""
    url = address_of("postgresql")
    report = await judged(f"reference:shop?database={url}")
    assert outcomes(report) <= {"passed", "skipped", "unexercised"}
    assert len([case for case in report.histories if CRASH_POINT.search(case)]) >= 82
    async with await psycopg.AsyncConnection.connect(url) as connection:
        left = await connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'psp_harness_%'")
        assert await left.fetchall() == []


def test_an_address_says_which_database() -> None:
    """SQLite unless told, or PostgreSQL; another one is an error that shows no password."""
    assert database_of("shop") == ""
    assert database_of("shop?database=postgresql://a:b@127.0.0.1/c?d=e") == "postgresql://a:b@127.0.0.1/c?d=e"
    for name in ("shop?store=x", "shopp", "shop?database=mysql://a:geheim@127.0.0.1/c"):
        with pytest.raises(UsageError, match=r"reference:shop\?database=postgresql") as caught:
            database_of(name)
        assert "geheim" not in str(caught.value)


async def test_a_database_that_does_not_answer_is_said_without_its_password() -> None:
    """The run ends, and nothing passes."""
    address = "reference:shop?database=postgresql://somebody:geheim@127.0.0.1:1/shop"
    report = await judged(address, "hyperswitch-docs", "order-paid/*")
    assert outcomes(report) == {"errored", "unexercised"}
    assert "the shop's database does not answer" in str(report.verdicts)
    assert "geheim" not in str(report)


def test_it_speaks_as_hyperswitch_documents_it() -> None:
    """Unless another profile is asked for."""
    assert default_profile("reference:shop") == "hyperswitch-docs"
    assert default_profile("reference:shop?database=postgresql://127.0.0.1/x") == "hyperswitch-docs"
