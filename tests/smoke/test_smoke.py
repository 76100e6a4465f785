"""An adapter is checked: what is wrong with it is said in a sentence, and a right one is told nothing but ok."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from psp_harness import profile
from psp_harness.errors import UsageError
from psp_harness.model import Role
from psp_harness.smoke import Finding, Sort, smoke
from psp_harness.subjects.addresses import Options, default_profile
from subjects.adapters import OBLIGING, Program

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "adapter.py"
TEXT = EXAMPLE.read_text(encoding="utf-8")


def found(address: str, role: Role = Role.CLIENT, *, psp: str = "", step_timeout: float = 5.0) -> Sequence[Finding]:
    """What is said of the adapter at an address."""
    facts = profile.load(psp or default_profile(address))
    options = Options(facts, facts.credentials, step_timeout, answer_timeout=0.4)
    return asyncio.run(smoke(address, role, options))


def wrong(findings: Sequence[Finding]) -> list[str]:
    """What has to be mended, as people read it."""
    return [f"{each.about}: {each.says}; {each.do}" for each in findings if each.sort is Sort.WRONG]


# --- right ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        f"exec:{sys.executable} {EXAMPLE}",
        "reference:client",
        "miniature:careful-client",
        "miniature:own-keys-uuid5",
        "miniature:key-or-random",
        "sdk:stripe",
    ],
)
def test_of_a_right_adapter_nothing_is_wrong(address: str) -> None:
    """It starts, pays, refunds, says what it did, stops, and does what it claims."""
    findings = found(address)
    assert wrong(findings) == []
    assert {"start", "create-payment", "create-refund", "effects", "stop"} <= {
        each.about for each in findings if each.sort is Sort.OK
    }


def test_of_a_right_provider_nothing_is_wrong() -> None:
    """It starts, takes a payment, and shows it."""
    findings = found("reference:provider", Role.PROVIDER)
    assert [(each.sort, each.about) for each in findings] == [
        (Sort.OK, "start"), (Sort.OK, "create-payment"), (Sort.OK, "effects"),
    ]  # fmt: skip


def test_a_client_that_is_wrong_is_no_wrong_adapter() -> None:
    """Whom a run reports for what it sends or says may be well driven."""
    assert wrong(found("miniature:lost-answer-is-rejected")) == []
    assert wrong(found("miniature:sends-the-empty-key")) == []


# --- wrong ------------------------------------------------------------------------------------------------------------

MENDED = (
    ('"caller-keys", "refunds"', '"caller-keys", "refunding"', "start: ", ".features[1]: 'refunding' is not one of"),
    ('"name": "example"', '"title": "example"', "start: ", "'name' is a required property"),
    ('"id": number', '"id": "7"', "start: answered id '7', which nobody asked", "repeat the command's id"),
    ('json.dumps({"id"', "'{' + json.dumps({\"id\"", "start: printed a line that begins as JSON and is none", "one JSON object a line"),
    ('"features": ["caller-keys", "refunds"]', '"features": ["refunds"]', "features: it claims neither", "claim caller-keys"),
    ('"refunds"]', '"refunds", "retries"]', "retries: it claims the feature retries, and declares 0 more", '"retries": {"max": 2'),
    ('"refunds"]', '"refunds", "retries"], "retries": {"max": 2}', "retries: it declares 2 more attempts, and sent one", "turn its retries on"),
    ('"refunds"]', '"refunds", "own-keys"]', "no key given: it claims own-keys, and answered refused", "do not claim own-keys"),
    ('return {"refused"', 'key = "my-own"; 0 and {"refused"', "no key given: it does not claim own-keys, and answered ok", "answer refused and send nothing"),
    ('{"ok": {its_id: made["id"], "status"', '{"ok": {"status"', "create-payment: its answer has payment_id None", "return the id"),
    ('{"ok": {its_id: made["id"]', '{"ok": {its_id: "x" + made["id"]', "create-payment: its answer has payment_id 'xpay_", "return the id"),
    ('return {"ok": {its_id', 'return {"errored": {its_id', "create-payment: the adapter reports an error of its own in 'do'", "protocol"),
    ('"amount", "currency", "payment_id") if name in params}', '"currency", "payment_id") if name in params} | {"amount": params["amount"] * 100}', "create-payment: it was told the amount 1310, and sent 131000", "unchanged"),
    ('credentials["token"]', '"mine"', "create-payment: the PSP answered 401", "credentials.token"),
    ('"/payments", "payment_id"', '"/v1/charges", "payment_id"', "the PSP was asked POST /v1/charges; profile 'generic' has POST /payments", "--profile"),
    ("self.base_url + route", '"http://127.0.0.1:9" + route', "create-payment: it answered failed with kind 'unknown'", "let the client talk to base_url"),
    ('"amount", "currency"', '"currency"', "it was told the amount 1310, and sent None", "minor units"),
    ("made = self.post(route, key, body)", 'self.post(route, key, body); return {"failed": {"kind": "rejected"}}', "and the adapter answered failed with kind 'rejected'", "answer ok"),
    ("    def stop(self, **_):", '    def stop(self, **_):\n        raise SystemExit("bye")', "stop: the subject exited with status 1 before it answered", "by hand"),
    ("adapter = Adapter()", "adapter = Adapter(); import atexit, time; atexit.register(time.sleep, 9)", "stop: it did not end within", "end when standard input ends"),
    ("timeout=self.timeout", "timeout=60", "answer_timeout: it waits 1.5 s and more for an answer", "set the client's HTTP time-out"),
    ('return {"ok": {its_id: made["id"]', 'self.post(route, key + "-2", body); return {"ok": {its_id: made["id"]', "", ""),
)  # fmt: skip
"""What becomes of the example when one thing in it is another, and what is said of it."""


@pytest.mark.parametrize(("was", "becomes", "says", "do"), MENDED, ids=[says or "twice" for _, _, says, _ in MENDED])
def test_what_is_wrong_is_said_with_what_to_do(was: str, becomes: str, says: str, do: str, tmp_path: Path) -> None:
    """One sentence of what was seen, and one of what to do; what a run judges is left to it."""
    assert was in TEXT
    (tmp_path / "adapter.py").write_text(TEXT.replace(was, becomes, 1), encoding="utf-8")
    waits = "answer_timeout" in says
    said = wrong(found(f"exec:{sys.executable} {tmp_path / 'adapter.py'}", step_timeout=1.5 if waits else 5.0))
    if not says:
        assert said == []
        return
    assert any(says in line and do in line.partition(says)[2] for line in said), said


PARALLEL = """
first = None
for command in answers():
    if command['cmd'] == 'start':
        ok(command, name='mixes', features=['caller-keys', 'parallel'])
    elif command['cmd'] == 'do' and command['params']['amount'] in (1350, 1351) and first is None:
        first = command
    elif first is not None and command['cmd'] == 'do':
        for mine, other in ((first, command), (command, first)):
            say(json.dumps({"id": mine["id"], "ok": {"payment_id": other["id"], "status": "x"}}))
    else:
        ok(command)
"""


def test_answers_that_are_mixed_up_are_seen(runs: Program) -> None:
    """Two payments at once, each answered as the other."""
    said = wrong(found(f"exec:{runs(PARALLEL)}"))
    assert any(line.startswith("parallel: two payments at once made") for line in said), said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (OBLIGING, "create-payment: it answered ok with {'name': 'obliging'}, and nothing arrived"),
        ("time.sleep(60)", "start: no answer to 'start' within 1 s"),
        ("sys.exit('no such table')", "start: the subject exited with status 1 before it answered; its last words: 'stderr: no such table'"),
        ("sys.stdout.write('junk' * 10**6); sys.stdout.flush(); time.sleep(60)", "start: printed a line longer than 1048576 bytes"),
        ("ok(next(answers()), name='x', features=['caller-keys']); time.sleep(60)", "create-payment: no answer to 'do' within 1 s"),
    ],
    ids=["does nothing", "never starts", "dies", "floods", "never answers"],
)  # fmt: skip
def test_a_hostile_adapter_is_told_within_its_bound(text: str, says: str, runs: Program) -> None:
    """Whatever it does."""
    assert any(line.startswith(says) for line in wrong(found(f"exec:{runs(text)}", step_timeout=1.0)))


def test_what_is_printed_beside_the_protocol_is_noted_and_not_wrong(runs: Program) -> None:
    """With an example of it."""
    text = TEXT.split("class Adapter")[0] + 'print("DEBUG on")\nclass Adapter' + TEXT.split("class Adapter")[1]
    findings = found(f"exec:{runs(text)}")
    assert wrong(findings) == []
    assert any("such as 'DEBUG on'" in each.says for each in findings if each.sort is Sort.NOTE)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "ok(next(answers()), name='x'); time.sleep(60)",
            "start: the provider's answer to 'start' has the base_url ''",
        ),
        ("ok(next(answers()), name='x', base_url='http://127.0.0.1:9'); time.sleep(60)", "start: GET /payments"),
        ("sys.exit(3)", "start: the subject exited with status 3"),
    ],
)
def test_a_wrong_provider_is_told(text: str, says: str, runs: Program) -> None:
    """In the role provider."""
    assert any(line.startswith(says) for line in wrong(found(f"exec:{runs(text)}", Role.PROVIDER)))


def test_a_provider_that_takes_no_payment_is_told() -> None:
    """With its answer."""
    (said,) = wrong(found("miniature:refuses-everything", Role.PROVIDER))
    assert said.startswith("create-payment: POST /payments was answered ")


def test_a_role_that_cannot_be_checked_is_said() -> None:
    """Not a guess at another one."""
    with pytest.raises(
        UsageError,
        match="smoke checks clients and providers, not a receiver; judge it: psp-harness run --role receiver",
    ):
        found("exec:true", Role.RECEIVER)
