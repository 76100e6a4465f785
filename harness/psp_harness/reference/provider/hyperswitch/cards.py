"""Cards: what is checked of them before anything happens, and what the test connector makes of them.

A number never gets further than here: what is kept and shown of a card are its last four digits and when it expires.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec

from psp_harness.reference.provider.ledger import Refusal
from psp_harness.reference.provider.standing import Fate
from psp_harness.template import Json

DECLINED: Final[Mapping[str, str]] = {
    "5105105105105100": "Card declined",
    "4000000000000002": "Card declined",
    "4000000000009995": "Insufficient funds",
    "4000000000009987": "Lost card",
    "4000000000009979": "Stolen card",
    "declined": "Card declined",
}
"""By number what the test connector says (crates/router/src/routes/dummy_connector/utils.rs); the last is a token."""

_MONTHS = range(1, 13)
_CENTURY = 2000


class Card(msgspec.Struct):
    """A card as it stands in `payment_method_data` and `payout_method_data`; other members of it mean nothing here."""

    card_number: Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{12,19}\Z")] | None = None
    expiry_month: str | None = None
    expiry_year: str | None = None
    card_exp_month: str | None = None
    card_exp_year: str | None = None
    card_holder_name: str | None = None
    card_cvc: str | None = None

    @property
    def month(self) -> str:
        """As payments and as payouts call it."""
        return self.card_exp_month or self.expiry_month or ""

    @property
    def year(self) -> str:
        """As payments and as payouts call it."""
        return self.card_exp_year or self.expiry_year or ""


class Method(msgspec.Struct):
    """What is paid with, or to; only a card is looked into."""

    card: Card | None = None


def wrong(card: Card, now: float) -> Refusal | None:
    """Why a card is not taken, if it is not (crates/router/src/core/payments/helpers.rs:1066-1155)."""
    if card.card_number is None or not _adds_up(card.card_number):
        return Refusal("invalid", "Json deserialize error: invalid card number")
    if card.card_cvc is not None and len(card.card_cvc) not in {3, 4}:
        return Refusal("precondition", "Invalid card_cvc length")
    if not (card.month.isdecimal() and int(card.month[:3]) in _MONTHS):
        return Refusal("precondition", "Invalid Expiry Month")
    if not (card.year.isdecimal() and len(card.year) in {2, 4}):
        return Refusal("precondition", "Invalid Expiry Year")
    year = int(card.year) + (_CENTURY if len(card.year) == len("27") else 0)
    today = datetime.fromtimestamp(now, UTC)
    return Refusal("precondition", "Card Expired") if (year, int(card.month)) < (today.year, today.month) else None


def fate_of(number: str | None) -> Fate:
    """What becomes of a payment with this number or token."""
    return Fate.DECLINED if number in DECLINED else Fate.NONE


def shown(card: Card) -> dict[str, Json]:
    """As much of it as may be kept."""
    number = card.card_number or ""
    return {
        "last4": number[-4:],
        "card_exp_month": card.month,
        "card_exp_year": card.year,
        "card_holder_name": card.card_holder_name,
    }


def _adds_up(number: str) -> bool:
    """Its last digit is right (Luhn, ISO/IEC 7812-1 annex B)."""
    digits = [int(digit) for digit in reversed(number)]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
