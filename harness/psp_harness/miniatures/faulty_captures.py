"""Providers that authorise first, in profile `stripe`, with one fault each: a decision that goes wrong."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

from psp_harness.miniatures.captures import Held
from psp_harness.miniatures.declaration import miniature
from psp_harness.miniatures.form_bodies import FormGateway
from psp_harness.miniatures.providers import Asked
from psp_harness.model import Answer, Role

# --- captures ------------------------------------------------------------------------------------------------------


@miniature(
    "captures-at-once",
    role=Role.PROVIDER,
    mode="R10",
    profile="stripe",
    breaks={"an-authorisation-moves-nothing"},
)
class CapturesAtOnce(FormGateway):
    """Takes the money of a payment that is to be captured later, and shows it as authorised all the same."""

    def hold(self, asked: Asked) -> Answer:
        held = super().hold(asked)
        plain = json.dumps({"currency": asked.of, "amount": asked.amount, "reference": asked.reference}).encode()
        super(FormGateway, self).book(replace(asked, request=replace(asked.request, body=plain)))
        return held


@miniature(
    "captures-more-than-authorised",
    role=Role.PROVIDER,
    mode="R10",
    profile="stripe",
    breaks={"captures-never-exceed-what-was-authorised"},
)
class CapturesMoreThanAuthorised(FormGateway):
    """Captures whatever amount it is asked for, once."""

    def capture_refusal(self, held: Held, asked: Asked) -> Answer | None:
        return super().capture_refusal(held, replace(asked, amount=min(asked.amount, held.amount)))


@miniature(
    "captures-again-and-again",
    role=Role.PROVIDER,
    mode="R10",
    profile="stripe",
    breaks={
        "a-payment-is-captured-once",
        "captures-never-exceed-what-was-authorised",
        "a-void-and-a-capture-exclude-each-other",
    },
)
class CapturesAgainAndAgain(FormGateway):
    """Captures a payment that was captured before, or is void: it looks at the amount alone."""

    def capture_refusal(self, held: Held, asked: Asked) -> Answer | None:
        return super().capture_refusal(replace(held, status="requires_capture"), asked)


@miniature(
    "captures-race",
    role=Role.PROVIDER,
    mode="R10",
    profile="stripe",
    breaks={"a-payment-is-captured-once", "captures-never-exceed-what-was-authorised"},
    may={"a-void-and-a-capture-exclude-each-other"},
)
class CapturesRace(FormGateway):
    """Looks at the state of a payment, asks the bank, and captures then: captures that come together all do."""

    async def execute(self, asked: Asked) -> Answer:
        if asked.kind != "capture":
            return await super().execute(asked)
        refusal = self.refusal(asked)
        await asyncio.sleep(0.15)
        return refusal or self.book(asked)


@miniature(
    "voids-what-is-captured",
    role=Role.PROVIDER,
    mode="R10",
    profile="stripe",
    breaks={"a-void-and-a-capture-exclude-each-other"},
)
class VoidsWhatIsCaptured(FormGateway):
    """Answers a void of a captured payment as done, and the money stays taken."""

    def void_refusal(self, held: Held) -> Answer | None:
        return None


# --- refunds of what was not captured ------------------------------------------------------------------------------


@miniature(
    "refunds-what-is-only-authorised",
    role=Role.PROVIDER,
    mode="R05",
    profile="stripe",
    breaks={"only-captured-money-is-given-back", "refunds-never-exceed-the-captured-amount"},
)
class RefundsWhatIsOnlyAuthorised(FormGateway):
    """Compares a refund with what was authorised, and never asks whether it was captured, or is void."""

    def refund_refusal(self, held: Held, where: tuple[str, str], asked: Asked) -> Answer | None:
        return super().refund_refusal(replace(held, captured=held.amount), where, asked)


# --- a bank that says no -------------------------------------------------------------------------------------------


@miniature(
    "books-a-decline",
    role=Role.PROVIDER,
    mode="R12",
    profile="stripe",
    breaks={"a-decline-moves-no-money", "a-refusal-moves-nothing"},
)
class BooksADecline(FormGateway):
    """Books the payment before it hears from the bank, answers a decline truly, and never undoes the booking."""

    def decline(self, asked: Asked) -> Answer:
        plain = json.dumps({"currency": asked.of}).encode()
        super(FormGateway, self).book(replace(asked, request=replace(asked.request, body=plain)))
        return super().decline(asked)


@miniature(
    "a-decline-sticks-to-its-order",
    role=Role.PROVIDER,
    mode="R12",
    profile="stripe",
    breaks={"a-declined-payment-can-be-paid-with-another-key"},
    may={"a-fresh-key-executes"},
)
class ADeclineSticksToItsOrder(FormGateway):
    """Keeps a decline with the order's reference, so that another card under another key is declined as well."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: set[str] = set()

    def decline(self, asked: Asked) -> Answer:
        self.gone.add(asked.reference)
        return super().decline(asked)

    def book(self, asked: Asked) -> Answer:
        return self.decline(asked) if asked.kind == "payment" and asked.reference in self.gone else super().book(asked)


@miniature(
    "a-failed-refund-stays-booked",
    role=Role.PROVIDER,
    mode="R11",
    profile="stripe",
    breaks={"a-refund-that-failed-is-not-done", "what-a-failed-refund-held-can-be-given-back-again"},
)
class AFailedRefundStaysBooked(FormGateway):
    """Shows a refund that came back as failed, and counts it as given back for ever."""

    def forget_what_came_back(self) -> None:
        """Never."""


@miniature(
    "a-failed-refund-is-shown-as-done",
    role=Role.PROVIDER,
    mode="R11",
    profile="stripe",
    breaks={"a-refund-that-failed-is-not-done"},
)
class AFailedRefundIsShownAsDone(FormGateway):
    """Answers a refund as done and never hears that it came back: that stands in another system."""

    def failed(self, tenant: str, name: str) -> dict[str, object]:
        return {**super().failed(tenant, name), "status": "succeeded"}
