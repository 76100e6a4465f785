"""Providers in profile `generic` that move an amount that is none, that nobody asked for, or that is not there."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from uuid import uuid4

from psp_harness.miniatures.declaration import miniature
from psp_harness.miniatures.faulty_providers import MEET
from psp_harness.miniatures.providers import Asked, CarefulGateway
from psp_harness.model import Answer, Effect, Request, Role
from psp_harness.template import decode

# --- another unit --------------------------------------------------------------------------------------------------


@miniature(
    "refunds-in-another-unit",
    role=Role.PROVIDER,
    mode="R06",
    breaks={"a-refund-that-fits-is-accepted", "a-key-belongs-to-its-operation"},
)
class RefundsInAnotherUnit(CarefulGateway):
    """Compares a refund in minor units with a remainder in major ones, so that hardly any fits."""

    def left(self, payment: Effect) -> int:
        return super().left(payment) // 100


# --- amounts that are none -----------------------------------------------------------------------------------------


@miniature("negative-amounts-accepted", role=Role.PROVIDER, mode="R03", breaks={"only-positive-integers-move-money"})
class NegativeAmountsAccepted(CarefulGateway):
    """Accepts every integer, so that a refund of -1 charges and a payment of -1 gives away."""

    def amount(self, given: object) -> int | None:
        return given if type(given) is int else None


@miniature("decimals-cut-off", role=Role.PROVIDER, mode="R03", breaks={"only-positive-integers-move-money"})
class DecimalsCutOff(CarefulGateway):
    """Takes 1.5 minor units and moves 1."""

    def amount(self, given: object) -> int | None:
        return super().amount(int(given) if isinstance(given, float) else given)


@miniature("amounts-as-text", role=Role.PROVIDER, mode="R03", breaks={"only-positive-integers-move-money"})
class AmountsAsText(CarefulGateway):
    """Takes "10" for 10, and with it what another of its parts may read otherwise."""

    def amount(self, given: object) -> int | None:
        return super().amount(int(given) if isinstance(given, str) and given.isdecimal() else given)


@miniature("true-is-one", role=Role.PROVIDER, mode="R03", breaks={"only-positive-integers-move-money"})
class TrueIsOne(CarefulGateway):
    """Takes `true` for an amount of 1, as a check with `isinstance(amount, int)` does."""

    def amount(self, given: object) -> int | None:
        return super().amount(int(given) if isinstance(given, bool) else given)


# --- amounts that were not asked for -------------------------------------------------------------------------------


@miniature("one-refund-per-payment", role=Role.PROVIDER, mode="R04", breaks={
    "the-answer-is-about-what-was-asked", "different-keys-both-execute",
})  # fmt: skip
class OneRefundPerPayment(CarefulGateway):
    """Recognises a refund by its payment, so that a second one, of another amount, gets the answer of the first."""

    def __init__(self) -> None:
        super().__init__()
        self.refunded: dict[tuple[str, str], tuple[bytes, Answer]] = {}

    async def create(self, asked: Asked) -> Answer:
        key, earlier = self.refunded.get((asked.tenant, asked.of), (asked.key, None))
        if asked.kind == "refund" and earlier and key != asked.key:
            return earlier
        answer = await super().create(asked)
        if asked.kind == "refund" and answer.accepted:
            self.refunded.setdefault((asked.tenant, asked.of), (asked.key, answer))
        return answer


@miniature("refunds-in-another-currency", role=Role.PROVIDER, mode="R06", breaks={"the-answer-is-about-what-was-asked"})
class RefundsInAnotherCurrency(CarefulGateway):
    """Gives money back in its own currency, whatever the currency of the payment is."""

    def book(self, asked: Asked) -> Answer:
        paid = self.moved.get((asked.tenant, asked.of))
        if asked.kind == "payment" or paid is None:
            return super().book(asked)
        self.moved[asked.tenant, asked.of] = replace(paid, currency="USD")
        try:
            return super().book(asked)
        finally:
            self.moved[asked.tenant, asked.of] = paid


@miniature("refunds-in-major-units", role=Role.PROVIDER, mode="R06", breaks={"the-answer-is-about-what-was-asked"})
class RefundsInMajorUnits(CarefulGateway):
    """Reads the amount of a payment in cents and that of a refund in euros, and gives back a hundredth."""

    def book(self, asked: Asked) -> Answer:
        return super().book(replace(asked, amount=-(-asked.amount // 100)) if asked.kind == "refund" else asked)


@miniature(
    "refunds-of-dollars-in-cents-of-cents",
    role=Role.PROVIDER,
    mode="R06",
    breaks={"the-answer-is-about-what-was-asked", "a-refund-that-fits-is-accepted"},
)
class RefundsOfDollarsInCentsOfCents(CarefulGateway):
    """Takes minor units of its own currency, and multiplies the refund of any other by a hundred once more."""

    def book(self, asked: Asked) -> Answer:
        paid = self.moved.get((asked.tenant, asked.of))
        abroad = asked.kind == "refund" and paid is not None and paid.currency != "EUR"
        return super().book(replace(asked, amount=asked.amount * 100) if abroad else asked)


@miniature("yen-with-decimals", role=Role.PROVIDER, mode="R06", breaks={"what-is-answered-happened"})
class YenWithDecimals(CarefulGateway):
    """Answers what it was asked for, and moves a hundredth of it where a currency has no minor unit."""

    def all_moved(self) -> list[Effect]:
        return [replace(e, amount=e.amount // 100) if e.currency == "JPY" else e for e in super().all_moved()]


# --- amounts that are not there ------------------------------------------------------------------------------------


@miniature(
    "over-refund",
    role=Role.PROVIDER,
    mode="R01",
    breaks={"refunds-never-exceed-the-captured-amount", "concurrent-refunds-never-exceed-the-captured-amount"},
)
class OverRefund(CarefulGateway):
    """Refunds whatever is asked, and never looks at what was captured."""

    def left(self, payment: Effect) -> int:
        return sys.maxsize


@miniature(
    "forgets-earlier-refunds",
    role=Role.PROVIDER,
    mode="R01",
    breaks={"refunds-never-exceed-the-captured-amount", "concurrent-refunds-never-exceed-the-captured-amount"},
)
class ForgetsEarlierRefunds(CarefulGateway):
    """Compares each refund with the payment alone, and forgets what was refunded before."""

    def left(self, payment: Effect) -> int:
        return payment.amount


@miniature(
    "refunds-race",
    role=Role.PROVIDER,
    mode="R02",
    breaks={"concurrent-refunds-never-exceed-the-captured-amount"},
)
class RefundsRace(CarefulGateway):
    """Checks what is left before the slow part and books after it, so that refunds that come together all pass."""

    slow = MEET

    async def execute(self, asked: Asked) -> Answer:
        refusal = self.refusal(asked)
        await asyncio.sleep(self.slow)
        return refusal or self.book(asked)


@miniature("books-what-it-refuses", role=Role.PROVIDER, mode="R03", breaks={"a-refusal-moves-nothing"})
class BooksWhatItRefuses(CarefulGateway):
    """Answers 400 to a payment of -1, and books it all the same, without its sign."""

    async def post(self, request: Request, kind: str, tenant: str) -> Answer:
        answer = await super().post(request, kind, tenant)
        body = decode(request.body, "json")
        if kind == "payment" and answer.status == 400 and isinstance(body, dict) and body.get("amount") == -1:
            name = f"payment_{uuid4().hex}"
            self.moved[tenant, name] = Effect(kind, name, 1, body["currency"], "", body["reference"])
        return answer
