"""The sender: what is due is sent, in the background, a few at a time; requests are never kept waiting by it.

What must hold here: an attempt is in the books before its first byte goes out; every wait has a bound; whatever an
endpoint does (nothing, junk, a redirect, a flood), it is one more attempt that was not taken, and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import httpx

from psp_harness.errors import UsageError
from psp_harness.model import Answer
from psp_harness.profile import Profile
from psp_harness.reference.provider.ledger import Entry, Refusal
from psp_harness.reference.provider.sending.events import Reader, events_of
from psp_harness.reference.provider.sending.manner import Manner
from psp_harness.reference.provider.sending.message import message_of
from psp_harness.reference.provider.sending.outbox import (
    Attempt,
    Endpoint,
    Sending,
    attempts_of,
    endpoints_of,
    place_of,
    sendings_of,
)
from psp_harness.reference.provider.sending.registration import LOOPBACK, checked, webhooks_of
from psp_harness.reference.provider.stores import Effected, Store, StoreUnavailable

MOST: Final = 8
"""Deliveries under way at once."""

PATIENCE: Final = 5.0
"""Real seconds for one delivery. PSPs wait longer, up to 30; nobody waits for that in a test."""

LOOK: Final = 1.0
"""Real seconds between looks into the books, where nothing says that there is something new: others may share them."""


class Sender:
    """The webhooks of one provider. It sleeps until an endpoint is known."""

    def __init__(
        self, profile: Profile, store: Store, now: Callable[[], float], further: Mapping[str, Reader] | None = None
    ) -> None:
        """`now`: Unix time, of the provider's clock. `further`: how what this PSP alone has in its books stands."""
        self.profile, self._store, self._now = profile, store, now
        self._further = further or {}
        self.hosts = set(LOOPBACK)
        """Whom it may send to."""
        self.patience = PATIENCE
        """Real seconds for one delivery."""
        self.manner = Manner()
        self._woken = asyncio.Event()
        self._ended = False
        self._round_lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._due: list[Sending] = []
        self._under_way: dict[tuple[str, str, str], asyncio.Task[None]] = {}
        self._http: httpx.AsyncClient | None = None

    # --- endpoints ------------------------------------------------------------------------------------------------

    async def register(self, url: str, tenant: str = "tenant-a", secret: str | None = None) -> Endpoint:
        """From now on the events of that tenant go there, signed with its secret: the profile's, unless one is given.

        Raises `UsageError` for a PSP that sends no webhooks, a URL that it may not send to, and a missing secret.
        """
        endpoint = self.checked(url, tenant, secret)
        standing = endpoints_of(await self._store.entries())
        if not any((each.id, each.tenant, each.secret) == (endpoint.id, tenant, endpoint.secret) for each in standing):
            await self._enter(endpoint.entry("endpoint", self._now()))
        self._begin()
        return endpoint

    def checked(self, url: str, tenant: str = "tenant-a", secret: str | None = None) -> Endpoint:
        """What would be registered. Raises `UsageError`, as `register` does."""
        return checked(self.profile, self.hosts, url, tenant, secret)

    async def remove(self, url: str, tenant: str = "tenant-a") -> None:
        """Nothing goes there any more, not even what was tried already."""
        await self._enter(Endpoint(tenant, url, "").entry("endpoint-removed", self._now()))

    async def endpoints(self) -> list[Endpoint]:
        """Those that are registered."""
        return endpoints_of(await self._store.entries())

    async def sent(self) -> list[Attempt]:
        """Every delivery that was made so far, in order."""
        made = attempts_of(await self._store.entries())
        return sorted((attempt for each in made.values() for attempt in each), key=lambda attempt: attempt.at)

    async def waiting(self) -> list[Sending]:
        """What is to be sent yet, in the order in which it is due; also what time alone will bring."""
        return sendings_of(await self._store.entries(), webhooks_of(self.profile), self._further)

    # --- the background -------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Go on with what an earlier life left; a store that does not answer yet is asked again."""
        with suppress(StoreUnavailable):
            if not endpoints_of(await self._store.entries()):
                return
        if self.profile.webhooks is not None:
            self._begin()

    def wake(self) -> None:
        """Something may have happened."""
        self._woken.set()

    async def heard(self) -> None:
        """A change was made, and is about to be answered."""
        self.wake()
        if self.manner.before_the_answer and self._task is not None:
            with suppress(StoreUnavailable):  # what was made is made, and is answered
                await self.settled()

    async def close(self) -> None:
        """Stop; what is under way counts as not taken.

        The look into the books is not cut off but ends by itself: some clients of databases take the one for the other,
        a cancelled task and an answer that is late, and go on.
        """
        self._ended = True
        self.wake()
        if self._task is not None:
            await self._task
        for delivery in self._under_way.values():
            delivery.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        if self._http is not None:
            await self._http.aclose()

    def _begin(self) -> None:
        if self._task is None:
            self._http = httpx.AsyncClient(timeout=self.patience, follow_redirects=False, trust_env=False)
            self._task = asyncio.get_running_loop().create_task(self._run())
        self.wake()

    async def _run(self) -> None:
        while not self._ended:
            self._woken.clear()
            pause = LOOK
            with suppress(StoreUnavailable):
                pause = min(LOOK, await self._round())
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._woken.wait()

    async def _round(self) -> float:
        """Look what is due, and begin with it; gives the seconds until something else is."""
        async with self._round_lock:
            now = self._now()
            wanted = await self.waiting()
            due = [sending for sending in wanted if sending.due <= now]
            self._due = due[::-1] if self.manner.newest_first else due
            self._begin_what_is_due()
            return min((sending.due - now for sending in wanted if sending.due > now), default=LOOK)

    def _begin_what_is_due(self) -> None:
        """As much of it as may be under way; the rest waits for its turn."""
        left = []
        for sending in self._due:
            if self._ended or self.manner.withheld or len(self._under_way) >= MOST or sending.key in self._under_way:
                left.append(sending)
                continue
            task = asyncio.get_running_loop().create_task(self._deliver(sending))
            task.add_done_callback(_seen)
            self._under_way[sending.key] = task
        self._due = left

    async def _deliver(self, sending: Sending) -> None:
        """One attempt. Where the store does not say that it is in the books, it is made again, but not at once."""
        try:
            if await self._enter(sending.entry("attempt", self._now())):
                outcome, *_ = await asyncio.gather(*(self._posted(sending) for _ in range(self.manner.copies)))
                await self._enter(sending.entry("outcome", self._now(), outcome=outcome))
        except BaseException:
            self._due = []
            raise
        finally:
            del self._under_way[sending.key]
        self._begin_what_is_due()
        if not self._due:
            self.wake()

    async def _posted(self, sending: Sending) -> str:
        """What became of it, in a word: the status of the answer, or what went wrong."""
        assert self._http is not None
        headers, body = message_of(self.profile, sending, self._now())
        try:
            async with asyncio.timeout(self.patience):
                request = self._http.build_request("POST", sending.endpoint.url, headers=list(headers), content=body)
                answer = await self._http.send(request, stream=True)
                await answer.aclose()
        except (TimeoutError, httpx.TimeoutException):
            return "timeout"
        except httpx.HTTPError as error:
            return type(error).__name__
        return str(answer.status_code)

    async def _enter(self, entry: Entry) -> bool:
        """Whether it was; somebody else may have."""

        def once(ledger: object) -> Effected | Refusal:
            existing = getattr(ledger, "existing", None)
            return Refusal("duplicate", f"{entry.name} is there") if existing else Effected(entry, Answer(204))

        return isinstance(await self._store.complete(None, place_of(entry), once), Effected)

    async def redeliver(self, event: str) -> None:
        """Send an event again, whether or not it was taken, as PSPs let a person do. Raises `UsageError`."""
        entries = await self._store.entries()
        made = attempts_of(entries)
        wanted = [
            Sending(each, endpoint, len(made.get((each.id, endpoint.id), ())) + 1, self._now())
            for each in events_of(entries, webhooks_of(self.profile), self._further)
            for endpoint in endpoints_of(entries)
            if each.id == event and endpoint.tenant == each.about.tenant and each.at <= self._now()
        ]
        if not wanted:
            raise UsageError(f"there is no event {event!r}, or nobody to tell of it", do="see what was sent")
        for sending in wanted:
            if await self._enter(sending.entry("attempt", self._now())):
                await self._enter(sending.entry("outcome", self._now(), outcome=await self._posted(sending)))

    # --- a clock that jumps ---------------------------------------------------------------------------------------

    async def next_moment(self) -> float | None:
        """When the next delivery is due, once everything that is due was sent; None: nothing is, or nobody listens."""
        if self._task is None:
            return None
        await self.settled()
        return next((sending.due for sending in await self.waiting() if sending.due > self._now()), None)

    async def settled(self) -> None:
        """Return when nothing is due, and nothing under way. Raises `StoreUnavailable`."""
        while True:
            await self._round()
            if not self._under_way:
                return
            while self._under_way:
                await asyncio.gather(*self._under_way.values())


def _seen(delivery: asyncio.Task[None]) -> None:
    """That the store did not answer is no news: the next look finds out what is in the books."""
    if not delivery.cancelled():
        delivery.exception()
