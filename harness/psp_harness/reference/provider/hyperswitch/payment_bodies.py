"""What a request for a payment may say, and what of it is shown again."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from psp_harness.reference.provider.hyperswitch.cards import Method
from psp_harness.reference.provider.orders import Currency, PaymentId, Text

SHOWN: Final = frozenset(
    {"customer_id", "description", "email", "name", "phone", "return_url", "setup_future_usage", "off_session"}
    | {"capture_method", "payment_method", "payment_method_type", "payment_token", "authentication_type", "metadata"}
    | {"statement_descriptor_name", "statement_descriptor_suffix", "shipping", "billing", "order_details"}
    | {"merchant_order_reference_id", "profile_id", "mandate_id"}
)
"""Members of a request that an answer repeats."""

OTHERS: Final = frozenset(
    {"all_keys_required", "allowed_payment_method_types", "authentication_type", "billing", "billing_descriptor"}
    | {"browser_info", "business_country", "business_label", "business_sub_label", "capture_on", "card_cvc"}
    | {"connector", "connector_metadata", "ctp_service_details", "customer", "customer_acceptance"}
    | {"discount_amount", "duty_amount", "enable_overcapture", "enable_partial_authorization"}
    | {"external_surcharge_strategy", "feature_metadata", "force_3ds_challenge", "frm_metadata", "installment_data"}
    | {"installment_options", "is_iframe_redirection_enabled", "is_stored_credential", "mandate_data"}
    | {"merchant_connector_details", "merchant_id", "mit_category", "order_date", "order_details"}
    | {"order_tax_amount", "partner_merchant_identifier_details", "payment_channel", "payment_experience"}
    | {"payment_link", "payment_link_config", "payment_link_config_id", "payment_type", "phone_country_code"}
    | {"profile_acquirer_id", "psd2_sca_exemption_type", "request_extended_authorization"}
    | {"request_external_three_ds_authentication", "request_incremental_authorization", "retry_action", "routing"}
    | {"shipping", "shipping_amount_tax", "shipping_cost", "skip_external_tax_calculation", "split_payments"}
    | {"surcharge_details", "tax_status", "three_ds_data", "threeds_method_comp_ind", "tokenization"}
)
"""The members of PaymentsRequest in the OpenAPI document beside those below: known, and without a meaning here."""

Anything = dict[str, object] | list[object] | str | int | float | bool


class PaymentBody(msgspec.Struct, forbid_unknown_fields=True):
    """PaymentsRequest: create, update and confirm take the same members, and no other (`deny_unknown_fields`)."""

    amount: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None
    """Minor units; zero moves nothing."""
    currency: Currency | None = None
    payment_id: PaymentId | None = None
    confirm: bool = False
    capture_method: Literal["automatic", "manual", "manual_multiple", "scheduled", "sequential_automatic"] | None = None
    amount_to_capture: int | None = None
    payment_method: Text | None = None
    payment_method_type: Text | None = None
    payment_method_data: Method | None = None
    payment_token: Text | None = None
    mandate_id: Text | None = None
    recurring_details: Anything | None = None
    client_secret: Text | None = None
    customer_id: Text | None = None
    setup_future_usage: Literal["off_session", "on_session"] | None = None
    off_session: bool | None = None
    session_expiry: int | None = None
    merchant_order_reference_id: Text | None = None
    metadata: Anything | None = None
    description: Text | None = None
    email: Text | None = None
    name: Text | None = None
    phone: Text | None = None
    return_url: Text | None = None
    statement_descriptor_name: Text | None = None
    statement_descriptor_suffix: Text | None = None
    profile_id: Text | None = None

    @property
    def names_method(self) -> bool:
        """Whether it says what is paid with."""
        means = (self.payment_method_data, self.payment_token, self.mandate_id, self.recurring_details)
        return any(each is not None for each in means)


class CaptureBody(msgspec.Struct):
    """PaymentsCaptureRequest; unknown members are free."""

    amount_to_capture: int | None = None


class CancelBody(msgspec.Struct):
    """PaymentsCancelRequest; unknown members are free."""

    cancellation_reason: Text | None = None
