"""What a refund comes to that names no amount, and gives back all that is left: whose wish such a request is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from psp_harness.model import Exchange, Intent
from psp_harness.profile import Profile, values_of

_GIVES_BACK = frozenset({"refund-order", "refund-at-psp"})


def amount_left(
    profile: Profile, values: Mapping[str, object], asked: Sequence[Intent], exchanges: Iterable[Exchange]
) -> int | None:
    """What is wished for the whole rest of the payment that it names; None where nobody wished for that.

    It is told by the wishes, not by what the PSP has left: when the request comes again, that is nothing.
    """
    confirmed = _paid_by(profile, str(values.get("payment_id")), asked, exchanges)
    if confirmed is None:
        return None
    left = confirmed.amount
    wishes = {i.reference: i for i in asked if i.operation in _GIVES_BACK and i.payment == confirmed.payment}
    for wish in wishes.values():
        if wish.operation == "refund-order" and wish.amount == left:
            return left
        left -= wish.amount
    return None


def _paid_by(
    profile: Profile, payment_id: str, asked: Sequence[Intent], exchanges: Iterable[Exchange]
) -> Intent | None:
    """The step that asked for the payment which the PSP called so."""
    steps = (
        x.step
        for x in exchanges
        if x.operation == "create-payment" and x.answer is not None
        if str(values_of(profile, x.operation, x.answer).get("id")) == payment_id
    )
    step = next(steps, None)
    return next((intent for intent in asked if intent.step == step), None)
