"""What stands behind a local PSP that anybody may talk to: our own provider, or a sandbox elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from psp_harness.errors import SubjectError
from psp_harness.model import Answer, Effect, Headers, Request
from psp_harness.profile import Profile
from psp_harness.subjects.addresses import our_psp
from psp_harness.template import fill
from psp_harness.wire.caller import Caller, Outgoing, Target, raw_bytes

_OF_ONE_CONNECTION = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect"}
)
"""Header lines that say nothing to whoever comes after (RFC 9110 §7.6.1); bodies are whole when they are passed on."""


class OurPsp:
    """The reference provider under a profile, with nothing in its books.

    Where no credentials are given it takes any: each that comes is an account of its own.
    """

    def __init__(self, profile: Profile, credentials: dict[str, str] | None) -> None:
        self._profile, self._takes_any = profile, credentials is None
        self._credentials = dict(credentials or {})
        self._provider: Any = our_psp(profile, self._credentials)

    async def handle(self, request: Request) -> Answer:
        """The answer to one complete request."""
        answer: Answer = await self._provider.handle(self._admitted(request) if self._takes_any else request)
        return answer

    async def effects(self) -> tuple[Effect, ...]:
        """Every movement of money that happened."""
        effects: tuple[Effect, ...] = await self._provider.effects()
        return effects

    async def close(self) -> None:
        """Give back what it holds."""
        await self._provider.close()

    def _admitted(self, request: Request) -> Request:
        """The request with a credential that our provider knows, in the place of whatever stood there."""
        auth = self._profile.auth
        lines, scheme = request.lines(auth.header), auth.value.partition("{")[0].encode().lower()
        if len(lines) != 1 or not lines[0].lower().startswith(scheme) or lines[0].strip().lower() == scheme.strip():
            return request  # it says nobody's name: 401, as the PSP would
        account = lines[0].hex()
        self._credentials[account] = account
        line = str(fill(auth.value, {"credential": account})).encode()
        return replace(request, headers=_with(request.headers, auth.header, line))


@dataclass(slots=True)
class Sandbox:
    """A PSP elsewhere: each request is passed on over a connection of its own, and is changed in nothing else."""

    target: Target
    timeout: float
    """Seconds that it may take to answer."""
    failures: list[str] = field(default_factory=list)
    """Why it could not be asked; whoever sent the request sees its connection break."""

    async def handle(self, request: Request) -> Answer:
        """The answer to one complete request; raises `ConnectionError` where there is none."""
        passed = self._passed_on(request)
        caller = Caller(self.target, step_timeout=self.timeout)
        try:
            await caller.together([Outgoing(0, "", passed, raw_bytes(passed))])
        except SubjectError as error:
            self.failures.append(f"--upstream: {error}")
            raise ConnectionAbortedError from None
        answer = caller.exchanges[-1].answer
        assert answer is not None
        return replace(answer, headers=_lasting(answer.headers))

    def _passed_on(self, request: Request) -> Request:
        kept = [line for line in _lasting(request.headers) if line[0].lower() not in {b"host", b"content-length"}]
        has_body = request.body or request.method not in {"GET", "HEAD"}
        length = [(b"Content-Length", str(len(request.body)).encode())] if has_body else []
        headers = ((b"Host", self.target.authority.encode()), *kept, *length, (b"Connection", b"close"))
        return replace(request, target=f"{self.target.prefix}{_path(request.target)}", headers=headers)


def _path(target: str) -> str:
    """Without the scheme and host that a request to a proxy names (RFC 9112 §3.2.2)."""
    parts = urlsplit(target)
    return urlunsplit(("", "", parts.path or "/", parts.query, "")) if parts.scheme else target


def _lasting(headers: Headers) -> Headers:
    return tuple((name, value) for name, value in headers if name.decode("latin-1").lower() not in _OF_ONE_CONNECTION)


def _with(headers: Headers, name: str, value: bytes) -> Headers:
    wanted = name.lower().encode()
    return tuple((each, value if each.lower() == wanted else line) for each, line in headers)
