"""The facts that a profile can state: frozen values, and which features follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from psp_harness.profile.values import Facts
from psp_harness.profile.webhooks import Webhooks
from psp_harness.template import Json, holes
from psp_harness.vocabulary import CHANGES, OTHER_CURRENCIES

REFRESHED = "-refreshed"
"""What is put behind a tenant's name for its second credential: one that it was given when the first was replaced."""

Meaning = Literal["processing", "pending", "authorized", "succeeded", "partially_captured", "cancelled", "failed"]


class Auth(Facts, frozen=True):
    """How a request says whose it is."""

    header: str
    value: str
    """A template with one place: `Bearer {credential}`."""


class Tokens(Facts, frozen=True):
    """Access tokens that a client gets for its id and secret, as a bearer of which it then asks (RFC 6749 §4.4)."""

    route: str
    """`POST /v1/oauth2/token`"""
    seconds: int
    """How long one lives: `expires_in`."""


class Key(Facts, frozen=True):
    """The idempotency key: where it stands and how it is written."""

    carrier: Literal["header", "body"]
    name: str
    """Of the header line, or of the member at the top of the body."""
    operations: tuple[str, ...] = ()
    """Those that take a key; none told means all that change something."""
    required: bool = False
    written: Literal["bare", "quoted"] = "bare"
    """`quoted`: as a Structured Field string (RFC 8941 §3.3.3), which is what the IETF draft asks for."""
    min_length: int | None = None
    max_length: int | None = None
    """Characters."""
    characters: Literal["visible-ascii-without-comma"] | None = None
    """What a key may be made of, where the PSP documents it: then exactly one line, and any other key is refused."""
    ttl_seconds: int | None = None
    ttl_of: Mapping[str, int] = {}
    """Seconds by operation, where they differ; it goes before `ttl-seconds`."""
    scope: tuple[Literal["tenant", "operation"], ...] = ("tenant",)
    """What a key belongs to beside itself: without `operation` the same key on another route is a reuse."""


class Duplicate(Facts, frozen=True):
    """What a request is answered that comes again, with its key, after the first one finished."""

    answer: Literal["first-answer", "current-state", "refused"]
    keeps: Literal["all", "2xx"] | None = None
    """Which answers are kept with their key: every one given after execution began, or those of success alone."""
    refusals_free_the_key: bool = False
    """After a request that was refused before anything happened, its key can be used again, also for another body."""
    marker: str | None = None
    """The header line that says so: `Idempotent-Replayed: true`."""


class InFlight(Facts, frozen=True):
    """What it is answered while the first one is still being processed."""

    answer: Literal["refused", "waits", "refused-or-waits"]


class Mismatch(Facts, frozen=True):
    """What another body is answered under a key that was used."""

    answer: Literal["refused"]
    compares: Literal["json"] | None = None
    """`json`: order of members and white space make no other body."""


class Captures(Facts, frozen=True):
    """How a payment is asked to be captured at once, or later: the PSP's words."""

    at_once: str
    later: str
    in_parts: bool = False
    """Whether it can be captured more than once; else what the first capture leaves is given up."""


class Operation(Facts, frozen=True):
    """One route of the PSP: how to ask, and what it answers."""

    route: str
    """Method and path: `POST /payments`, `GET /payments/{payment_id}`."""
    encoding: Literal["json", "form"] = "json"
    request: Json = None
    status: int = 200
    answer: Json = None
    id_prefix: str | None = None
    """Of a create: how the ids that the PSP makes begin. Only the reference provider needs it."""
    least_amount: int = 1
    """Of a create, in minor units. `0`: a request that moves nothing is taken too, as the set-up of a card is."""
    whole_without_amount: bool = False
    """Of a refund: a request that names no amount is taken, and gives back all that is left."""
    cursor: str | None = None
    """Of a list: the query parameter that takes the last id, where `has_more` says that there is more."""

    @property
    def method(self) -> str:
        """`POST` or `GET`."""
        return self.route.split(" ", 1)[0]

    @property
    def path(self) -> str:
        """The path, its places still open."""
        return self.route.split(" ", 1)[1]


class Refusal(Facts, frozen=True):
    """How the PSP says no, for one reason."""

    status: tuple[int, ...]
    """What is documented; the reference provider answers the first."""
    body: Json = None
    content_type: str = "application/json"


class Defect(Facts, frozen=True):
    """Something that the PSP is known to do wrong: a violation of these rules is *known*, said aloud, and excused."""

    id: str
    rules: tuple[str, ...]
    says: str
    source: str


class Profile(Facts, frozen=True):
    """The facts of one PSP."""

    name: str
    title: str
    auth: Auth
    credentials: Mapping[str, str]
    """By tenant: what the harness uses where `--credential` gives nothing else. Never a real secret."""
    operations: Mapping[str, Operation]
    refusals: Mapping[str, Refusal]
    statuses: Mapping[str, Mapping[str, Meaning]] = {}
    """Of a `payment`, a `refund` and a `payout`: the PSP's words, and what each means; `succeeded`: the money moves.
    Where several mean the same, the reference provider says the first."""
    tokens: Tokens | None = None
    clients: Mapping[str, str] = {}
    """By tenant: id and secret, joined by a colon, for which the reference provider gives tokens. Never a real one."""
    captures: Captures | None = None
    currencies: tuple[str, ...] = ()
    """ISO 4217: those that it documents, as far as cases ask for them. None told: they ask for EUR alone."""
    cards: Mapping[str, str] = {}
    """Test cards by what they are for, as they stand in a request."""
    key: Key | None = None
    duplicate: Duplicate | None = None
    in_flight: InFlight | None = None
    mismatch: Mismatch | None = None
    webhooks: Webhooks | None = None
    secrets: Mapping[str, str] = {}
    """By tenant: what signs its webhooks where `--credential` gives nothing else. Never a real secret."""
    accounts: Mapping[str, str] = {}
    """By tenant: what its events call it, where they do."""
    defects: tuple[Defect, ...] = ()
    sources: Mapping[str, str] = {}
    api: Literal["hyperswitch"] | None = None
    """The PSP whose whole API the reference provider speaks under this profile; none: the operations alone."""
    facts: Mapping[str, str] = {}
    """Path of each fact (`key.max-length`) -> where it comes from."""

    @property
    def features(self) -> frozenset[str]:
        """What the PSP promises, in the vocabulary that cases and rules need."""
        key, create = self.key, self.operations.get("create-payment")
        answer = self.duplicate.answer if self.duplicate else ""
        promised = {
            "idempotency-key": key is not None,
            "keys-in-headers": key is not None and key.carrier == "header",
            "payment-keys": self.takes_key("create-payment"),
            "key-required": key is not None and key.required,
            "key-length-limit": key is not None and key.max_length is not None,
            "replay": answer in {"first-answer", "current-state"},
            "first-answer": answer == "first-answer",
            "in-flight-refused": self.in_flight is not None and "in-flight" in self.refusals,
            "used-keys-refused": self.mismatch is not None or answer == "refused",
            "mismatch-refused": self.mismatch is not None,
            "client-ids": create is not None and "chosen_id" in holes(create.request),
            "replay-marker": self.duplicate is not None and self.duplicate.marker is not None,
            "key-syntax": key is not None and key.characters is not None,
            "key-lifetime": key is not None and all(self.lifetime(each) for each in key.operations or self.changes),
            "key-optional": key is not None and not key.required,
            "keys-by-operation": key is not None and "operation" in key.scope,
            "refusals-free-the-key": self.duplicate is not None and self.duplicate.refusals_free_the_key,
            "bodies-compared-as-json": self.mismatch is not None and self.mismatch.compares == "json",
            "two-tenants": {"tenant-a", "tenant-b"} <= set(self.credentials),
            "refunds": "create-refund" in self.operations,
            "payouts": "create-payout" in self.operations,
            **{feature: currency in self.currencies for currency, feature in OTHER_CURRENCIES.items()},
            "reads": "get-payment" in self.operations,
            "refund-reads": "get-refund" in self.operations,
            "liveness": "get-health" in self.operations,
            "readiness": "get-readiness" in self.operations,
            "captures": self.captures is not None and "capture-payment" in self.operations,
            "voids": self.captures is not None and "cancel-payment" in self.operations,
            "declines": "declined" in self.cards,
            "refunds-that-fail": "refund-fails" in self.cards,
            "documented-refusals": any(reason in self.refusals for reason in self._refusals_asked_for),
            **(self.webhooks.features if self.webhooks else {}),
        }
        return frozenset(name for name, holds in promised.items() if holds)

    @property
    def _refusals_asked_for(self) -> tuple[str, ...]:
        """Reasons for which cases make a PSP say no, as far as this one does."""
        reasons = {
            "key-missing": self.key is not None and self.key.required,
            "key-reused": self.mismatch is not None,
            "duplicate": self.duplicate is not None and self.duplicate.answer == "refused",
            "exceeds-captured": True,
        }
        return tuple(reason for reason, asked in reasons.items() if asked)

    @property
    def changes(self) -> frozenset[str]:
        """The operations of this PSP that change something."""
        return CHANGES & self.operations.keys()

    def takes_key(self, operation: str) -> bool:
        """Whether a request of this operation carries an idempotency key."""
        return self.key is not None and operation in (self.key.operations or CHANGES)

    def lifetime(self, operation: str) -> int | None:
        """Seconds that the key of a request of this operation is kept; None: unknown."""
        return self.key.ttl_of.get(operation, self.key.ttl_seconds) if self.key is not None else None

    def has_defect(self, name: str) -> bool:
        """Whether the PSP is known to do this wrong."""
        return any(defect.id == name for defect in self.defects)
