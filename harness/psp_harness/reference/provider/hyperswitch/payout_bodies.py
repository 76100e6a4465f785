"""What a request for a payout may say, and what of it is shown again."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from psp_harness.reference.provider.hyperswitch.cards import Method
from psp_harness.reference.provider.hyperswitch.payment_bodies import Anything
from psp_harness.reference.provider.orders import Currency, PaymentId, Text

SHOWN: Final = frozenset(
    {"merchant_order_reference_id", "payout_type", "billing", "auto_fulfill", "customer_id", "return_url"}
    | {"business_country", "business_label", "description", "entity_type", "recurring", "metadata", "profile_id"}
    | {"priority", "email", "name", "phone", "phone_country_code", "payout_method_id"}
)
"""Members of a request that an answer repeats."""

OTHERS: Final = frozenset(
    {"routing", "connector", "source_bank_data", "billing", "customer", "business_country", "business_label"}
    | {"entity_type", "recurring", "payout_link", "payout_link_config", "session_expiry", "browser_info", "priority"}
)
"""The members of PayoutsCreateRequest in the OpenAPI document beside those below: known, and without a meaning here."""


class PayoutBody(msgspec.Struct, forbid_unknown_fields=True):
    """PayoutCreateRequest: create, update and confirm take the same members, and no other."""

    amount: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None
    """Minor units."""
    currency: Currency | None = None
    payout_id: PaymentId | None = None
    """Which the OpenAPI document leaves out, and the router takes."""
    confirm: bool = False
    auto_fulfill: bool | None = None
    payout_type: Text | None = None
    payout_method_data: Method | None = None
    payout_token: Text | None = None
    payout_method_id: Text | None = None
    client_secret: Text | None = None
    customer_id: Text | None = None
    merchant_order_reference_id: Text | None = None
    return_url: Text | None = None
    description: Text | None = None
    metadata: Anything | None = None
    profile_id: Text | None = None
    email: Text | None = None
    name: Text | None = None
    phone: Text | None = None
    phone_country_code: Text | None = None

    @property
    def names_method(self) -> bool:
        """Whether it says where the money goes."""
        means = (self.payout_method_data, self.payout_token, self.payout_method_id)
        return any(each is not None for each in means)
