"""How a receiver is opened, by kind of address: it runs already, or is started for the run or for a case of its own."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from psp_harness import __version__
from psp_harness.errors import NotStarted, SubjectError, UsageError
from psp_harness.miniatures.durable import STATE_DIR
from psp_harness.model import Claims, Order, Role
from psp_harness.profile import Profile
from psp_harness.reference.receiver import reference_receiver as reference_app
from psp_harness.signing.asymmetric import rsa
from psp_harness.subjects import hosting, own_server
from psp_harness.subjects.channels import ProcessChannel
from psp_harness.subjects.delivering import Pair, Sender, as_json
from psp_harness.subjects.options import Options
from psp_harness.subjects.ours import expect, miniature
from psp_harness.subjects.providers import permitted
from psp_harness.subjects.receiver import Clock, Fresh, Receiver, ReceiverSubject, Routes
from psp_harness.subjects.receiver_reached import Reached
from psp_harness.subjects.receiver_spoken import Spoken, spoken

SECRET = "webhook-secret"  # noqa: S105 - the name of an option
"""What `--credential` calls the secret of the receiver's endpoint."""

OURS = Routes("/psp-harness/effects", "/psp-harness/orders", "/psp-harness/clock", "/psp-harness/secrets")
SOMEBODY_ELSES = "/certificates/of-somebody-else"
"""Where the certificate of a forger lies, on the PSP's own server."""


async def http_receiver(rest: str, options: Options, stack: AsyncExitStack, *, scheme: str = "http") -> ReceiverSubject:  # noqa: ARG001
    """It runs already; the address is where it takes webhooks."""
    url = f"{scheme}:{rest}"
    shown = permitted(url, options.allowed_hosts)
    standing = _reached(url, _routes(options), options)
    return await _subject(shown, Claims(urlsplit(url).hostname or ""), options, standing=standing)


async def https_receiver(rest: str, options: Options, stack: AsyncExitStack) -> ReceiverSubject:
    """It runs already, behind TLS."""
    return await http_receiver(rest, options, stack, scheme="https")


async def asgi_receiver(target: str, options: Options, stack: AsyncExitStack) -> ReceiverSubject:
    """An ASGI application, under uvicorn."""
    return await _hosted(f"asgi:{target}", target, options, stack, hosting.uvicorn_command)


async def wsgi_receiver(target: str, options: Options, stack: AsyncExitStack) -> ReceiverSubject:
    """A WSGI application, under waitress."""
    return await _hosted(f"wsgi:{target}", target, options, stack, hosting.waitress_command)


async def _hosted(
    address: str, target: str, options: Options, stack: AsyncExitStack, command: hosting.Command
) -> ReceiverSubject:
    """An application of somebody's: what it needs to know stands in its environment."""
    sender = await sender_of(options)

    @asynccontextmanager
    async def serving(secret: str) -> AsyncIterator[Reached]:
        env = {
            "PSP_WEBHOOK_SECRET": secret,
            "PSP_WEBHOOK_ENDPOINT": options.profile.accounts.get("tenant-a", ""),
            "PSP_BASE_URL": options.psp_url,
        }
        async with hosting.in_process(target, command, env) as hosted:
            reached = _reached(f"{hosted.base_url}{options.webhook_path}", _routes(options), options)
            reached.restart = hosted.restart
            yield reached

    standing = await stack.enter_async_context(serving(sender.own.proves))
    claims = Claims(target, features=options.claimed)
    return await _subject(address, claims, options, standing=standing, fresh=_told(serving), sender=sender)


async def exec_receiver(command: str, options: Options, stack: AsyncExitStack) -> ReceiverSubject:  # noqa: ARG001
    """A program: a process for each case, and one more that is asked for its features first."""
    sender = await sender_of(options)
    fresh = _speaking(command, options)
    async with fresh(sender.own.proves, (), ends=False) as first:
        assert isinstance(first, Spoken)
        return await _subject(f"exec:{command}", first.claims, options, first=first, fresh=fresh, sender=sender)


async def reference_receiver(name: str, options: Options, stack: AsyncExitStack) -> ReceiverSubject:
    """The project's own receiver."""
    expect(name, "receiver")
    made = Ours(
        lambda: reference_app(options.profile),
        lambda folder: own_server.environment(own_server.ReferenceReceiver(options.profile, folder)),
    )
    claims = Claims("psp-harness reference receiver", __version__, "python", frozenset({"durable"}))
    return await _ours(f"reference:{name}", made, claims, options, stack)


async def miniature_receiver(name: str, options: Options, stack: AsyncExitStack) -> ReceiverSubject:
    """A miniature of the role receiver."""
    found = miniature(name, Role.RECEIVER)
    made = Ours(
        found.make,
        lambda folder: {**own_server.environment(own_server.OfMiniatures(name)), STATE_DIR: folder},
        getattr(found.make, "silent", False),
    )
    claims = Claims(name, language="python", features=frozenset({"durable"} if found.durable else ()))
    return await _ours(f"miniature:{name}", made, claims, options, stack)


@dataclass(frozen=True, slots=True)
class Ours:
    """A receiver of ours: as an application for a thread, and as one for a process with a folder of its own."""

    app: Callable[[], Any]
    environment: Callable[[str], Mapping[str, str]]
    silent: bool = False
    """It does not say what it did."""


async def _ours(address: str, made: Ours, claims: Claims, options: Options, stack: AsyncExitStack) -> ReceiverSubject:
    """In a thread; in a process of its own where it is to be ended."""
    sender = await sender_of(options)
    routes = replace(OURS, effects=None) if made.silent else OURS

    @asynccontextmanager
    async def in_thread(secret: str) -> AsyncIterator[Reached]:
        async with hosting.in_thread(made.app()) as base_url:
            yield await introduced(base_url, secret)

    @asynccontextmanager
    async def in_process(secret: str) -> AsyncIterator[Reached]:
        with tempfile.TemporaryDirectory(prefix="psp-harness-", ignore_cleanup_errors=True) as folder:
            kept = made.environment(folder)
            async with hosting.in_process(own_server.TARGET, environment=kept) as hosted:
                reached = await introduced(hosted.base_url, secret)
                reached.restart = hosted.restart
                yield reached

    async def introduced(base_url: str, secret: str) -> Reached:
        reached = _reached(f"{base_url}/webhooks", routes, options)
        reached.introduction = {**told(secret, options), "url": reached.url}
        try:
            await reached.introduce()
        except SubjectError as error:
            raise NotStarted(error.problem, do=error.do) from None
        return reached

    standing = await stack.enter_async_context(in_thread(sender.own.proves))

    def fresh(secret: str, orders: tuple[Order, ...], *, ends: bool) -> AbstractAsyncContextManager[Receiver]:
        return _told(in_process if ends else in_thread)(secret, orders, ends=ends)

    return await _subject(address, claims, options, standing=standing, fresh=fresh, sender=sender)


# --- what they share ----------------------------------------------------------------------------------------------


def _told(serving: Callable[[str], AbstractAsyncContextManager[Reached]]) -> Fresh:
    """A fresh one over HTTP, which then is told the orders."""

    @asynccontextmanager
    async def fresh(secret: str, orders: tuple[Order, ...], *, ends: bool) -> AsyncIterator[Receiver]:  # noqa: ARG001
        async with serving(secret) as receiver:
            await receiver.tell(orders)
            yield receiver

    return fresh


def _speaking(command: str, options: Options) -> Fresh:
    """A fresh one by the subject protocol."""

    @asynccontextmanager
    async def fresh(secret: str, orders: tuple[Order, ...], *, ends: bool) -> AsyncIterator[Receiver]:  # noqa: ARG001
        members = {
            **told(secret, options),
            "profile": options.profile.name,
            "orders": as_json(orders, options.profile),
            "credentials": {"token": options.credentials["tenant-a"]},
            "ca_file": options.ca_file,
        }

        def by_http(url: str, clock: Clock) -> Reached:
            return Reached(url, _routes(options), options.profile, options.step_timeout, options.ca_file, clock)

        async with spoken(lambda: ProcessChannel.open(command, {}), members, options.step_timeout, by_http) as receiver:
            yield receiver

    return fresh


def told(secret: str, options: Options) -> Mapping[str, object]:
    """What a receiver must know of its PSP."""
    return {
        "secrets": [secret],
        "endpoint": options.profile.accounts.get("tenant-a", ""),
        "base_url": options.psp_url,
    }


def _routes(options: Options) -> Routes:
    return Routes(options.effects_path, options.orders_path, options.clock_path)


def _reached(url: str, routes: Routes, options: Options) -> Reached:
    return Reached(url, routes, options.profile, options.step_timeout, options.ca_file)


async def sender_of(options: Options) -> Sender:
    """The PSP of this run. Raises `UsageError` where the profile does not say how it delivers."""
    own, other = await asyncio.to_thread(pairs, options.profile, options.credentials.get(SECRET))
    return Sender(options.profile, own, other, f"{options.psp_url}{SOMEBODY_ELSES}")


def pairs(profile: Profile, given: str | None) -> tuple[Pair, Pair]:
    """What signs this run's webhooks, and what forgers sign with."""
    if profile.webhooks is None:
        problem = f"profile {profile.name!r} does not say how webhooks are delivered"
        raise UsageError(problem, do="psp-harness list profiles; of those with webhooks, stripe or generic")
    scheme = profile.webhooks.signature
    if not scheme.signed:
        return Pair(b"", ""), Pair(b"", "")
    if scheme.asymmetric:
        made = [Pair(private.encode(), public) for private, public in (rsa().pair(), rsa().pair())]
        return made[0], made[1]
    own, other = given or profile.secrets["tenant-a"], profile.secrets["tenant-b"]
    try:
        return Pair(scheme.key(own), own), Pair(scheme.key(other), other)
    except ValueError:
        raise UsageError(f"--credential {SECRET}=… is no secret of {profile.title}", do="as the PSP shows it") from None


async def _subject(  # noqa: PLR0913 - the parts of a receiver
    address: str,
    claims: Claims,
    options: Options,
    *,
    standing: Reached | None = None,
    first: Spoken | None = None,
    fresh: Fresh | None = None,
    sender: Sender | None = None,
) -> ReceiverSubject:
    """With what this run can do with it; what it says that it did is read once, to see that it can be read."""
    routes = standing.routes if standing else _routes(options)
    one = standing or first
    said = await one.said() if one else None
    able = {
        "effects": said is not None,
        "answers-alone": said is None,
        "order-states": said is not None and said.states is not None,
        "clock": bool(routes.clock),
        "known-orders": bool(routes.orders) or first is not None,
        "configurable": fresh is not None,
    }
    features = frozenset(name for name, holds in able.items() if holds)
    sender = sender or await sender_of(options)
    return ReceiverSubject(address, claims, sender, options.step_timeout, features, standing, fresh, options.ca_file)
