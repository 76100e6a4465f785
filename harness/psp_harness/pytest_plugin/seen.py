"""What one test saw: exchanges and effects, and the picture of them for people, without secrets."""

from __future__ import annotations

from dataclasses import dataclass

from psp_harness.drive.observed import observed
from psp_harness.model import Claims, Effect, Exchange, History
from psp_harness.plan import WATCHED_COMMAND
from psp_harness.profile import Profile, keys_of
from psp_harness.reports.scrub import scrub
from psp_harness.reports.timeline import timeline
from psp_harness.vocabulary import CREATES
from psp_harness.watching import credentials_in


@dataclass(frozen=True, slots=True)
class Seen:
    """All that a sentence about a test can be made from."""

    profile: Profile
    exchanges: tuple[Exchange, ...]
    effects: tuple[Effect, ...]

    def posts(self, operation: str | None) -> list[Exchange]:
        """The requests that would move money, of one operation or of all."""
        wanted = CREATES if operation is None else {operation}
        return [x for x in self.exchanges if x.request is not None and x.operation in wanted]

    def keys_of(self, exchange: Exchange) -> tuple[bytes, ...]:
        """The key of a request, one for each line that it has."""
        return tuple(keys_of(self.profile, exchange.request)) if exchange.request is not None else ()

    def keys(self, operation: str | None) -> list[str]:
        """As text, in order of arrival."""
        return [key.decode("latin-1") for x in self.posts(operation) for key in self.keys_of(x)]

    @property
    def history(self) -> History:
        """As `watch` would see it."""
        return observed(WATCHED_COMMAND, self.exchanges, self.effects, self.profile, Claims("the test"))

    def pictured(self, problem: str) -> str:
        """A sentence, and under it what arrived and which money moved."""
        history = History("", (), {}, self.exchanges, self.effects, Claims(""))
        lines = list(timeline(history, [x.number for x in self.exchanges], self.profile)) or ["nothing arrived"]
        money = ", ".join(f"{e.kind} {e.id} of {e.amount} {e.currency}" for e in self.effects) or "none"
        text = "\n".join([problem, *(f"  {line}" for line in lines), f"  money that moved (minor units): {money}"])
        return scrub(text, credentials_in(self.exchanges, self.profile))
