"""The role shop: a whole integration with books of its own, asked through the subject protocol and ended at will."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from psp_harness.errors import SubjectError
from psp_harness.model import Claims, Done, Outcome, Role, Row
from psp_harness.subjects import protocol
from psp_harness.subjects.channels import Channel
from psp_harness.subjects.delivering import Sender

STOP_SECONDS = 5.0


class Mortal(Channel, Protocol):
    """The way to a process that can be ended."""

    @property
    def is_over(self) -> bool:
        """It is gone."""

    async def kill(self) -> None:
        """End it at once, as a crash does."""


@dataclass(frozen=True, slots=True)
class EndAt:
    """A commit at which the shop is to end itself."""

    commit: int
    """From 1."""
    when: str
    """`before` or `after`."""


@dataclass(frozen=True, slots=True)
class ShopSubject:
    """A shop that can be started for one case after another."""

    address: str
    open_channel: Callable[[], Awaitable[Mortal]]
    profile: str
    credentials: Mapping[str, str]
    step_timeout: float
    answer_timeout: float
    sender: Sender | None
    """Of webhooks, where the profile has them."""
    endpoint: str = ""
    ca_file: str | None = None

    @asynccontextmanager
    async def shop(self, base_url: str) -> AsyncIterator[Shop]:
        """A shop with empty books, whose PSP is at `base_url`, and that is still to be started."""
        with tempfile.TemporaryDirectory(prefix="psp-harness-", ignore_cleanup_errors=True) as state:
            shop = Shop(self, {**self._start(base_url), "state_dir": str(Path(state))})
            try:
                yield shop
            finally:
                await shop.close()

    def fresh_sender(self) -> Sender | None:
        """The same PSP that told of nothing yet: the points of a case share their events' ids, and no payment."""
        return replace(self.sender, sent={}) if self.sender is not None else None

    def _start(self, base_url: str) -> dict[str, object]:
        return {
            "protocol": protocol.VERSION,
            "role": Role.SHOP.value,
            "base_url": base_url,
            "profile": self.profile,
            "credentials": {"token": self.credentials["tenant-a"]},
            "ca_file": self.ca_file,
            "answer_timeout": self.answer_timeout,
            "secrets": [self.sender.own.proves] if self.sender is not None else [],
            "endpoint": self.endpoint,
        }


@dataclass(slots=True)
class Shop:
    """One shop, and its process of the moment."""

    subject: ShopSubject
    members: Mapping[str, object]
    """Of `start`."""
    claims: Claims = field(default_factory=lambda: Claims(""))
    _channel: Mortal | None = None
    _notes: list[str] = field(default_factory=list)

    async def start(self, end_at: EndAt | None = None) -> None:
        """Start its process, which knows what the one before it kept. Raises `SubjectError` if that cannot be."""
        more = {"end_at_commit": {"number": end_at.commit, "when": end_at.when}} if end_at else {}
        self._channel = await self.subject.open_channel()
        answer = await self._channel.ask("start", {**self.members, **more}, timeout=self.subject.step_timeout)
        self.claims = protocol.claims(answer)

    async def do(self, step: str, params: Mapping[str, object]) -> Outcome:
        """Ask for one step; raises `SubjectError` where its process ends meanwhile, or the answer is none."""
        asked = {"step": step, "params": dict(params)}
        return protocol.outcome(await self.channel.ask("do", asked, timeout=self.subject.step_timeout))

    async def resume(self) -> Outcome:
        """Let it look after what is in doubt."""
        return await self.do("resume", {})

    async def state(self) -> tuple[tuple[Row, ...], int]:
        """What it believes, and how many transactions its process committed."""
        answer = await self.channel.ask("do", {"step": "state", "params": {}}, timeout=self.subject.step_timeout)
        outcome = protocol.outcome(answer)
        if not isinstance(outcome, Done):
            raise SubjectError(f"'state' was answered {outcome!r}; expected ok", do="see docs/shops.md")
        return protocol.rows(outcome.values)

    async def end(self) -> None:
        """End its process without a warning; what it kept stays."""
        channel, self._channel = self.channel, None
        self._notes += channel.notes()
        await channel.kill()

    async def close(self) -> None:
        """Let it stop, and see that it does."""
        if self._channel is not None:
            with suppress(SubjectError):
                await self._channel.ask("stop", {}, timeout=STOP_SECONDS)
            self._notes += self._channel.notes()
            await self._channel.close()

    @property
    def is_over(self) -> bool:
        """Its process ended, by itself."""
        return self._channel is not None and self._channel.is_over

    @property
    def channel(self) -> Mortal:
        """The way to its process; raises `SubjectError` while there is none."""
        if self._channel is None:
            raise SubjectError("the shop's process was ended")
        return self._channel

    @property
    def notes(self) -> tuple[str, ...]:
        """What its processes printed beside the protocol."""
        return tuple(self._notes)
