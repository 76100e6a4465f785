"""A client is driven: its requests belong to the steps that asked for them; how it speaks HTTP is its own affair."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from drive import odd_clients
from psp_harness import profile
from psp_harness.contracts import CASES
from psp_harness.miniatures.clients import CarefulClient, Params, Said
from psp_harness.model import Level, Report, Role, Verdict, Violated
from psp_harness.rules import load as load_rules
from psp_harness.run import Job, run

GENERIC = profile.load("generic")
COMMON = (
    "client/generic/two-payments", "client/generic/payment-and-refund", "client/generic/payment-answer-lost",
    "client/generic/payment-request-lost", "client/generic/payment-answered-502", "client/generic/empty-key",
)  # fmt: skip

WAITS = (odd_clients.Raw, odd_clients.KeepsItsConnection, odd_clients.ResetsWhenItTiresOfWaiting)
"""Three ways to stop waiting."""


async def judged(name: str, *only: str, cases: tuple[Path, ...] = (CASES,), **options: float) -> Report:
    """A client of `odd_clients`, or a miniature."""
    address = name if ":" in name else f"python:drive.odd_clients:{name}"
    limits = {"answer_timeout": 1.0, "step_timeout": 10.0, **options}
    return await run(Job(Role.CLIENT, address, GENERIC, only=only, cases=cases, **limits))  # type: ignore[arg-type]


def of_outcome(report: Report, *outcomes: str) -> list[Verdict]:
    """The verdicts with these words."""
    return [verdict for verdict in report.verdicts if verdict.outcome in outcomes]


def violated(report: Report) -> Mapping[str, str]:
    """The rules that are violated, each with its first sentence."""
    found = {v.rule: v.result for v in report.verdicts if isinstance(v.result, Violated)}
    return {name: result.problems[0].sentence for name, result in found.items()}


# --- right ------------------------------------------------------------------------------------------------------------


async def test_who_pays_in_euros_alone_is_skipped_with_its_reason() -> None:
    """A currency is nothing that a client promises; what it sends in euros is judged all the same."""
    report = await judged("miniature:pays-in-euros-alone", "client/generic/payment-and-refund")
    skipped = {v.case: str(v.result) for v in of_outcome(report, "skipped")}
    assert len(skipped) == 2
    assert all("it refused: " in reason for reason in skipped.values())
    assert {v.case for v in of_outcome(report, "passed")} == {"payment-and-refund"}


@pytest.mark.parametrize("client", odd_clients.RIGHT, ids=lambda client: client.__name__)
async def test_how_a_client_speaks_http_is_no_finding(client: type) -> None:
    """A correct client passes however it frames its requests; nothing is errored, and nothing is left unjudged."""
    late = ["client/generic/payment-answer-slow"] if client in WAITS else []
    report = await judged(client.__name__, *COMMON, *late)
    assert of_outcome(report, "violated", "errored") == []
    passed = {verdict.rule for verdict in of_outcome(report, "passed")}
    assert {
        "every-post-carries-a-key",
        "the-callers-key-goes-on-the-wire",
        "attempts-of-one-call-share-one-key",
        "attempts-of-one-call-share-one-body",
        "an-uncertain-outcome-is-reported-as-unknown",
        "one-call-has-one-effect",
        "an-unusable-key-is-refused-before-sending",
    } <= passed


# --- wrong ------------------------------------------------------------------------------------------------------------

AT_ONCE = """
[[case]]
id = "two-payments-at-once"
role = "client"
situation = "two customers pay at the same moment"
steps = [{ parallel = [
  { do = "create-payment", as = "one", key = "one", amount = 8111 },
  { do = "create-payment", as = "other", key = "other", amount = 8112 },
] }]
"""


async def test_a_request_belongs_to_the_step_of_its_amount_and_never_of_its_key(tmp_path: Path) -> None:
    """A client that swaps two keys is found out: by key its requests would look right."""
    file = tmp_path / "mine.toml"
    file.write_text(AT_ONCE, encoding="utf-8")
    report = await judged("SwapsKeys", "client/generic/two-payments-at-once", cases=(file,))
    history = report.histories["two-payments-at-once"]
    by_amount = {intent.amount: intent for intent in history.intents}
    for exchange in history.exchanges:
        assert exchange.request is not None
        amount = 8111 if b"8111" in exchange.request.body else 8112
        assert exchange.step == by_amount[amount].step
        assert exchange.request.lines("Idempotency-Key") != [by_amount[amount].key]
    (found,) = [v for v in report.verdicts if v.rule == "the-callers-key-goes-on-the-wire"]
    assert isinstance(found.result, Violated)
    assert {problem.exchanges for problem in found.result.problems} == {(1,), (2,)}


async def test_amounts_as_floats_belong_to_their_step_and_are_refused() -> None:
    """The PSP takes integers alone: what the client did wrong is shown by its answer, and nothing passes."""
    report = await judged("AmountsAsFloats", "client/generic/two-payments", "client/generic/payment-and-refund/")
    (history, _) = report.histories.values()
    assert all(x.step is not None for x in history.exchanges)
    assert of_outcome(report, "passed") == []
    assert any("`$.amount`" in str(verdict.result) for verdict in of_outcome(report, "errored"))


async def test_a_client_that_sends_nothing_passes_nothing() -> None:
    """However glad its reports are."""
    report = await judged("Forgetful")
    assert of_outcome(report, "passed") == []
    assert "never reached the PSP" in violated(report)["a-success-is-what-the-psp-answered"]


async def test_a_client_that_does_not_wait_for_its_answer_is_found_out() -> None:
    """Success was reported where nobody can have seen it."""
    report = await judged("FiresAndForgets", "client/generic/payment-answer-")
    assert "reports success" in violated(report)["an-uncertain-outcome-is-reported-as-unknown"]


async def test_what_a_client_sends_behind_its_callers_back_is_recorded() -> None:
    """Until it is stopped, everything that it sends belongs to the case."""
    report = await judged("GoesOnAfterwards", "client/generic/payment-answer-lost/")
    found = violated(report)
    assert "tries-no-more-than-declared" in found
    assert "one-call-has-one-effect" in found


# --- silence ----------------------------------------------------------------------------------------------------------


async def test_a_client_that_refuses_every_call_passes_no_rule() -> None:
    """For each rule there is: unexercised, errored, or skipped with its reason."""
    report = await judged("miniature:refuses-every-call")
    assert {verdict.outcome for verdict in report.verdicts} <= {"unexercised", "errored", "skipped"}
    told = {verdict.rule for verdict in report.verdicts}
    musts = {rule.id for rule in load_rules().values() if rule.role is Role.CLIENT and rule.level is Level.MUST}
    assert musts <= told
    assert of_outcome(report, "errored")


async def test_a_client_that_never_comes_back_is_errored_in_its_case_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other cases are judged, and what was sent before is kept."""

    class Hangs(CarefulClient):
        def do(self, step: str, params: Params) -> Said:
            said = super().do(step, params)
            if params["amount"] == 2320:
                threading.Event().wait(2)
            return said

    monkeypatch.setattr(odd_clients, "Hangs", Hangs, raising=False)
    report = await judged(
        "Hangs", "client/generic/two-payments", "client/generic/payment-and-refund/", step_timeout=0.5
    )
    (errored,) = of_outcome(report, "errored")
    assert (errored.case, errored.rule) == ("two-payments", "case-runs-to-its-end")
    assert "no answer to 'do' within 0.5 s" in str(errored.result)
    assert len(report.histories["two-payments"].exchanges) == 2
    assert {verdict.case for verdict in of_outcome(report, "passed")} == {"payment-and-refund"}


async def test_a_case_that_fails_keeps_what_its_subject_printed() -> None:
    """The evidence is in the history, whatever became of the case."""
    report = await judged("exec:echo DEBUG starting; exit 1", "client/generic/two-payments")
    (errored,) = of_outcome(report, "errored")
    assert "DEBUG starting" in str(errored.result)


# --- killed and started again -----------------------------------------------------------------------------------------

SPEAKS = """
import json, sys
from psp_harness.miniatures import MINIATURES
client = MINIATURES[sys.argv[1]].make()
for line in sys.stdin:
    command = json.loads(line)
    number, verb = command.pop("id"), command.pop("cmd")
    print(json.dumps({"id": number, **getattr(client, verb)(**command)}), flush=True)
"""


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("writes-its-keys-down", set()),
        ("keeps-its-key-in-memory", {"asked-again-the-key-is-the-same", "asked-again-it-happens-once"}),
    ],
)
async def test_a_process_is_killed_and_asked_again(name: str, broken: set[str], tmp_path: Path) -> None:
    """In the middle of a request that the PSP executed: what it wrote down before outlives it, and nothing else does."""
    (tmp_path / "client.py").write_text(SPEAKS, encoding="utf-8")
    address = f"exec:{sys.executable} {tmp_path / 'client.py'} {name}"
    crashes = (f"client/generic/{thing}-asked-for-again-after-a-crash" for thing in ("payment", "refund"))
    report = await judged(address, *crashes, step_timeout=20.0)
    assert of_outcome(report, "errored") == []
    assert set(violated(report)) == broken
    assert [history.ended for history in report.histories.values()] == [1, 1]
    assert {"passed"} == {v.outcome for v in report.verdicts if v.rule == "every-post-carries-a-key"}
