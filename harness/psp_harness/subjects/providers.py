"""How a provider is opened, by kind of address: it runs already, or is started for the run."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from contextlib import AsyncExitStack
from dataclasses import replace
from urllib.parse import urlsplit

from psp_harness import __version__
from psp_harness.errors import SubjectError, UsageError
from psp_harness.miniatures.durable import STATE_DIR
from psp_harness.model import Claims, Role
from psp_harness.profile import REFRESHED
from psp_harness.subjects import hosting, protocol
from psp_harness.subjects.channels import ProcessChannel
from psp_harness.subjects.options import Options
from psp_harness.subjects.ours import expect, miniature
from psp_harness.subjects.own_server import TARGET, OfMiniatures, environment
from psp_harness.subjects.provider import ProviderSubject
from psp_harness.subjects.reference_provider import asked_for, presentable, serving

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


async def plain_http(rest: str, options: Options, stack: AsyncExitStack) -> ProviderSubject:
    """It runs already."""
    return await _http_provider(rest, options, stack, scheme="http")


async def https(rest: str, options: Options, stack: AsyncExitStack) -> ProviderSubject:
    """It runs already, behind TLS."""
    return await _http_provider(rest, options, stack, scheme="https")


async def asgi_provider(target: str, options: Options, stack: AsyncExitStack) -> ProviderSubject:
    """An ASGI application, under uvicorn."""
    return await _hosted(f"asgi:{target}", target, hosting.uvicorn_command, options, stack)


async def wsgi_provider(target: str, options: Options, stack: AsyncExitStack) -> ProviderSubject:
    """A WSGI application, under waitress."""
    return await _hosted(f"wsgi:{target}", target, hosting.waitress_command, options, stack)


async def _hosted(
    address: str, target: str, command: hosting.Command, options: Options, stack: AsyncExitStack
) -> ProviderSubject:
    hosted = await stack.enter_async_context(hosting.in_process(target, command))
    claims = Claims(target, features=options.claimed)
    opened = _provider(address, hosted.base_url, options, claims)
    return replace(opened, restart=hosted.restart, last_words=hosted.last_words)


async def exec_provider(command: str, options: Options, stack: AsyncExitStack) -> ProviderSubject:
    """A program that says where it listens."""
    channel = await ProcessChannel.open(command, {})
    stack.push_async_callback(channel.close)
    started = await channel.ask(
        "start",
        {
            "protocol": protocol.VERSION,
            "role": "provider",
            "profile": options.profile.name,
            "credentials": dict(options.credentials),
        },
        timeout=options.step_timeout,
    )
    claims, base_url = protocol.claims(started), started["ok"].get("base_url", "")
    scheme, _, rest = base_url.partition(":")
    if scheme not in {"http", "https"}:
        raise SubjectError(
            f"the provider's answer to 'start' has the base_url {base_url!r}; expected http://… or https://…",
            do='answer {"ok": {"name": …, "base_url": …}}',
        )
    opened = await _http_provider(rest, options, stack, scheme=scheme)
    return replace(opened, address=f"exec:{command}", claims=claims)


async def reference_provider(name: str, options: Options, stack: AsyncExitStack) -> ProviderSubject:
    """The project's own provider, its books in memory or in a store, its webhooks where the address says."""
    asked = asked_for(name)
    expect(asked.kind, "provider")
    ours = _ours(options, "/psp-harness/effects", "/psp-harness/clock")
    base_url, restart = await stack.enter_async_context(serving(ours.profile, ours.credentials, asked))
    features = frozenset({"durable"} if restart else ())
    claims = Claims("psp-harness reference provider", __version__, "python", features)
    return replace(_provider(presentable(f"reference:{name}"), base_url, ours, claims), restart=restart)


async def miniature_provider(name: str, options: Options, stack: AsyncExitStack) -> ProviderSubject:
    """A miniature of the role provider."""
    made = miniature(name, Role.PROVIDER)
    ours = _ours(options, "/effects", "/clock")
    if not made.durable:
        base_url = await stack.enter_async_context(hosting.in_thread(made.make()))
        return _provider(f"miniature:{name}", base_url, ours, Claims(name, language="python"))
    state = stack.enter_context(tempfile.TemporaryDirectory(prefix="psp-harness-"))
    kept = {**environment(OfMiniatures(name)), STATE_DIR: state}
    hosted = await stack.enter_async_context(hosting.in_process(TARGET, environment=kept))
    claims = Claims(name, language="python", features=frozenset({"durable"}))
    return replace(_provider(f"miniature:{name}", hosted.base_url, ours, claims), restart=hosted.restart)


async def _http_provider(rest: str, options: Options, stack: AsyncExitStack, *, scheme: str) -> ProviderSubject:  # noqa: ARG001
    url = f"{scheme}:{rest}"
    shown = permitted(url, options.allowed_hosts)
    return _provider(shown, url.rstrip("/"), options, Claims(urlsplit(url).hostname or ""))


def permitted(url: str, allowed_hosts: Collection[str]) -> str:
    """The URL as it may be printed. Raises `UsageError` where it is none, or leads to a host that nobody allowed."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise UsageError(f"{url!r} is no URL: {error}", do="for instance http://127.0.0.1:8080") from None
    if not host:
        raise UsageError(f"{url!r} names no host", do="for instance http://127.0.0.1:8080")
    if host not in LOOPBACK | set(allowed_hosts):
        raise UsageError(f"{host!r} is not loopback", do=f"if you mean it, add --allow-host {host}")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _ours(options: Options, effects_path: str, clock_path: str) -> Options:
    """With what a provider of ours has beside its profile: routes of the harness, and a second credential."""
    refreshed = f"tenant-a{REFRESHED}"
    second = {refreshed: f"{options.credentials['tenant-a']}{REFRESHED}", **options.credentials}
    return replace(options, effects_path=effects_path, clock_path=clock_path, credentials=second)


def _provider(address: str, base_url: str, options: Options, claims: Claims) -> ProviderSubject:
    return ProviderSubject(
        address,
        base_url,
        claims,
        options.profile,
        options.credentials,
        options.step_timeout,
        options.effects_path,
        options.clock_path,
        options.ca_file,
    )
