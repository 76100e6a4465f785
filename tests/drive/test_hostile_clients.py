"""Programs that do their worst: each ends in *errored*, with a sentence that says why, within its bound."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from psp_harness import profile
from psp_harness.model import Errored, Passed, Report, Role
from psp_harness.run import Job, run

STEP_SECONDS = 1.5
BOUND_SECONDS = 25.0
"""For one program: it is started twice, and each wait and each end of it has a bound; a busy machine needs the rest."""

PRELUDE = """
import json, os, signal, socket, subprocess, sys, threading, time

def say(text):
    sys.stdout.write(text + "\\n")
    sys.stdout.flush()

def ok(command, **members):
    say(json.dumps({"id": command["id"], "ok": members}))

def dial():
    host, _, port = base.rpartition("/")[2].partition(":")
    return socket.create_connection((host, int(port)), timeout=20)

def post(body, length=None):
    head = "POST /payments HTTP/1.1\\r\\nHost: psp\\r\\nAuthorization: Bearer tenant-a\\r\\nContent-Type: application/json\\r\\n"
    return (head + "Idempotency-Key: key-1\\r\\nContent-Length: %d\\r\\n\\r\\n" % (length or len(body))).encode() + body

def unknown(command):
    say(json.dumps({"id": command["id"], "failed": {"kind": "unknown", "message": "who knows"}}))

def started(command):
    ok(command, name="hostile", features=["caller-keys"])

def do(command):
    ok(command, payment_id="pay_1", status="succeeded")
"""

LOOP = """
for line in sys.stdin:
    command = json.loads(line)
    if command["cmd"] == "start":
        base = command["base_url"]
        started(command)
    elif command["cmd"] == "do":
        do(command)
    else:
        ok(command)
"""

AT_THE_START = {
    "dies at once": "sys.exit(3)",
    "never answers anything": "time.sleep(60)",
    "floods its output before it answers": "while True: say('x' * 1000)",
    "closes its output": "os.close(1); time.sleep(60)",
    "closes its input": "os.close(0); time.sleep(60)",
    "says of itself what the protocol does not know": "def started(command): ok(command, name=7, features='all')",
    "claims to retry a word": "def started(command): ok(command, name='x', retries={'max': 'many'})",
    "leaves a child behind that holds its output": (
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(8)'], start_new_session=True); sys.exit(0)"
    ),
}
"""They never get as far as a payment."""

AT_A_PAYMENT = {
    "dies without a word": "os._exit(1)",
    "kills itself": "os.kill(os.getpid(), signal.SIGKILL)",
    "raises": "raise RuntimeError('no idea')",
    "never answers": "time.sleep(60)",
    "floods its output": "while True: say('x' * 1000)",
    "floods its output without a line end": "[sys.stdout.write('x' * 2**20) for _ in range(100)]",
    "floods its errors": "while True: sys.stderr.write('x' * 10_000)",
    "writes JSON that is none": "say('{\"id\": ')",
    "writes JSON that is too deep": "say('{\"id\": ' + '[' * 100_000)",
    "writes bytes that are no text": "sys.stdout.buffer.write(b'{\\xff\\xfe\\n'); sys.stdout.buffer.flush()",
    "answers what nobody asked": "say(json.dumps({'id': '77', 'ok': {}}))",
    "answers a number": "say(json.dumps({'id': command['id'], 'ok': 7}))",
    "answers a kind of its own": "say(json.dumps({'id': command['id'], 'failed': {'kind': 'maybe'}}))",
    "opens a thousand connections": "lines = [dial() for _ in range(1000)]; unknown(command)",
    "sends a hundred megabytes": (
        "line = dial()\n"
        "    try:\n"
        "        line.sendall(post(b'', 100 * 2**20))\n"
        "        [line.sendall(b'x' * 2**20) for _ in range(100)]\n"
        "    except OSError: pass\n"
        "    unknown(command)"
    ),
    "sends a body that is no end of nesting": "line = dial(); line.sendall(post(b'[' * 500_000).replace(b'/payments', b'/elsewhere')); line.recv(9); unknown(command)",
    "sends half a request and waits": "line = dial(); line.sendall(post(b'{', 100)); time.sleep(60)",
    "sends half a request and gives up": "dial().sendall(post(b'{', 100)); unknown(command)",
    "sends a byte now and then": "line = dial(); [(line.sendall(b'P'), time.sleep(0.2)) for _ in range(300)]",
    "speaks TLS to a plain port": "line = dial(); line.sendall(bytes.fromhex('16030100050100000100')); line.recv(9); unknown(command)",
    "has children that outlive a signal": (
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); os.fork(); os.fork(); time.sleep(60)"
    ),
}
"""They start as they should."""


def program(text: str, *, at_start: bool) -> str:
    """The text in its place."""
    if at_start and not text.startswith("def "):
        return PRELUDE + text + LOOP
    return PRELUDE + (text if at_start else f"def do(command):\n    {text}\n") + LOOP


async def judged(text: str, folder: Path) -> tuple[Report, float]:
    """The report on one case, and the seconds that it took."""
    (folder / "client.py").write_text(text, encoding="utf-8")
    only = ("client/generic/two-payments",)
    job = Job(
        Role.CLIENT,
        f"exec:{sys.executable} {folder / 'client.py'}",
        profile.load("generic"),
        only=only,
        step_timeout=STEP_SECONDS,
        answer_timeout=0.5,
    )
    began = time.monotonic()
    report = await run(job)
    return report, time.monotonic() - began


@pytest.mark.parametrize(
    "text",
    [
        *(pytest.param(program(text, at_start=True), id=name) for name, text in AT_THE_START.items()),
        *(pytest.param(program(text, at_start=False), id=name) for name, text in AT_A_PAYMENT.items()),
    ],
)
async def test_a_hostile_program_ends_in_errored_within_its_bound(text: str, tmp_path: Path) -> None:
    """One sentence, of the program and not of ours; nothing passes, and nothing is waited for without end."""
    report, seconds = await judged(text, tmp_path)
    reasons = [verdict.result.reason for verdict in report.verdicts if isinstance(verdict.result, Errored)]
    assert reasons
    for reason in reasons:
        assert "please report this" not in reason
        assert "Traceback (most recent" not in reason
        assert 10 < len(reason) < 1000
    assert [verdict.id for verdict in report.verdicts if isinstance(verdict.result, Passed)] == []
    assert seconds < BOUND_SECONDS


async def test_a_program_that_does_nothing_wrong_is_not_hostile(tmp_path: Path) -> None:
    """The frame around them is a client: what ends them is what each of them does."""
    pays = "line = dial(); body = json.dumps({k: command['params'][k] for k in ('amount', 'currency')}).encode()\n"
    pays += "    line.sendall(post(body).replace(b'key-1', command['params']['key'].encode())); got = line.recv(9999)\n"
    pays += "    ok(command, payment_id=json.loads(got.partition(b'\\r\\n\\r\\n')[2])['id'], status='succeeded')"
    report, _ = await judged(program(pays, at_start=False), tmp_path)
    assert {verdict.outcome for verdict in report.verdicts if verdict.case == "two-payments"} == {"passed"}
