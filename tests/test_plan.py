"""Laws of planning: what is fresh, what is equal, what is released together, what is skipped, and what is refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from psp_harness import case, faults, profile, rules
from psp_harness.case import Case
from psp_harness.contracts import CASES
from psp_harness.errors import DataError, UsageError
from psp_harness.model import Claims, Intent, Role, Skipped
from psp_harness.plan import (
    ANY_CASE,
    CASE_RUNS,
    Plan,
    Planned,
    available,
    is_of_another_run,
    make,
    moments,
)
from psp_harness.vocabulary import FEATURES

GENERIC = profile.load("generic")
BUNDLED = case.load([CASES], faults.load())
RUN, LATER = "a1b2c3d4", "0f0f0f0f"


def situation(*steps: dict[str, Any], id_: str = "mine", role: str = "provider", **more: Any) -> Case:
    """A case, as its file has it."""
    raw = {"id": id_, "role": role, "situation": "x", "steps": steps, **more}
    return msgspec.convert(raw, Case)


def pay(amount: int = 10, **more: Any) -> dict[str, Any]:
    """A payment."""
    return {"do": "create-payment", "amount": amount, **more}


def give_back(amount: int = 5, **more: Any) -> dict[str, Any]:
    """A refund."""
    return {"do": "create-refund", "amount": amount, **more}


def plan(
    *cases: Case,
    role: Role = Role.PROVIDER,
    run: str = RUN,
    features: Iterable[str] = FEATURES,
    only: Iterable[str] = (),
) -> Plan:
    """The plan of these cases, under every rule."""
    features, only = frozenset(features), tuple(only)
    return make(cases, rules.load().values(), GENERIC, role=role, features=features, run=run, only=only)


def planned(*steps: dict[str, Any], **more: Any) -> Planned:
    """One case made ready."""
    return plan(situation(*steps, **more), role=Role(more.get("role", "provider"))).cases[0]


def intents(*steps: dict[str, Any], **more: Any) -> tuple[Intent, ...]:
    """What its steps ask for."""
    return planned(*steps, **more).intents


# --- keys and references ----------------------------------------------------------------------------------------------


def test_one_label_is_one_key() -> None:
    """Equal labels are equal keys within a case; other labels, cases and runs have other keys."""
    one, same, other = intents(pay(1, key="a"), pay(2, key="a"), pay(3, key="b"))
    assert one.key == same.key != other.key
    assert intents(pay(1, key="a"), id_="another")[0].key != one.key
    assert plan(situation(pay(1, key="a")), run=LATER).cases[0].intents[0].key != one.key


def test_no_two_runs_share_a_key_a_reference_or_an_id() -> None:
    """Over all bundled cases."""

    def fresh(run: str, role: Role) -> set[object]:
        asked = [i for one in plan(*BUNDLED, role=role, run=run).cases for i in one.intents]
        return {
            value
            for i in asked
            for value in (i.reference, i.chosen_id, i.key and run.encode() in i.key and i.key)
            if value
        }

    for role in (Role.CLIENT, Role.PROVIDER):
        assert fresh(RUN, role)
        assert not fresh(RUN, role) & fresh(LATER, role)


def test_no_two_cases_share_a_usable_key() -> None:
    """All cases of a provider meet one provider."""
    seen: dict[bytes, str] = {}
    for one in plan(*BUNDLED).cases:
        for intent in one.intents:
            if intent.key and RUN.encode() in intent.key:
                assert seen.setdefault(intent.key, one.case.id) == one.case.id


def test_an_odd_key_is_exactly_what_the_case_says() -> None:
    """A text as it is, the empty one too; or so much longer than the profile's limit, and fresh."""
    text, empty, long_ = intents(
        pay(1, key={"text": "a\r\nb"}), pay(2, key={"text": ""}), pay(3, key={"beyond-limit": 1})
    )
    assert (text.key, empty.key) == (b"a\r\nb", b"")
    assert long_.key is not None
    assert len(long_.key) == 256
    assert long_.key.startswith(RUN.encode())


def test_a_client_that_takes_no_keys_is_given_none() -> None:
    """Unless the case is about a key that is odd."""
    client = situation(pay(key="a"), role="client")
    assert plan(client, role=Role.CLIENT, features={"own-keys"}).cases[0].intents[0].key is None
    assert plan(client, role=Role.CLIENT, features={"caller-keys"}).cases[0].intents[0].key is not None


def test_a_reference_of_another_run_is_told_from_a_providers_own() -> None:
    """Only what looks as if a run had made it can be another run's."""
    (intent,) = intents(pay())
    assert not is_of_another_run(intent.reference, RUN)
    assert is_of_another_run(intent.reference, LATER)
    for own in ("", "GW-2026-0001", "order 7", intent.reference[:20]):
        assert not is_of_another_run(own, LATER)


# --- moments ----------------------------------------------------------------------------------------------------------


def test_copies_are_one_moment_and_one_request() -> None:
    """They are released together, and differ in nothing but their step."""
    copies = intents({**pay(key="k"), "as": "c", "times": 3})
    assert [i.step for i in copies] == [1, 2, 3]
    assert {i.moment for i in copies} == {1}
    assert len({(i.key, i.reference, i.amount, i.name) for i in copies}) == 1


def test_what_is_parallel_is_one_moment() -> None:
    """The steps before it come before, those after it after."""
    asked = intents(pay(1), {"parallel": [pay(2), pay(3)]}, pay(4))
    assert [[i.amount for i in moment] for moment in moments(asked)] == [[1], [2, 3], [4]]


def test_a_repeated_step_asks_for_the_same_thing() -> None:
    """But for what is written beside it."""
    first, again, other = intents(
        {**pay(10, key="k"), "as": "first"},
        {"repeat": "first"},
        {"repeat": "first", "amount": 11, "tenant": "tenant-b"},
    )
    assert (again.key, again.reference, again.amount) == (first.key, first.reference, first.amount)
    assert again.moment > first.moment
    assert (other.key, other.amount, other.tenant) == (first.key, 11, "tenant-b")


def test_a_refund_is_of_the_payment_that_it_names_or_of_the_last() -> None:
    """By the payment's step."""
    asked = intents({**pay(1), "as": "one"}, pay(2), give_back(), give_back(6, of="one"))
    assert [i.payment for i in asked] == [None, None, 2, 1]


def test_a_fault_strikes_every_copy_of_the_step_that_it_names() -> None:
    """And no other step."""
    struck = planned(
        pay(1), {**pay(2), "as": "c", "times": 2}, faults=[{"strike": "response-lost", "on": "c", "attempts": [1]}]
    )
    assert [(s.step, s.attempts) for s in struck.strikes] == [(2, (1,)), (3, (1,))]


# --- amounts ----------------------------------------------------------------------------------------------------------


def test_two_cases_never_pay_the_same_amount() -> None:
    """What a provider did is attributed by it."""
    with pytest.raises(
        DataError, match="case 'other': pays 10, as does case 'mine'; give each step an amount of its own"
    ):
        plan(situation(pay(10)), situation(pay(10), id_="other"))


@pytest.mark.parametrize(
    ("steps", "role"),
    [
        ([pay(10, key="a"), pay(10, key="b")], "provider"),
        ([pay(10), give_back(5), give_back(5)], "provider"),
        ([{**pay(10), "as": "p"}, {"repeat": "p", "amount": 11}, pay(11)], "provider"),
        ([{**pay(10), "as": "p", "times": 2}], "client"),
        ([{"parallel": [pay(10, key="a"), pay(10, key="b")]}], "client"),
    ],
)
def test_two_steps_of_one_case_never_ask_for_the_same_amount(steps: list[dict[str, Any]], role: str) -> None:
    """A client's request belongs to a step by it, so not even copies of one step may share it at one moment."""
    with pytest.raises(DataError, match="case 'mine': two steps ask for create-"):
        plan(situation(*steps, role=role), role=Role(role))


def test_a_provider_may_be_asked_twice_for_the_same_thing() -> None:
    """There each request is known by the step that sent it."""
    assert len(intents({**pay(10), "as": "p", "times": 2}, {"repeat": "p"})) == 3
    assert len(intents({**pay(10), "as": "p"}, {**pay(11), "as": "q"}, give_back(5, of="p"), give_back(5, of="q"))) == 4


def test_a_client_may_be_asked_for_the_same_amount_one_after_the_other() -> None:
    """It has answered before it is asked again, for the same thing or for one that looks like it."""
    again = situation({**pay(10), "as": "p"}, {"repeat": "p"}, role="client")
    alike = situation({**pay(11), "as": "p"}, pay(11), give_back(5, of="p"), give_back(5), role="client", id_="alike")
    assert len(plan(again, alike, role=Role.CLIENT).cases) == 2


def test_the_bundled_cases_are_apart() -> None:
    """All of them, in both roles, with everything claimed."""
    for role in (Role.CLIENT, Role.PROVIDER):
        assert len(plan(*BUNDLED, role=role).cases) == len([each for each in BUNDLED if each.role is role])


def test_a_tenant_that_the_profile_does_not_have_is_refused() -> None:
    """Before anything is sent in nobody's name."""
    with pytest.raises(DataError, match="case 'mine': tenant 'tenant-c', for whom profile 'generic' has no credential"):
        plan(situation(pay(tenant="tenant-c")))


# --- what is skipped --------------------------------------------------------------------------------------------------


def test_what_is_skipped_has_its_reason() -> None:
    """Every case and every rule that needs what is not claimed is told, with each feature and its meaning."""
    one = plan(*BUNDLED, features={"intent"})
    assert {v.case for v in one.skipped if v.rule == CASE_RUNS} == {
        each.id for each in BUNDLED if each.role is Role.PROVIDER and each.needs
    }
    for verdict in one.skipped:
        assert isinstance(verdict.result, Skipped)
        rule = rules.load().get(verdict.rule)
        needs = rule.needs if rule else next(each.needs for each in BUNDLED if each.id == verdict.case)
        assert all(f"{name}: {FEATURES[name]}" in verdict.result.reason for name in needs)
        assert (verdict.case == ANY_CASE) == (rule is not None)


def test_nothing_is_lost_between_planned_and_skipped() -> None:
    """Each case of the role is planned or skipped, and each rule binds or is skipped."""
    one = plan(*BUNDLED, features={"idempotency-key", "replay"})
    cases = {each.case.id for each in one.cases} | {v.case for v in one.skipped} - {ANY_CASE}
    bound = {rule.id for rule in one.rules} | {v.rule for v in one.skipped} - {CASE_RUNS}
    assert cases == {each.id for each in BUNDLED if each.role is Role.PROVIDER}
    assert bound == {rule.id for rule in rules.load().values() if rule.role is Role.PROVIDER}


def test_without_effects_no_rule_binds_that_needs_them() -> None:
    """`--without effects` is heard."""
    one = plan(*BUNDLED, features=set(FEATURES) - {"effects"})
    assert one.rules
    assert not any(rule.needs_effects for rule in one.rules)


def test_features_are_what_profile_and_subject_claim_together() -> None:
    """Less what `--without` takes away; refunds take a PSP that has them and a client that asks for them."""
    client = Claims("c", features=frozenset({"caller-keys", "refunds"}))
    both = available(GENERIC, Role.CLIENT, client, {"effects"}, ())
    assert {"caller-keys", "refunds", "idempotency-key", "effects"} <= both
    assert "refunds" not in available(GENERIC, Role.CLIENT, Claims("c"), (), ())
    assert "refunds" in available(GENERIC, Role.PROVIDER, Claims("p"), (), ())
    without = {name: each for name, each in GENERIC.operations.items() if "refund" not in name}
    no_refunds = msgspec.structs.replace(GENERIC, operations=without)
    assert "refunds" not in available(no_refunds, Role.CLIENT, client, (), ())
    assert "refunds" not in available(no_refunds, Role.PROVIDER, client, (), ())
    assert both - available(GENERIC, Role.CLIENT, client, {"effects"}, ["refunds"]) == {"refunds"}
    with pytest.raises(UsageError, match="unknown feature 'refund'"):
        available(GENERIC, Role.CLIENT, client, (), ["refund"])


# --- only -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "kept"),
    [
        ("provider/generic/one/", ["one"]),
        ("provider/generic/one/retry-gets-the-first-answer", ["one"]),
        ("*/two/*", ["two"]),
        ("provider/generic/*/one-key-has-one-effect", ["one", "two"]),
        ("provider", ["one", "two"]),
    ],
)
def test_only_keeps_ids_and_their_beginnings(pattern: str, kept: list[str]) -> None:
    """A case is driven if some verdict of it is wanted."""
    cases = (situation(pay(1), id_="one"), situation(pay(2), id_="two"))
    assert [each.case.id for each in plan(*cases, only=[pattern]).cases] == kept


@pytest.mark.parametrize("pattern", ["provider/generic/three", "client", "one", "provider/generic/one/no-such-rule"])
def test_only_that_matches_nothing_is_refused(pattern: str) -> None:
    """A misspelt pattern is no run without findings."""
    with pytest.raises(UsageError, match=r"matches no verdict of provider/generic; see psp-harness list cases"):
        plan(situation(pay(1), id_="one"), only=[pattern])
