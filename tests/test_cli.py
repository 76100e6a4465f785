"""The command line: exit statuses, and one clear sentence for everything that can be wrong with a call or a subject."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import psp_harness
from commands.calling import Call, Said, caller
from psp_harness import listing, profile
from psp_harness.miniatures import MINIATURES
from psp_harness.rules import load as load_rules
from psp_harness.subjects import channels
from subjects.adapters import program
from wire.sockets import Handler, free_port, listening

PACKAGE = str(Path(psp_harness.__file__).parents[1])

CASE = """
[[case]]
id = "mine"
role = "provider"
situation = "a payment"
steps = [{ do = "create-payment", as = "first", amount = 77 }]
"""

TWO = """
[[run]]
role = "client"
subject = "reference:client"
profile = "hyperswitch-docs"
[[run]]
role = "provider"
subject = "reference:provider"
profile = "generic"
"""

ROW = "| x/y/z/r | * | r | {kind} | me | because | #1 | 2026-01-01 | {until} |"
QUARANTINE = f"""
## 🟡 Nightly

| what | subject | rule | kind | owner | reason | issue | since | until |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
{ROW}
"""


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Calls the program in a folder with nothing in it; nothing that it says is ever a traceback."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(channels, "_END_SECONDS", 0.1)
    return caller(tmp_path, monkeypatch, capsys)


def one_sentence(said: Said) -> str:
    """The only line that a wrong call gets, and its status."""
    assert said.status == 2
    assert said.out == ""
    (line,) = said.err.strip().splitlines()
    assert line.startswith("psp-harness: ")
    return line


@contextmanager
def served(handler: Handler) -> Iterator[str]:
    """A server in a thread of its own; gives its URL."""
    urls: list[str] = []
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    async def serve() -> None:
        async with listening(handler) as url:
            urls.append(url)
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    ready.wait(10)
    try:
        yield urls[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()


# --- wrong calls ------------------------------------------------------------------------------------------------------

RUN = ("run", "--subject")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((*RUN, "reference:provider", "--profile", "strip"), "unknown profile 'strip'; did you mean 'stripe'?"),
        ((*RUN, "reference:provider", "--profile", "./no.toml"), "no.toml: No such file or directory; name an existing TOML file"),
        ((*RUN, "stripe"), "'stripe' is no address; an address begins with one of"),
        ((*RUN, "miniature:no-dedup"), "unknown miniature 'no-dedup'; did you mean 'no-dedupe'?"),
        (("smoke", "miniature:no-dedup"), "unknown miniature 'no-dedup'; did you mean 'no-dedupe'?"),
        ((*RUN, "exec:"), "'exec:' names nothing after exec:; a program that speaks the subject protocol"),
        (("smoke", "exec: "), "'exec: ' names nothing after exec:; a program that speaks the subject protocol"),
        ((*RUN, "stripe", "--role", "client"), "'stripe' is no address; an address begins with one of"),
        ((*RUN, "sdk:strip"), "unknown SDK 'strip'; did you mean 'stripe'?"),
        ((*RUN, "miniature:carefull", "--role", "client"), "unknown miniature 'carefull'; did you mean 'careful-client'?"),
        ((*RUN, "127.0.0.1:59999"), "'127.0.0.1:59999' is no address; did you mean http://127.0.0.1:59999?"),
        ((*RUN, "localhost:59999/a"), "did you mean http://localhost:59999/a?"),
        ((*RUN, "reference:provider", "--today", "2026-13-01"), "--today: '2026-13-01' is no day; write YYYY-MM-DD"),
        ((*RUN, "exec:true"), "add --role client or --role provider"),
        ((*RUN, "sdk:stripe", "--role", "receiver"), "sdk: cannot be judged as receiver"),
        ((*RUN, "reference:receiver", "--profile", "klarna"), "profile 'klarna' does not say how webhooks are delivered"),
        (
            (*RUN, "reference:receiver", "--credential", "webhook-secret=?"),
            "--credential webhook-secret=… is no secret of any team's own gateway or middleware",
        ),
        ((*RUN, "http://psp.example"), "'psp.example' is not loopback; if you mean it, add --allow-host psp.example"),
        ((*RUN, "reference:provider", "--gate", "prod"), "unknown gate 'prod'"),
        ((*RUN, "reference:provider", "--without", "refund"), "unknown feature 'refund'"),
        ((*RUN, "reference:provider", "--only", "nothing"), "--only nothing matches no verdict of provider/generic"),
        ((*RUN, "reference:provider", "--credential", "tenant-a"), "--credential takes NAME=VALUE"),
        ((*RUN, "reference:provider", "--credential", "merchant=x"), "--credential names 'merchant'"),
        ((*RUN, "reference:provider", "--jobs", "0"), "--step-timeout and --jobs take positive numbers"),
        ((*RUN, "reference:provider", "--step-timeout", "0"), "--step-timeout and --jobs take positive numbers"),
        ((*RUN, "reference:provider", "--cases", "none.toml"), "none.toml: No such file or directory"),
        ((*RUN, "python:nomodule:x"), "No module named 'nomodule'; name module:attribute"),
        (("run", "--role", "shop"), "nothing to judge in role 'shop'; name it: --subject ADDRESS"),
        (("explain", "retry-gets-the-frist-answer"), "nothing is called 'retry-gets-the-frist-answer'; did you mean 'retry-gets-the-first-answer'?"),
        (("explain", "client/generic/no-such/no-such"), "nothing is called 'no-such'"),
        (("matrix", "--sdks", "--role", "client"), "--role chooses miniatures, and every SDK is a client; leave out --role"),
        (("serve", "--profile", "nope"), "unknown profile 'nope'"),
        (("watch", "--profile", "strip", "--", "true"), "unknown profile 'strip'; did you mean 'stripe'?"),
        (("watch", "--fault", "rain:create-payment", "--", "true"), "unknown fault 'rain'"),
        (("watch", "--fault", "response-lost", "--", "true"), "--fault 'response-lost' does not say which requests it strikes; name an operation, and perhaps which of its requests: response-lost:create-payment:1"),
        (("watch", "--fault", "response-lost:pay", "--", "true"), "strikes 'pay', which is no operation of profile 'generic'; write response-lost:create-payment:1"),
        (("watch", "--fault", "status-answer:create-payment:status=99999", "--", "true"), "status is '99999'; expected a number from 200 to 599"),
        (("watch", "--fault", "slow-answer:create-payment:seconds=-1", "--", "true"), "seconds is '-1'; expected a number from 0 to 3600"),
        (("watch", "--fault", "slow-answer:create-payment:seconds=nan", "--", "true"), "seconds is 'nan'; expected a number from 0 to 3600"),
        (("watch", "--fault", "sender-ended:create-payment:when=never", "--", "true"), "when is 'never'; expected one of before, acted, answered"),
        (("watch", "--env", "FOO={bse_url}", "--", "true"), "--env 'FOO={bse_url}': nothing is put in the place of {bse_url}; write {base_url}"),
        (("watch", "--env", "MY API", "--", "true"), "--env 'MY API': 'MY API' is no name of a variable; for instance STRIPE_API_BASE={base_url}/v1"),
        (("watch", "--env", "A=", "--", "true"), "--env takes NAME=VALUE; for instance --env STRIPE_API_BASE={base_url}/v1"),
        (("watch", "--upstream", "http://psp.example", "--", "true"), "'psp.example' is not loopback; if you mean it, add --allow-host"),
        (("watch", "--gate", "prod", "--", "true"), "unknown gate 'prod'"),
        (("smoke", "sdk:strip"), "unknown SDK 'strip'; did you mean 'stripe'?"),
        (("smoke", "miniature:careful-client", "--credential", "x"), "--credential takes NAME=VALUE"),
        (("serve", "--port", "99999"), "cannot listen on 127.0.0.1:99999"),
        (("serve", "--port", "0", "--host", "psp..example"), "cannot listen on psp..example:0"),
        (("serve", "--port", "0", "--store", "mongo"), "unknown store 'mongo"),
        (("serve", "--port", "0", "--store", "sqlite:/no/such/folder/x.db"), "the store 'sqlite:/no/such/folder/x.db'"),
    ],
)  # fmt: skip
def test_a_wrong_call_is_one_sentence(arguments: tuple[str, ...], says: str, call: Call) -> None:
    """What is wrong, what there is instead, exit status 2, and nothing else."""
    assert says in one_sentence(call(*arguments))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "--role", "bank"), "'bank' is not one of 'client', 'provider', 'receiver', 'shop'"),
        (("run", "--ca", "none.pem"), "'none.pem' does not exist"),
        (("run", "--jobs", "many"), "'many' is not a valid integer"),
        (("run", "--colour", "red"), "No such option"),
        (("list", "banks"), "'banks' is not one of"),
        (("fly",), "No such command 'fly'"),
        (("watch",), "Missing argument 'COMMAND...'"),
        (("smoke",), "Missing argument 'ADDRESS'"),
    ],
)
def test_a_wrong_option_is_told_as_usual(arguments: tuple[str, ...], says: str, call: Call) -> None:
    """By the option parser, with exit status 2."""
    said = call(*arguments)
    assert (said.status, said.out) == (2, "")
    assert says in said.err


def test_a_port_in_use_is_one_sentence(call: Call) -> None:
    """With what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = one_sentence(call("serve", "--port", str(port)))
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in said
    assert "choose another --port" in said


@pytest.mark.parametrize("option", ["--json", "--junit"])
def test_a_report_that_cannot_be_written_is_said(option: str, call: Call, tmp_path: Path) -> None:
    """The judging was done, and yet nobody may take it for green."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    said = call(*RUN, "miniature:careful-gateway", "--only", "provider/generic/payment-repeated", option, "file/report")
    assert said.status == 2
    assert "psp-harness: " in said.err
    assert "name a file that can be written" in said.err


# --- wrong files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (CASE.replace("77", "7.70"), "case 'mine', steps[0].amount: expected a whole number, not a number with a point; write an integer in minor units"),
        (CASE.replace("create-payment", "pay"), "case 'mine', steps: unknown step 'pay'"),
        (CASE + 'needs = ["coffee"]', "case 'mine', needs: unknown feature 'coffee'"),
        (CASE + 'faults = [{ strike = "rain", on = "first" }]', "case 'mine', faults: unknown fault 'rain'"),
        (CASE.replace('"mine"', "mine"), "not TOML: Invalid value (at line 3, column 6)"),
        (CASE.replace('"mine"', '"payment-repeated"'), "case 'payment-repeated' exists twice"),
        (CASE.replace("77", "1010"), "case 'mine': pays 1010, as does case 'payment-repeated'"),
        (CASE.replace("amount = 77", 'amount = 77, tenant = "tenant-z"'), "case 'mine': tenant 'tenant-z'"),
    ],
)  # fmt: skip
def test_a_wrong_case_file_is_one_sentence(text: str, says: str, call: Call, tmp_path: Path) -> None:
    """File, case and key, or the line where the parser knows it."""
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    said = one_sentence(call(*RUN, "reference:provider", "--cases", "mine.toml"))
    assert says in said


def test_a_case_of_your_own_is_driven_beside_the_bundled_ones(call: Call, tmp_path: Path) -> None:
    """Under its own id."""
    (tmp_path / "mine.toml").write_text(CASE.replace("amount = 77", 'key = "k", amount = 77'), encoding="utf-8")
    said = call(*RUN, "reference:provider", "--cases", ".", "--only", "provider/generic/mine")
    assert said.status == 0
    assert "1 case, 1 exchange" in said.out


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (ROW.format(kind="maybe", until="2027-01-01"), "QUARANTINE.md: line 6"),
        (ROW.format(kind="broken", until="tomorrow"), "QUARANTINE.md: line 6"),
        ("| x | * |", "QUARANTINE.md: line 6"),
    ],
)
def test_a_broken_row_of_quarantine_is_one_sentence(row: str, says: str, call: Call, tmp_path: Path) -> None:
    """It names the file and the line, whatever is judged and without a gate, too."""
    (tmp_path / "QUARANTINE.md").write_text(QUARANTINE.replace(ROW, row), encoding="utf-8")
    assert says in one_sentence(call(*RUN, "reference:provider"))


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (
            "psp-harness.toml",
            "[[run]]\nrole = 'clent'",
            "line 1, run[0].role: unknown word 'clent'; did you mean 'client'?",
        ),
        ("psp-harness.toml", "[[run]", "psp-harness.toml: not TOML"),
        ("pyproject.toml", "[tool.psp-harness]\nquarantin = 1", "pyproject.toml: "),
        ("psp-harness.toml", "[[run]]\nrole = 'client'\nsubject = 'sdk:x'\nprofile = 'stripe'", "unknown SDK 'x'"),
        (
            "psp-harness.toml",
            "cases = []\n[[run]]\nrole = 'client'\nsubject = 'sdk:stripe'\nprofile = 'strip'",
            "psp-harness.toml: line 2, run[0].profile: unknown profile 'strip'; did you mean 'stripe'?",
        ),
        ("psp-harness.toml", "cases = ['none']", "none: No such file or directory"),
    ],
)
def test_a_wrong_configuration_is_one_sentence(name: str, text: str, says: str, call: Call, tmp_path: Path) -> None:
    """It names the file and the key."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert says in one_sentence(call("run"))


def test_a_profile_of_your_own_is_named_by_its_path(call: Call, tmp_path: Path) -> None:
    """It is judged by what it promises: what it does not promise is skipped, with the reason."""
    generic = (
        (profile.BUNDLED / "generic.toml").read_text(encoding="utf-8").replace('name = "generic"', 'name = "mine"')
    )
    own = re.sub(r"^\[mismatch\]\n(.+\n)*", "", generic, flags=re.MULTILINE)
    (tmp_path / "mine.toml").write_text(own, encoding="utf-8")
    only = ("--only", "*/mine/payment-repeated/*", "--only", "*/another-body-is-refused")
    said = call(*RUN, "miniature:no-fingerprint", "--profile", "mine.toml", "--json", "report.json", *only)
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert (said.status, report["profile"]) == (0, "mine")
    (reason,) = [each["reason"] for each in report["verdicts"] if each["rule"] == "another-body-is-refused"]
    assert "mismatch-refused" in reason


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('extends = "generic"\nauth = { header = "X-Key" }', "auth.header: a fact without a source"),
        ('extends = "generic"\nauth = { header = { is = "X-Key", source = "wiki" } }', "auth.header: source 'wiki' is not in [sources]"),
        ('extends = "nobody"', "extends 'nobody', which is no bundled profile"),
        ('name = "mine"\ntitle = 7', "title: expected a text in quotes, not a whole number"),
    ],
)  # fmt: skip
def test_a_wrong_profile_is_one_sentence(text: str, says: str, call: Call, tmp_path: Path) -> None:
    """File, fact, and what was expected."""
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    said = one_sentence(call(*RUN, "reference:provider", "--profile", "mine.toml"))
    assert says in said
    assert "mine.toml: " in said


# --- exit statuses ----------------------------------------------------------------------------------------------------

FEW = ("--only", "*/generic/payment-re*", "--only", "*/generic/over-long-key/*", "--only", "*/generic/two-payments/*")

BROKEN_AND_ERRORED = """
from psp_harness.miniatures.faulty_clients import KeylessPayments

class Client(KeylessPayments):
    def do(self, step, params):
        if params["amount"] == 6540:
            raise RuntimeError("no network")
        return super().do(step, params)
"""


@pytest.mark.parametrize(
    ("arguments", "status", "verdict"),
    [
        (("miniature:careful-gateway", *FEW), 0, "PASSED"),
        (("miniature:careful-client", *FEW), 0, "PASSED"),
        (("miniature:no-dedupe", *FEW), 1, "VIOLATED"),
        (("miniature:refuses-everything", *FEW), 2, "CANNOT TELL"),
        (("miniature:long-key-not-refused", *FEW), 0, "PASSED"),
        (("miniature:long-key-not-refused", "--strict", *FEW), 1, "VIOLATED"),
        (("miniature:tries-once", "--only", "client/generic/two-payments"), 0, "PASSED"),
        (("miniature:tries-once", "--only", "client/generic/two-payments", "--strict"), 2, "CANNOT TELL"),
        (("python:broken_and_errored:Client", "--only", "client/generic/two-payments", "--only",
          "client/generic/payment-and-refund"), 1, "VIOLATED"),
    ],
)  # fmt: skip
def test_the_exit_status_is_what_the_last_line_says(
    arguments: tuple[str, ...], status: int, verdict: str, call: Call, tmp_path: Path
) -> None:
    """0: no MUST is violated. 1: one is, whatever else could not be told. 2: something could not be told."""
    (tmp_path / "broken_and_errored.py").write_text(BROKEN_AND_ERRORED, encoding="utf-8")
    said = call(*RUN, *arguments)
    assert said.status == status
    assert said.last_line.startswith(verdict)
    sys.modules.pop("broken_and_errored", None)


def test_without_a_subject_what_the_project_names_is_judged(call: Call, tmp_path: Path) -> None:
    """Each in its turn, with a report each; the worst status counts."""
    runs = [("client", "miniature:careful-client"), ("provider", "miniature:no-dedupe")]
    text = "".join(f"[[run]]\nrole = '{role}'\nsubject = '{who}'\nprofile = 'generic'\n" for role, who in runs)
    (tmp_path / "psp-harness.toml").write_text(text, encoding="utf-8")
    said = call("run", *FEW, "--json", "out/report.json", "--junit", "out/report.xml")
    assert said.status == 1
    written = {path.name for path in (tmp_path / "out").iterdir() if path.is_file()}
    assert written == {"report-client.json", "report-provider.json", "report-client.xml", "report-provider.xml"}
    assert call("run", *FEW, "--role", "client").status == 0


def test_without_a_configuration_a_gate_judges_nothing_of_yours(call: Call, tmp_path: Path) -> None:
    """In the wrong folder, a gate that judged the reference subjects would be green for nothing."""
    assert "no psp-harness.toml here" in one_sentence(call("run", "--gate", "pr"))
    (tmp_path.parent / "psp-harness.toml").write_text("", encoding="utf-8")
    assert f"run it in {tmp_path.parent}, where" in one_sentence(call("run", "--gate", "pr"))


def test_what_nothing_was_judged_of_did_not_pass(call: Call, tmp_path: Path) -> None:
    """Where no row is about a subject, the gate that runs the quarantined alone says so, for all and for each."""
    (tmp_path / "psp-harness.toml").write_text(TWO, encoding="utf-8")
    said = call("run", "--gate", "manual")
    last = said.out.splitlines()[-1]
    assert last.startswith("IN ALL: reference:client was not judged, reference:provider was not judged.")
    assert "passed" not in last


def test_of_several_subjects_only_may_name_one(call: Call, tmp_path: Path) -> None:
    """What it leaves nothing of is left out; where it leaves nothing of any, the call is wrong."""
    (tmp_path / "psp-harness.toml").write_text(TWO, encoding="utf-8")
    said = call("run", "--only", "provider/generic/same-key-from-another-tenant")
    assert said.status == 0
    assert "client" not in said.out
    assert "matches no verdict" in one_sentence(call("run", "--only", "provider/generic/no-such-case"))


def test_a_role_that_stands_in_no_configuration_has_to_be_named(call: Call, tmp_path: Path) -> None:
    """The reference subjects do not stand in for what the project has not written down."""
    (tmp_path / "psp-harness.toml").write_text(
        "[[run]]\nrole = 'client'\nsubject = 'miniature:careful-client'\nprofile = 'generic'\n", encoding="utf-8"
    )
    assert "nothing to judge in role 'provider'" in one_sentence(call("run", "--role", "provider"))


def test_what_a_run_leaves_behind_is_ignored_by_git(call: Call, tmp_path: Path) -> None:
    """Evidence without `--json` goes to a folder that ignores itself."""
    assert call(*RUN, "miniature:no-dedupe", *FEW).status == 1
    assert (tmp_path / ".psp-harness" / ".gitignore").read_text(encoding="utf-8") == "*\n"
    assert list((tmp_path / ".psp-harness" / "evidence").rglob("*.json"))


# --- subjects that cannot be driven -----------------------------------------------------------------------------------


def errors_of(said: Said, folder: Path) -> set[str]:
    """The reasons of all errored verdicts, of which there are some and next to which nothing passed by mistake."""
    assert said.status == 2
    assert said.last_line.startswith("CANNOT TELL")
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["summary"]["errored"] > 0
    assert report["summary"]["passed"] == report["summary"]["violated"] == 0
    return {verdict["reason"] for verdict in report["verdicts"] if verdict["outcome"] == "errored"}


async def never_answers(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Takes everything."""
    await reader.read()


async def answers_junk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Speaks another protocol."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    await writer.drain()


async def answers_100_mb(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """And would send all of it."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
    for _ in range(100):
        writer.write(b"x" * 2**20)
        await writer.drain()


@pytest.mark.parametrize(
    ("handler", "says"),
    [
        (None, "connection refused; start it, or correct the address"),
        (never_answers, "within 0.5 s; is it running, and is it the right port?"),
        (answers_junk, "the answer is not HTTP"),
        (answers_100_mb, "the answer is longer than 8388608 bytes; reading stopped"),
    ],
    ids=["refuses connections", "never answers", "junk", "100 MB"],
)
def test_a_provider_that_cannot_be_judged_is_one_sentence(
    handler: Handler | None, says: str, call: Call, tmp_path: Path
) -> None:
    """Every case is errored for that one reason, said once, and the report is written."""
    options = ("--step-timeout", "0.5" if "0.5 s" in says else "20", "--json", "report.json")
    if handler is None:
        said = call(*RUN, f"http://127.0.0.1:{free_port()}", *options)
    else:
        with served(handler) as url:
            said = call(*RUN, url, *options)
    (reason,) = errors_of(said, tmp_path)
    assert says in reason
    assert said.out.count("ERRORED") == 1


def test_a_narrow_run_against_a_dead_provider_is_not_green(call: Call, tmp_path: Path) -> None:
    """`--only` one verdict: that it could not be told is told all the same."""
    one = "provider/generic/payment-repeated/one-key-has-one-effect"
    said = call(*RUN, f"http://127.0.0.1:{free_port()}", "--only", one, "--json", "report.json")
    assert "connection refused" in errors_of(said, tmp_path).pop()


def test_a_narrow_run_of_a_dead_client_says_why(call: Call, tmp_path: Path) -> None:
    """A case that needs what the client never came to claim is errored: it is not said to match nothing."""
    said = call(*RUN, "exec:exit 3", "--role", "client", "--only", "client/generic/empty-key", "--json", "report.json")
    assert "exited with status 3" in errors_of(said, tmp_path).pop()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sys.exit('no such table')", "exited with status 1 before it answered; its last words: 'stderr: no such table'"),
        ("say('{\"id\":'); time.sleep(60)", "printed a line that begins as JSON and is none"),
        ("say('[]'); sys.stdout.write('junk' * 10**6); sys.stdout.flush(); time.sleep(60)", "printed a line longer than 1048576"),
        ("time.sleep(60)", "no answer to 'start' within 0.5 s"),
        ("ok(next(answers()), name='x', features=['flying']); time.sleep(60)", "does not fit the protocol at .features[0]"),
    ],
    ids=["dies", "broken line", "junk", "never answers", "wrong claims"],
)  # fmt: skip
@pytest.mark.parametrize("role", ["client", "provider"])
def test_a_program_that_cannot_be_judged_is_one_sentence(
    role: str, text: str, says: str, call: Call, tmp_path: Path
) -> None:
    """In either role: every case is errored for that one reason, said once, and the report is written."""
    (tmp_path / "programs").mkdir()
    address, bound = f"exec:{program(tmp_path / 'programs', text)}", "0.5" if "0.5 s" in says else "20"
    said = call(*RUN, address, "--role", role, "--step-timeout", bound, "--json", "report.json")
    (reason,) = errors_of(said, tmp_path)
    assert says in reason
    assert said.out.count("ERRORED") == 1


DIES_SOMETIMES = f"""
import json, sys
sys.path.insert(0, {PACKAGE!r})
from psp_harness.miniatures import MINIATURES
subject = MINIATURES["careful-client"].make()
for line in sys.stdin:
    command = json.loads(line)
    if command.get("params", {{}}).get("amount") == 2310:
        sys.exit("card reader on fire")
    members = {{name: each for name, each in command.items() if name not in ("id", "cmd")}}
    print("DEBUG about to", command["cmd"])
    print(json.dumps({{"id": command["id"], **getattr(subject, command["cmd"])(**members)}}), flush=True)
"""


def test_a_program_that_dies_in_one_case_leaves_the_others_judged(call: Call, tmp_path: Path) -> None:
    """Their verdicts are kept and reported; the one that could not be told makes the status 2."""
    (tmp_path / "adapter.py").write_text(DIES_SOMETIMES, encoding="utf-8")
    only = [f"--only=client/generic/{name}" for name in ("two-payments", "payment-and-refund", "empty-key")]
    command = shlex.join([sys.executable, "adapter.py"])
    said = call(*RUN, f"exec:{command}", "--role", "client", "--json", "report.json", *only)
    assert said.status == 2
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    outcomes = {verdict["id"].split("/")[2]: verdict["outcome"] for verdict in report["verdicts"]}
    assert outcomes["two-payments"] == "errored"
    assert outcomes["payment-and-refund"] == outcomes["empty-key"] == "passed"
    (errored,) = [verdict for verdict in report["verdicts"] if verdict["outcome"] == "errored"]
    assert "card reader on fire" in errored["reason"]
    evidence = json.loads((tmp_path / errored["evidence"]).read_text(encoding="utf-8"))
    assert "DEBUG about to start" in evidence["notes"]


def test_an_object_that_leaves_is_no_green_run(call: Call, tmp_path: Path) -> None:
    """`sys.exit(0)` in a subject ends neither the run nor its judgement."""
    text = "import sys\nclass Client:\n    def start(self):\n        sys.exit(0)\n"
    (tmp_path / "leaving.py").write_text(text, encoding="utf-8")
    said = call(*RUN, "python:leaving:Client", "--json", "report.json")
    assert "it raised SystemExit(0)" in errors_of(said, tmp_path).pop()
    sys.modules.pop("leaving", None)


# --- watch and smoke --------------------------------------------------------------------------------------------------

PAYS = """
import http.client, json, os, sys
lines = {"Authorization": "Bearer x", "Content-Type": "application/json", **json.loads(sys.argv[1])}
psp = http.client.HTTPConnection(os.environ["GATEWAY"].removeprefix("http://"))
psp.request("POST", "/payments", json.dumps({"amount": 5, "currency": "EUR"}), lines)
sys.exit(psp.getresponse().status == 401)
"""


@pytest.mark.parametrize(
    ("lines", "status", "last"),
    [
        ({"Idempotency-Key": "a"}, 0, "PASSED"),
        ({"Idempotency-Key": ""}, 1, "VIOLATED"),
        ({"Idempotency-Key": "a", "Authorization": ""}, 2, "CANNOT TELL"),
    ],
)
def test_a_watched_command_ends_with_the_status_of_what_it_did(
    lines: dict[str, str], status: int, last: str, call: Call, tmp_path: Path
) -> None:
    """Its report is printed, and written as JSON and JUnit XML like that of a run."""
    (tmp_path / "pays.py").write_text(PAYS, encoding="utf-8")
    options = ("--env", "GATEWAY", "--json", "out/report.json", "--junit", "out/report.xml")
    said = call("watch", *options, "--", sys.executable, "pays.py", json.dumps(lines))
    assert (said.status, said.last_line.partition(":")[0]) == (status, last)
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert {each["id"].rpartition("/")[0] for each in report["verdicts"]} == {
        "client/generic/watched-command", "client/generic/any-case",
    }  # fmt: skip
    assert (tmp_path / "out" / "report.xml").is_file()
    assert "psp-harness: a local stand-in of the PSP (profile generic) listens at http://127.0.0.1:" in said.err
    assert "skipped: attempts" not in said.out
    assert re.search(r"^skipped: \d+ rules: ", said.out, re.MULTILINE)


def test_the_report_begins_on_a_line_of_its_own(call: Call) -> None:
    """Whatever line the command left open."""
    said = call("watch", "--", "sh", "-c", "printf done")
    assert said.out.startswith("\nclient ")


def test_what_was_watched_without_a_fault_is_told_to_lose_an_answer(call: Call, tmp_path: Path) -> None:
    """In the last line; where a fault struck, there is another next step."""
    (tmp_path / "pays.py").write_text(PAYS, encoding="utf-8")
    command = ("--env", "GATEWAY", "--", sys.executable, "pays.py", '{"Idempotency-Key": "a"}')
    assert call("watch", *command).last_line.endswith("Next: lose an answer: --fault response-lost:create-payment:1")
    late = call("watch", "--fault", "slow-answer:create-payment:1:seconds=0", *command)
    assert late.last_line.endswith("Next: run this for every change, in CI")


def test_a_violation_of_a_watched_command_can_be_quarantined(call: Call, tmp_path: Path) -> None:
    """Under its verdict's id, at a gate, as one of a run."""
    (tmp_path / "pays.py").write_text(PAYS, encoding="utf-8")
    rule = "every-post-carries-a-key"
    row = (
        f"| client/generic/watched-command/{rule} | * | {rule} | broken | me | because | #1 | 2026-01-01 | 2099-01-01 |"
    )
    (tmp_path / "QUARANTINE.md").write_text(QUARANTINE.replace(ROW, row), encoding="utf-8")
    command = ("--", sys.executable, "pays.py", "{}")
    assert [call("watch", "--env", "GATEWAY", *gate, *command).status for gate in ((), ("--gate", "pr"))] == [1, 0]
    assert call("quarantine", "check", "--today", "2026-01-02").status == 0


def test_smoke_takes_a_program_for_a_client(call: Call) -> None:
    """The call of the front page as it stands."""
    example = Path(__file__).parents[1] / "docs" / "examples" / "adapter.py"
    said = call("smoke", f"exec:{sys.executable} {example}")
    assert said.status == 0
    assert said.out.startswith("client exec:")
    assert "Next: psp-harness run --role client --subject" in said.out


@pytest.mark.parametrize(
    ("address", "status", "last"),
    [
        ("miniature:careful-client", 0, "SMOKE: nothing is wrong. Next: psp-harness run --role client --subject"),
        ("exec:exit 3", 2, "SMOKE: 1 to mend before a verdict means anything"),
    ],
)
def test_smoke_ends_with_what_is_next(address: str, status: int, last: str, call: Call) -> None:
    """0 where nothing is wrong with the adapter, else 2."""
    said = call("smoke", address, "--role", "client")
    assert said.status == status
    assert said.last_line.startswith(last)


# --- the other verbs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", sorted(listing.LISTS))
def test_everything_there_is_can_be_listed(what: str, call: Call) -> None:
    """For every role."""
    said = call("list", what)
    assert said.status == 0
    assert said.out.strip()
    assert call("list", what, "--role", "client").status == 0


def test_everything_that_is_listed_can_be_explained(call: Call) -> None:
    """Rules, cases, faults, profiles, miniatures, features, and the ids of verdicts."""
    names = [*load_rules(), *profile.names(), *list(MINIATURES)[:3], "response-lost", "payment-repeated", "retries"]
    verdicts = [
        "provider/generic/payment-repeated/one-key-has-one-effect",
        "client/stripe/any-case/case-runs-to-its-end",
    ]
    for name in [*names, *verdicts]:
        said = call("explain", name)
        assert said.status == 0
        assert name in said.out


def test_a_failure_mode_is_explained_by_its_code(call: Call) -> None:
    """However it is written: what it is, which rules name it, also in a range, and which miniatures have it."""
    said = call("explain", "c14")
    assert said.status == 0
    assert "failure mode C14\n  the stored key is deleted on an error" in said.out
    assert "a-wish-keeps-its-key" in said.out.partition("source of the rules: ")[2].splitlines()[0]
    assert "miniatures that have it: " in said.out
    assert "miniatures that have it: none, because nanoseconds" in call("explain", "W04").out
    assert "    P01: no duplicate is recognised" in call("explain", "one-key-has-one-effect").out


def test_help_and_version_are_no_errors(call: Call) -> None:
    """Status 0, on standard output."""
    for arguments in (["--help"], ["run", "-h"], ["--version"]):
        said = call(*arguments)
        assert (said.status, said.err) == (0, "")
        assert said.out


def process(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """The program as a process of its own."""
    start = f"import sys; sys.path.insert(0, {PACKAGE!r}); from psp_harness.cli import main; main()"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", start, *arguments], **{**pipes, **options})


def test_a_served_psp_is_judged_until_it_is_interrupted(call: Call) -> None:
    """It says where it listens and how to judge it; an interrupt ends it without a traceback."""
    with process("serve", "--port", "0", env={"PYTHONUNBUFFERED": "1"}) as psp:
        assert psp.stdout is not None
        url = psp.stdout.readline().split()[-1]
        said = call(*RUN, url, "--effects", "/psp-harness/effects", "--only", "provider/generic/payment-re")
        psp.send_signal(signal.SIGINT)
        _, err = psp.communicate(timeout=20)
    assert said.status == 0
    assert psp.returncode in {0, 130}
    assert "Traceback" not in err
    assert "mistake" not in err


def test_an_output_that_nobody_reads_is_no_traceback(tmp_path: Path) -> None:
    """As in `psp-harness list rules | head -1`."""
    with process("list", "rules", cwd=tmp_path) as listing_:
        assert listing_.stdout is not None
        listing_.stdout.close()
        err = listing_.stderr.read() if listing_.stderr else ""
    assert "Traceback" not in err
