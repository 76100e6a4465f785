"""How a payout stands: read from its entry and from what was entered of it later. Pure; nothing of it is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from psp_harness.reference.provider.hyperswitch.payout_states import PAYOUT_MOVES, PayoutEvent, PayoutStatus
from psp_harness.reference.provider.ledger import Entry, Refusal
from psp_harness.reference.provider.sending.events import State
from psp_harness.reference.provider.standing import Fate, arrived
from psp_harness.reference.provider.states import move
from psp_harness.template import Json


@dataclass(frozen=True, slots=True)
class PayoutStanding:
    """A payout as it stands now; the amount in minor units."""

    status: PayoutStatus
    amount: int
    currency: str
    fate: Fate = Fate.NONE
    """Of where the money goes."""
    details: Mapping[str, Json] = field(default_factory=dict)

    @property
    def auto_fulfill(self) -> bool:
        """Whether it is paid as soon as the connector has it."""
        return self.details.get("auto_fulfill") is True


def of_payout(payout: Entry, later: Iterable[Entry], now: float) -> PayoutStanding:
    """How it stands; `later` are the entries of it, in order."""
    later = tuple(later)
    standing = as_sent(payout, later)
    sent = next((entry for entry in reversed((payout, *later)) if entry.about.get("paid") is True), None)
    return standing if sent is None else replace(standing, status=_on_its_way(sent, now))


def _on_its_way(sent: Entry, now: float) -> PayoutStatus:
    there = arrived(sent, now)
    if there is None:
        return PayoutStatus.INITIATED
    if there:
        return PayoutStatus.SUCCESS
    return PayoutStatus.REVERSED if sent.about.get("yes", True) else PayoutStatus.FAILED


def as_sent(payout: Entry, later: Iterable[Entry]) -> PayoutStanding:
    """How it stands, were every bank at once and willing."""
    standing = told(PayoutStanding(PayoutStatus.REQUIRES_METHOD, payout.amount, payout.currency), payout)
    for entry in later:
        if entry.kind == "payout-update":
            standing = told(standing, entry)
        elif entry.kind == "payout-fulfilment":
            standing = _moved(standing, PayoutEvent.PAY)
        elif entry.kind == "payout-cancellation":
            standing = _moved(standing, PayoutEvent.CANCEL)
    return standing


def told(standing: PayoutStanding, entry: Entry) -> PayoutStanding:
    """After what a create, an update or a confirmation says, and what the connector makes of that."""
    details = entry.about.get("details")
    standing = replace(
        standing,
        amount=entry.amount,
        currency=entry.currency,
        details={**standing.details, **(details if isinstance(details, Mapping) else {})},
    )
    if entry.about.get("method"):
        standing = replace(_moved(standing, PayoutEvent.NAME_METHOD), fate=Fate(str(entry.about.get("fate", ""))))
    if not entry.about.get("confirm"):
        return standing
    standing = _moved(standing, PayoutEvent.CONFIRM)
    if standing.fate is Fate.DECLINED:
        return _moved(standing, PayoutEvent.FAIL)
    return _moved(standing, PayoutEvent.PAY if standing.auto_fulfill else PayoutEvent.ACCEPT)


TOLD_OF: Mapping[str, tuple[str, ...]] = {
    PayoutStatus.INITIATED: ("payout-initiated",),
    PayoutStatus.SUCCESS: ("payout-succeeded",),
    PayoutStatus.FAILED: ("payout-failed",),
    PayoutStatus.CANCELLED: ("payout-cancelled",),
    PayoutStatus.REVERSED: ("payout-reversed",),
}
"""What a payout's new state is told as (crates/router/src/types/transformers.rs); that it waits is not."""


def told_of_payout(payout: Entry, later: Sequence[Entry], now: float) -> State:
    """How it stands, for those who are told of it."""
    standing = of_payout(payout, later, now)
    return State(TOLD_OF.get(standing.status, ()), standing.amount)


def _moved(standing: PayoutStanding, event: PayoutEvent) -> PayoutStanding:
    after = move(PAYOUT_MOVES, standing.status, event)
    assert not isinstance(after, Refusal), f"the books hold a {event} of a payout that was {standing.status}"
    return replace(standing, status=after)
