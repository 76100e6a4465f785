"""The role client: something that sends payment requests, asked through the subject protocol."""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from psp_harness.model import Claims, Effect, Intent, Outcome, Role
from psp_harness.profile import REFRESHED
from psp_harness.subjects import protocol
from psp_harness.subjects.channels import Channel
from psp_harness.wire.tls import Authority

STOP_SECONDS = 5.0
"""How long a subject may take to stop; past it, it is ended."""


_OURS = "tenant-a"


def with_a_second(credentials: Mapping[str, str]) -> dict[str, str]:
    """The credentials, and a second one for a client whose first is refused, where none was given."""
    return {f"{_OURS}{REFRESHED}": f"{credentials[_OURS]}{REFRESHED}", **credentials}


@dataclass(frozen=True, slots=True)
class ClientSubject:
    """A client that can be started for one case after another."""

    address: str
    open_channel: Callable[[Mapping[str, str]], Awaitable[Channel]]
    """With what a process of its own is to find in its environment beside ours."""
    profile: str
    credentials: Mapping[str, str]
    step_timeout: float
    answer_timeout: float

    @asynccontextmanager
    async def session(self, base_url: str, trusted: Authority | None = None) -> AsyncIterator[Session]:
        """Start the client against a PSP at `base_url`, and stop it. Raises `SubjectError` if it cannot be driven.

        `trusted` vouches for a PSP that speaks https.
        """
        environment = trusted.environment if trusted else {}
        with tempfile.TemporaryDirectory(prefix="psp-harness-", ignore_cleanup_errors=True) as state:
            session = Session(await self.open_channel(environment), self.step_timeout, environment)
            try:
                await session.start(self.started(base_url, Path(state), trusted.ca_file if trusted else None))
                yield session
            finally:
                await session.channel.close()

    def started(self, base_url: str, state: Path, ca_file: str | None = None) -> dict[str, object]:
        """What it is started with; after it was ended, the same."""
        return {
            "protocol": protocol.VERSION,
            "role": Role.CLIENT.value,
            "base_url": base_url,
            "profile": self.profile,
            "credentials": {"token": self.credentials[_OURS], "refreshed": self.credentials[f"{_OURS}{REFRESHED}"]},
            "ca_file": ca_file,
            "state_dir": str(state),
            "answer_timeout": self.answer_timeout,
        }


class Session:
    """A client that was started."""

    def __init__(self, channel: Channel, step_timeout: float, environment: Mapping[str, str]) -> None:
        self.channel, self.step_timeout, self.environment = channel, step_timeout, environment
        self.claims: Claims
        self._said: Mapping[str, object] = {}

    async def start(self, said: Mapping[str, object]) -> None:
        """Start it; raises `SubjectError` where it says of itself what the protocol does not know."""
        self._said = said
        self.claims = protocol.claims(await self.channel.ask("start", said, timeout=self.step_timeout))

    async def end(self) -> None:
        """End it as a crash does: whatever it is at."""
        await self.channel.kill()

    async def start_again(self, channel: Channel) -> None:
        """Start it with what it kept, after it was ended."""
        self.channel = channel
        await self.start(self._said)

    async def do(self, intent: Intent, payment_id: str = "") -> Outcome:
        """Ask for one step; raises `SubjectError` where the answer is none."""
        params = protocol.params(intent, payment_id)
        if "told-the-time" in self.claims.features:
            params["now"] = time.time() + intent.at
        asked = {"step": intent.operation, "params": params}
        return protocol.outcome(await self.channel.ask("do", asked, timeout=self.step_timeout))

    async def booked(self) -> tuple[Effect, ...] | None:
        """What it has booked as done, where it claims to say so; raises `SubjectError` where its answer is none."""
        if "keeps-books" not in self.claims.features:
            return None
        return protocol.effects(await self.channel.ask("effects", {}, timeout=self.step_timeout))

    async def stop(self) -> None:
        """Ask it to end; what is still under way is then recorded or never happened."""
        await self.channel.ask("stop", {}, timeout=STOP_SECONDS)
