"""A watched command: any program that speaks HTTP, judged as far as nobody's wishes need to be known."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from psp_harness import profile, rules, watching
from psp_harness.errors import UsageError
from psp_harness.model import Errored, Report, Role, Unexercised, Violated
from psp_harness.pytest_plugin.server import Server
from psp_harness.reports import Clean
from psp_harness.settle import exit_status
from subjects.adapters import lives

GENERIC = profile.load("generic")

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl: apt-get install curl")

TOOLS = """
post() { # ROUTE BODY [HEADER…]
  route=$1 body=$2; shift 2
  curl -sS --fail-with-body -o answer "$PSP_BASE_URL$route" -H 'Content-Type: application/json' -d "$body" \\
    -H "Authorization: Bearer ${TOKEN:-shop}" "$@"
}
key() { echo "Idempotency-Key: $1"; }
fresh() { echo "Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)"; }
order() { echo "{\\"amount\\": ${2:-1000}, \\"currency\\": \\"EUR\\", \\"reference\\": \\"$1\\", \\"attempt\\": ${3:-0}}"; }
named() { echo "{\\"amount\\": 1000, \\"currency\\": \\"EUR\\", \\"$1\\": \\"$2\\"}"; }
plain() { echo "{\\"amount\\": ${1:-1000}, \\"currency\\": \\"EUR\\"}"; }
id() { sed 's/.*"id":"\\([^"]*\\)".*/\\1/' answer; }
back() { echo "{\\"payment_id\\": \\"$1\\", \\"amount\\": $2, \\"reference\\": \\"${3:-}\\"}"; }
"""
"""What every script begins with: it knows nothing but `curl` and how to write JSON."""

LOST = ("response-lost:create-payment:1",)
REFUND_LOST = ("response-lost:create-refund:1",)


def watched(script: str, *faults: str, folder: Path, psp: str = "generic", **options: object) -> Report:
    """The report on a shell script, run in a folder of its own."""
    file = folder / "script.sh"
    file.write_text(f"cd {folder}\n{TOOLS}{script}\n", encoding="utf-8")
    command = ("sh", str(file))
    asked = {name: options.pop(name) for name in ("timeout", "env", "upstream") if name in options}
    job = replace(watching.job_of(command, profile.load(psp)), **options)  # type: ignore[arg-type]
    return asyncio.run(watching.run(job, watching.Watching(command, faults=faults, **asked)))  # type: ignore[arg-type]


def violated(report: Report) -> set[str]:
    """The rules that it breaks."""
    return {verdict.rule for verdict in report.verdicts if isinstance(verdict.result, Violated)}


def errors(report: Report) -> list[str]:
    """Why something could not be told."""
    return [verdict.result.reason for verdict in report.verdicts if isinstance(verdict.result, Errored)]


def status(report: Report) -> int:
    """With which the program ends."""
    return exit_status(report.verdicts, report.stale, strict=report.strict)


def is_ended(pid_file: Path) -> bool:
    """Whether the process whose number stands in the file is no more, at once or as soon as its signal reached it."""
    deadline = time.monotonic() + 5
    pid = int(pid_file.read_text(encoding="utf-8"))
    while lives(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not lives(pid)


# --- what a correct client may do -------------------------------------------------------------------------------------

RIGHT = {
    "two orders, two keys": 'post /payments "$(order a)" -H "$(fresh)"; post /payments "$(order b)" -H "$(fresh)"',
    "the same amount twice, nothing said of orders": 'for n in 1 2; do post /payments "$(plain)" -H "$(fresh)"; done',
    "one order is tried again with its key": 'post /payments "$(order a)" -H "$(key a)" || post /payments "$(order a)" -H "$(key a)"',
    "the body is written anew, equal as JSON": (
        'post /payments \'{"amount": 5, "currency": "EUR"}\' -H "$(key a)"; post /payments \'{"currency":"EUR","amount":5}\' -H "$(key a)"'
    ),
    "a body that was refused is corrected under its key": (
        'post /payments "$(order a -1)" -H "$(key a)" || post /payments "$(order a 1000)" -H "$(key a)"'
    ),
    "two accounts, one key": 'post /payments "$(order a)" -H "$(key a)"; TOKEN=other; post /payments "$(order b 7)" -H "$(key a)"',
    "a payment and two equal refunds of it": (
        'post /payments "$(order a 1000)" -H "$(key a)"; p=$(id); for n in 1 2; do post /refunds "$(back $p 100)" -H "$(key refund-$n)"; done'
    ),
    "keys that are UUIDs of any version, prefixed, or long": (
        'post /payments "$(order a)" -H "$(key shop:pay:a/1)"; post /payments "$(order b)" -H "$(key $(printf %0200d 7))"'
    ),
    "reads need no key": 'post /payments "$(order a)" -H "$(key a)"; curl -sS -o r -H "Authorization: Bearer shop" "$PSP_BASE_URL/payments/$(id)"',
    "one and the same request, twice at once": (
        'post /payments "$(order a)" -H "$(key a)" & post /payments "$(order a)" -H "$(key a)"; wait'
    ),
}  # fmt: skip

RIGHT_THOUGH_LOST = {
    "another customer pays as much, for an order that is named where only people look": (
        'post /payments "$(named order_id a)" -H "$(fresh)" || post /payments "$(named order_id b)" -H "$(fresh)"'
    ),
    "it tries again with its key, and then another customer buys the same": (
        'post /payments "$(plain)" -H "$(key a)" || post /payments "$(plain)" -H "$(key a)"; post /payments "$(plain)" -H "$(fresh)"'
    ),
    "it tries once, and goes on to the next order": (
        'post /payments "$(order a)" -H "$(fresh)" || post /payments "$(order b)" -H "$(fresh)"'
    ),
    "curl tries again by itself": 'post /payments "$(order a)" -H "$(key a)" --retry 2 --retry-all-errors --retry-delay 0 || true',
}  # fmt: skip


@pytest.mark.parametrize("script", RIGHT.values(), ids=RIGHT)
def test_what_a_correct_client_may_do_is_no_finding(script: str, tmp_path: Path) -> None:
    """It passes what there is to judge, and nothing is reported or left in doubt."""
    report = watched(f"set -e; {script}", folder=tmp_path)
    assert (violated(report), errors(report), status(report)) == (set(), [], 0)
    assert "every-post-carries-a-key" in {v.rule for v in report.verdicts if v.outcome == "passed"}


@pytest.mark.parametrize("script", RIGHT_THOUGH_LOST.values(), ids=RIGHT_THOUGH_LOST)
def test_what_a_correct_client_may_do_after_a_lost_answer_is_no_finding(script: str, tmp_path: Path) -> None:
    """The fault struck, and yet nobody is blamed for it."""
    report = watched(script, *LOST, folder=tmp_path)
    assert (violated(report), errors(report), status(report)) == (set(), [], 0)
    (history,) = report.histories.values()
    assert [x.fault for x in history.exchanges].count("response-lost") == 1


UNSURE: dict[str, tuple[str, tuple[str, ...], str]] = {
    "an equal body, and nothing names an order": (
        'post /payments "$(plain)" -H "$(fresh)" || post /payments "$(plain)" -H "$(fresh)"', LOST,
        ("2 requests of create-payment (exchanges 1, 2) have the same body and share no key, the first was struck by "
        "response-lost, and nothing says whether they are one order or two: name the order in reference, where profile "
        "'generic' looks for it"),
    ),
    "a body that counts its attempts": (
        'post /payments "$(named attempt_no 1)" -H "$(fresh)" || post /payments "$(named attempt_no 2)" -H "$(fresh)"', LOST,
        "have the same body, but for what may be new at each attempt, and share no key",
    ),
    "a body that has an id of its own at each attempt": (
        'p() { post /payments "$(named id $(cat /proc/sys/kernel/random/uuid))" -H "$(fresh)"; }; p || p', LOST,
        "have the same body, but for what may be new at each attempt, and share no key",
    ),
    "a customer who buys the same twice, or is charged twice": (
        'post /payments "$(named customer_id c)" -H "$(fresh)" || post /payments "$(named customer_id c)" -H "$(fresh)"',
        LOST, "nothing says whether they are one order or two",
    ),
    "two equal refunds of one payment, or one made twice": (
        'post /payments "$(order a)" -H "$(key a)"; p=$(id); r() { post /refunds "$(back $p 7)" -H "$(fresh)"; }; r || r',
        REFUND_LOST, "nothing says whether they are one refund or two: name the refund in reference",
    ),
    "every answer lost, and another key each time": (
        'for n in 1 2 3; do post /payments "$(plain)" -H "$(fresh)"; done', ("response-lost:create-payment:1-3",),
        "3 requests of create-payment (exchanges 1, 2, 3)",
    ),
    "an answer struck by a gateway": (
        'post /payments "$(plain)" -H "$(fresh)" || post /payments "$(plain)" -H "$(fresh)"',
        ("status-answer:create-payment:1:status=502:after=true",), "the first was struck by status-answer",
    ),
    "it looks, sees that it has paid, and pays again": (
        ('post /payments "$(order a)" -H "$(fresh)" || { curl -sS -o r "$PSP_BASE_URL/payments" -H "Authorization: Bearer shop";'
        ' post /payments "$(order a)" -H "$(fresh)"; }'), LOST,
        ("2 requests of create-payment (exchanges 1, 3) ask for 'a' and share no key, the first was struck by "
        "response-lost, and the PSP had acted: what was asked in between may have shown that"),
    ),
    "a test suite that calls every order by one name": (
        'post /payments "$(order a)" -H "$(fresh)" || true; post /payments "$(order a)" -H "$(fresh)"; post /payments "$(order a)" -H "$(fresh)"',
        LOST, "nothing says whether that is one order, for it is the name of others, too: give each order its own name",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("script", "faults", "says"), UNSURE.values(), ids=UNSURE)
def test_what_may_be_one_order_or_two_cannot_be_told(
    script: str, faults: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    """Nobody is blamed, and nothing is passed that was not seen: status 2, and what to do."""
    report = watched(f"{script}; exit 0", *faults, folder=tmp_path)
    assert (violated(report), status(report)) == (set(), 2)
    assert {v.rule for v in report.verdicts if isinstance(v.result, Errored)} == {ONE_KEY, ONCE}
    assert says in errors(report)[0]
    (body,) = [v.result for v in report.verdicts if v.rule == ONE_BODY]
    assert isinstance(body, Unexercised)
    assert body.reason.startswith("whether anything was sent a second time cannot be told")


NONE_AGAIN: dict[str, tuple[str, tuple[str, ...], str]] = {
    "no fault": (
        'post /payments "$(order a)" -H "$(key a)"', (), "no fault left the sender of what moves money without knowing, so none had to be sent a second time",
    ),
    "it tries once": (
        'post /payments "$(order a)" -H "$(key a)"', LOST,
        "nothing that a fault had left open was asked for again: as far as is to be seen, the client tries once",
    ),
    "another order": (
        'post /payments "$(order a)" -H "$(key a)"; post /payments "$(order b)" -H "$(key b)"', LOST,
        "nothing that a fault had left open was asked for again: as far as is to be seen, the client tries once",
    ),
    "it was refused for certain, and asked for again": (
        'post /payments "$(order a)" -H "$(key a)" || post /payments "$(order a)" -H "$(key b)"',
        ("status-answer:create-payment:1:status=429",), "no fault left the sender of what moves money without knowing",
    ),
    "it looks, sees nothing, and pays": (
        ('post /payments "$(order a)" -H "$(key a)" || { curl -sS -o r "$PSP_BASE_URL/payments" -H "Authorization: Bearer shop";'
        ' post /payments "$(order a)" -H "$(key b)"; }'), ("request-lost:create-payment:1",),
        "asked for again after something else had been sent in between",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("script", "faults", "says"), NONE_AGAIN.values(), ids=NONE_AGAIN)
def test_why_no_second_attempt_was_judged_is_true(
    script: str, faults: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    """The run passes, and says of the rules about attempts no more than was seen."""
    report = watched(f"{script}; exit 0", *faults, folder=tmp_path)
    reasons = {v.rule: v.result.reason for v in report.verdicts if isinstance(v.result, Unexercised)}
    assert says in reasons[ONE_KEY]
    assert reasons[ONE_KEY] == reasons[ONE_BODY] == reasons[ONCE]
    assert status(report) == 0


# --- what no correct client does --------------------------------------------------------------------------------------

ONE_KEY, ONE_BODY = "attempts-of-one-call-share-one-key", "attempts-of-one-call-share-one-body"
ONCE, USABLE = "one-call-has-one-effect", "a-key-on-the-wire-can-be-used"
PAYMENTS, REFUNDS = "different-payments-have-different-keys", "refunds-have-keys-of-their-own"
KEYED = "every-post-carries-a-key"

WRONG: dict[str, tuple[str, tuple[str, ...], set[str]]] = {
    "no key": ('post /payments "$(order a)"', (), {KEYED}),
    "no key on a refund": (
        'post /payments "$(order a)" -H "$(key a)"; post /refunds "$(back $(id) 7)"', (), {KEYED}
    ),
    "an empty key": ('post /payments "$(order a)" -H "Idempotency-Key;"', (), {USABLE}),
    "two key lines": ('post /payments "$(order a)" -H "$(key a)" -H "$(key b)"', (), {USABLE}),
    "a key that is not ASCII": ('post /payments "$(order a)" -H "$(key zażółć)"', (), {USABLE}),
    "one key, two amounts": (
        'post /payments "$(order a 1000)" -H "$(key k)"; post /payments "$(order a 2000)" -H "$(key k)"', (), {PAYMENTS}
    ),
    "one key for two orders, the first of which was refused only after the second": (
        'post /payments "$(order a)" -H "$(key k)"; post /payments "$(order b)" -H "$(key k)"; post /payments "$(order c)" -H "$(key k)"',
        (), {PAYMENTS},
    ),
    "one key for a payment and its refund": (
        'post /payments "$(order a)" -H "$(key k)"; post /refunds "$(back $(id) 7)" -H "$(key k)"', (), {REFUNDS}
    ),
    "one key for two refunds": (
        'post /payments "$(order a)" -H "$(key a)"; p=$(id); for n in 7 8; do post /refunds "$(back $p $n)" -H "$(key k)"; done',
        (), {REFUNDS},
    ),
    "another key after a lost answer": (
        'post /payments "$(order a)" -H "$(fresh)" || post /payments "$(order a)" -H "$(fresh)"', LOST, {ONE_KEY, ONCE}
    ),
    "another key after a lost answer, for an order that only its shop looks for": (
        'post /payments "$(named order_id a)" -H "$(fresh)" || post /payments "$(named order_id a)" -H "$(fresh)"',
        LOST, {ONE_KEY, ONCE},
    ),
    "another key after a lost answer, the order named in a header": (
        'p() { post /payments "$(plain)" -H "X-Invoice-Number: 7" -H "$(fresh)"; }; p || p', LOST, {ONE_KEY, ONCE}
    ),
    "another key after a 502, though the PSP had acted": (
        'post /payments "$(order a)" -H "$(fresh)" || post /payments "$(order a)" -H "$(fresh)"',
        ("status-answer:create-payment:1:status=502:after=true",), {ONE_KEY, ONCE},
    ),
    "another key after a lost refund": (
        'post /payments "$(order a)" -H "$(key a)"; p=$(id); r() { post /refunds "$(back $p 7 r1)" -H "$(fresh)"; }; r || r',
        REFUND_LOST, {ONE_KEY, ONCE},
    ),
    "no key at the second attempt": (
        'post /payments "$(order a)" -H "$(key a)" || post /payments "$(order a)"', LOST, {KEYED}
    ),
    "a second attempt that counts itself": (
        'post /payments "$(order a 9 1)" -H "$(key a)" || post /payments "$(order a 9 2)" -H "$(key a)"', LOST, {ONE_BODY}
    ),
}  # fmt: skip


@pytest.mark.parametrize(("script", "faults", "expected"), WRONG.values(), ids=WRONG)
def test_what_no_correct_client_does_is_reported(
    script: str, faults: tuple[str, ...], expected: set[str], tmp_path: Path
) -> None:
    """By the rules that are meant for it, and no other."""
    report = watched(f"{script}; exit 0", *faults, folder=tmp_path)
    assert (violated(report), errors(report), status(report)) == (expected, [], 1)


def test_every_rule_that_binds_without_intent_is_reported_by_one_of_these() -> None:
    """None of them is there for nothing."""
    binding = {rule.id for rule in rules.load().values() if rule.role is Role.CLIENT and not rule.needs_intent}
    assert set().union(*(broken for _, _, broken in WRONG.values())) == binding


def test_a_provider_that_ignores_the_header_shows_in_the_money(tmp_path: Path) -> None:
    """Under profile hyperswitch one key, sent twice after a lost answer, pays twice: known, said aloud, and green."""
    body = '{"amount": 1000, "currency": "EUR", "confirm": true, "payment_token": "tok"}'
    pay = f'curl -sS -f -o a "$PSP_BASE_URL/payments" -H "api-key: k" -H "Content-Type: application/json" -H "$(key a)" -d \'{body}\''
    report = watched(f"{pay} || {pay}", *LOST, folder=tmp_path, psp="hyperswitch")
    assert {v.rule: v.outcome for v in report.verdicts}[ONCE] in {"violated", "known"}


# --- a command that fails, hangs, or says nothing ---------------------------------------------------------------------

PAID = 'post /payments "$(order a)" -H "$(key a)"'


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (f"{PAID}; exit 3", "the command ended with status 3"),
        (f"{PAID}; kill -9 $$", "the command was killed by signal 9"),
        ("true", "the command sent nothing to http://127.0.0.1:"),
        ("exit 4", "the command ended with status 4"),
        ('curl -sSk -o a "https://${PSP_BASE_URL#http://}/" || true', "no complete HTTP request: is it speaking TLS"),
        ('curl -sS -o a "$PSP_BASE_URL/v1/charges"', "no request is one that profile 'generic' knows, such as POST /payments"),
    ],
)  # fmt: skip
def test_a_command_that_proves_nothing_is_an_error(script: str, says: str, tmp_path: Path) -> None:
    """Status 2, whatever it did before, and no rule passes."""
    report = watched(script, folder=tmp_path)
    assert says in errors(report)[0]
    assert (status(report), violated(report)) == (2, set())
    assert "passed" not in {verdict.outcome for verdict in report.verdicts}


def test_a_violation_counts_for_more_than_the_commands_own_failure(tmp_path: Path) -> None:
    """Status 1: what was seen was seen."""
    assert status(watched('post /payments "$(order a)"; exit 3', folder=tmp_path)) == 1


def test_a_command_that_never_ends_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    """Within its bound; what it sent before is kept."""
    script = f"{PAID}; sleep 600 & echo $! > child; trap '' TERM; wait; sleep 600"
    begun = time.monotonic()
    report = watched(script, folder=tmp_path, timeout=1.0)
    assert time.monotonic() - begun < 10
    assert "did not end within 1 s, and was ended; --timeout" in errors(report)[0]
    assert is_ended(tmp_path / "child")
    assert len(report.histories["watched-command"].exchanges) == 1


def test_what_a_command_leaves_behind_is_ended(tmp_path: Path) -> None:
    """A server that it forgot in the background does not outlive it."""
    report = watched(f"{PAID}; sleep 600 & echo $! > child", folder=tmp_path)
    assert status(report) == 0
    assert is_ended(tmp_path / "child")


def test_an_interrupted_command_is_judged_by_what_it_did(tmp_path: Path) -> None:
    """Ctrl-C ends the command, and the report is made all the same."""
    script = f'post /payments "$(order a)"; kill -INT {os.getpid()}; sleep 600'
    report = watched(script, folder=tmp_path)
    assert violated(report) == {KEYED}
    assert "the command was interrupted" in errors(report)[0]


def test_a_fault_that_met_nothing_is_told(tmp_path: Path) -> None:
    """It is unexercised, and under `--strict` no success."""
    report = watched(PAID, "response-lost:create-refund:1", folder=tmp_path, strict=True)
    told = [
        v.result.reason for v in report.verdicts if isinstance(v.result, Unexercised) and v.case == "watched-command"
    ]
    assert told == ["response-lost was to strike attempt 1 of 'create-refund', which never happened"]
    assert status(report) == 2


# --- the environment, credentials, a sandbox --------------------------------------------------------------------------


def test_other_variables_have_the_address_too(tmp_path: Path) -> None:
    """Alone, and in a text."""
    script = f'test "$GATEWAY" = "$PSP_BASE_URL"; test "$API" = "$PSP_BASE_URL/v1"; {PAID}'
    report = watched(f"set -e; {script}", folder=tmp_path, env={"GATEWAY": "{base_url}", "API": "{base_url}/v1"})
    assert errors(report) == []


def test_only_the_credential_that_is_named_is_taken_where_one_is(tmp_path: Path) -> None:
    """Without `--credential` any is; with it a wrong one is answered 401."""
    options = {"folder": tmp_path, "credentials": {"tenant-a": "sk_test_right"}}
    assert errors(watched(f"TOKEN=sk_test_right; {PAID}", **options)) == []  # type: ignore[arg-type]
    assert "status 22" in errors(watched(f"TOKEN=sk_test_wrong; {PAID}", **options))[0]  # type: ignore[arg-type]
    nameless = 'curl -sS -f -o a "$PSP_BASE_URL/payments" -d "$(order a)" -H "$(key a)"'
    assert "status 22" in errors(watched(nameless, folder=tmp_path))[0]


def test_credentials_stand_in_no_report(tmp_path: Path) -> None:
    """Neither as a header nor where the command repeats it."""
    script = 'TOKEN=sk_live_51Hmine; post /payments "$(order sk_live_51Hmine)"'
    clean = Clean(watched(script, folder=tmp_path))
    assert "sk_live_51Hmine" not in repr(clean.report)


@pytest.fixture
def sandbox() -> Iterator[str]:
    """Another PSP on a port, as somebody's sandbox."""
    server = Server(GENERIC)
    yield server.base_url
    server.close()


def test_traffic_passes_on_to_a_sandbox_and_faults_strike_on_the_way(sandbox: str, tmp_path: Path) -> None:
    """The sandbox's own answers come back, its bytes are recorded, and a lost answer is lost after it acted."""
    script = f'{PAID} || {PAID}; curl -sS -o list "$PSP_BASE_URL/payments" -H "Authorization: Bearer shop"'
    report = watched(script, *LOST, folder=tmp_path, upstream=sandbox)
    assert (violated(report), errors(report)) == (set(), [])
    assert (tmp_path / "list").read_text(encoding="utf-8").count('"id"') == 1
    outcomes = {verdict.rule: verdict.outcome for verdict in report.verdicts}
    assert (outcomes[ONE_KEY], outcomes[ONCE]) == ("passed", "skipped")


def test_a_sandbox_that_does_not_answer_is_no_fault_of_the_command(tmp_path: Path) -> None:
    """It is an error, and says whose."""
    report = watched(f"{PAID}; exit 0", folder=tmp_path, upstream="http://127.0.0.1:9")
    assert "--upstream: POST /payments at 127.0.0.1:9: connection refused" in errors(report)[0]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"upstream": "http://psp.example"}, "'psp.example' is not loopback; if you mean it, add --allow-host"),
        ({"upstream": "http://127.0.0.1:1", "credentials": {"tenant-a": "x"}}, "leave it out beside --upstream"),
        ({"timeout": 0}, "--timeout takes a positive number"),
        ({"env": {"A=B": "x"}}, "see the names and values of --env"),
        ({"credentials": {"merchant": "x"}}, "--credential names 'merchant'"),
    ],
)
def test_a_wrong_call_is_said_before_anything_runs(options: dict[str, object], says: str, tmp_path: Path) -> None:
    """One sentence; the command was not started."""
    with pytest.raises(UsageError, match=says.replace("(", r"\(")):
        watched("touch ran", folder=tmp_path, **options)  # type: ignore[arg-type]
    assert not (tmp_path / "ran").exists()


def test_a_form_that_names_its_order_beside_the_profiles_place_is_read(tmp_path: Path) -> None:
    """Stripe's metadata are anybody's: `order_id` names an order as well as `reference` does, and `customer` none."""
    pay = 'curl -sS -f -o a "$PSP_BASE_URL/v1/payment_intents" -H "Authorization: Bearer sk_test_x" -d amount=1000 -d currency=eur -d confirm=true'
    pay += ' -d payment_method=pm_card_visa -d "metadata[{}]=7" -H "$(fresh)"'
    named = watched(f"p() {{ {pay.format('order_id')}; }}; p || p", *LOST, folder=tmp_path, psp="stripe")
    assert violated(named) == {ONE_KEY, ONCE}
    nobody = watched(f"p() {{ {pay.format('customer')}; }}; p || p", *LOST, folder=tmp_path, psp="stripe")
    assert (violated(nobody), status(nobody)) == (set(), 2)
    assert "name the order in metadata[reference], where profile 'stripe' looks for it" in errors(nobody)[0]


# --- a real SDK -------------------------------------------------------------------------------------------------------

STRIPE = """
import os, sys, stripe
client = stripe.StripeClient("sk_test_somebody", base_addresses={"api": os.environ["STRIPE_API"]}, max_network_retries=2)
paid = client.v1.payment_intents.create({"amount": 1000, "currency": "eur", "confirm": True, "payment_method": "pm_card_visa"})
for amount in (100, 200):
    client.v1.refunds.create({"payment_intent": paid.id, "amount": amount})
"""


def test_the_stripe_sdk_is_watched_without_a_line_of_ours(tmp_path: Path) -> None:
    """Its own keys and retries are right, and the report says nothing else; its API key is nowhere."""
    pytest.importorskip("stripe", reason="pip install 'psp-harness[sdks]'")
    (tmp_path / "pay.py").write_text(STRIPE, encoding="utf-8")
    faults = ("response-lost:create-payment:1", "status-answer:create-refund:2:status=503:after=true")
    report = watched(
        f"{sys.executable} pay.py", *faults, folder=tmp_path, psp="stripe", env={"STRIPE_API": "{base_url}"}
    )
    assert (violated(report), errors(report)) == (set(), [])
    passed = {verdict.rule for verdict in report.verdicts if verdict.outcome == "passed"}
    assert {ONE_KEY, ONE_BODY, ONCE, REFUNDS, KEYED, USABLE} <= passed
    assert "sk_test_somebody" not in repr(Clean(report).report)
