"""A receiver at a URL: webhooks go there, and its own routes say what it did."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from psp_harness.errors import SubjectError
from psp_harness.model import Answer, Order, Request
from psp_harness.profile import Profile, json_of
from psp_harness.subjects import protocol
from psp_harness.subjects.delivering import as_body, as_json
from psp_harness.subjects.receiver import Clock, Routes, Said, origin
from psp_harness.template import ABSENT
from psp_harness.wire.caller import Caller, Outgoing, raw_bytes, target_of


@dataclass(slots=True)
class Reached:
    """A receiver at a URL, which is asked what it did by its own routes."""

    url: str
    routes: Routes
    profile: Profile
    step_timeout: float
    ca_file: str | None = None
    clock: Clock = field(default_factory=Clock)
    introduction: Mapping[str, object] | None = None
    """Of ours: what it is told before anything else, and again when it was started again."""
    restart: Callable[[], Awaitable[None]] | None = None
    """Kills it without a warning, and starts it again at the same place; None: it runs elsewhere."""
    orders: tuple[Order, ...] = ()
    """Those that it was told last."""

    async def introduce(self) -> None:
        """Tell it what it must know of its PSP."""
        if self.introduction is not None:
            await self.post(str(self.routes.secrets), self.introduction)

    async def tell(self, orders: tuple[Order, ...]) -> None:
        self.orders = orders
        if self.routes.orders:
            await self.post(self.routes.orders, {"orders": as_json(orders, self.profile)}, "--orders")

    async def said(self) -> Said | None:
        if self.routes.effects is None:
            return None
        said = await self.effects()
        return Said(protocol.read_effects(said["effects"]), protocol.read_states(said))

    async def effects(self) -> protocol.Message:
        """What it did, as it says it. Raises `SubjectError` where that is nothing."""
        path, expected = self.routes.effects or "", 'expected {"effects": […]}'
        answer = await self._ask("GET", path, b"")
        body = json_of(answer)
        if not answer.accepted or body is ABSENT:
            what = f"GET {path} (--effects) was answered {answer.status}: {answer.body[:100]!r}"
            raise SubjectError(what, do=expected)
        said = protocol.check("effects", body, f"GET {path}")
        if "effects" not in said:
            raise SubjectError(f"GET {path} (--effects) has no effects", do=expected)
        return said

    async def advance(self, seconds: float) -> None:
        assert self.routes.clock is not None
        await self.post(self.routes.clock, {"advance": seconds}, "--clock")
        self.clock.ahead += seconds

    async def crash(self) -> None:
        assert self.restart is not None
        await self.restart()
        await self.introduce()
        await self.tell(self.orders)

    async def post(self, path: str, message: object, option: str = "") -> None:
        """Say something to one of its own routes. Raises `SubjectError` unless it is taken."""
        answer = await self._ask("POST", path, as_body(message))
        if not answer.accepted:
            raise SubjectError(f"POST {path} ({option}) was answered {answer.status}", do="expected any 2xx")

    async def _ask(self, method: str, path: str, body: bytes) -> Answer:
        target = target_of(origin(self.url), self.ca_file)
        headers = (
            (b"Host", target.authority.encode()),
            (b"Content-Type", b"application/json"),
            (b"Content-Length", str(len(body)).encode()),
            (b"Connection", b"close"),
        )
        request = Request(method, path, headers, body)
        caller = Caller(target, step_timeout=self.step_timeout)
        await caller.together([Outgoing(0, "", request, raw_bytes(request))])
        answer = caller.exchanges[-1].answer
        assert answer is not None
        return answer
