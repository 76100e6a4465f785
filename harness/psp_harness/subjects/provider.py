"""The role provider: something that takes payment requests, asked over HTTP in the words of its profile."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from psp_harness.errors import SubjectError
from psp_harness.model import Answer, Claims, Effect, Headers, Intent, Request, Strike
from psp_harness.profile import Profile, json_of, values_of, write_key
from psp_harness.subjects.protocol import check, read_effects
from psp_harness.template import ABSENT, encode, fill, read
from psp_harness.vocabulary import EFFECT_KIND
from psp_harness.wire.caller import Caller, Outgoing, Target, raw_bytes, target_of

MAX_PAGES = 100
"""Of a list of payments or refunds."""


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
    ca_file: str | None = None
    before: frozenset[str] = field(default_factory=frozenset)
    """Ids of what had happened before this run."""

    @property
    def target(self) -> Target:
        """Where it listens. Raises `SubjectError` for a CA file that cannot be read."""
        try:
            return target_of(self.base_url, self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise SubjectError(f"the CA file {self.ca_file!r} cannot be used: {error}", do="name a PEM file") from None

    def outgoing(self, intent: Intent, payment_id: str, strike: Strike | None) -> Outgoing:
        """One step as a request, ready to be sent."""
        request = compose(self.profile, intent, payment_id, self.credentials[intent.tenant], self.target)
        return Outgoing(intent.step, intent.operation, request, raw_bytes(request), strike)

    def caller(self) -> Caller:
        """A caller for one case."""
        return Caller(self.target, step_timeout=self.step_timeout)

    async def effects(self) -> tuple[Effect, ...] | None:
        """Everything that happened since this run began, of all tenants; None where it cannot be told."""
        rows = await self._named_effects() if self.effects_path else await self._listed_effects()
        if rows is None:
            return None
        return tuple(effect for effect in rows if effect.id not in self.before)

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
            raise SubjectError(f"GET {path} (--effects) was answered {answer.body[:100]!r}", do='expected {"effects": […]}')
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
            found += [_effect(EFFECT_KIND[item], row) for row in rows if row.get("status", "succeeded") == "succeeded"]
            if not (page.get("has_more") is True and route.cursor and rows):
                return found
            path = f"{route.path}{'&' if '?' in route.path else '?'}{route.cursor}={quote(str(rows[-1].get('id')))}"
        raise SubjectError(f"GET {route.path} has more than {MAX_PAGES} pages", do="give --effects PATH")

    async def _get(self, path: str, tenant: str) -> Answer:
        caller = self.caller()
        request = Request(
            "GET", f"{self.target.prefix}{path}", _headers(self.profile, self.credentials[tenant], self.target), b""
        )
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


# --- requests ---------------------------------------------------------------------------------------------------------


def compose(profile: Profile, intent: Intent, payment_id: str, credential: str, target: Target) -> Request:
    """A step in the words of the profile: its route, its body, its credential, and its key as it is, however odd."""
    route = profile.operations[intent.operation]
    values: dict[str, object] = {
        "amount": intent.amount, "currency": intent.currency, "reference": intent.reference, "token": "psp_harness_token",
    }  # fmt: skip
    values |= {"payment_id": payment_id} if intent.payment is not None else {}
    values |= {"chosen_id": intent.chosen_id} if intent.chosen_id is not None else {}
    body = encode(fill(route.request, values), route.encoding)
    path = target.prefix + str(fill(route.path, {name: quote(str(value)) for name, value in values.items()}))
    kind = b"application/x-www-form-urlencoded" if route.encoding == "form" else b"application/json"
    headers = [
        *_headers(profile, credential, target),
        (b"Content-Type", kind),
        (b"Content-Length", str(len(body)).encode()),
        *_key_line(profile, intent),
    ]
    return Request(route.method, path, tuple(headers), body)


def _headers(profile: Profile, credential: str, target: Target) -> Headers:
    return (
        (b"Host", target.authority.encode()),
        (profile.auth.header.encode(), str(fill(profile.auth.value, {"credential": credential})).encode()),
        (b"Accept", b"application/json"),
        (b"Connection", b"close"),
    )


def _key_line(profile: Profile, intent: Intent) -> Iterator[tuple[bytes, bytes]]:
    if profile.key is not None and intent.key is not None:
        yield profile.key.name.encode(), write_key(profile, intent.key) if intent.key else b""
