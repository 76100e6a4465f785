"""Addresses: what each opens, and what is said of one that opens nothing."""

from __future__ import annotations

import asyncio
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from psp_harness import profile
from psp_harness.errors import HarnessError, SubjectError, UsageError
from psp_harness.model import Role
from psp_harness.subjects.addresses import (
    KINDS,
    MINIATURES,
    Options,
    default_profile,
    default_role,
    open_client,
    open_provider,
)
from subjects.adapters import Program
from wire.sockets import free_port, listening

GENERIC = profile.load("generic")
NOWHERE = "http://127.0.0.1:1"

SHOP = """
import threading

class Shop:
    made = 0
    def __init__(self):
        Shop.made += 1
    def start(self, base_url):
        return {"ok": {"name": f"shop {Shop.made}", "features": ["refunds"]}}
    def do(self, step, params):
        return {"ok": {}}

def make():
    return Shop()

def breaks():
    raise OSError("no network")

def leaves():
    raise SystemExit(0)

def hangs():
    threading.Event().wait(2)

one = Shop()
class nested:
    Shop = Shop
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A working directory with a few modules, none of which outlives the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    modules = {"a_shop": SHOP, "bad_syntax": "def (", "bad_import": "1 / 0", "bad_exit": "import sys; sys.exit(0)"}
    for name, text in modules.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    yield
    for name in modules:
        sys.modules.pop(name, None)


def options(**more: Any) -> Options:
    """As a run has them."""
    return Options(GENERIC, GENERIC.credentials, more.pop("step_timeout", 5.0), **more)


async def opened(role: Role, address: str, **more: Any) -> str:
    """The name of the subject at an address."""
    if role is Role.PROVIDER:
        async with open_provider(address, options(**more)) as provider:
            return provider.claims.name
    async with open_client(address, options(**more)).session(NOWHERE) as session:
        return session.claims.name


# --- what opens nothing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "address", "says"),
    [
        (Role.CLIENT, "stripe", "'stripe' is no address; an address begins with one of http:, https:, "),
        (Role.CLIENT, "", "'' is no address"),
        (Role.CLIENT, "gopher:x", "'gopher:x' is no address"),
        (Role.CLIENT, "python:", "'python:' names nothing after python:"),
        (Role.CLIENT, "http://127.0.0.1:1", "http: cannot be judged as client; for a client use "),
        (Role.PROVIDER, "sdk:stripe", "sdk: cannot be judged as provider"),
        (Role.CLIENT, "sdk:strip", "unknown SDK 'strip'; did you mean 'stripe'?"),
        (Role.CLIENT, "reference:provider", "unknown reference 'provider' in this role; use reference:client"),
        (Role.PROVIDER, "reference:bank", "unknown reference 'bank' in this role; use reference:provider"),
        (Role.CLIENT, "miniature:carefull-client", "unknown miniature 'carefull-client'; did you mean 'careful-client'?"),
        (Role.CLIENT, "miniature:careful-gateway", "miniature 'careful-gateway' is a provider, not a client"),
        (Role.CLIENT, "python:a_shop", "name module:attribute"),
        (Role.CLIENT, "python:a_shop:nobody", "has no attribute 'nobody'"),
        (Role.CLIENT, "python:no_such_module:x", "No module named 'no_such_module'"),
        (Role.CLIENT, "python::x", "name module:attribute"),
        (Role.CLIENT, "python:bad_syntax:x", "SyntaxError"),
        (Role.CLIENT, "python:bad_import:x", "ZeroDivisionError"),
        (Role.CLIENT, "python:bad_exit:x", "SystemExit"),
        (Role.PROVIDER, "http:nowhere", "'http:nowhere' names no host"),
        (Role.PROVIDER, "http://", "names no host"),
        (Role.PROVIDER, "http://127.0.0.1:99999", "is no URL"),
        (Role.PROVIDER, "http://[::1", "is no URL"),
        (Role.PROVIDER, "http://psp.example", "'psp.example' is not loopback; if you mean it, add --allow-host psp.example"),
        (Role.PROVIDER, "https://127.0.0.1.psp.example:443/x", "is not loopback"),
        (Role.PROVIDER, "http://127.0.0.1@psp.example", "'psp.example' is not loopback"),
    ],
)  # fmt: skip
async def test_an_address_that_means_nothing_is_one_sentence(role: Role, address: str, says: str) -> None:
    """It names what is wrong with the address and what to write instead."""
    with pytest.raises(UsageError) as caught:
        await opened(role, address)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.do


async def test_another_host_is_a_target_only_where_it_is_allowed() -> None:
    """`--allow-host` names it: then it is looked for, and its absence is the finding."""
    with pytest.raises(SubjectError, match="no such host"):
        await opened(Role.PROVIDER, "http://psp..example", allowed_hosts=frozenset({"psp..example"}))


# --- clients ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attribute", ["Shop", "make", "nested.Shop"])
async def test_a_class_or_function_makes_a_subject_for_each_case(attribute: str) -> None:
    """No case meets what another one left in its subject."""
    client = open_client(f"python:a_shop:{attribute}", options())
    names = []
    for _ in range(2):
        async with client.session(NOWHERE) as session:
            names.append(session.claims.name)
    assert len(set(names)) == 2


async def test_an_object_is_lent_to_one_case_at_a_time() -> None:
    """The second case waits until the first has given it back."""
    client = open_client("python:a_shop:one", options())
    async with client.session(NOWHERE):
        second = asyncio.ensure_future(client.open_channel({}))
        await asyncio.sleep(0)
        assert not second.done()
    await (await second).close()


@pytest.mark.parametrize(
    ("attribute", "says"),
    [
        ("breaks", "breaks() raised OSError: no network"),
        ("leaves", "SystemExit(0)"),
        ("hangs", "hangs() did not return within 0.1 s"),
    ],
)
async def test_a_subject_that_cannot_be_made_is_one_sentence(attribute: str, says: str) -> None:
    """It is the subject's error, so that the run goes on to say so; it neither hangs nor ends it."""
    with pytest.raises(SubjectError) as caught:
        await opened(Role.CLIENT, f"python:a_shop:{attribute}", step_timeout=0.1)
    assert says in str(caught.value)


def is_there(folder: str) -> bool:
    """Whether a folder exists."""
    return Path(folder).is_dir()


async def test_a_client_is_started_with_all_that_the_protocol_says(runs: Program) -> None:
    """Where the PSP is, how to pay there, how long to wait, and a folder of its own that is gone afterwards."""
    client = open_client(f"exec:{runs('ok(next(answers()), name=sys.argv[0]); ok(next(answers()))')}", options())
    seen: dict[str, Any] = {}

    class Watched:
        def start(self, **members: Any) -> object:
            seen.update(members, existed=is_there(members["state_dir"]), thread=threading.current_thread())
            return {"ok": {"name": "watched"}}

    sys.modules["a_shop"] = type(sys)("a_shop")
    sys.modules["a_shop"].Watched = Watched  # type: ignore[attr-defined]
    async with client.session(NOWHERE) as session:
        assert session.claims.name.endswith(".py")
    async with open_client("python:a_shop:Watched", options()).session(NOWHERE):
        pass
    assert seen["existed"]
    assert not is_there(seen["state_dir"])
    assert seen["thread"] is not threading.current_thread()
    wanted = {"protocol": 1, "role": "client", "base_url": NOWHERE, "profile": "generic", "answer_timeout": 2.0}
    assert wanted.items() <= seen.items()
    assert seen["credentials"] == {"token": "tenant-a", "refreshed": "tenant-a-refreshed"}


# --- providers --------------------------------------------------------------------------------------------------------


async def answers_404(reader: Any, writer: Any) -> None:
    """A provider that has nothing."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()


async def test_an_http_address_is_shown_without_its_secrets() -> None:
    """User, password and query are no part of what a report names."""
    async with listening(answers_404) as url:
        host = url.removeprefix("http://")
        async with open_provider(f"http://user:hush@{host}/api?key=hush", options()) as provider:
            assert provider.address == f"{url}/api"


PROVIDES = """
command = next(answers())
assert command["role"] == "provider" and command["credentials"]["tenant-b"], command
ok(command, name="a shop's gateway", version="3", base_url={!r})
for command in answers(): ok(command)
"""


async def test_a_provider_that_is_a_program_says_where_it_listens(runs: Program) -> None:
    """Its claims are its own; the address stays the one that was given."""
    async with listening(answers_404) as url:
        command = f"exec:{runs(PROVIDES.format(url))}"
        async with open_provider(command, options()) as provider:
            assert (provider.base_url, provider.address) == (url, command)
            assert (provider.claims.name, provider.claims.version) == ("a shop's gateway", "3")


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        ('{"id": "0", "ok": {"name": "x"}}', SubjectError, "has the base_url ''"),
        ('{"id": "0", "ok": {"name": "x", "base_url": "ftp://127.0.0.1"}}', SubjectError, "'ftp://127.0.0.1'"),
        ('{"id": "0", "ok": {"name": "x", "base_url": "here"}}', SubjectError, "expected http://… or https://…"),
        ('{"id": "0", "ok": {"name": "x", "base_url": 7}}', SubjectError, ".base_url"),
        ('{"id": "0", "ok": "yes"}', SubjectError, ".ok"),
        ('{"id": "0", "errored": {"message": "no database"}}', SubjectError, "no database"),
        ('{"id": "0", "ok": {"name": "x", "base_url": "http://psp.example"}}', UsageError, "is not loopback"),
    ],
)
async def test_a_program_that_does_not_say_where_it_listens_is_one_sentence(
    answer: str, error: type[HarnessError], says: str, runs: Program
) -> None:
    """What it answered is shown, and what was expected."""
    with pytest.raises(error) as caught:
        await opened(Role.PROVIDER, f"exec:{runs(f'say({answer!r}); next(answers()); next(answers(), None)')}")
    assert says in str(caught.value)


async def test_a_provider_that_is_not_there_is_said_before_anything_is_planned() -> None:
    """The connection is refused: one sentence with the address."""
    with pytest.raises(SubjectError, match="connection refused"):
        await opened(Role.PROVIDER, f"http://127.0.0.1:{free_port()}")


@pytest.mark.parametrize("name", ["careful-gateway", "no-dedupe"])
async def test_a_miniature_is_opened_in_its_role(name: str) -> None:
    """It is served on a socket, like every other provider."""
    assert await opened(Role.PROVIDER, f"miniature:{name}") == name


# --- what an address says by itself -----------------------------------------------------------------------------------


def test_a_role_is_taken_from_an_address_that_has_only_one() -> None:
    """Where it could be either, the sentence says which to name."""
    assert default_role("http://127.0.0.1:1") is Role.PROVIDER
    assert default_role("python:a:b") is Role.CLIENT
    assert default_role("reference:client") is Role.CLIENT
    assert all(default_role(f"miniature:{name}") is each.role for name, each in MINIATURES.items())
    with pytest.raises(UsageError, match="add --role client or --role provider"):
        default_role("exec:true")
    assert default_role("exec:true", of_a_program=Role.CLIENT) is Role.CLIENT
    assert default_role("http://127.0.0.1:1", of_a_program=Role.CLIENT) is Role.PROVIDER
    for wrong, says in (
        ("nonsense", "'nonsense' is no address; an address begins with one of"),
        ("exec:", "'exec:' names nothing after exec:; a program that speaks the subject protocol"),
        ("miniature:no-dedup", "unknown miniature 'no-dedup'; did you mean 'no-dedupe'?"),
    ):
        with pytest.raises(UsageError, match=re.escape(says)):
            default_role(wrong)


def test_a_profile_is_taken_from_an_address_that_speaks_one() -> None:
    """Everything that is not ours speaks `generic` unless somebody says otherwise."""
    assert default_profile("sdk:stripe") == "stripe"
    assert default_profile("reference:client") == "hyperswitch-docs"
    assert default_profile("exec:node shop.js") == "generic"


def test_every_kind_of_address_is_for_some_role() -> None:
    """A kind that nobody could use would be a promise without a program."""
    assert all(kind.roles and kind.meaning for kind in KINDS.values())
