"""An adapter in the role provider: whether it starts, says where it listens, takes a payment, and shows what it did."""

from __future__ import annotations

import time
from collections.abc import Sequence

from psp_harness.errors import SubjectError
from psp_harness.model import Effect, Exchange, Intent
from psp_harness.profile import values_of
from psp_harness.smoke.finding import Finding, failed, note, ok, wrong
from psp_harness.subjects.addresses import Options, open_provider
from psp_harness.subjects.provider import ProviderSubject

PAYMENT = Intent(1, "payment", "create-payment", 1, 1310, key=b"smoke-payment", reference="smoke-order")


async def check_provider(address: str, options: Options) -> Sequence[Finding]:
    """Everything that can be said, or why it did not even start."""
    begun = time.perf_counter()
    found: list[Finding] = []
    try:
        async with open_provider(address, options) as subject:
            seconds = time.perf_counter() - begun
            found.append(ok("start", f"{subject.claims.name}, at {subject.base_url}, in {seconds:.1f} s"))
            found += await _pays(subject)
    except SubjectError as error:
        found.append(failed("create-payment" if found else "start", error))
    return found


async def _pays(subject: ProviderSubject) -> list[Finding]:
    caller = subject.caller()
    await caller.together([subject.outgoing(PAYMENT, "", None)])
    (exchange,) = caller.exchanges
    paid = _paid(subject, exchange)
    return [paid, _shown(await subject.effects(), _id(subject, exchange))]


def _id(subject: ProviderSubject, exchange: Exchange) -> str:
    answer = exchange.answer
    accepted = answer is not None and answer.accepted
    return str(values_of(subject.profile, "create-payment", answer).get("id") or "") if answer and accepted else ""


def _paid(subject: ProviderSubject, exchange: Exchange) -> Finding:
    about, answer, route = "create-payment", exchange.answer, subject.profile.operations["create-payment"]
    assert answer is not None
    if answer.status == 401:
        return wrong(about, "it answered 401", "give its credentials: --credential tenant-a=…")
    if not answer.accepted:
        said = answer.body[:200].decode("utf-8", "replace")
        return wrong(
            about,
            f"{route.route} was answered {answer.status}: {said}",
            f"take what profile {subject.profile.name!r} asks for",
        )
    if not _id(subject, exchange):
        return wrong(
            about,
            f"its answer names no id: {answer.body[:200].decode('utf-8', 'replace')}",
            "answer as the profile has it",
        )
    return ok(about, f"it made {_id(subject, exchange)}")


def _shown(effects: tuple[Effect, ...] | None, made: str) -> Finding:
    if effects is None:
        return note(
            "effects", "it cannot say what it did: rules that count money are unexercised", "give --effects PATH"
        )
    if made and made not in {effect.id for effect in effects}:
        return wrong(
            "effects",
            f"the payment {made} is not among the {len(effects)} that it shows",
            "show every movement of money",
        )
    return ok("effects", f"it shows {len(effects)}")
