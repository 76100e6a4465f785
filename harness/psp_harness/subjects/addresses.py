"""Addresses: one table of their kinds, and what each opens."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from psp_harness.errors import UsageError
from psp_harness.model import Role
from psp_harness.subjects import clients, providers, receivers, shops
from psp_harness.subjects.client import ClientSubject, with_a_second
from psp_harness.subjects.clients import Opened
from psp_harness.subjects.options import Options
from psp_harness.subjects.ours import MINIATURES, MODES, modes_in, our_psp, our_psp_app
from psp_harness.subjects.provider import ProviderSubject
from psp_harness.subjects.providers import permitted
from psp_harness.subjects.receiver import ReceiverSubject
from psp_harness.subjects.reference_provider import presentable
from psp_harness.subjects.sdks import SDKS
from psp_harness.subjects.shop import ShopSubject

__all__ = [
    "KINDS",
    "MINIATURES",
    "MODES",
    "Options",
    "default_profile",
    "default_role",
    "modes_in",
    "open_client",
    "open_provider",
    "open_receiver",
    "open_shop",
    "our_psp",
    "our_psp_app",
    "permitted",
    "presentable",
]

ClientOpener = Callable[[str, Options], Opened]
ProviderOpener = Callable[[str, Options, AsyncExitStack], Awaitable[ProviderSubject]]
ReceiverOpener = Callable[[str, Options, AsyncExitStack], Awaitable[ReceiverSubject]]
ShopOpener = Callable[[str, Options, AsyncExitStack], Awaitable[ShopSubject]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of address, and what it opens in each role that it has."""

    meaning: str
    client: ClientOpener | None = None
    provider: ProviderOpener | None = None
    receiver: ReceiverOpener | None = None
    shop: ShopOpener | None = None

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles in which an address of this kind can be judged."""
        openers = {
            Role.CLIENT: self.client,
            Role.PROVIDER: self.provider,
            Role.RECEIVER: self.receiver,
            Role.SHOP: self.shop,
        }
        return tuple(role for role, opener in openers.items() if opener is not None)


KINDS: Mapping[str, Kind] = {
    "http": Kind("it runs already", provider=providers.plain_http, receiver=receivers.http_receiver),
    "https": Kind("it runs already, behind TLS", provider=providers.https, receiver=receivers.https_receiver),
    "asgi": Kind(
        "module:attribute, started for the run in a process of its own",
        provider=providers.asgi_provider,
        receiver=receivers.asgi_receiver,
    ),
    "wsgi": Kind(
        "module:attribute, started likewise, and served in 64 threads",
        provider=providers.wsgi_provider,
        receiver=receivers.wsgi_receiver,
    ),
    "exec": Kind(
        "a program that speaks the subject protocol",
        client=clients.exec_client,
        provider=providers.exec_provider,
        receiver=receivers.exec_receiver,
        shop=shops.exec_shop,
    ),
    "python": Kind(
        "module:attribute, the protocol's verbs as methods of an object",
        client=clients.python_client,
        shop=shops.python_shop,
    ),
    "sdk": Kind("a published SDK: name, name?option=value&…", client=clients.sdk_client),
    "reference": Kind(
        "what the project brings: client, provider, provider?webhooks=URL&store=…, receiver, shop, shop?database=URL",
        client=clients.reference_client,
        provider=providers.reference_provider,
        receiver=receivers.reference_receiver,
        shop=shops.reference_shop,
    ),
    "miniature": Kind(
        "a tiny subject with one fault",
        client=clients.miniature_client,
        provider=providers.miniature_provider,
        receiver=receivers.miniature_receiver,
        shop=shops.miniature_shop,
    ),
}


def open_client(address: str, options: Options) -> ClientSubject:
    """The client at an address; nothing is started yet. Raises `UsageError` where the address means nothing."""
    kind, rest = _split(address, Role.CLIENT)
    assert kind.client is not None
    return ClientSubject(
        address,
        kind.client(rest, options),
        options.profile.name,
        with_a_second(options.credentials),
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
        yield replace(subject, before=frozenset((effect.kind, effect.id) for effect in happened or ()))


@asynccontextmanager
async def open_receiver(address: str, options: Options) -> AsyncIterator[ReceiverSubject]:
    """The receiver at an address. Raises `UsageError`, or `SubjectError` if it cannot be started."""
    kind, rest = _split(address, Role.RECEIVER)
    assert kind.receiver is not None
    async with AsyncExitStack() as stack:
        yield await kind.receiver(rest, options, stack)


@asynccontextmanager
async def open_shop(address: str, options: Options) -> AsyncIterator[ShopSubject]:
    """The shop at an address; none is started yet. Raises `UsageError` where the address means nothing."""
    kind, rest = _split(address, Role.SHOP)
    assert kind.shop is not None
    async with AsyncExitStack() as stack:
        yield await kind.shop(rest, options, stack)


def default_role(address: str, *, of_a_program: Role | None = None) -> Role:
    """The role of an address: what it brings, or client or provider. Raises `UsageError` where it could be either.

    What it receives is judged only where that is asked for; `of_a_program`: in doubt what an `exec:` is.
    """
    name, _, rest = _known(address)
    if name == "miniature":
        return MINIATURES.named(rest).role
    if name == "reference" and rest.partition("?")[0] in set(Role):
        return Role(rest.partition("?")[0])
    roles = KINDS[name].roles
    if name == "exec" and of_a_program is not None:
        return of_a_program
    usual = [role for role in roles if role in {Role.CLIENT, Role.PROVIDER}]
    if len(usual) != 1:
        raise UsageError(
            f"{presentable(address)!r} could be judged in several roles",
            do=f"add --role {' or --role '.join(roles)}",
        )
    return usual[0]


def default_profile(address: str) -> str:
    """The profile that an address speaks by itself; `generic` for everything that is not ours."""
    name, _, rest = address.partition(":")
    if name == "sdk" and (sdk := SDKS.get(rest.partition("?")[0])):
        return sdk.profile
    if name == "miniature" and rest in MINIATURES:
        return MINIATURES[rest].profile
    return "hyperswitch-docs" if address.startswith(("reference:client", "reference:shop")) else "generic"


_HOST_AND_PORT = re.compile(r"([\w.-]+|\[[\da-fA-F:]+\]):\d+(/\S*)?")
"""Of a URL, without its scheme."""


def _known(address: str) -> tuple[str, str, str]:
    """Kind, colon and the rest, which is something. Raises `UsageError` where the kind does not exist."""
    name, separator, rest = address.partition(":")
    if not separator or name not in KINDS:
        kinds = ", ".join(f"{known}:" for known in KINDS)
        bare = _HOST_AND_PORT.fullmatch(address)
        do = f"did you mean http://{address}?" if bare else f"an address begins with one of {kinds}"
        raise UsageError(f"{presentable(address)!r} is no address", do=do)
    if not rest.strip():
        raise UsageError(f"{address!r} names nothing after {name}:", do=KINDS[name].meaning)
    return name, separator, rest


def _split(address: str, role: Role) -> tuple[Kind, str]:
    name, _, rest = _known(address)
    kind = KINDS[name]
    if role not in kind.roles:
        fitting = ", ".join(f"{known}:" for known, each in KINDS.items() if role in each.roles)
        raise UsageError(f"{name}: cannot be judged as {role}", do=f"for a {role} use {fitting}")
    return kind, rest
