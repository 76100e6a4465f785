"""What a caller asks for, checked: unchecked values become an order, or the refusal that names the wrong one.

Everything that can be seen without looking into the ledger is refused here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec

from psp_harness.reference.provider.ledger import Refusal

MAX_REFUND_ID = 64
"""Bytes."""

Amount = Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
"""Minor units, up to the largest integer that every JSON reader keeps exactly (RFC 8259 §6)."""
Currency = Annotated[str, msgspec.Meta(pattern=r"\A[A-Z]{3}\Z")]
PaymentId = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}\Z")]
Text = Annotated[str, msgspec.Meta(pattern=r"\A[^\x00\ud800-\udfff]*\Z")]
"""Without what JSON can spell and databases cannot keep: NUL, and halves of surrogate pairs."""
Name = Annotated[str, msgspec.Meta(pattern=r"\A[^\x00\ud800-\udfff]+\Z")]


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """Charge this much."""

    amount: Amount
    currency: Currency
    reference: Text | None = None
    chosen_id: PaymentId | None = None
    """The id that the caller chose for what it creates."""
    token: object = None
    """What stands for the card."""
    capture: object = None
    """When it is to be captured, in the PSP's word."""


@dataclass(frozen=True, slots=True)
class CaptureOrder:
    """Take this much of what was authorised; all of it, where no amount is given."""

    payment_id: Name
    amount: Amount | None = None


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Give up what was authorised."""

    payment_id: Name


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """Give back this much of that payment; all that is left of it, where no amount is given."""

    payment_id: Name
    amount: Amount | None = None
    reference: Text | None = None
    chosen_id: Name | None = None

    def __post_init__(self) -> None:
        if self.chosen_id is not None and len(self.chosen_id.encode()) > MAX_REFUND_ID:
            raise ValueError(f"expected a refund id of at most {MAX_REFUND_ID} bytes")


Order = PaymentOrder | CaptureOrder | CancelOrder | RefundOrder

ORDERS: Mapping[str, type[Order]] = {
    "create-payment": PaymentOrder,
    "capture-payment": CaptureOrder,
    "cancel-payment": CancelOrder,
    "create-refund": RefundOrder,
}
"""What each operation that changes something asks for."""


def order_of(
    operation: str, values: Mapping[str, object] | None, *, whole_without_amount: bool = False
) -> Order | Refusal:
    """The order that these values make; None stands for a body that cannot be read.

    A refund that names no amount is one of all that is left with `whole_without_amount` alone.
    """
    if values is None:
        return Refusal("invalid", "the body must be one object, in the encoding of this API")
    try:
        order = msgspec.convert(values, ORDERS[operation])
    except msgspec.ValidationError as error:
        return Refusal("invalid", str(error))
    if isinstance(order, RefundOrder) and order.amount is None and not whole_without_amount:
        return Refusal("invalid", "Object missing required field `amount`")
    return order
