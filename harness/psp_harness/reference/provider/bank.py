"""The banks behind the PSP: how long they take to answer, and what they say in the end.

What is asked from now on is held to it; what was asked before keeps what it was told then. An entry carries it in its
`about`: `takes`, the seconds until the bank answers, and the `fate` of what it says.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated

import msgspec

from psp_harness.reference.provider.standing import Fate


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer that comes later."""

    takes: Annotated[float, msgspec.Meta(ge=0, le=1e9)] = 0.0
    """Seconds."""
    yes: bool = True


@dataclass(frozen=True, slots=True)
class Delivery:
    """What becomes of money that is paid out."""

    takes: Annotated[float, msgspec.Meta(ge=0, le=1e9)] = 0.0
    """Seconds until it is there."""
    yes: bool = True
    returns_after: Annotated[float, msgspec.Meta(ge=0, le=1e9)] = 0.0
    """Seconds after which it comes back; 0: it stays."""


@dataclass(slots=True)
class Bank:
    """At once and yes, until told otherwise."""

    payments: Verdict = Verdict()
    refunds: Verdict = Verdict()
    payouts: Delivery = Delivery()

    def of_payment(self, fate: Fate) -> dict[str, object]:
        """What goes into the entry of a payment, or of its confirmation, whose card has that fate."""
        told = fate if self.payments.yes else Fate.DECLINED
        return {"fate": told.value, **({"takes": self.payments.takes} if self.payments.takes else {})}

    def of_refund(self, fate: Fate) -> dict[str, object]:
        """What goes into the entry of a refund of a payment whose card has that fate."""
        told = fate if self.refunds.yes else Fate.REFUSED
        about: dict[str, object] = {"fate": told.value} if told is not Fate.NONE else {}
        return {**about, **({"settles_after": self.refunds.takes} if self.refunds.takes else {})}

    def of_payout(self) -> dict[str, object]:
        """What goes into the entry with which money is paid out."""
        about = asdict(self.payouts)
        return {name: value for name, value in about.items() if value != getattr(Delivery(), name)}
