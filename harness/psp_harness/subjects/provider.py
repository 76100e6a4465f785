"""The role provider: something that takes payment requests, asked over HTTP in the words of its profile."""

from __future__ import annotations

import json
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from psp_harness.errors import SubjectError
from psp_harness.model import Answer, Claims, Effect, Exchange, Intent, Request, Strike
from psp_harness.profile import REFRESHED, Profile, json_of, meaning, values_of
from psp_harness.subjects.composing import common_headers, compose
from psp_harness.subjects.protocol import check, read_effects
from psp_harness.subjects.together import Together
from psp_harness.template import ABSENT, read
from psp_harness.vocabulary import EFFECT_KIND
from psp_harness.wire.caller import Caller, Outgoing, Target, raw_bytes, target_of

MAX_PAGES = 100
"""Of a list of payments or refunds."""


@dataclass(slots=True)
class Pace:
    """How long this provider takes, as far as it was seen."""

    slowest: float = 0.0
    """Seconds that the slowest answer took to which nothing was done on its way."""

    def saw(self, exchanges: Iterable[Exchange]) -> None:
        """Requests were answered, or not."""
        took = (x.ended - x.began for x in exchanges if x.answer is not None and x.fault is None)
        self.slowest = max(self.slowest, *took, 0.0)


@dataclass(frozen=True, slots=True)
class ProviderSubject:
    """A provider that is running."""

    address: str
    base_url: str
    claims: Claims
    profile: Profile
    credentials: Mapping[str, str]
    step_timeout: float
    effects_path: str | None = None
    clock_path: str | None = None
    ca_file: str | None = None
    before: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    """Kinds and ids of what had happened before this run."""
    restart: Callable[[], Awaitable[None]] | None = None
    """Kills it, and returns when it accepts again at the same place; none where it cannot be."""
    last_words: Callable[[], str] = str
    """What its process said last on its standard error; nothing where it is none of ours."""
    pace: Pace = field(default_factory=Pace)
    reading: Together[tuple[Effect, ...] | None] = field(default_factory=Together)
    """Reads of the effects, shared by the cases that want them at once."""

    @property
    def given(self) -> frozenset[str]:
        """The features that the way in which it was opened gives."""
        given = {
            "effects": True,
            "clock": self.clock_path is not None,
            "refreshed-credential": f"tenant-a{REFRESHED}" in self.credentials,
        }
        return frozenset(name for name, holds in given.items() if holds)

    @property
    def target(self) -> Target:
        """Where it listens. Raises `SubjectError` for a CA file that cannot be read."""
        try:
            return target_of(self.base_url, self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise SubjectError(f"the CA file {self.ca_file!r} cannot be used: {error}", do="name a PEM file") from None

    def outgoing(self, intent: Intent, above_id: str, strike: Strike | None) -> Outgoing:
        """One step as a request, ready to be sent; `above_id`: of the payment or refund that it is of."""
        credential = self.credentials[f"{intent.tenant}{REFRESHED}" if intent.manner.refreshed else intent.tenant]
        request = compose(self.profile, intent, above_id, credential, self.target)
        manner = intent.manner
        raw = raw_bytes(request)
        return Outgoing(intent.step, intent.operation, request, raw, strike, manner.after, manner.elsewhere)

    def caller(self) -> Caller:
        """A caller for one case."""
        return Caller(self.target, step_timeout=self.step_timeout)

    async def effects(self) -> tuple[Effect, ...] | None:
        """Everything that happened since this run began, of all tenants; None where it cannot be told."""
        rows = await self.reading.ask(self._named_effects if self.effects_path else self._listed_effects)
        if rows is None:
            return None
        return tuple(effect for effect in rows if (effect.kind, effect.id) not in self.before)

    async def advance_clock(self, seconds: float) -> None:
        """Let its clock jump; raises `SubjectError` where it does not take that."""
        body = json.dumps({"advance": seconds}).encode()
        length = (b"Content-Length", str(len(body)).encode())
        kind = (b"Content-Type", b"application/json")
        headers = (*common_headers(self.profile, self.credentials["tenant-a"], self.target), kind, length)
        answer = await self._ask(Request("POST", f"{self.target.prefix}{self.clock_path}", headers, body))
        if not answer.accepted:
            raise SubjectError(f"POST {self.clock_path} (--clock) was answered {answer.status}", do="expected any 2xx")

    async def reach(self) -> None:
        """Raise `SubjectError` unless something answers there."""
        if await self.effects() is None:
            await self._get(f"{self.profile.operations['create-payment'].path}/psp-harness-is-there", "tenant-a")

    async def _named_effects(self) -> tuple[Effect, ...]:
        path = self.effects_path or ""
        answer = await self._get(path, "tenant-a")
        body = json_of(answer)
        if not answer.accepted or body is ABSENT:
            raise SubjectError(
                f"GET {path} (--effects) was answered {answer.status}: {answer.body[:100]!r}",
                do='expected {"effects": […]}',
            )
        said = check("effects", body, f"GET {path}")
        if "effects" not in said:
            raise SubjectError(
                f"GET {path} (--effects) was answered {answer.body[:100]!r}", do='expected {"effects": […]}'
            )
        return read_effects(said["effects"])

    async def _listed_effects(self) -> tuple[Effect, ...] | None:
        found: list[Effect] = []
        for operation, item in (("list-payments", "create-payment"), ("list-refunds", "create-refund")):
            if operation not in self.profile.operations:
                if item in self.profile.operations:
                    return None
                continue
            for tenant in self.profile.credentials:
                listed = await self._list(operation, item, tenant)
                if listed is None:
                    return None
                seen = {(effect.kind, effect.id) for effect in found}  # one that every tenant is shown is still one
                found += [effect for effect in listed if (effect.kind, effect.id) not in seen]
        return tuple(found)

    async def _list(self, operation: str, item: str, tenant: str) -> list[Effect] | None:
        route = self.profile.operations[operation]
        template = self.profile.operations[item].answer
        found: list[Effect] = []
        path = route.path
        for _ in range(MAX_PAGES):
            answer = await self._get(path, tenant)
            page = values_of(self.profile, operation, answer)
            items = page.get("items")
            if not answer.accepted or not isinstance(items, list):
                return None  # it has no such route: nobody can say what it did
            rows = [read(template, each) or {} for each in items]
            moved = (self._effect(EFFECT_KIND[item], row) for row in rows if self._moved(EFFECT_KIND[item], row))
            found += [effect for effect in moved if effect is not None]
            if not (page.get("has_more") is True and route.cursor and rows):
                return found
            path = f"{route.path}{'&' if '?' in route.path else '?'}{route.cursor}={quote(str(rows[-1].get('id')))}"
        raise SubjectError(f"GET {route.path} has more than {MAX_PAGES} pages", do="give --effects PATH")

    def _moved(self, kind: str, row: Mapping[str, object]) -> bool:
        return meaning(self.profile, kind, row.get("status", "succeeded")) in {"succeeded", "partially_captured"}

    def _effect(self, kind: str, row: Mapping[str, object]) -> Effect | None:
        """What a list shows of a payment or refund; one that was authorised first moved by its captures, as one sum.

        None where the list does not say how much was captured.
        """
        captured_later = self.profile.captures is not None and row.get("capture") == self.profile.captures.later
        if kind != "payment" or not captured_later:
            return _effect(kind, row)
        if not isinstance(row.get("captured"), int):
            return None
        return _effect("capture", {**row, "payment_id": row.get("id"), "amount": row.get("captured")})

    async def _get(self, path: str, tenant: str) -> Answer:
        headers = common_headers(self.profile, self.credentials[tenant], self.target)
        return await self._ask(Request("GET", f"{self.target.prefix}{path}", headers, b""))

    async def _ask(self, request: Request) -> Answer:
        """A request of the harness itself, which is no part of any case."""
        caller = self.caller()
        await caller.together([Outgoing(0, "", request, raw_bytes(request))])
        answer = caller.exchanges[-1].answer
        assert answer is not None
        return answer


def _effect(kind: str, row: Mapping[str, object]) -> Effect:
    amount = row.get("amount")
    return Effect(
        kind,
        str(row.get("id") or ""),
        amount if isinstance(amount, int) else 0,
        str(row.get("currency") or ""),
        str(row.get("payment_id") or ""),
        str(row.get("reference") or ""),
    )
