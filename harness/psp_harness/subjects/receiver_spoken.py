"""A receiver that is a program, by the subject protocol."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from psp_harness.errors import NotStarted, SubjectError
from psp_harness.model import Claims, Order, Role
from psp_harness.subjects import protocol
from psp_harness.subjects.channels import ProcessChannel
from psp_harness.subjects.receiver import Clock, Said
from psp_harness.subjects.receiver_reached import Reached

STOP_SECONDS = 5.0


@dataclass(slots=True)
class Spoken:
    """A receiver that is a program: it says where it listens, and what it did."""

    open_channel: Callable[[], Awaitable[ProcessChannel]]
    members: Mapping[str, object]
    """Of `start`."""
    step_timeout: float
    by_http: Callable[[str, Clock], Reached]
    clock: Clock = field(default_factory=Clock)
    url: str = ""
    claims: Claims = field(default_factory=lambda: Claims(""))
    channel: ProcessChannel | None = None

    async def start(self) -> None:
        """Start the program. Raises `NotStarted` where it ends or says no, `SubjectError` where it is silent or odd."""
        self.channel = await self.open_channel()
        members = {**self.members, "now": self.clock.now()}
        try:
            answer = await self.channel.ask("start", members, timeout=self.step_timeout)
        except SubjectError as error:
            if self.channel.is_over:
                raise NotStarted(error.problem, do=error.do) from None
            raise
        if protocol.says_no(answer):
            raise NotStarted(f"'start' was answered {answer!r}")
        self.claims = protocol.claims(answer)
        self.url = answer["ok"].get("webhook_url", "")
        if urlsplit(self.url).scheme not in {"http", "https"}:
            raise SubjectError(
                f"the receiver's answer to 'start' has the webhook_url {self.url!r}; expected http://… or https://…",
                do='answer {"ok": {"name": …, "webhook_url": …}}',
            )

    async def tell(self, orders: tuple[Order, ...]) -> None:
        """It was told when it was started."""

    async def said(self) -> Said | None:
        reached = self.by_http(self.url, self.clock)
        if reached.routes.effects:
            return await reached.said()
        assert self.channel is not None
        answer = await self.channel.ask("effects", {}, timeout=self.step_timeout)
        effects = protocol.effects(answer)
        return None if effects is None else Said(effects, protocol.states(answer))

    async def advance(self, seconds: float) -> None:
        await self.by_http(self.url, self.clock).advance(seconds)

    async def crash(self) -> None:
        assert self.channel is not None
        await self.channel.kill()
        await self.start()

    async def stop(self) -> None:
        """Ask it to end, and see that it does."""
        if self.channel is not None:
            with suppress(SubjectError):
                await self.channel.ask("stop", {}, timeout=STOP_SECONDS)
            await self.channel.close()


@asynccontextmanager
async def spoken(
    open_channel: Callable[[], Awaitable[ProcessChannel]],
    members: Mapping[str, object],
    step_timeout: float,
    by_http: Callable[[str, Clock], Reached],
) -> AsyncIterator[Spoken]:
    """A receiver that is a program, with a folder of its own, started and in the end stopped."""
    with tempfile.TemporaryDirectory(prefix="psp-harness-", ignore_cleanup_errors=True) as state:
        common = {"protocol": protocol.VERSION, "role": Role.RECEIVER.value, "state_dir": str(Path(state))}
        receiver = Spoken(open_channel, {**common, **members}, step_timeout, by_http)
        try:
            await receiver.start()
            yield receiver
        finally:
            await receiver.stop()
