from __future__ import annotations

import builtins
import sys
from pathlib import Path
from typing import Any

import pytest

from psp_harness.errors import UsageError
from psp_harness.model import Answer
from psp_harness.reference.provider.ledger import Entry, Place
from psp_harness.reference.provider.stores import Effected
from psp_harness.reference.provider.stores.opening import apart, open_store, remove, shown


@pytest.mark.parametrize(
    ("address", "presentable"),
    [
        ("memory", "memory"),
        ("sqlite:/tmp/a@b?c.db", "sqlite:/tmp/a@b?c.db"),
        ("postgresql://user:geheim@host:5432/shop#books", "postgresql://host:5432/shop#books"),
        ("postgresql://host/shop?password=geheim", "postgresql://host/shop"),
        ("postgresql://user:gehe?im@host/shop", "postgresql:…"),
        ("postgresql:user:geheim@host/shop", "postgresql:…"),
        ("redis://:geheim@host", "redis://host"),
        ("mysql://user:geheim@host/shop", "mysql://host/shop"),
        ("geheim", "geheim:…"),
    ],
)
def test_an_address_is_shown_without_credentials(address: str, presentable: str) -> None:
    """User, password and parameters do not come out; of what cannot be taken apart, nothing but how it begins."""
    assert shown(address) == presentable


@pytest.mark.parametrize(
    ("address", "wrong"),
    [
        ("", "unknown store"),
        ("sqlite:", "unknown store"),
        ("memory:x", "unknown store"),
        ("mysql://user:geheim@host", "unknown store 'mysql://host'"),
        ("sqlite:/none/provider.db", "name a writable file"),
        ("postgresql://user:geheim@127.0.0.1:1/shop", "'postgresql://127.0.0.1:1/shop'.*start the server"),
        ("redis://user:geheim@127.0.0.1:1", "'redis://127.0.0.1:1'.*start the server"),
        ("postgresql://user:geheim%zz@host/shop", "libpq cannot read"),
        ("redis://user:geheim@host:port", "redis-py cannot read"),
        ("postgresql://host/shop#Not a name", "after # write"),
    ],
)
def test_what_cannot_be_opened_says_what_to_do(address: str, wrong: str) -> None:
    """One sentence that names the store, and never its password."""
    with pytest.raises(UsageError, match=wrong) as raised:
        open_store(address)
    assert "geheim" not in str(raised.value)


@pytest.mark.parametrize(("address", "package"), [("postgresql://host/shop", "psycopg"), ("redis://host", "redis")])
def test_a_driver_that_is_not_installed(address: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    found = builtins.__import__

    def without(name: str, *more: Any) -> object:
        if name.partition(".")[0] == package:
            raise ModuleNotFoundError(name=package)
        return found(name, *more)

    for name in [name for name in sys.modules if name.startswith("psp_harness.reference.provider.stores.")]:
        if name.rpartition(".")[2] in {"postgresql", "redis", "connections"}:
            monkeypatch.delitem(sys.modules, name)
    for kind in ("postgresql", "redis"):
        monkeypatch.delattr(f"psp_harness.reference.provider.stores.{kind}", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=rf"not installed \({package}\); pip install 'psp-harness\[stores\]'"):
        open_store(address)


def test_runs_stand_apart(tmp_path: Path) -> None:
    """Each run has a name of its own on the same server, beside what stands there."""
    assert apart("memory") == "memory"
    first, second = (apart("postgresql://u:p@host/shop?sslmode=require#books") for _ in range(2))
    assert first != second
    assert first.startswith("postgresql://u:p@host/shop?sslmode=require#books_run_")
    assert apart(f"sqlite:{tmp_path}/a.db").startswith(f"sqlite:{tmp_path}/a.db.run_")


async def test_what_is_removed_is_gone(shared_store: str) -> None:
    """After it was removed, a store that is opened under the same name is empty; nothing of the old one is left."""
    entry = Entry("tenant-a", "payment", "pay", "", 1000, "EUR", None, 0.0, {"capture": "at-once"})
    store = open_store(shared_store)
    await store.complete(None, Place("tenant-a", "payment", "pay"), lambda _: Effected(entry, Answer(201)))
    await store.close()
    remove(shared_store)
    fresh = open_store(shared_store)
    assert await fresh.entries() == ()
    await fresh.close()
