"""The fixture `psp`: a PSP on a loopback port, with empty books for each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from psp_harness.pytest_plugin.options import profile_name

if TYPE_CHECKING:
    from psp_harness.pytest_plugin.psp import Psp
    from psp_harness.pytest_plugin.server import Server

_RAISED = pytest.StashKey[bool]()
"""On a test: it, or a subtest of it, did not come to its end, and so it proves nothing in any case."""


@pytest.fixture(scope="session")
def psp_servers() -> Iterator[dict[str, Server]]:
    """The servers of this session, by profile: each is started for the first test that asks for it."""
    servers: dict[str, Server] = {}
    yield servers
    for server in servers.values():
        server.close()


@pytest.fixture
def psp(
    request: pytest.FixtureRequest, psp_servers: dict[str, Server], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Psp]:
    """A PSP at `psp.base_url`, which is in `PSP_BASE_URL` too: it records what arrives, and fails as it is told."""
    from psp_harness.pytest_plugin.psp import Psp

    server = _server(request, psp_servers)
    monkeypatch.setenv("PSP_BASE_URL", server.base_url)
    psp = Psp(server)
    yield psp
    if _RAISED not in request.node.stash and (unmet := psp.unmet()):
        pytest.fail(unmet, pytrace=False)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Know whether a test came to its end, whatever is made of a failure later: it may be excused, or expected."""
    if call.excinfo is not None:
        item.stash[_RAISED] = True


def _server(request: pytest.FixtureRequest, servers: dict[str, Server]) -> Server:
    from psp_harness import profile
    from psp_harness.errors import HarnessError
    from psp_harness.pytest_plugin.server import Server

    marker = request.node.get_closest_marker("psp")
    name = str(marker.kwargs.get("profile") or "") if marker else ""
    name = name or profile_name(request.config) or "generic"
    wrong = ""
    try:
        servers[name] = servers.get(name) or Server(profile.load(name))
    except HarnessError as error:
        wrong = str(error)
    if wrong:
        pytest.fail(wrong, pytrace=False)
    return servers[name]
