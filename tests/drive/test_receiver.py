"""A receiver is driven: whatever it does with a webhook, the run ends, says why, and proves nothing by silence."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from psp_harness import profile
from psp_harness.miniatures.receivers import CarefulReceiver, Event, Order
from psp_harness.model import Answer, Passed, Report, Request, Role, Verdict
from psp_harness.run import Job, run
from psp_harness.subjects.hosting import in_thread
from subjects.adapters import program

GENERIC = profile.load("generic")
ROUTES = {"effects_path": "/psp-harness/effects", "orders_path": "/psp-harness/orders"}
TOLD = "receiver/generic/payment-told/*"
OURS = f"exec:exec {sys.executable} {Path(__file__).with_name('receiver_program.py')} generic"


async def judged(
    subject: object, *only: str, clock: str | None = None, path: str = "/webhooks", **routes: str
) -> Report:
    """A receiver of this test, at a URL, as anybody's would be."""
    async with in_thread(subject) as base_url:
        job = Job(Role.RECEIVER, f"{base_url}{path}", GENERIC, only=only, step_timeout=1.0, clock_path=clock, **routes)
        return await run(job)


def of_outcome(report: Report, *outcomes: str) -> list[Verdict]:
    """The verdicts with these words."""
    return [verdict for verdict in report.verdicts if verdict.outcome in outcomes]


def rules_of(verdicts: list[Verdict]) -> set[str]:
    """Their rules."""
    return {verdict.rule for verdict in verdicts}


def reason(verdicts: list[Verdict]) -> str:
    """The one reason that all of them give."""
    (said,) = {str(getattr(verdict.result, "reason", "")) for verdict in verdicts}
    return said


class Configured(CarefulReceiver):
    """A receiver that knows its secret, as somebody's at a URL does."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets = [GENERIC.secrets["tenant-a"]]


# --- right ------------------------------------------------------------------------------------------------------------


async def test_a_careful_receiver_at_a_url_passes() -> None:
    """It is told its orders, says what it did, and its clock follows; what a URL cannot do is skipped."""
    report = await judged(Configured(), clock="/psp-harness/clock", **ROUTES)
    assert of_outcome(report, "violated", "errored", "unexercised") == []
    assert {"a-late-redelivery-is-applied-once", "another-amount-pays-nothing"} <= rules_of(
        of_outcome(report, "passed")
    )
    assert "an-acknowledged-event-survives-a-crash" in rules_of(of_outcome(report, "skipped"))


async def test_a_receiver_that_is_told_no_orders_is_judged_by_its_answers() -> None:
    """With neither route: what needs orders or effects is skipped, and forgeries are judged by their answers."""
    report = await judged(Configured())
    assert of_outcome(report, "violated", "errored") == []
    assert {"a-forged-webhook-is-refused", "junk-is-no-server-error"} <= rules_of(of_outcome(report, "passed"))
    assert "an-acknowledged-event-takes-effect" in rules_of(of_outcome(report, "skipped"))


async def test_the_psp_comes_again_after_its_waits_on_the_receivers_clock(tmp_path: Path) -> None:
    """Until a 2xx, each delivery signed for the time at which it is made; nobody waits for it."""

    class Later(Configured):
        def __init__(self) -> None:
            super().__init__()
            self.came: list[tuple[float, Answer]] = []

        async def take(self, event: Event, request: Request) -> Answer:
            late = len(self.came) >= 2
            answer = await super().take(event, request) if late else Answer(503, (), b"{}")
            self.came.append((self.ahead, answer))
            return answer

    subject = Later()
    case = """
[[case]]
id = "told-until-taken"
role = "receiver"
situation = "it is busy"
alone = true
orders = [{ as = "order", amount = 9010 }]
steps = [{ do = "deliver-webhook", as = "paid", delivery = { until-acknowledged = true } }]
"""
    (tmp_path / "busy.toml").write_text(case, encoding="utf-8")
    cases = (tmp_path / "busy.toml",)
    async with in_thread(subject) as base_url:
        url, clock = f"{base_url}/webhooks", "/psp-harness/clock"
        report = await run(Job(Role.RECEIVER, url, GENERIC, cases=cases, clock_path=clock, **ROUTES))
    assert [round(ahead) for ahead, _ in subject.came] == [0, 5, 305]
    assert [answer.status for _, answer in subject.came] == [503, 503, 200]
    assert "an-acknowledged-event-takes-effect" in rules_of(of_outcome(report, "passed"))


# --- wrong ------------------------------------------------------------------------------------------------------------


async def test_a_receiver_that_says_yes_and_does_nothing_is_reported() -> None:
    """An empty list of effects is no proof of care."""

    class Idle(Configured):
        async def take(self, event: Event, request: Request) -> Answer:
            return Answer(200, (), b"{}")

    report = await judged(Idle(), **ROUTES)
    assert "an-acknowledged-event-takes-effect" in rules_of(of_outcome(report, "violated"))
    assert of_outcome(report, "errored") == []


async def test_a_receiver_that_refuses_everything_proves_nothing() -> None:
    """That nothing was forged in is no merit: plain webhooks were not taken, and that is a violation."""

    class Closed(Configured):
        def believes(self, request: Request) -> bool:
            return False

    report = await judged(Closed(), **ROUTES)
    assert {"a-genuine-webhook-is-taken", "one-right-signature-is-enough"} <= rules_of(of_outcome(report, "violated"))
    assert "an-acknowledged-event-takes-effect" not in rules_of(of_outcome(report, "passed"))


async def test_where_nobody_takes_webhooks_there_is_no_receiver_to_judge() -> None:
    """A wrong path is no violation of a rule on signatures."""
    report = await judged(Configured(), path="/elsewhere", **ROUTES)
    assert "every webhook to" in reason(of_outcome(report, "errored"))
    assert not of_outcome(report, "violated", "passed")


async def test_a_receiver_that_hides_from_forgers_is_met() -> None:
    """404 to what cannot be verified is an answer as good as 401."""

    class Hiding(Configured):
        async def webhook(self, request: Request) -> Answer:
            answer = await super().webhook(request)
            return Answer(404) if answer.status in {400, 401} else answer

    report = await judged(Hiding(), **ROUTES)
    assert not of_outcome(report, "violated", "errored")


async def test_a_receiver_that_never_answers_is_an_error_of_each_case() -> None:
    """Each wait has a bound."""

    class Silent(Configured):
        async def take(self, event: Event, request: Request) -> Answer:
            await asyncio.sleep(30)
            return Answer(200)

    report = await judged(Silent(), TOLD, **ROUTES)
    assert "no answer to POST /webhooks within 1 s" in reason(of_outcome(report, "errored"))
    assert not of_outcome(report, "passed")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (Answer(500, (), b"oops"), "GET /psp-harness/effects (--effects) was answered 500: b'oops'"),
        (Answer(200, (), b"no json"), "GET /psp-harness/effects (--effects) was answered 200: b'no json'"),
        (Answer(200, (), b"{}"), "has no effects"),
        (Answer(200, (), b'{"effects": [{"kind": 3}]}'), "does not fit the protocol at .effects[0]"),
    ],
)
async def test_effects_that_cannot_be_read_are_one_sentence(said: Answer, why: str) -> None:
    """Before the first webhook is sent."""

    class Mute(Configured):
        async def route(self, request: Request) -> Answer:
            return said if request.target == "/psp-harness/effects" else await super().route(request)

    report = await judged(Mute(), **ROUTES)
    assert why in reason(of_outcome(report, "errored"))
    assert not of_outcome(report, "passed", "violated")


async def test_orders_that_are_not_taken_are_one_sentence() -> None:
    """The route was named, and answers 404."""
    report = await judged(Configured(), TOLD, effects_path="/psp-harness/effects", orders_path="/nowhere")
    assert "POST /nowhere (--orders) was answered 404; expected any 2xx" in reason(of_outcome(report, "errored"))


class SaysComplete(Configured):
    """An order is complete when the customer has filled it in, and open while it is being packed."""

    def state_of(self, order: Order) -> str:
        return {"paid": "open"}.get(order["status"], "complete")


class BooksTheBalance(Configured):
    """Books with each refund what was given back up to then, and so the first one twice."""

    def book(self, kind: str, order: Order, event: Event) -> None:
        before = sum(e["amount"] for e in self.effects if (e["id"], e["kind"]) == (order["id"], kind))
        data = {**event["data"], "amount": event["data"]["amount"] + before}
        super().book(kind, order, {**event, "data": data})


@pytest.mark.parametrize(
    ("subject", "broken"), [(SaysComplete(), set()), (BooksTheBalance(), {"what-is-booked-is-what-was-told"})]
)
async def test_words_prove_nothing_that_mean_both_and_an_amount_is_the_events_own(
    subject: Configured, broken: set[str]
) -> None:
    """What a shop calls its orders is its own affair; that it booked more than went back is not."""
    report = await judged(subject, clock="/psp-harness/clock", **ROUTES)
    assert rules_of(of_outcome(report, "violated")) == broken


# --- by the protocol --------------------------------------------------------------------------------------------------


async def test_a_program_is_told_in_start_and_says_what_it_did() -> None:
    """The reference receiver as a process: one for each case, ended and started again where that is the case."""
    only = (TOLD, "receiver/generic/forged-for", "receiver/generic/ended", "receiver/generic/other-amount")
    report = await run(Job(Role.RECEIVER, OURS, GENERIC, only=only))
    assert of_outcome(report, "violated", "errored") == []
    assert {
        "an-acknowledged-event-survives-a-crash",
        "an-interrupted-event-can-come-again",
        "another-amount-pays-nothing",
        "the-empty-secret-signs-nothing",
    } <= rules_of(of_outcome(report, "passed"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("sys.exit(3)", "exited with status 3 before it answered"),
        ("for command in answers(): ok(command, name='x')", "has the webhook_url ''; expected http://… or https://…"),
        ("for command in answers(): ok(command, webhook_url='http://127.0.0.1:1/w')", "'name' is a required property"),
        ("for command in answers(): ok(command, name='x', webhook_url='http://127.0.0.1:1/w')", "connection refused"),
    ],
)
async def test_a_program_that_cannot_be_judged_is_one_sentence(text: str, why: str, tmp_path: Path) -> None:
    """It dies, does not say where it listens, or does not listen."""
    address = f"exec:{program(tmp_path, text)}"
    report = await run(Job(Role.RECEIVER, address, GENERIC, only=(TOLD,), step_timeout=5.0))
    assert why in reason(of_outcome(report, "errored"))


async def test_a_program_that_does_not_start_without_a_secret_is_right(tmp_path: Path) -> None:
    """It ends with an error where its secret is empty: nobody can forge what nobody takes."""
    text = """
    import http.server, threading
    class Deaf(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_response(200); self.end_headers()
        def log_message(self, *args): pass
    server = http.server.HTTPServer(('127.0.0.1', 0), Deaf)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for command in answers():
        if command['cmd'] == 'start':
            if not all(command['secrets']): sys.exit('no secret, no webhooks')
            ok(command, name='strict', webhook_url='http://127.0.0.1:%d/' % server.server_port)
        else:
            ok(command, **({'effects': []} if command['cmd'] == 'effects' else {}))
    """
    only = ("receiver/generic/forged-for",)
    report = await run(Job(Role.RECEIVER, f"exec:{program(tmp_path, text)}", GENERIC, only=only, step_timeout=10.0))
    assert of_outcome(report, "violated", "errored") == []
    passed = of_outcome(report, "passed")
    assert rules_of(passed) == {"a-forged-webhook-moves-nothing", "the-empty-secret-signs-nothing"}
    assert all(isinstance(each.result, Passed) for each in passed)


BELIEVES_ALL = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    status = 404 if scope["path"] == "/nowhere" else 200
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b'{"effects": []}'})
"""


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("believes:app", "POST /nowhere (--orders) was answered 404"),
        ("no_such_module:app", "Could not import module"),
    ],
)
async def test_what_failed_for_another_reason_did_not_refuse_to_start(
    target: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A route that is not there, or an application that is none, is no proof of anything, also without a secret."""
    (tmp_path / "believes.py").write_text(BELIEVES_ALL, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    routes = {"effects_path": "/effects", "orders_path": "/nowhere"}
    only = ("receiver/generic/forged-for",)
    report = await run(Job(Role.RECEIVER, f"asgi:{target}", GENERIC, only=only, **routes))  # type: ignore[arg-type]
    assert why in reason(of_outcome(report, "errored"))
    assert not of_outcome(report, "passed")


async def test_the_secret_of_a_receiver_comes_out_nowhere(tmp_path: Path) -> None:
    """It is given on the command line, and is in no field of the report."""
    secret = "whsec_" + "c2VjcmV0IG9mIHNvbWVib2R5"

    class Theirs(CarefulReceiver):
        def __init__(self) -> None:
            super().__init__()
            self.secrets = [secret]

    async with in_thread(Theirs()) as base_url:
        credentials = {"webhook-secret": secret}
        job = Job(Role.RECEIVER, f"{base_url}/webhooks", GENERIC, only=(TOLD,), credentials=credentials, **ROUTES)
        report = await run(job)
    assert of_outcome(report, "violated", "errored") == []
    assert report.secrets == (secret,)
    assert secret not in json.dumps([str(history) for history in report.histories.values()])
