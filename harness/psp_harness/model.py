"""The values that flow from plan to report. This module imports nothing of ours, and nothing here does I/O.

A *case* is planned into *intents*; driving them gives *exchanges*, *outcomes* and *effects*; together they are a
*history*, which is all that a rule may see; a rule turns it into a *verdict*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

Headers = tuple[tuple[bytes, bytes], ...]


class Role(StrEnum):
    """What the subject is, seen from the payment: we play the other side."""

    CLIENT = "client"
    PROVIDER = "provider"
    RECEIVER = "receiver"
    SHOP = "shop"


class Level(StrEnum):
    """Only a violated MUST changes the exit status; a SHOULD counts under `--strict`."""

    MUST = "MUST"
    SHOULD = "SHOULD"


# --- the wire -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as parsed; header names as they were written, duplicate lines apart, empty values kept."""

    method: str
    target: str
    headers: Headers
    body: bytes

    def lines(self, name: str) -> list[bytes]:
        """The values of every line of that header, in order (names compare without case, RFC 9110 §5.1)."""
        wanted = name.lower().encode()
        return [value for key, value in self.headers if key.lower() == wanted]


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete HTTP response."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def lines(self, name: str) -> list[bytes]:
        """The values of every line of that header, in order."""
        wanted = name.lower().encode()
        return [value for key, value in self.headers if key.lower() == wanted]

    @property
    def accepted(self) -> bool:
        """The provider said yes: a 2xx status."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what became of it. Times are seconds since the case began."""

    number: int
    step: int | None
    """The step that caused it, attributed by operation and amount, never by key; None: nobody asked for it."""
    operation: str | None
    request: Request | None
    """None where the bytes were no complete HTTP request."""
    sent: bytes
    """The request as it came off the socket."""
    answer: Answer | None
    """What the provider answered, whether or not its sender saw it; None where it was never asked."""
    received: bytes
    """What its sender was given, as it went onto the socket."""
    seen: Answer | None
    """The complete answer that its sender saw; None where it saw nothing, or only a part."""
    fault: str | None
    began: float
    ended: float
    broken_off: bool = False
    """Its sender reset the connection after that: perhaps it never read the answer."""

    def overlaps(self, other: Exchange) -> bool:
        """Both were in flight at one moment."""
        return self.began < other.ended and other.began < self.ended


@dataclass(frozen=True, slots=True)
class Effect:
    """One movement of money that happened. Amounts are integers in minor units."""

    kind: str
    id: str
    amount: int
    currency: str
    payment_id: str = ""
    reference: str = ""


# --- what was asked -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Order:
    """An order of a shop that receives webhooks."""

    id: str
    """Fresh for each run: the reference that the PSP's events carry, and by which effects are attributed."""
    amount: int
    currency: str
    payment_id: str
    """What the PSP calls its payment."""
    tenant: str = "tenant-a"
    status: str = "pending"
    """When the case begins: `pending`, or `paid` already."""
    known: bool = True
    """The shop knows the payment's id: the PSP's answer to its own request has come."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook, as the case wants it."""

    event: str
    """What it means: `payment-succeeded`, …"""
    order: Order
    event_id: str
    transmission: str
    """The id of this delivery, where the scheme has one; for some PSPs it is that of the event."""
    amount: int
    currency: str
    tenant: str
    """Whose account it names."""
    mode: str = "test"
    forged: str = ""
    """What is wrong with it, by a name of the vocabulary; empty: the PSP sent exactly this."""
    rotated: bool = False
    """It is signed with another secret as well, and first."""
    beside: Order | None = None
    """In one batch with it, and before it: the same event about this order, sent by the PSP."""
    until_acknowledged: bool = False
    """It is delivered again, after the PSP's waits, until a 2xx comes."""
    ends: float | None = None
    """Seconds after which the receiver's process is ended and started again; 0: as soon as its answer was seen."""
    refund_id: str = ""
    """What the PSP calls the refund that it is about; empty: one that nobody asked for."""
    duplicate: str = ""
    """What the PSP calls the payment that it is about, where that is a second one for the order; empty: the first."""

    @property
    def genuine(self) -> bool:
        """The PSP sent exactly this, and now."""
        return not self.forged

    @property
    def payment_id(self) -> str:
        """What the PSP calls the payment that it is about."""
        return self.duplicate or self.order.payment_id


@dataclass(frozen=True, slots=True)
class Manner:
    """How a request is sent, beyond what it asks: two that differ in manner alone ask for one and the same thing."""

    headers: tuple[tuple[str, str], ...] = ()
    """Lines beside those that the profile wants."""
    key_lines: tuple[bytes, ...] = ()
    """Further key lines after the first."""
    body: str = ""
    """`reordered` or `spaced`: the same JSON value in other bytes."""
    elsewhere: bool = False
    """From another local address."""
    refreshed: bool = False
    """With the second credential of its tenant."""
    persists: bool = False
    """It is sent until the answer is no longer that another one is in flight."""
    after: float = 0.0
    """Seconds after its moment began."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What one step of a case asks for: recorded when it is asked, never guessed from the traffic."""

    step: int
    """From 1, in the order of the case."""
    name: str
    operation: str
    moment: int
    """Steps of one moment are released together."""
    amount: int = 0
    currency: str = "EUR"
    key: bytes | None = None
    """The exact bytes of the idempotency key; None: no key is given."""
    tenant: str = "tenant-a"
    reference: str = ""
    """The order's id, or for a refund the id of the shop's pending refund row; fresh for each run."""
    payment: int | None = None
    """For a refund, a capture, a void or a read: the step that made the payment."""
    refund: int | None = None
    """For a read of a refund: the step that made it."""
    chosen_id: str | None = None
    """The id that the caller chooses for what it creates, where the PSP lets it."""
    captured_later: bool = False
    """Of a payment: it is authorised alone, and moves no money by itself."""
    card: str = "good"
    """Of a payment: the test card; a payment with one that is `declined` moves no money."""
    odd_amount: str | None = None
    """An amount that is no positive integer, as it stands in the body; `amount` then names what nobody may move."""
    at: float = 0.0
    """Seconds by which the subject's clock was advanced before it, since the case began."""
    seconds: float = 0.0
    """Of `advance-clock`: by how much."""
    manner: Manner = Manner()
    delivery: Delivery | None = None
    """Of `deliver-webhook`."""


@dataclass(frozen=True, slots=True)
class Strike:
    """Which attempts of which step a fault strikes; no attempts means all of them."""

    fault: str
    step: int
    attempts: tuple[int, ...] = ()
    options: Mapping[str, int | float | str | bool] = field(default_factory=dict)
    number: int | None = None
    """The one exchange that it strikes, whatever that asks for; then it names no step."""

    def hits(self, step: int | None, attempt: int) -> bool:
        """Whether this attempt (from 1) of that step is one of those that the case names."""
        return self.number is None and step == self.step and (not self.attempts or attempt in self.attempts)


@dataclass(frozen=True, slots=True)
class Done:
    """The subject says that it worked: what it returned, in the protocol's words (`payment_id`, `status`, …)."""

    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Failed:
    """The subject says that it did not work. Kind: `declined`, `rejected` or `unknown`."""

    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The subject refused by itself; nothing was sent."""

    message: str


Outcome = Done | Failed | Refused


# --- what a shop believes ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """One thing in a shop's books that moves money, or may have. Amounts are integers in minor units."""

    kind: str
    """`order`, `refund`, `subscription` or `payout`."""
    id: str
    """The shop's own."""
    amount: int
    status: str
    """`open` (the PSP was not asked), `in-doubt` (it was, or is about to be), `done` (money moved) or `failed`."""
    currency: str = ""
    psp_id: str = ""
    """What the PSP calls what came of it; empty as long as the shop does not know."""
    order_id: str = ""
    """Of a refund."""
    shipped: int | None = None
    """Of an order: how often its goods left; None: the shop does not say."""


@dataclass(frozen=True, slots=True)
class Books:
    """Everything that a shop believes, at one time."""

    rows: tuple[Row, ...]
    after: int
    """The step that had been asked last."""
    seen: int
    """So many exchanges had begun."""
    commits: int = 0
    """How many transactions its process had committed, where it counts them."""


# --- what happened ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Retries:
    """What a client retries by itself: at most `max` more attempts, on these events."""

    max: int = 0
    on: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Claims:
    """What a subject says of itself when it starts."""

    name: str
    version: str = ""
    language: str = ""
    features: frozenset[str] = frozenset()
    retries: Retries = Retries()


@dataclass(frozen=True, slots=True)
class History:
    """Everything that one case left behind: all that a rule may see."""

    case: str
    intents: tuple[Intent, ...]
    outcomes: Mapping[int, Outcome]
    """By step. A provider has none: what it answered stands in the exchanges."""
    exchanges: tuple[Exchange, ...]
    effects: tuple[Effect, ...] | None
    """None: the subject cannot say what it did, and rules that need it are unexercised."""
    claims: Claims
    notes: tuple[str, ...] = ()
    """What the subject printed beside the protocol: evidence, judged by nobody."""
    observed: bool = False
    """Nobody said what was wanted: the intents are what the requests themselves ask for, read off the wire."""
    unsure: str = ""
    """Of such: why nobody can say which requests are attempts at one call; empty where it can be told."""
    none_again: str = ""
    """Of such: why no call was sent a second time, where none was."""
    orders: tuple[Order, ...] = ()
    """Those that the case is about."""
    states: Mapping[str, str] = field(default_factory=dict)
    """By order: what the subject says it is in the end (`pending`, `paid`, …); empty: it cannot say."""
    books: tuple[Books, ...] = ()
    """Of a shop: what it believed after each moment; the last is what it believes when all is settled."""
    booked: tuple[Effect, ...] | None = None
    """Of a client: what it has booked as done, under ids of its own or the PSP's; None: it does not say."""
    ended: int = 0
    """How often its process was ended without a warning."""
    _caused: Mapping[tuple[int | None, str | None], tuple[Exchange, ...]] = field(init=False, repr=False, compare=False)
    """The exchanges by step and operation: every rule asks for them, again and again."""

    def __post_init__(self) -> None:
        caused: dict[tuple[int | None, str | None], list[Exchange]] = {}
        for exchange in self.exchanges:
            caused.setdefault((exchange.step, exchange.operation), []).append(exchange)
        object.__setattr__(self, "_caused", {by: tuple(exchanges) for by, exchanges in caused.items()})

    def attempts(self, intent: Intent) -> tuple[Exchange, ...]:
        """The exchanges that this step caused, in order."""
        return self._caused.get((intent.step, intent.operation), ())


@dataclass(frozen=True, slots=True)
class Driven:
    """A case that was driven: its history, and why it did not come to its end, if so."""

    history: History
    errored: str = ""
    """The subject could not be driven, or a fault did not strike."""
    unexercised: str = ""
    """The exchange that the case's fault names never happened."""
    doubtful: str = ""
    """A plain step did not work. Where no rule explains it, the subject could not be driven."""
    unclaimed: str = ""
    """What the case is about the subject said no to, and it may: it is as if it had never been claimed."""


# --- what we say about it -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Problem:
    """One violation: a sentence, and the exchanges that show it."""

    sentence: str
    exchanges: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Passed:
    """Held on every occasion, of which there was at least one."""

    occasions: int


@dataclass(frozen=True, slots=True)
class Violated:
    """Did not hold on at least one occasion."""

    occasions: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """Violated, and excused: by a quarantine row, or by a defect that the profile lists."""

    occasions: int
    problems: tuple[Problem, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """Not asked: the profile or the subject lacks a feature that it needs."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unexercised:
    """Asked, and there was nothing to judge: never a pass."""

    reason: str


@dataclass(frozen=True, slots=True)
class Errored:
    """It cannot be told: never a pass, and never excused."""

    reason: str


Result = Passed | Violated | Known | Skipped | Unexercised | Errored

WORD: Mapping[type, str] = {
    Passed: "passed",
    Violated: "violated",
    Known: "known",
    Skipped: "skipped",
    Unexercised: "unexercised",
    Errored: "errored",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says of one case. Its id is `role/profile/case/rule`, and stable."""

    role: Role
    profile: str
    case: str
    rule: str
    level: Level
    result: Result

    @property
    def id(self) -> str:
        """The name that `--only`, QUARANTINE.md and reports use."""
        return f"{self.role}/{self.profile}/{self.case}/{self.rule}"

    @property
    def outcome(self) -> str:
        """One of six words."""
        return WORD[type(self.result)]


@dataclass(frozen=True, slots=True)
class Report:
    """One run, judged and settled: what every report format is made from."""

    run: str
    """The id that makes this run's keys and references fresh; written for people as `RUN`."""
    started: datetime
    """UTC."""
    seconds: float
    role: Role
    subject: Claims
    address: str
    profile: str
    gate: str | None
    strict: bool
    verdicts: tuple[Verdict, ...]
    histories: Mapping[str, History]
    """By case id: everything that was recorded, also of cases that did not come to their end."""
    stale: tuple[str, ...] = ()
    """Rows of QUARANTINE.md that this run shows to be wrong: one sentence each."""
    secrets: tuple[str, ...] = ()
    """Credentials of this run: nothing that is written may contain them."""
