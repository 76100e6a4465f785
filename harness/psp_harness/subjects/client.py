"""The role client: something that sends payment requests, asked through the subject protocol."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from psp_harness.model import Claims, Intent, Outcome, Role
from psp_harness.subjects import protocol
from psp_harness.subjects.channels import Channel

STOP_SECONDS = 5.0
"""How long a subject may take to stop; past it, it is ended."""


@dataclass(frozen=True, slots=True)
class ClientSubject:
    """A client that can be started for one case after another."""

    address: str
    open_channel: Callable[[], Awaitable[Channel]]
    profile: str
    credentials: Mapping[str, str]
    step_timeout: float
    answer_timeout: float
    ca_file: str | None = None

    @asynccontextmanager
    async def session(self, base_url: str) -> AsyncIterator[Session]:
        """Start the client against a PSP at `base_url`, and stop it. Raises `SubjectError` if it cannot be driven."""
        with tempfile.TemporaryDirectory(prefix="psp-harness-", ignore_cleanup_errors=True) as state:
            channel = await self.open_channel()
            try:
                answer = await channel.ask("start", self._start(base_url, Path(state)), timeout=self.step_timeout)
                yield Session(channel, protocol.claims(answer), self.step_timeout)
            finally:
                await channel.close()

    def _start(self, base_url: str, state: Path) -> dict[str, object]:
        return {
            "protocol": protocol.VERSION,
            "role": Role.CLIENT.value,
            "base_url": base_url,
            "profile": self.profile,
            "credentials": {"token": self.credentials["tenant-a"]},
            "ca_file": self.ca_file,
            "state_dir": str(state),
            "answer_timeout": self.answer_timeout,
        }


@dataclass(frozen=True, slots=True)
class Session:
    """A client that was started."""

    channel: Channel
    claims: Claims
    step_timeout: float

    async def do(self, intent: Intent, payment_id: str = "") -> Outcome:
        """Ask for one step; raises `SubjectError` where the answer is none."""
        asked = {"step": intent.operation, "params": protocol.params(intent, payment_id)}
        return protocol.outcome(await self.channel.ask("do", asked, timeout=self.step_timeout))

    async def stop(self) -> None:
        """Ask it to end; what is still under way is then recorded or never happened."""
        await self.channel.ask("stop", {}, timeout=STOP_SECONDS)
