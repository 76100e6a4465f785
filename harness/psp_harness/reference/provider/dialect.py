"""The PSP's language, read and written by the facts of its profile: requests become calls, results become answers.

What must live here: everything about routes, bodies, status codes and headers. No PSP is named: its words are data.
"""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from psp_harness.model import Answer, Request
from psp_harness.profile import REFRESHED, Profile, operation_of, wording
from psp_harness.profile import Refusal as Wording
from psp_harness.reference.provider.bank import Bank
from psp_harness.reference.provider.engine import Terms
from psp_harness.reference.provider.fingerprint import fingerprint
from psp_harness.reference.provider.ledger import Entry, Refusal
from psp_harness.reference.provider.listing import Page
from psp_harness.reference.provider.orders import Order, PaymentOrder
from psp_harness.reference.provider.standing import Capture, Fate, PaymentStanding, of_payment, of_refund
from psp_harness.template import Json, decode, encode, fill

KIND: Mapping[str, str] = {
    "create-payment": "payment",
    "get-payment": "payment",
    "list-payments": "payment",
    "capture-payment": "capture",
    "cancel-payment": "cancellation",
    "create-refund": "refund",
    "get-refund": "refund",
    "list-refunds": "refund",
}
"""What each operation enters, or shows."""

_CARDS = {"declined": "declined"}
"""The test card of a PSP that documents none."""

_FATES = {fate.value for fate in Fate}

_USUAL = {
    "unauthorized": 401,
    "declined": 402,
    "not-found": 404,
    "in-flight": 409,
    "duplicate": 409,
    "rate-limited": 429,
    "store-unavailable": 503,
    "not-ready": 503,
}
"""The status of a reason for which the profile has no words, and which must not pass for an invalid request."""

_TITLES = {
    "key-missing": "{} is missing",
    "key-malformed": "{} is malformed",
    "key-reused": "{} is already used",
    "in-flight": "A request is outstanding for this {}",
}
"""As the examples of draft-ietf-httpapi-idempotency-key-header §2.7 have it; the second one is ours."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request that asks for something that the PSP has."""

    operation: str
    values: Mapping[str, object] | None
    """None where the body cannot be read."""
    fingerprint: str


def tenant_of(profile: Profile, credentials: Mapping[str, str], request: Request) -> str | Refusal:
    """Whose request it is: exactly one line says so, with a credential that is known."""
    lines = request.lines(profile.auth.header)
    for tenant, credential in credentials.items():
        expected = str(fill(profile.auth.value, {"credential": credential})).encode()
        if len(lines) == 1 and hmac.compare_digest(lines[0], expected):
            return tenant.removesuffix(REFRESHED)
    return Refusal("unauthorized", f"{profile.auth.header} is missing or wrong")


def call_of(profile: Profile, request: Request) -> Call | Refusal:
    """What a request asks for, or that there is no such route."""
    found = operation_of(profile, request)
    if found is None:
        return Refusal("not-found", f"there is no route {request.method} {request.target.partition('?')[0]}")
    name, values = found
    operation = profile.operations[name]
    readable = operation.request is None or isinstance(decode(request.body, operation.encoding), Mapping)
    typed = _as_text(values) if operation.encoding == "form" else values
    return Call(name, typed if readable else None, fingerprint(name, operation.encoding, request))


def _as_text(values: Mapping[str, object]) -> dict[str, object]:
    """A form has no types: what looks like a number is one only where a number is asked for."""
    return {
        name: str(value) if name != "amount" and isinstance(value, int) else value for name, value in values.items()
    }


def answer_of(profile: Profile, operation: str, entry: Entry, later: Iterable[Entry], now: float) -> Answer:
    """What is said of one payment or refund, as it stands; `later` are the entries of it."""
    route = profile.operations[operation]
    return _answer(route.status, fill(route.answer, _values(profile, entry, later, now)))


def list_answer(profile: Profile, operation: str, page: Page, books: Sequence[Entry], now: float) -> Answer:
    """What is said of many: each as its own route says it. `books` are all entries of the tenant."""
    route, single = profile.operations[operation], profile.operations[f"get-{KIND[operation]}"]
    later: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in books:
        later[entry.of].append(entry)
    items = [fill(single.answer, _values(profile, entry, later[entry.name], now)) for entry in page.items]
    return _answer(route.status, fill(route.answer, {"items": items, "has_more": page.has_more}))


def terms_of(profile: Profile, order: Order, now: float, bank: Bank) -> Terms:
    """What the PSP's words for a card and for the time of capture come to; one that it does not know says nothing."""
    if not isinstance(order, PaymentOrder):
        return Terms(now, bank=bank)
    words = profile.captures
    later = words is not None and order.capture == words.later
    capture = (Capture.IN_PARTS if words and words.in_parts else Capture.LATER) if later else Capture.AT_ONCE
    fates = (Fate(fate) for fate, token in (profile.cards or _CARDS).items() if fate in _FATES and token == order.token)
    return Terms(now, capture, next(fates, Fate.NONE), bank)


def refusal_answer(profile: Profile, refusal: Refusal) -> Answer:
    """No, in the PSP's words for that reason."""
    said = _wording(profile, refusal.reason)
    title = _TITLES.get(refusal.reason, refusal.reason).format(profile.key.name if profile.key else "key")
    words = {"type": "about:blank", "title": title, "message": refusal.message, "id": "", "key": ""}
    about = {**refusal.about, "status": wording(profile, "payment", refusal.about.get("status", ""))}
    answer = _answer(said.status[0], fill(said.body, {**words, **about}), said.content_type)
    later = refusal.about.get("retry_after")
    return answer if later is None else replace(answer, headers=(*answer.headers, (b"retry-after", later.encode())))


def replayed(profile: Profile, answer: Answer) -> Answer:
    """The first answer, and the header line that says that it is not new, where the PSP has one."""
    marker = profile.duplicate.marker if profile.duplicate else None
    if marker is None:
        return answer
    name, _, value = marker.partition(":")
    return Answer(answer.status, (*answer.headers, (name.encode(), value.strip().encode())), answer.body)


def _wording(profile: Profile, reason: str) -> Wording:
    bare = Wording(status=(_USUAL.get(reason, 400),), body={"message": "{message}"})
    fallback = bare if reason in _USUAL else profile.refusals.get("invalid", bare)
    return profile.refusals.get(reason, fallback)


def _answer(status: int, message: Json, content_type: str = "application/json") -> Answer:
    return Answer(status, ((b"content-type", content_type.encode()),), encode(message, "json"))


def _values(profile: Profile, entry: Entry, later: Iterable[Entry], now: float) -> dict[str, object]:
    created = datetime.fromtimestamp(entry.created, UTC).isoformat(timespec="milliseconds")
    values: dict[str, object] = {
        "id": entry.id,
        "amount": entry.amount,
        "currency": entry.currency,
        "merchant": entry.tenant,
        "created": created.replace("+00:00", "Z"),
        "created_unix": int(entry.created),
        "error_code": None,
        "error_message": None,
    }
    if entry.reference is not None:
        values["reference"] = entry.reference
    if entry.kind == "refund":
        status = of_refund(entry, now)
        return values | {"payment_id": entry.of.partition("/")[2], "status": wording(profile, "refund", status)}
    return values | _of_payment(profile, of_payment(entry, later, now))


def _of_payment(profile: Profile, standing: PaymentStanding) -> dict[str, object]:
    values: dict[str, object] = {
        "status": wording(profile, "payment", standing.status),
        "captured": standing.captured,
        "capturable": standing.capturable,
    }
    if profile.captures is not None:
        at_once = standing.capture is Capture.AT_ONCE
        values["capture"] = profile.captures.at_once if at_once else profile.captures.later
    return values
