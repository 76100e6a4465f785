"""WSGI applications by address: served in a process of their own, in threads; errors say what to look at."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from psp_harness import profile
from psp_harness.errors import SubjectError, UsageError
from psp_harness.model import Errored, Role
from psp_harness.run import Job, run
from psp_harness.subjects import hosting, wsgi_server
from psp_harness.subjects.addresses import Options, default_role, open_provider

BOUND = 20.0
"""Seconds after which a test gives up; nothing waits that long."""

ECHO = """
import os, threading

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {environ['HTTP_IDEMPOTENCY_KEY']}".encode()]

class shop:
    gateway = staticmethod(app)
"""

ALL_AT_ONCE = """
import threading

party = threading.Barrier({parties}, timeout={bound})

def app(environ, start_response):
    party.wait()
    start_response("200 OK", [])
    return [b"met"]
"""
"""Answers nobody before everybody has come."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with nothing in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@asynccontextmanager
async def served(folder: Path, text: str, attribute: str = "app") -> AsyncIterator[httpx.AsyncClient]:
    """A module of this text, served; a client of it."""
    (folder / "gateway.py").write_text(text, encoding="utf-8")
    limits = httpx.Limits(max_connections=None)
    async with (
        asyncio.timeout(BOUND),
        hosting.in_process(f"gateway:{attribute}", hosting.waitress_command) as hosted,
        httpx.AsyncClient(base_url=hosted.base_url, timeout=BOUND, limits=limits) as client,
    ):
        yield client


async def refused(folder: Path, text: str, attribute: str = "app") -> SubjectError:
    """The error of an application that cannot be served: one line, with what to do."""
    with pytest.raises(SubjectError) as caught:
        async with served(folder, text, attribute):
            pass
    assert "\n" not in str(caught.value)
    assert "import it by hand from this directory" in str(caught.value)
    return caught.value


async def test_it_is_served_from_the_working_directory_in_a_process_of_its_own(here: Path) -> None:
    """It is imported from where the run was started, sees the request, and its process ends with the run."""
    async with served(here, ECHO) as client:
        answer = await client.post("/payments", headers={"Idempotency-Key": "order-7"})
    process, key = answer.text.split()
    assert key == "order-7"
    with pytest.raises(ProcessLookupError):
        os.kill(int(process), 0)


async def test_an_attribute_may_be_a_path(here: Path) -> None:
    """`module:namespace.attribute` names an application, too."""
    async with served(here, ECHO, "shop.gateway") as client:
        assert (await client.get("/", headers={"Idempotency-Key": "order-8"})).text.endswith("order-8")


async def test_as_many_requests_as_it_has_threads_are_handled_at_once(here: Path) -> None:
    """64 handlers run together: none of them is answered before all of them have begun."""
    async with served(here, ALL_AT_ONCE.format(parties=wsgi_server.THREADS, bound=BOUND)) as client:
        answers = await asyncio.gather(*(client.get("/") for _ in range(wsgi_server.THREADS)))
    assert {answer.text for answer in answers} == {"met"}


@pytest.mark.parametrize(
    ("text", "attribute", "said"),
    [
        ("import nowhere_to_be_found", "app", "No module named 'nowhere_to_be_found'"),
        ("", "app", "has no attribute 'app'"),
        ("raise RuntimeError('no database')", "app", "RuntimeError: no database"),
        ("app = 7", "app", "gateway:app is no WSGI application: it is 7"),
    ],
)
async def test_what_cannot_be_served_is_said(here: Path, text: str, attribute: str, said: str) -> None:
    """Whatever goes wrong before it accepts, the error ends with the last thing that the process said."""
    error = await refused(here, text, attribute)
    assert "the application ended with status 1 before it accepted" in str(error)
    assert said in str(error)


@pytest.mark.usefixtures("here")
async def test_a_run_of_what_cannot_be_served_is_errored() -> None:
    """A module that does not exist is no exception of the run, but an error of each case."""
    report = await run(Job(Role.PROVIDER, "wsgi:not_here:app", profile.load("generic")))
    errors = [v.result.reason for v in report.verdicts if isinstance(v.result, Errored)]
    assert errors
    assert all("No module named 'not_here'" in reason for reason in errors)


async def test_an_address_that_names_nothing_is_refused() -> None:
    """`wsgi:` alone is a mistake of the caller, and the error says what to write."""
    options = Options(profile.load("generic"), {}, BOUND)
    with pytest.raises(UsageError, match="module:attribute"):
        async with open_provider("wsgi:", options):
            pass


def test_it_is_always_a_provider() -> None:
    """The role need not be given."""
    assert default_role("wsgi:shop.gateway:app") is Role.PROVIDER
