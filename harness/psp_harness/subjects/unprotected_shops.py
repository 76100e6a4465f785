"""The reference shop without one of its protections, as miniatures: each is reported, whatever else protects it."""

from __future__ import annotations

from typing import Any

from psp_harness.miniatures import miniature
from psp_harness.model import Role
from psp_harness.subjects.reference_shop import ReferenceShop

PROFILE = "hyperswitch-docs"
LOST = {"a-lost-answer-is-in-doubt", "money-that-moved-has-one-row", "the-books-balance"}


def _with(**names: str) -> ReferenceShop:
    """The shop with another class for some of its parts."""
    from psp_harness.reference.shop.shop import Parts
    from psp_harness.subjects import unprotected_parts

    chosen: dict[str, Any] = {part: getattr(unprotected_parts, name) for part, name in names.items()}
    return ReferenceShop(parts=Parts(**chosen))


@miniature(
    "reference-shop-without-a-pending-row",
    role=Role.SHOP,
    mode="C15",
    profile=PROFILE,
    breaks=LOST | {"a-refund-is-given-once", "a-wish-keeps-its-key"},
)
def reference_shop_without_a_pending_row() -> object:
    """The reference shop, asking for a refund before it writes its row."""
    return _with(refunds="AsksFirst")


@miniature("reference-shop-as-it-is", role=Role.SHOP, profile=PROFILE)
def reference_shop_as_it_is() -> object:
    """The reference shop, with all of its protections."""
    return _with()


@miniature(
    "reference-shop-without-a-pending-payout",
    role=Role.SHOP,
    mode="C15",
    profile=PROFILE,
    breaks=(LOST - {"the-books-balance"}) | {"a-payout-is-sent-once", "a-wish-keeps-its-key"},
)
def reference_shop_without_a_pending_payout() -> object:
    """The reference shop, sending money out before it writes the payout's row."""
    return _with(payouts="SendsFirst")


@miniature(
    "reference-shop-with-one-payout-a-day",
    role=Role.SHOP,
    mode="C11",
    profile=PROFILE,
    breaks={"a-yes-means-that-something-was-done"},
)
def reference_shop_with_one_payout_a_day() -> object:
    """The reference shop, taking the second payout of a day for the first one that comes again."""
    return _with(payouts="OncePerDay")


@miniature(
    "reference-shop-without-a-checkout",
    role=Role.SHOP,
    mode="A7",
    profile=PROFILE,
    breaks={"an-order-is-charged-once", "a-wish-keeps-its-key"},
)
def reference_shop_without_a_checkout() -> object:
    """The reference shop, making an order each time that a form is submitted."""
    return _with(orders="SubmitsTwice")


@miniature(
    "reference-shop-without-a-period",
    role=Role.SHOP,
    mode="A11",
    profile=PROFILE,
    breaks={"an-order-is-charged-once", "a-wish-keeps-its-key"},
)
def reference_shop_without_a_period() -> object:
    """The reference shop, charging a subscription for each run of the job and not for each period."""
    return _with(subscriptions="ChargesForEachRun")


@miniature(
    "reference-shop-without-confirming",
    role=Role.SHOP,
    mode="C31",
    profile=PROFILE,
    breaks=LOST,
)
def reference_shop_without_confirming() -> object:
    """The reference shop, asking for money before its order says so."""
    return _with(orders="AsksBeforeItSaysSo")


@miniature(
    "reference-shop-without-its-index",
    role=Role.SHOP,
    mode="R09",
    profile=PROFILE,
    breaks={"money-that-moved-has-one-row", "the-books-balance"},
)
def reference_shop_without_its_index() -> object:
    """The reference shop, without the UNIQUE index on what the PSP calls a refund."""
    return _with(books="NoIndex")


@miniature(
    "reference-shop-without-its-inbox-key",
    role=Role.SHOP,
    mode="W17",
    profile=PROFILE,
    breaks={"what-an-event-tells-is-booked"},
)
def reference_shop_without_its_inbox_key() -> object:
    """The reference shop, keeping in its inbox what an event is about instead of the event's id."""
    return _with(inbox="OneEventForEachThing")


@miniature(
    "reference-shop-without-its-states",
    role=Role.SHOP,
    mode="W20",
    profile=PROFILE,
    breaks={"a-late-event-takes-nothing-back", "money-that-moved-has-one-row", "the-books-balance"},
)
def reference_shop_without_its_states() -> object:
    """The reference shop, whose orders are what the last event says."""
    return _with(inbox="LastEventWins")


@miniature(
    "reference-shop-without-a-look-at-amounts",
    role=Role.SHOP,
    mode="W25",
    profile=PROFILE,
    breaks={"an-event-that-does-not-fit-pays-nothing", "a-row-that-is-done-is-money-that-moved"},
)
def reference_shop_without_a_look_at_amounts() -> object:
    """The reference shop, which does not compare what an event says with what the order costs."""
    return _with(inbox="ComparesNothing")


@miniature(
    "reference-shop-without-a-look-after-doubts",
    role=Role.SHOP,
    mode="W30",
    profile=PROFILE,
    breaks={"nothing-stays-in-doubt"},
)
def reference_shop_without_a_look_after_doubts() -> object:
    """The reference shop, which leaves to its customers what it is in doubt about."""
    return _with(orders="ForgetsOrders", refunds="ForgetsRefunds")
