"""Addresses: one table of their kinds, and what each opens. Only here are `reference/` and `miniatures/` reached."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from psp_harness.errors import SubjectError, UsageError
from psp_harness.miniatures import MINIATURES, Miniature
from psp_harness.miniatures.modes import MODES
from psp_harness.model import Claims, Role
from psp_harness.profile import Profile
from psp_harness.reference.provider import build
from psp_harness.reference.provider.app import asgi
from psp_harness.registry import suggest
from psp_harness.subjects import hosting, protocol
from psp_harness.subjects.channels import Channel, ObjectChannel, ProcessChannel
from psp_harness.subjects.client import ClientSubject
from psp_harness.subjects.provider import ProviderSubject
from psp_harness.subjects.reference_provider import presentable, serving, store_of
from psp_harness.subjects.threads import in_daemon_thread

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

__all__ = [
    "KINDS",
    "MINIATURES",
    "MODES",
    "SDKS",
    "Options",
    "default_profile",
    "default_role",
    "open_client",
    "open_provider",
    "our_psp",
    "our_psp_app",
    "presentable",
]

SDKS: Mapping[str, tuple[str, str, str]] = {
    "stripe": ("psp_harness.subjects.sdks.stripe", "StripeSubject", "stripe"),
}
"""Name -> module and class of the adapter, and the profile that it speaks."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a subject is to be opened."""

    profile: Profile
    credentials: Mapping[str, str]
    step_timeout: float
    answer_timeout: float = 2.0
    effects_path: str | None = None
    clock_path: str | None = None
    allowed_hosts: frozenset[str] = frozenset()
    ca_file: str | None = None


ClientOpener = Callable[[str, Options], Callable[[], Awaitable[Channel]]]
ProviderOpener = Callable[[str, Options, AsyncExitStack], Awaitable[ProviderSubject]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of address, and what it opens in each role that it has."""

    meaning: str
    client: ClientOpener | None = None
    provider: ProviderOpener | None = None

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles in which an address of this kind can be judged."""
        openers = {Role.CLIENT: self.client, Role.PROVIDER: self.provider}
        return tuple(role for role, opener in openers.items() if opener is not None)


# --- clients ----------------------------------------------------------------------------------------------------------


def _exec_client(command: str, options: Options) -> Callable[[], Awaitable[Channel]]:  # noqa: ARG001
    async def open_channel() -> Channel:
        return await ProcessChannel.open(command, {})

    return open_channel


def _python_client(target: str, options: Options) -> Callable[[], Awaitable[Channel]]:
    return _objects(_attribute(target), options)


def _sdk_client(name: str, options: Options) -> Callable[[], Awaitable[Channel]]:
    if name not in SDKS:
        raise UsageError(f"unknown SDK {name!r}", do=suggest(name, SDKS))
    module, attribute, _ = SDKS[name]
    try:
        return _objects(getattr(importlib.import_module(module), attribute), options)
    except ImportError as error:
        raise UsageError(
            f"sdk:{name} needs a package that is not installed ({error.name})", do="pip install 'psp-harness[sdks]'"
        ) from None


def _reference_client(name: str, options: Options) -> Callable[[], Awaitable[Channel]]:
    from psp_harness.subjects.reference_client import ReferenceClientSubject

    _expect(name, "client")
    return _objects(ReferenceClientSubject, options)


def _miniature_client(name: str, options: Options) -> Callable[[], Awaitable[Channel]]:
    return _objects(_miniature(name, Role.CLIENT).make, options)


def _objects(made: Any, options: Options) -> Callable[[], Awaitable[Channel]]:
    """A class or function makes a subject for each case; an object is lent to one case at a time."""
    if (callable(made) and not hasattr(made, "do")) or isinstance(made, type):

        async def fresh() -> Channel:
            return ObjectChannel(await _made(made, options.step_timeout))

        return fresh
    lent = asyncio.Lock()

    async def shared() -> Channel:
        await lent.acquire()
        return ObjectChannel(made, free=lent.release)

    return shared


async def _made(make: Callable[[], object], seconds: float) -> object:
    name = getattr(make, "__name__", repr(make))
    try:
        async with asyncio.timeout(seconds) as bound:
            return await in_daemon_thread(make)
    except Exception as error:  # noqa: BLE001 - whatever a subject raises is its adapter's error, said as such
        late = isinstance(error, TimeoutError) and bound.expired()
        what = f"did not return within {seconds:g} s" if late else f"raised {type(error).__name__}: {error}"
        raise SubjectError(f"{name}() {what}", do="call it by hand") from None


# --- providers --------------------------------------------------------------------------------------------------------


async def _http_provider(rest: str, options: Options, stack: AsyncExitStack, *, scheme: str) -> ProviderSubject:  # noqa: ARG001
    url = f"{scheme}:{rest}"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise UsageError(f"{url!r} is no URL: {error}", do="for instance http://127.0.0.1:8080") from None
    if not host:
        raise UsageError(f"{url!r} names no host", do="for instance http://127.0.0.1:8080")
    if host not in LOOPBACK | options.allowed_hosts:
        raise UsageError(f"{host!r} is not loopback", do=f"if you mean it, add --allow-host {host}")
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return _provider(shown, url.rstrip("/"), options, Claims(host))


async def _asgi_provider(target: str, options: Options, stack: AsyncExitStack) -> ProviderSubject:
    base_url = await stack.enter_async_context(hosting.in_process(target, hosting.uvicorn_command))
    return _provider(f"asgi:{target}", base_url, options, Claims(target))


async def _wsgi_provider(target: str, options: Options, stack: AsyncExitStack) -> ProviderSubject:
    base_url = await stack.enter_async_context(hosting.in_process(target, hosting.waitress_command))
    return _provider(f"wsgi:{target}", base_url, options, Claims(target))


async def _exec_provider(command: str, options: Options, stack: AsyncExitStack) -> ProviderSubject:
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


async def _reference_provider(name: str, options: Options, stack: AsyncExitStack) -> ProviderSubject:
    kind, store = store_of(name)
    _expect(kind, "provider")
    base_url = await stack.enter_async_context(serving(options.profile, options.credentials, store))
    claims = Claims("psp-harness reference provider", _version(), "python")
    routes = _with(options, "/psp-harness/effects", "/psp-harness/clock")
    return _provider(presentable(f"reference:{name}"), base_url, routes, claims)


async def _miniature_provider(name: str, options: Options, stack: AsyncExitStack) -> ProviderSubject:
    made = _miniature(name, Role.PROVIDER)
    base_url = await stack.enter_async_context(hosting.in_thread(made.make()))
    return _provider(
        f"miniature:{name}", base_url, _with(options, "/effects", "/clock"), Claims(name, language="python")
    )


def _with(options: Options, effects_path: str, clock_path: str) -> Options:
    """With the routes of a provider of ours, which knows them itself."""
    return replace(options, effects_path=effects_path, clock_path=clock_path)


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


# --- the table --------------------------------------------------------------------------------------------------------


async def _plain_http(rest: str, options: Options, stack: AsyncExitStack) -> ProviderSubject:
    return await _http_provider(rest, options, stack, scheme="http")


async def _https(rest: str, options: Options, stack: AsyncExitStack) -> ProviderSubject:
    return await _http_provider(rest, options, stack, scheme="https")


KINDS: Mapping[str, Kind] = {
    "http": Kind("it runs already", provider=_plain_http),
    "https": Kind("it runs already, behind TLS", provider=_https),
    "asgi": Kind("module:attribute, started for the run in a process of its own", provider=_asgi_provider),
    "wsgi": Kind("module:attribute, started likewise, and served in 64 threads", provider=_wsgi_provider),
    "exec": Kind("a program that speaks the subject protocol", client=_exec_client, provider=_exec_provider),
    "python": Kind("module:attribute, the protocol's verbs as methods of an object", client=_python_client),
    "sdk": Kind("an adapter to a published SDK", client=_sdk_client),
    "reference": Kind(
        "what the project brings: client, provider, provider?store=…",
        client=_reference_client,
        provider=_reference_provider,
    ),
    "miniature": Kind("a tiny subject with one fault", client=_miniature_client, provider=_miniature_provider),
}


def open_client(address: str, options: Options) -> ClientSubject:
    """The client at an address; nothing is started yet. Raises `UsageError` where the address means nothing."""
    kind, rest = _split(address, Role.CLIENT)
    assert kind.client is not None
    return ClientSubject(
        address,
        kind.client(rest, options),
        options.profile.name,
        options.credentials,
        options.step_timeout,
        options.answer_timeout,
    )


@asynccontextmanager
async def open_provider(address: str, options: Options) -> AsyncIterator[ProviderSubject]:
    """The provider at an address, running and reached. Raises `UsageError`, or `SubjectError` if it does not answer."""
    kind, rest = _split(address, Role.PROVIDER)
    assert kind.provider is not None
    async with AsyncExitStack() as stack:
        subject = await kind.provider(rest, options, stack)
        await subject.reach()
        happened = await subject.effects()
        yield replace(subject, before=frozenset(effect.id for effect in happened or ()))


def our_psp(profile: Profile, credentials: Mapping[str, str]) -> Any:
    """The PSP that a client is given: the reference provider under the profile, with nothing in its books."""
    return build(profile, credentials=credentials)


def our_psp_app(profile: Profile, store: str) -> Any:
    """The reference provider as an ASGI application, its books in `store`."""
    return asgi(build(profile, store))


def default_role(address: str) -> Role:
    """The role of an address that has only one. Raises `UsageError` where it could be either."""
    name, _, rest = address.partition(":")
    if name == "miniature" and rest in MINIATURES:
        return MINIATURES[rest].role
    if name == "reference" and store_of(rest)[0] in set(Role):
        return Role(store_of(rest)[0])
    roles = KINDS[name].roles if name in KINDS else ()
    if len(roles) != 1:
        raise UsageError(
            f"{presentable(address)!r} could be judged in several roles",
            do=f"add --role {' or --role '.join(roles or Role)}",
        )
    return roles[0]


def default_profile(address: str) -> str:
    """The profile that an address speaks by itself; `generic` for everything that is not ours."""
    name, _, rest = address.partition(":")
    if name == "sdk" and rest in SDKS:
        return SDKS[rest][2]
    if name == "miniature" and rest in MINIATURES:
        return MINIATURES[rest].profile
    return "hyperswitch-docs" if address == "reference:client" else "generic"


def _split(address: str, role: Role) -> tuple[Kind, str]:
    name, separator, rest = address.partition(":")
    if not separator or name not in KINDS:
        kinds = ", ".join(f"{known}:" for known in KINDS)
        raise UsageError(f"{presentable(address)!r} is no address", do=f"an address begins with one of {kinds}")
    kind = KINDS[name]
    if role not in kind.roles:
        fitting = ", ".join(f"{known}:" for known, each in KINDS.items() if role in each.roles)
        raise UsageError(f"{name}: cannot be judged as {role}", do=f"for a {role} use {fitting}")
    if not rest:
        raise UsageError(f"{address!r} names nothing after {name}:", do=kind.meaning)
    return kind, rest


def _attribute(target: str) -> Any:
    module, _, name = target.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - importing runs whatever stands there
        raise UsageError(
            f"python:{target}: {type(error).__name__}: {error}",
            do="name module:attribute, importable from this directory",
        ) from None
    return found


def _miniature(name: str, role: Role) -> Miniature:
    found = MINIATURES.named(name)
    if found.role is not role:
        raise UsageError(f"miniature {name!r} is a {found.role}, not a {role}", do=suggest(name, _of_role(role)))
    return found


def _of_role(role: Role) -> Iterable[str]:
    return (name for name, each in MINIATURES.items() if each.role is role)


def _expect(name: str, wanted: str) -> None:
    if name != wanted:
        raise UsageError(f"unknown reference {presentable(name)!r} in this role", do=f"use reference:{wanted}")


def _version() -> str:
    from psp_harness import __version__

    return __version__
