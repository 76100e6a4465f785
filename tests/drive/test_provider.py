"""A provider is driven: how it answers is its own affair, and what it says of itself is not believed blindly."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from drive import odd_providers
from drive.odd_providers import RENDERS, Says, served
from psp_harness import profile
from psp_harness.contracts import CASES
from psp_harness.miniatures.chosen_ids import IdsArePrimaryKeys
from psp_harness.miniatures.faulty_providers import NoDedupe
from psp_harness.miniatures.providers import Asked, CarefulGateway, refused
from psp_harness.model import Answer, Errored, Level, Report, Request, Role, Unexercised, Verdict
from psp_harness.reference.provider import Provider, build
from psp_harness.reference.provider.app import asgi
from psp_harness.reference.provider.stores.memory import MemoryStore
from psp_harness.rules import load as load_rules
from psp_harness.run import Job, run
from psp_harness.subjects.hosting import in_thread

GENERIC = profile.load("generic")
COMMON = (
    "provider/generic/payment-repeated", "provider/generic/refund-repeated", "provider/generic/eight-",
    "provider/generic/refunds-", "provider/generic/same-body-with-another-key",
)  # fmt: skip
TOLD_BY_EFFECTS = frozenset({
    "one-key-has-one-effect", "concurrent-duplicates-have-one-effect", "another-body-never-executes",
    "refunds-never-exceed-the-captured-amount", "concurrent-refunds-never-exceed-the-captured-amount",
    "different-keys-both-execute",
})  # fmt: skip
NEEDY = frozenset(rule.id for rule in load_rules().values() if rule.role is Role.PROVIDER and rule.needs_effects)


async def judged(
    url: str, *only: str, cases: tuple[Path, ...] = (CASES,), effects_path: str | None = "/effects"
) -> Report:
    """The provider at a URL."""
    return await run(
        Job(Role.PROVIDER, url, GENERIC, only=only, cases=cases, effects_path=effects_path, step_timeout=10.0)
    )


def of_outcome(report: Report, *outcomes: str) -> list[Verdict]:
    """The verdicts with these words."""
    return [verdict for verdict in report.verdicts if verdict.outcome in outcomes]


def rules_of(verdicts: list[Verdict]) -> set[str]:
    """Their rules."""
    return {verdict.rule for verdict in verdicts}


# --- right ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RENDERS)
async def test_how_a_provider_answers_is_no_finding(name: str) -> None:
    """A correct provider passes however it frames its answers; nothing is errored."""
    async with served(CarefulGateway(), RENDERS[name]) as url:
        report = await judged(url, *COMMON)
    assert of_outcome(report, "violated", "errored") == []
    assert rules_of(of_outcome(report, "passed")) >= TOLD_BY_EFFECTS


async def test_a_provider_that_is_slow_and_correct_passes() -> None:
    """Every answer comes late and in pieces."""
    async with served(CarefulGateway(), seconds=0.05, pieces=20) as url:
        report = await judged(
            url, "provider/generic/payment-re", "provider/generic/eight-", "provider/generic/refund-re"
        )
    assert of_outcome(report, "violated", "errored") == []


@pytest.mark.parametrize("gateway", odd_providers.RIGHT, ids=lambda gateway: gateway.__name__)
async def test_how_a_provider_names_what_it_did_is_no_finding(gateway: type[Says]) -> None:
    """Entries are attributed by id, payment and amount: everything else in them is free."""
    async with served(gateway()) as url:
        report = await judged(url, *COMMON)
    assert of_outcome(report, "violated", "errored") == []
    assert rules_of(of_outcome(report, "passed")) >= TOLD_BY_EFFECTS


async def test_a_provider_that_cannot_say_what_it_did_is_judged_by_its_answers() -> None:
    """Without a route and without lists, the rules that need effects are unexercised, with what to do."""

    class Mute(CarefulGateway):
        async def answer(self, request: Request) -> Answer:
            blind = request.method == "GET" and request.target in {"/payments", "/refunds", "/effects"}
            return Answer(404) if blind else await super().answer(request)

    async with served(Mute()) as url:
        report = await judged(url, *COMMON, effects_path=None)
    assert of_outcome(report, "violated", "errored") == []
    blind = [verdict for verdict in report.verdicts if verdict.rule in NEEDY and verdict.outcome != "skipped"]
    assert rules_of(blind) >= TOLD_BY_EFFECTS
    for verdict in blind:
        assert isinstance(verdict.result, Unexercised)
        assert "give --effects PATH" in verdict.result.reason


async def test_a_second_run_does_not_meet_the_first() -> None:
    """The same living provider, twice: neither yesterday's keys nor its effects count."""
    async with served(Says()) as url:
        for _ in range(2):
            report = await judged(url, *COMMON)
            assert of_outcome(report, "violated", "errored") == []


# --- wrong ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gateway", odd_providers.BLIND, ids=lambda gateway: gateway.__name__)
async def test_a_route_that_does_not_show_what_was_accepted_is_found_out(gateway: type[Says]) -> None:
    """It executes every duplicate, and the route that it named hides that: then what it answers did not happen."""
    async with served(gateway()) as url:
        report = await judged(url, *COMMON)
    assert {"retry-names-the-same-resource", "what-is-answered-happened"} <= rules_of(of_outcome(report, "violated"))


async def test_a_list_that_does_not_show_what_was_accepted_passes_nothing() -> None:
    """It executes every duplicate, and its lists hide that: no rule that goes by a list passes on what it hides."""
    async with served(odd_providers.ListsNothing()) as url:
        report = await judged(url, *COMMON, effects_path=None)
    assert [verdict.id for verdict in of_outcome(report, "passed") if verdict.rule in NEEDY] == []
    assert "retry-names-the-same-resource" in rules_of(of_outcome(report, "violated"))


async def test_effects_under_a_reference_of_its_own_are_its_effects() -> None:
    """A provider that charges twice is found out, whatever it calls the movements."""
    async with served(odd_providers.ChargesTwiceUnderItsOwnReference()) as url:
        report = await judged(url, *COMMON)
    assert {"one-key-has-one-effect", "concurrent-duplicates-have-one-effect"} <= rules_of(
        of_outcome(report, "violated")
    )


async def test_a_provider_that_refuses_everything_passes_no_rule() -> None:
    """For each rule there is: unexercised, errored, or skipped with its reason."""
    report = await judged("miniature:refuses-everything")
    assert {verdict.outcome for verdict in report.verdicts} <= {"unexercised", "errored", "skipped"}
    musts = {rule.id for rule in load_rules().values() if rule.role is Role.PROVIDER and rule.level is Level.MUST}
    assert musts <= rules_of(list(report.verdicts))
    assert of_outcome(report, "errored")


async def test_a_provider_that_dies_in_the_middle_keeps_what_was_seen() -> None:
    """Violations stay, passes of the case do not, and the other cases are told apart."""
    calls = 0

    class Dies(NoDedupe):
        async def answer(self, request: Request) -> Answer:
            nonlocal calls
            calls += request.method == "POST"
            if calls > 2 and request.method == "POST":
                raise ConnectionResetError
            return await super().answer(request)

    async with served(Dies()) as url:
        report = await judged(url, "provider/generic/payment-repeated/", "provider/generic/refund-repeated/")
    assert of_outcome(report, "errored")
    assert all(verdict.case == "payment-repeated" for verdict in of_outcome(report, "passed"))
    for verdict in of_outcome(report, "errored"):
        assert isinstance(verdict.result, Errored)
        assert "closed before an answer came" in verdict.result.reason


# --- keys and tenants in cases of one's own ---------------------------------------------------------------------------

MIXED = """
[[case]]
id = "mixed"
role = "provider"
situation = "the same payment under two keys and of two tenants, and each again"
needs = ["idempotency-key", "two-tenants"]
steps = [
  { do = "create-payment", as = "first", key = "one", amount = 8210 },
  { repeat = "first", as = "second", key = "two" },
  { repeat = "first", as = "other", tenant = "tenant-b" },
  { repeat = "first" },
  { repeat = "second" },
]
"""


async def test_what_another_key_or_tenant_did_is_not_held_against_a_key(tmp_path: Path) -> None:
    """Three payments of one amount are right there: none of them is a second effect of the first key."""
    file = tmp_path / "mine.toml"
    file.write_text(MIXED, encoding="utf-8")
    report = await judged("miniature:careful-gateway", cases=(file,))
    assert of_outcome(report, "violated", "errored") == []
    assert {"retry-gets-the-first-answer", "different-keys-both-execute"} <= rules_of(of_outcome(report, "passed"))


LATER_ATTEMPTS = """
[[case]]
id = "later"
role = "provider"
situation = "a fault of an attempt that a provider's case never makes"
steps = [{ do = "create-payment", as = "first", key = "k", amount = 8310 }]
faults = [{ strike = "response-lost", on = "first", attempts = [2] }]
"""


async def test_a_fault_of_an_attempt_that_never_happened_is_unexercised(tmp_path: Path) -> None:
    """It did not strike the first one instead."""
    file = tmp_path / "mine.toml"
    file.write_text(LATER_ATTEMPTS, encoding="utf-8")
    report = await judged("miniature:careful-gateway", cases=(file,))
    (told,) = [verdict for verdict in report.verdicts if verdict.rule == "case-runs-to-its-end"]
    assert told.result == Unexercised("response-lost was to strike attempt 2 of 'first', which never happened")
    assert report.histories["later"].exchanges[0].fault is None


@pytest.mark.parametrize("name", ["generic", "stripe", "hyperswitch-docs"])
async def test_a_wrong_credential_is_no_violation(name: str) -> None:
    """A provider that knows nobody did not decline a card, lose a key, or replay anything: it was not asked."""
    facts = profile.load(name)
    wrong = dict.fromkeys(facts.credentials, "of-nobody")
    async with in_thread(asgi(build(facts))) as url:
        report = await run(Job(Role.PROVIDER, url, facts, credentials=wrong))
    assert of_outcome(report, "violated") == []
    assert "401" in str(of_outcome(report, "errored"))


class TakesNoDollars(CarefulGateway):
    """Says no to dollars; in one way or another."""

    no = refused(422, "we take euros")
    moves = False

    async def execute(self, asked: Asked) -> Answer:
        answer = await super().execute(asked) if asked.of != "USD" or self.moves else self.no
        return self.no if asked.of == "USD" else answer


class IsBrokenByDollars(TakesNoDollars):
    """A currency that it does not know is an error of its own."""

    no = Answer(500)


class TakesThemAndSaysNo(TakesNoDollars):
    """It says no when the money has moved."""

    moves = True


@pytest.mark.parametrize(
    ("gateway", "outcomes"),
    [
        (TakesNoDollars, {"skipped"}),
        (IsBrokenByDollars, {"errored"}),
        (TakesThemAndSaysNo, {"skipped", "violated"}),
    ],
)
async def test_who_takes_no_dollars_is_skipped_with_its_reason(
    gateway: type[CarefulGateway], outcomes: set[str]
) -> None:
    """And is violated where the money moved all the same, and errored where it broke; yen are another matter."""
    async with in_thread(gateway()) as url:
        report = await judged(url, "provider/generic/refund-in-")
    told = [v for v in report.verdicts if v.case == "refund-in-another-currency"]
    assert {v.outcome for v in told} == outcomes
    assert "was answered" in str(told)
    assert {v.outcome for v in report.verdicts if v.case == "refund-in-a-currency-without-decimals"} == {"passed"}


class SendsNothingOut(IdsArePrimaryKeys):
    """Has no route for payouts."""

    def pay_out(self, tenant: str, body: dict[str, object]) -> Answer:
        return Answer(404)


async def test_who_has_no_payouts_is_skipped_with_its_reason() -> None:
    """Whatever the PSP has whose words it speaks."""
    async with in_thread(SendsNothingOut()) as url:
        job = Job(Role.PROVIDER, url, profile.load("hyperswitch"), only=("*payout*",), effects_path="/effects")
        report = await run(job)
    told = [v for v in report.verdicts if "payout" in v.case and "not claimed here: a plain payout" in str(v.result)]
    assert {v.outcome for v in told} == {"skipped"}
    assert {v.case for v in told} == {
        "payout-repeated-after-its-answer-was-lost",
        "four-payouts-at-once",
        "payout-id-used-twice",
    }
    assert of_outcome(report, "violated", "errored") == []


# --- slow, and broken -------------------------------------------------------------------------------------------------


async def test_a_key_in_flight_is_waited_for_as_long_as_this_provider_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose payments take their time is no provider whose keys are stuck; how long they take, its other answers say."""
    monkeypatch.setattr("psp_harness.drive.provider.PERSISTS_SECONDS", 0.2)
    provider = Provider(GENERIC, MemoryStore(), processing=lambda: asyncio.sleep(0.8))
    async with in_thread(asgi(provider)) as url:
        cases = ("provider/generic/payment-left-by-its-sender", "provider/generic/payment-repeated/")
        report = await judged(url, *cases, effects_path="/psp-harness/effects")
    assert {v.rule: v.outcome for v in report.verdicts}["a-key-is-never-stuck"] == "passed"
    assert of_outcome(report, "violated", "errored") == []


@pytest.fixture
def broken_psp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put an application that answers nothing into the working directory."""
    source = "async def app(scope, receive, send): raise ZeroDivisionError('the vault is shut')"
    (tmp_path / "broken_psp.py").write_text(source, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("broken_psp")
async def test_why_an_application_breaks_is_told() -> None:
    """The last line of its standard error stands beside the 500 that is all that HTTP says of it."""
    job = Job(Role.PROVIDER, "asgi:broken_psp:app", GENERIC, only=("provider/generic/two-payments-at-once",))
    (errored,) = of_outcome(await run(job), "errored")
    assert isinstance(errored.result, Errored)
    assert "its process said last: 'ZeroDivisionError: the vault is shut'" in errored.result.reason
