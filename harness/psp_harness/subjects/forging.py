"""Webhooks as a forger or a broken sender makes them: each a small change to what the PSP would have sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from psp_harness.profile import Webhooks
from psp_harness.signing import Draft, Scheme, Webhook
from psp_harness.template import decode, encode, fill, read

APART = 2
"""So many tolerances lie between now and a time that is too far off."""


@dataclass(frozen=True, slots=True)
class Forger:
    """What there is to forge with: the facts of the PSP, its key, another one, and the time."""

    facts: Webhooks
    key: bytes
    other: bytes
    draft: Draft
    """What the PSP would send now."""
    decoy: bytes
    """The body of another event, which the PSP did send."""
    elsewhere: str = ""
    """Where somebody else's certificate lies."""

    @property
    def scheme(self) -> Scheme:
        """How the PSP signs."""
        return self.facts.signature

    def signed(self, draft: Draft | None = None, *keys: bytes) -> Webhook:
        """The draft, signed as the PSP does."""
        return self.scheme.sign_with(draft or self.draft, keys or (self.key,))

    def dated(self, tolerances: int) -> Draft:
        """The draft, sent so many tolerances from now."""
        return replace(self.draft, at=self.draft.at + tolerances * (self.facts.tolerance_seconds or 0))

    def altered(self, name: str, webhook: Webhook | None = None) -> Webhook:
        """What the scheme knows under that name, done to what was signed."""
        return self.scheme.alters[name](webhook or self.signed(), self.draft)


def forge(kind: str, forger: Forger) -> Webhook:
    """The webhook of that forgery: a name of the vocabulary."""
    return _FORGERIES[kind](forger)


# --- signatures ---------------------------------------------------------------------------------------------------


def _unsigned(by: Forger) -> Webhook:
    lines = tuple(line for line in by.signed().headers if line[0].decode() != by.scheme.header)
    return Webhook(lines, by.draft.body)


def _altered(by: Forger) -> Webhook:
    decoy = by.signed(replace(by.draft, body=by.decoy))
    if "transplanted" in by.scheme.alters:
        return by.altered("transplanted", decoy)
    return replace(decoy, body=by.draft.body)


def _other_bytes(by: Forger) -> Webhook:
    webhook = by.signed()
    return replace(webhook, body=spaced(webhook.body))


def spaced(body: bytes) -> bytes:
    """The same JSON value, as no serialiser writes it by default."""
    return json.dumps(decode(body, "json"), indent=1, separators=(" ,", " : ")).encode()


def _dated_elsewhere(by: Forger) -> Webhook:
    webhook = by.signed(by.dated(-APART))
    now = str(by.draft.at).encode()
    return replace(webhook, headers=(*webhook.headers, (b"X-Timestamp", now), (b"X-Request-Timestamp", now)))


def _forged_item(by: Forger) -> Webhook:
    """The items as the PSP signs them, but for the last, which somebody else did."""
    right, wrong = (
        read(by.facts.envelope, decode(w.body, "json")) or {} for w in (by.signed(), by.signed(None, by.other))
    )
    items = [*_items(right)[:-1], _items(wrong)[-1]]
    return Webhook((), encode(fill(by.facts.envelope, {**right, "items": items}), "json"))


def _items(values: Mapping[str, object]) -> list[object]:
    items = values.get("items")
    return items if isinstance(items, list) else []


def _certificate_elsewhere(by: Forger) -> Webhook:
    webhook = by.signed(None, by.other)
    return by.scheme.alters["certificate-elsewhere"](webhook, replace(by.draft, url=by.elsewhere))


# --- junk ---------------------------------------------------------------------------------------------------------


def _with_line(webhook: Webhook, name: str, *lines: bytes) -> Webhook:
    others = tuple(line for line in webhook.headers if line[0].decode() != name)
    return replace(webhook, headers=(*others, *((name.encode(), line) for line in lines)))


def _line(*lines: bytes) -> Callable[[Forger], Webhook]:
    """Exactly these lines where the signature should be; in the body, where that is its place."""

    def forged(by: Forger) -> Webhook:
        webhook = by.signed()
        if by.scheme.header:
            return _with_line(webhook, by.scheme.header, *lines)
        signature = by.signed(None, by.other)
        return replace(signature, body=signature.body.replace(b'"hmacSignature":"', b'"hmacSignature":"junk', 1))

    return forged


def _junk_element(by: Forger) -> Webhook:
    webhook = by.signed(None, by.other)
    line = webhook.only(by.scheme.header) or b""
    separator = b" " if b"v1," in line else b","
    return _with_line(webhook, by.scheme.header, b"junk" + separator + line) if by.scheme.header else _line()(by)


def _junk_time(by: Forger) -> Webhook:
    """Where the time should be stands a word; where no time is signed, somebody else signs."""
    scheme = by.scheme
    webhook = by.signed(None, by.key if scheme.timestamped else by.other)
    if scheme.time_header:
        return _with_line(webhook, scheme.time_header, b"yesterday")
    at = str(by.draft.at).encode()
    return replace(webhook, headers=tuple((name, line.replace(at, b"yesterday")) for name, line in webhook.headers))


def _body(body: bytes) -> Callable[[Forger], Webhook]:
    return lambda by: by.signed(replace(by.draft, body=body))


def _text_amount(by: Forger) -> Webhook:
    message = decode(by.draft.body, "json")
    members = message if isinstance(message, dict) else {}
    body = json.dumps({name: member if isinstance(member, str) else "text" for name, member in members.items()})
    return by.signed(replace(by.draft, body=body.encode()))


_FORGERIES: Mapping[str, Callable[[Forger], Webhook]] = {
    "unsigned": _unsigned,
    "signed-by-another": lambda by: by.signed(None, by.other),
    "signed-with-nothing": lambda by: _unsigned(by) if by.scheme.asymmetric else by.signed(None, b""),
    "altered": _altered,
    "other-bytes": _other_bytes,
    "downgraded": lambda by: by.altered("downgraded"),
    "stale": lambda by: by.signed(by.dated(-APART)),
    "future": lambda by: by.signed(by.dated(APART)),
    "redated": lambda by: by.altered("redated", by.signed(by.dated(-APART))),
    "dated-elsewhere": _dated_elsewhere,
    "shifted": lambda by: by.altered("shifted"),
    "forged-item": _forged_item,
    "certificate-elsewhere": _certificate_elsewhere,
    "junk-signature": _line(b"junk"),
    "junk-element": _junk_element,
    "binary-signature": _line(b"\xff\xfe\x80=,\xf0"),
    "empty-signature": _line(b""),
    "two-signatures": _line(b"v1,AAAA", b"t=1,v1=00"),
    "junk-time": _junk_time,
    "no-json": _body(b'{"type": '),
    "null-body": _body(b"null"),
    "list-body": _body(b"[1]"),
    "bare-body": _body(b"{}"),
    "empty-body": _body(b""),
    "text-amount": _text_amount,
}
