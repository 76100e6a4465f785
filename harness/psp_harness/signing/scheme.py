"""What a signature scheme is: how it signs and verifies over raw bytes, and the facts about it that rules need.

What must hold here: signatures are compared in constant time; an empty secret is refused, for whoever knows none could
sign with it; whatever arrives, verifying ends in a value and never in an error.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from psp_harness.errors import UsageError
from psp_harness.model import Headers
from psp_harness.registry import Registry


@dataclass(frozen=True, slots=True)
class Draft:
    """What a PSP is about to deliver."""

    body: bytes
    url: str = ""
    """Where it is delivered to, as the PSP has it registered."""
    id: str = ""
    """Of the message, or of the transmission, where the scheme has one in its headers."""
    at: int = 0
    """When it is sent: Unix time, seconds."""
    endpoint: str = ""
    """What the PSP calls the receiver's registration, where that is signed."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One delivery as it is on the wire: the body, and the header lines that carry the signature."""

    headers: Headers
    body: bytes
    url: str = ""
    """Where the receiver is registered: what a request says of itself is not to be believed."""
    endpoint: str = ""

    def only(self, name: str) -> bytes | None:
        """The value of that header; None where there is no such line, or more than one."""
        lines = [value for key, value in self.headers if key.lower() == name.lower().encode()]
        return lines[0] if len(lines) == 1 else None


@dataclass(frozen=True, slots=True)
class Genuine:
    """The PSP sent exactly this, and lately."""

    id: str = ""
    """Of the message, where it is signed: the same for every delivery of one event, or as the scheme says."""
    at: int | None = None
    """When it was sent, where that is signed."""


@dataclass(frozen=True, slots=True)
class Forged:
    """It is not to be believed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unproved:
    """The scheme has no signature: nothing in it is to be believed before the PSP was asked."""


Verified = Genuine | Forged | Unproved


@dataclass(frozen=True, slots=True)
class Moment:
    """Against what a signed time is held."""

    now: float
    """Unix time, seconds."""
    tolerance: float | None
    """Seconds, in both directions; None: any time will do."""

    def allows(self, at: int) -> bool:
        """Whether something that was sent then is neither stale nor of the future."""
        return self.tolerance is None or abs(self.now - at) <= self.tolerance


Keys = Sequence[bytes]
Sign = Callable[[Draft, Keys], Webhook]
Verify = Callable[[Webhook, Keys, Moment], Verified]
Alter = Callable[[Webhook, Draft], Webhook]


@dataclass(frozen=True, slots=True)
class Scheme:
    """One way of signing webhooks. `sign_with` and `verify_with` take keys as bytes, and any: also an empty one."""

    name: str
    sign_with: Sign
    verify_with: Verify
    key: Callable[[str], bytes] = str.encode
    """From a secret as the PSP shows it; raises `ValueError` where it is none."""
    header: str = ""
    """The header line of the signature; empty where it stands in the body, or there is none."""
    signed: bool = True
    asymmetric: bool = False
    """It is verified with a public key, and the secret stays with the PSP."""
    timestamped: bool = False
    """The time of sending is signed."""
    rotates: bool = False
    """One delivery may carry several signatures, so that a secret can be changed."""
    raw_body: bool = True
    """The signature is of the body's bytes; else of some of its fields, and the rest of it is not protected."""
    signed_items: bool = False
    """A body is a batch, and each item of it has a signature of its own."""
    covers_url: bool = False
    id_header: str = ""
    """The header line of the message's id, where the scheme has one."""
    time_header: str = ""
    """The header line of the signed time, where it has one of its own."""
    id_is_of: Literal["event", "transmission"] = "event"
    """What that id names: the event, in each of its deliveries; or one delivery."""
    alters: Mapping[str, Alter] = field(default_factory=dict)
    """What can be done to a delivery that was signed, by name; no result of it is genuine, but for `shifted`."""


SCHEMES: Registry[Scheme] = Registry("signature scheme")


def declare(scheme: Scheme) -> Scheme:
    """Register a scheme under its name."""
    return SCHEMES.add(scheme.name, scheme)


def sign(scheme: Scheme, draft: Draft, secrets: Sequence[str]) -> Webhook:
    """The delivery, signed with each of the secrets where the scheme takes several, else with the first.

    Raises `UsageError` for a secret that is empty, or of another form than the scheme's.
    """
    return scheme.sign_with(draft, _keys(scheme, secrets))


def verify(
    scheme: Scheme, webhook: Webhook, secrets: Sequence[str], *, now: float, tolerance: float | None
) -> Verified:
    """Whether any of the secrets signed exactly this. `now` is Unix time, `tolerance` seconds in both directions.

    Raises `UsageError` for a secret that is empty, or of another form than the scheme's; for what arrived, never.
    """
    return scheme.verify_with(webhook, _keys(scheme, secrets), Moment(now, tolerance))


def _keys(scheme: Scheme, secrets: Sequence[str]) -> Keys:
    if not scheme.signed:
        return []
    if not secrets:
        raise UsageError(f"no secret for {scheme.name}", do="give the one that the PSP shows for this endpoint")
    return [_key(scheme, secret) for secret in secrets]


def _key(scheme: Scheme, secret: str) -> bytes:
    try:
        key = scheme.key(secret)
    except ValueError:
        raise UsageError(
            f"a secret for {scheme.name} is not of its form", do="copy it as the PSP shows it, with its prefix"
        ) from None
    if not key:
        raise UsageError(f"an empty secret for {scheme.name}", do="without a secret nothing can be believed")
    return key


def matches_any(given: Iterable[bytes], expected: Iterable[bytes]) -> bool:
    """Whether one of the signatures is one of those expected; all are compared, each in constant time."""
    wanted = list(expected)
    return any([hmac.compare_digest(one, other) for one in given for other in wanted])  # noqa: C419 - no early end
