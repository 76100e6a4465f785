"""A client whose PSP speaks https: what is struck, what it is told to trust, and what is no finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from psp_harness import profile
from psp_harness.model import Errored, Failed, Passed, Report, Role, Violated
from psp_harness.run import Job, run
from subjects.adapters import program

pytest.importorskip("trustme", reason="pip install 'psp-harness[tls]'")

LOST = "payment-answer-lost-then-handshake-broken"


async def judged(address: str, *only: str) -> Report:
    """Over TLS alone, unless told."""
    names = tuple(f"client/*/{each}/*" for each in only or ("*handshake*",))
    facts = profile.load("hyperswitch-docs" if address == "reference:client" else "generic")
    return await run(Job(Role.CLIENT, address, facts, only=names, answer_timeout=1.0, step_timeout=20.0))


def of(report: Report, kind: type) -> set[tuple[str, str]]:
    """Case and rule of the verdicts of one kind."""
    return {(verdict.case, verdict.rule) for verdict in report.verdicts if isinstance(verdict.result, kind)}


@pytest.mark.parametrize("name", ["miniature:careful-client", "miniature:tries-once", "reference:client"])
async def test_a_client_that_is_right_is_not_reported(name: str) -> None:
    """Whether it tries again by itself, where nothing was sent, in its transport, or not at all."""
    report = await judged(name)
    assert (of(report, Violated), of(report, Errored)) == (set(), set())
    assert ("payment-handshake-broken-once", "every-post-carries-a-key") in of(report, Passed)


async def test_between_two_attempts_the_key_stays() -> None:
    """The attempt that sent nothing stands in the history, without a request; those around it are judged together."""
    report = await judged("miniature:own-keys-uuid5", f"{LOST}-once")
    attempts = [x for x in report.histories[f"{LOST}-once"].exchanges if x.step == 2]
    assert [(x.fault, x.request is not None) for x in attempts] == [
        ("response-lost", True),
        ("handshake-broken", False),
        (None, True),
    ]
    rules = {"attempts-of-one-call-share-one-key", "attempts-of-one-call-share-one-body", "one-call-has-one-effect"}
    assert {(f"{LOST}-once", rule) for rule in rules} <= of(report, Passed)


async def test_that_nothing_was_sent_is_true_of_one_attempt_alone() -> None:
    """Of a call whose only attempts ended in their handshakes it is right; of one whose first answer was lost it is not."""
    report = await judged("miniature:handshake-failure-is-a-no")
    assert of(report, Violated) == {(LOST, "an-uncertain-outcome-is-reported-as-unknown")}
    outcomes = report.histories["payment-handshake-broken-and-asked-again"].outcomes
    assert isinstance(outcomes[2], Failed)
    assert outcomes[2].kind == "rejected"


PAYS = """
import http.client, ssl, urllib.error, urllib.request
for command in answers():
    if command["cmd"] == "start":
        told, url = command, command["base_url"]
        trusted = {}
        ok(command, name="trusting", features=["caller-keys", "tls"])
    elif command["cmd"] == "do":
        given = command["params"]
        lines = {"Authorization": "Bearer " + told["credentials"]["token"], "Idempotency-Key": given["key"]}
        body = json.dumps({"amount": given["amount"], "currency": given["currency"]}).encode()
        asked = urllib.request.Request(url + "/payments", body, {**lines, "Content-Type": "application/json"})
        try:
            made = json.load(urllib.request.urlopen(asked, timeout=told["answer_timeout"], context=trusted))
        except OSError as error:
            say(json.dumps({"id": command["id"], "failed": {"kind": "unknown", "message": repr(error)}}))
        else:
            ok(command, payment_id=made["id"], status=made["status"])
    else:
        ok(command)
"""


@pytest.mark.parametrize(
    "trusted",
    ["ssl.create_default_context()", "ssl.create_default_context(cafile=told['ca_file'])"],
    ids=["by environment", "by file"],
)
async def test_a_process_is_told_twice_whom_to_trust(tmp_path: Path, trusted: str) -> None:
    """In its environment, for what reads that, and in the command that starts it; a PSP without TLS names nobody."""
    text = PAYS.replace("trusted = {}", f"trusted = {trusted} if url.startswith('https') else None")
    report = await judged(f"exec:{program(tmp_path, text)}", "payment-handshake-broken-*", "two-payments")
    assert (of(report, Violated), of(report, Errored)) == (set(), set())
    assert {"payment-handshake-broken-once", "two-payments"} <= {case for case, _ in of(report, Passed)}


async def test_a_client_that_claims_tls_and_trusts_nobody_is_errored(tmp_path: Path) -> None:
    """A payment with nothing in its way has to work first; nothing is said of its keys."""
    text = PAYS.replace("trusted = {}", "trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)")
    report = await judged(f"exec:{program(tmp_path, text)}", "payment-handshake-broken-once")
    (reason,) = [v.result.reason for v in report.verdicts if isinstance(v.result, Errored)]
    assert "a plain create-payment did not work" in reason
    assert "CERTIFICATE_VERIFY_FAILED" in reason
    assert of(report, Passed) == set()
