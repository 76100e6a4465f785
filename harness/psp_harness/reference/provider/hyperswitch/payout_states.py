"""The states of a payout as a table (crates/router/src/core/payouts.rs:352-830, payouts/helpers.rs:1309-1375)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class PayoutStatus(StrEnum):
    """Those of the thirteen that this provider brings a payout to."""

    REQUIRES_METHOD = "requires_payout_method_data"
    REQUIRES_CONFIRMATION = "requires_confirmation"
    REQUIRES_CREATION = "requires_creation"
    """It is with the connector: a moment, here."""
    REQUIRES_FULFILLMENT = "requires_fulfillment"
    INITIATED = "initiated"
    """It is on its way."""
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REVERSED = "reversed"
    """It was there, and came back."""


class PayoutEvent(StrEnum):
    """What can happen to a payout."""

    UPDATE = "update"
    NAME_METHOD = "name-method"
    CONFIRM = "confirm"
    ACCEPT = "accept"
    """The connector has it, and waits to be told to pay."""
    PAY = "pay"
    FAIL = "fail"
    CANCEL = "cancel"


_P, _E = PayoutStatus, PayoutEvent

PAYOUT_MOVES: Mapping[tuple[PayoutStatus, PayoutEvent], PayoutStatus] = {
    (_P.REQUIRES_METHOD, _E.UPDATE): _P.REQUIRES_METHOD,
    (_P.REQUIRES_METHOD, _E.NAME_METHOD): _P.REQUIRES_CONFIRMATION,
    (_P.REQUIRES_METHOD, _E.CANCEL): _P.CANCELLED,
    (_P.REQUIRES_CONFIRMATION, _E.UPDATE): _P.REQUIRES_CONFIRMATION,
    (_P.REQUIRES_CONFIRMATION, _E.NAME_METHOD): _P.REQUIRES_CONFIRMATION,
    (_P.REQUIRES_CONFIRMATION, _E.CONFIRM): _P.REQUIRES_CREATION,
    (_P.REQUIRES_CONFIRMATION, _E.CANCEL): _P.CANCELLED,
    (_P.REQUIRES_CREATION, _E.ACCEPT): _P.REQUIRES_FULFILLMENT,
    (_P.REQUIRES_CREATION, _E.PAY): _P.SUCCESS,
    (_P.REQUIRES_CREATION, _E.FAIL): _P.FAILED,
    (_P.REQUIRES_FULFILLMENT, _E.PAY): _P.SUCCESS,
    (_P.REQUIRES_FULFILLMENT, _E.CANCEL): _P.CANCELLED,
}
"""What stands in it not does not happen: of what is over, nothing comes."""
