"""Applications that are started for the run: they are ready when it begins, and gone when it ends."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from psp_harness.errors import SubjectError
from psp_harness.subjects import hosting
from subjects.adapters import lives
from wire.sockets import until

APP = """
import subprocess
CHILD = subprocess.Popen(["sleep", "60"])
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        return await send({"type": "lifespan.shutdown.complete"})
    body = str(CHILD.pid).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_an_application_is_ready_and_afterwards_gone_with_its_children(here: Path) -> None:
    """It answers at once, from the working directory, and no process of it is left."""
    (here / "shop_app.py").write_text(APP, encoding="utf-8")
    async with hosting.in_process("shop_app:app") as hosted, httpx.AsyncClient() as client:
        child = int((await client.get(hosted.base_url)).text)
        assert lives(child)
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(hosted.base_url)
    await until(lambda: not lives(child))


async def test_an_application_is_killed_and_comes_back_at_the_same_place(here: Path) -> None:
    """Another process answers there, and of the first one and its children nothing lives."""
    (here / "shop_app.py").write_text(APP, encoding="utf-8")
    async with hosting.in_process("shop_app:app") as hosted, httpx.AsyncClient() as client:
        first = int((await client.get(hosted.base_url)).text)
        await hosted.restart()
        assert int((await client.get(hosted.base_url)).text) != first
        await until(lambda: not lives(first))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("raise ValueError('no database')", "ValueError: no database"),
        ("import nosuchmodule", "No module named 'nosuchmodule'"),
        ("import sys; sys.exit('not today')", "not today"),
        ("other = 1", "not found"),
    ],
)
async def test_an_application_that_does_not_start_is_one_sentence(text: str, says: str, here: Path) -> None:
    """Its last words are shown, and what to do."""
    (here / "shop_app.py").write_text(text, encoding="utf-8")
    with pytest.raises(SubjectError, match="ended with status") as caught:
        async with hosting.in_process("shop_app:app"):
            pytest.fail("it cannot have started")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_an_application_that_never_accepts_is_told_within_the_bound(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that waits for something at import ends with the bound."""
    monkeypatch.setattr(hosting, "READY_SECONDS", 0.3)
    (here / "shop_app.py").write_text("import time; time.sleep(60)", encoding="utf-8")
    began = time.monotonic()
    with pytest.raises(SubjectError, match=r"did not accept connections within 0.3 s"):
        async with hosting.in_process("shop_app:app"):
            pytest.fail("it cannot have started")
    assert time.monotonic() - began < 5


async def test_an_application_of_ours_runs_in_a_thread() -> None:
    """It is started with its lifespan, and its port is free afterwards."""
    said: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for expected in ("startup", "shutdown"):
                await receive()
                said.append(expected)
                await send({"type": f"lifespan.{expected}.complete"})
            return
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async with hosting.in_thread(app) as url, httpx.AsyncClient() as client:
        assert (await client.get(url)).status_code == 204
        assert said == ["startup"]
    assert said == ["startup", "shutdown"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_an_application_of_ours_that_does_not_start_is_said() -> None:
    """Its failure is a sentence, not a wait."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError

    with pytest.raises(SubjectError, match="did not start"):
        async with hosting.in_thread(app):
            pytest.fail("it cannot have started")
