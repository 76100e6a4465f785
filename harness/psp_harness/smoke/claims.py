"""An adapter in the role client: whether what it claims is true."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from psp_harness.errors import SubjectError
from psp_harness.model import Done, Exchange, Failed, Outcome, Refused
from psp_harness.profile import operation_of, values_of
from psp_harness.smoke.desk import Desk, desk, intent, said
from psp_harness.smoke.finding import Finding, failed, note, ok, wrong
from psp_harness.subjects.addresses import Options
from psp_harness.subjects.client import ClientSubject
from psp_harness.wire import tls

PATIENCE = 3.0
"""Times `answer_timeout` that a step may take for each of its attempts."""


async def keyless(subject: ClientSubject, options: Options) -> Sequence[Finding]:
    """Given no key: with `own-keys` it makes one, without it refuses and sends nothing."""
    about = "no key given"
    if not options.profile.takes_key("create-payment"):
        return []
    try:
        async with desk(subject, options, None) as at:
            outcome = await at.session.do(intent(at, "create-payment", 1320, keyed=False))
            sent, makes = at.posts("create-payment"), "own-keys" in at.claims.features
            await at.session.stop()
    except SubjectError as error:
        return [failed(about, error)]
    if makes:
        if sent and isinstance(outcome, Done):
            return [ok(about, "it makes one, as it claims with own-keys")]
        return [
            wrong(about, f"it claims own-keys, and answered {said(outcome)}", "make a key, or do not claim own-keys")
        ]
    if isinstance(outcome, Refused) and not sent:
        return [ok(about, "it refuses, and sends nothing")]
    says = f"it does not claim own-keys, and answered {said(outcome)}{' after sending a request' if sent else ''}"
    return [wrong(about, says, "answer refused and send nothing; or claim own-keys, if it makes a key of its own")]


async def lost(subject: ClientSubject, options: Options) -> Sequence[Finding]:
    """Every answer lost: as many attempts as it declares, and an outcome that it does not know."""
    about = "answer lost"
    try:
        async with desk(subject, options, "response-lost") as at:
            outcome = await at.session.do(intent(at, "create-payment", 1330))
            sent, declared = len(at.posts("create-payment")), at.claims.retries.max
            await at.session.stop()
    except SubjectError as error:
        return [failed(about, error)]
    found = [_unknown(about, outcome)]
    if sent == 1 and declared:
        says = f"it declares {declared} more attempts, and sent one request in all"
        found.append(wrong("retries", says, "turn its retries on, or do not declare them: those cases prove nothing"))
    elif sent > 1 + declared:
        says = f"it declares {declared} more attempts, and sent {sent} requests in all"
        found.append(wrong("retries", says, 'declare them: "retries": {"max": …, "on": […]}, or turn them off'))
    return found


def _unknown(about: str, outcome: Outcome) -> Finding:
    """Only a note: a client that is sure of what it cannot know is told apart from its adapter by a run."""
    if isinstance(outcome, Failed) and outcome.kind == "unknown":
        return ok(about, "it answers that it does not know")
    do = "where its client saw no answer, let the adapter answer failed with kind unknown, or a run reports the client"
    return note(about, f"it answered {said(outcome)}", do)


async def late(subject: ClientSubject, options: Options) -> Sequence[Finding]:
    """An answer that comes too late: how long it waits."""
    about, begun = "answer_timeout", time.perf_counter()
    do = "set the client's HTTP time-out to answer_timeout of the start command: a run is so much faster"
    try:
        async with desk(subject, options, "slow-answer") as at:
            begun = time.perf_counter()
            outcome = await at.session.do(intent(at, "create-payment", 1340))
            seconds, attempts = time.perf_counter() - begun, len(at.posts("create-payment"))
            await at.session.stop()
    except SubjectError as error:
        waited = time.perf_counter() - begun >= options.step_timeout
        says = f"it waits {options.step_timeout:g} s and more for an answer"
        return [wrong(about, says, do) if waited else failed(about, error)]
    if seconds > options.answer_timeout * PATIENCE * max(1, attempts):
        asked = f"where it was asked to wait {options.answer_timeout:g} s for each"
        return [note(about, f"it waited {seconds:.1f} s in {attempts} attempts, {asked}", do)]
    says = f"it stops waiting, after {seconds:.1f} s in {attempts} attempts"
    return [ok(about, says), _unknown("late answer", outcome)]


async def parallel(subject: ClientSubject, options: Options) -> Sequence[Finding]:
    """Two payments at once, each answered as its own, where it claims to take that."""
    about = "parallel"
    try:
        async with desk(subject, options, None) as at:
            if "parallel" not in at.claims.features:
                return []
            intents = [intent(at, "create-payment", amount) for amount in (1350, 1351)]
            outcomes = await asyncio.gather(*(at.session.do(intent) for intent in intents))
            made = {x.request.body: x for x in at.posts("create-payment") if x.request}
            await at.session.stop()
    except SubjectError as error:
        return [failed(about, error)]
    ids = [str(each.values.get("payment_id")) if isinstance(each, Done) else said(each) for each in outcomes]
    answered = [_id_for(at, intent.amount, list(made.values())) for intent in intents]
    if ids == answered:
        return [ok(about, "two payments at once have each its own answer")]
    says = f"two payments at once made {answered}, and were answered {ids}"
    return [wrong(about, says, "repeat the id of the command that an answer belongs to, or do not claim parallel")]


async def secure(subject: ClientSubject, options: Options) -> Sequence[Finding]:
    """A payment over TLS, where it claims that and certificates can be made."""
    about = "tls"
    try:
        async with desk(subject, options, None) as at:
            claimed = "tls" in at.claims.features
            await at.session.stop()
        if not claimed:
            return []
        if not tls.can_be_spoken():
            return [note(about, "it claims tls, which is not tried", "pip install 'psp-harness[tls]'")]
        async with desk(subject, options, None, tls.authority()) as at:
            outcome = await at.session.do(intent(at, "create-payment", 1360))
            await at.session.stop()
    except SubjectError as error:
        return [failed(about, error)]
    if isinstance(outcome, Done):
        return [ok(about, "it trusts the authority that it is told of")]
    says = f"it claims tls, and a payment over https was answered {said(outcome)}"
    return [wrong(about, says, "let its client trust ca_file of the start command and no others, or do not claim tls")]


def _id_for(at: Desk, amount: int, exchanges: Sequence[Exchange]) -> str:
    for exchange in exchanges:
        asked = operation_of(at.profile, exchange.request) if exchange.request else None
        if asked and asked[1].get("amount") == amount and exchange.answer is not None:
            return str(values_of(at.profile, "create-payment", exchange.answer).get("id"))
    return "nothing"
