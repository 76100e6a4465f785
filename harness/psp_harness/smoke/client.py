"""An adapter in the role client: whether it starts, pays, refunds, says what it did, and stops."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from psp_harness import faults
from psp_harness.errors import SubjectError
from psp_harness.model import Answer, Claims, Done, Intent, Outcome
from psp_harness.profile import operation_of, values_of
from psp_harness.smoke import claims as claimed
from psp_harness.smoke.desk import Desk, desk, intent, said
from psp_harness.smoke.finding import Finding, failed, note, ok, wrong
from psp_harness.subjects import protocol
from psp_harness.subjects.addresses import Options, open_client
from psp_harness.subjects.client import ClientSubject
from psp_harness.wire import tls

SLOW_START = 5.0
"""Seconds: a process is started for each case."""

SLOW_END = 0.9
"""Seconds after the end of its input; then it is ended."""


async def check_client(address: str, options: Options) -> Sequence[Finding]:
    """Everything that can be said, or why it did not even start."""
    faults.load()
    subject = open_client(address, options)
    try:
        async with desk(subject, options, None) as at:
            claims, seconds = at.claims, at.started_in
    except SubjectError as error:
        return [failed("start", error)]
    if "tls" in claims.features and tls.can_be_spoken():
        tls.authority()  # now: while it is made, nobody who waits gets an answer
    checks = (_pays, claimed.keyless, claimed.lost, claimed.late, claimed.parallel, claimed.secure)
    found = await asyncio.gather(*(check(subject, options) for check in checks))
    return [*_started(claims, seconds), *(finding for each in found for finding in each)]


def _started(claims: Claims, seconds: float) -> list[Finding]:
    who = " ".join(part for part in (claims.name, claims.version, claims.language) if part)
    found = [ok("start", f"{who}, in {seconds:.1f} s; it claims {', '.join(sorted(claims.features)) or 'nothing'}")]
    if seconds > SLOW_START:
        found.append(note("start", f"it took {seconds:.1f} s", "a process is started for each case: let it do less"))
    if not claims.features & {"caller-keys", "own-keys"}:
        says = "it claims neither caller-keys nor own-keys, so no case can give it a key or do without"
        found.append(wrong("features", says, "claim caller-keys if it sends the key that it is given"))
    if ("retries" in claims.features) != (claims.retries.max > 0):
        says = f"it {'claims' if 'retries' in claims.features else 'does not claim'} the feature retries, and declares"
        says += f" {claims.retries.max} more attempts"
        found.append(
            wrong("retries", says, 'answer both: "features": ["retries", …], "retries": {"max": 2, "on": […]}')
        )
    return found


async def _pays(subject: ClientSubject, options: Options) -> Sequence[Finding]:
    found: list[Finding] = []
    about = "create-payment"
    try:
        async with desk(subject, options, None) as at:
            payment = intent(at, "create-payment", 1310)
            outcome = await at.session.do(payment)
            found.append(_did(at, payment, outcome))
            if isinstance(outcome, Done) and outcome.values.get("payment_id"):
                about = "create-refund"
                found.append(await _refunds(at, str(outcome.values["payment_id"])))
            about = "effects"
            protocol.effects(await at.session.channel.ask("effects", {}, timeout=options.step_timeout))
            found.append(ok("effects", "it answers"))
            about = "stop"
            await at.session.stop()
            notes, ending = at.session.channel.notes(), time.perf_counter()
        found += _stopped(time.perf_counter() - ending, notes)
    except SubjectError as error:
        found.append(failed(about, error))
    return found


async def _refunds(at: Desk, payment_id: str) -> Finding:
    if not {"refunds"} <= at.profile.features & at.claims.features:
        return note("create-refund", "it does not claim refunds: what concerns them is skipped")
    refund = intent(at, "create-refund", 310)
    return _did(at, refund, await at.session.do(refund, payment_id))


def _did(at: Desk, asked: Intent, outcome: Outcome) -> Finding:
    """Whether a plain step worked as it should, and if not, where it went wrong first."""
    posts = at.posts(asked.operation)
    if not posts:
        return _nothing_arrived(at, asked, outcome)
    read = operation_of(at.profile, posts[0].request) if posts[0].request else None
    amount, answer = read[1].get("amount") if read else None, posts[-1].answer
    if amount != asked.amount:
        says = f"it was told the amount {asked.amount}, and sent {amount!r}"
        return wrong(asked.operation, says, "send the amount unchanged, in minor units: requests are told apart by it")
    if answer is None or not answer.accepted:
        return _refused(at, asked, answer)
    made = [str(values_of(at.profile, asked.operation, x.answer).get("id")) for x in posts if x.answer]
    return _returned(asked, outcome, made)


def _refused(at: Desk, asked: Intent, answer: Answer | None) -> Finding:
    if answer is not None and answer.status == 401:
        do = "identify yourself with credentials.token of the start command"
        return wrong(asked.operation, "the PSP answered 401", do)
    told = f"{answer.status}: {answer.body[:200].decode('utf-8', 'replace')}" if answer else "nothing"
    return wrong(asked.operation, f"the PSP answered {told}", f"send what profile {at.profile.name!r} asks for")


def _returned(asked: Intent, outcome: Outcome, made: Sequence[str]) -> Finding:
    """What the adapter says of a step that worked; by how many requests is a rule's affair."""
    member = "payment_id" if asked.payment is None else "refund_id"
    if not isinstance(outcome, Done):
        says = f"the PSP made {made[-1]}, and the adapter answered {said(outcome)}"
        return wrong(asked.operation, says, f'answer ok with "{member}"')
    if str(outcome.values.get(member)) not in made:
        says = f"its answer has {member} {outcome.values.get(member)!r}, and the PSP made {made[-1]!r}"
        return wrong(asked.operation, says, f"return the id that the PSP answered, as {member}")
    return ok(asked.operation, f"it made {outcome.values[member]}")


def _nothing_arrived(at: Desk, asked: Intent, outcome: Outcome) -> Finding:
    other = [x.request for x in at.psp.exchanges if x.request is not None]
    route = at.profile.operations[asked.operation].route
    if other:
        says = f"the PSP was asked {other[0].method} {other[0].target}; profile {at.profile.name!r} has {route}"
        return wrong(asked.operation, says, "name the right PSP with --profile, or correct the route")
    if any(x.sent for x in at.psp.exchanges):
        return wrong(asked.operation, "what arrived was no HTTP request", "speak plain HTTP to an http:// base_url")
    says = f"it answered {said(outcome)}, and nothing arrived at the base_url of the start command"
    return wrong(asked.operation, says, "let the client talk to base_url")


def _stopped(seconds: float, notes: Sequence[str]) -> list[Finding]:
    found = [ok("stop", "it answers, and ends with its input")]
    if seconds > SLOW_END:
        says = f"it did not end within {seconds:.1f} s of the end of its input, and was ended"
        found = [wrong("stop", says, "end when standard input ends: every case waits for it")]
    printed = [line for line in notes if not line.startswith("stderr: ")]
    if printed:
        says = f"it prints beside the protocol, {len(printed)} lines here, such as {printed[0][:80]!r}"
        found.append(note("output", says, "that is allowed, as long as no such line begins with {"))
    return found
