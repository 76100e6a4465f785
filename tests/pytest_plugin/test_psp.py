"""The fixture `psp`, as a user's own tests have it: used here as there, and where that cannot be, in a run of its own."""

from __future__ import annotations

import os
from collections.abc import Callable

import httpx
import pytest

from psp_harness.errors import UsageError
from psp_harness.pytest_plugin.psp import Psp
from pytest_plugin.projects import INI


class Shop:
    """A small client that tries again, as often as it is told."""

    def __init__(self, psp: Psp) -> None:
        self.psp, self.attempts = psp, 2

    def pay(
        self, key: str | None = "order-7", amount: int = 1000, route: str = "/payments", **more: str
    ) -> httpx.Response | None:
        """The answer, or none."""
        named = [("Idempotency-Key", key)] if key is not None else []
        lines = [("Authorization", f"Bearer {self.psp.token}"), *named]
        for _ in range(self.attempts):
            try:
                body = {"amount": amount, "currency": "EUR", **more}
                return httpx.post(self.psp.base_url + route, headers=lines, json=body)
            except httpx.TransportError:
                pass
        return None


@pytest.fixture
def shop(psp: Psp) -> Shop:
    """The client of these tests."""
    return Shop(psp)


# --- what holds -------------------------------------------------------------------------------------------------------


def test_a_lost_answer_and_one_key_take_three_lines(psp: Psp, shop: Shop) -> None:
    """The answer is lost on the wire, the client tries again, and its key is the same."""
    psp.lose_answer("create-payment")
    shop.pay()
    psp.assert_one_key()


def test_what_is_true_of_a_right_client_passes(psp: Psp, shop: Shop) -> None:
    """Keys, attempts, money, and the rules of watch."""
    psp.lose_answer()
    shop.pay(key="order-7", amount=6540)
    psp.assert_key("order-7")
    assert psp.keys() == ["order-7", "order-7"]
    psp.assert_attempts(2)
    psp.assert_one_key(attempts=2)
    psp.assert_one_effect(amount=6540)
    psp.assert_one_effect("create-payment")
    psp.assert_no_effect("create-refund")
    psp.assert_rules_hold()
    shop.pay(key="b", amount=7)
    psp.assert_keys_unlike()


def test_a_refund_has_a_key_of_its_own(psp: Psp, shop: Shop) -> None:
    """The refund's id is its key, on every attempt."""
    paid = shop.pay(key="order-7")
    assert paid is not None
    psp.lose_answer("create-refund")
    shop.pay(key="refund-1", route="/refunds", payment_id=paid.json()["id"], amount=100)
    psp.assert_one_key("create-refund")
    psp.assert_key("refund-1", "create-refund")
    psp.assert_keys_unlike()
    psp.assert_one_effect("create-refund", amount=100)


def test_nothing_sent_is_nothing_done(psp: Psp) -> None:
    """A client that refused by itself."""
    psp.assert_nothing_sent()
    psp.assert_no_effect()


def test_faults_strike_one_after_the_other(psp: Psp, shop: Shop) -> None:
    """Each is for the requests after those that an earlier one waits for."""
    psp.answer(503)
    psp.answer(502, after=True)
    answers = [shop.pay() for _ in range(3)]
    assert [answer.status_code for answer in answers if answer is not None] == [503, 502, 201]
    assert [x.fault for x in psp.exchanges] == ["status-answer", "status-answer", None]
    psp.assert_one_effect()
    psp.lose_request()
    psp.truncate_answer()
    psp.delay_answer(seconds=0.01)
    shop.pay(key="b")
    shop.pay(key="b")
    assert [x.fault for x in psp.exchanges][3:] == ["request-lost", "answer-truncated", "slow-answer"]


def test_the_address_is_in_the_environment(psp: Psp) -> None:
    """As with `psp-harness watch`."""
    assert os.environ["PSP_BASE_URL"] == psp.base_url


# --- what does not ----------------------------------------------------------------------------------------------------


def _two_keys(psp: Psp, shop: Shop) -> None:
    psp.lose_answer()
    shop.attempts = 1
    shop.pay(key="a")
    shop.pay(key="b")


def _one_attempt(psp: Psp, shop: Shop) -> None:
    psp.lose_answer()
    shop.attempts = 1
    shop.pay()


def _both_operations(_: Psp, shop: Shop) -> None:
    shop.pay()
    shop.pay(route="/refunds")


def _one_key_for_two(_: Psp, shop: Shop) -> None:
    shop.pay(key="k")
    shop.pay(key="k", amount=7)


def _the_same_again(_: Psp, shop: Shop) -> None:
    shop.pay(key="k")
    shop.pay(key="k")


def _paid(key: str | None = "a") -> Callable[[Psp, Shop], None]:
    return lambda _, shop: shop.pay(key=key) and None


def _nothing(*_: object) -> None:
    pass


def _an_order_twice(psp: Psp, shop: Shop) -> None:
    psp.lose_answer()
    shop.attempts = 1
    shop.pay(key="a", reference="order-7")
    shop.pay(key="b", reference="order-7")


Deed, Claim = Callable[[Psp, Shop], None], Callable[[Psp], None]

WRONG: tuple[tuple[Deed, Claim, str], ...] = (
    (_two_keys, Psp.assert_one_key, "2 requests of create-payment carried 2 keys: 'a' and 'b'"),
    (_one_attempt, Psp.assert_one_key, "1 request of create-payment arrived, so no second attempt shows whether it keeps the key"),
    (_nothing, Psp.assert_one_key, "0 requests of what moves money arrived"),
    (_paid(), lambda psp: psp.assert_one_key(attempts=2), "1 request of create-payment arrived, not 2"),
    (_paid(None), lambda psp: psp.assert_one_key(attempts=1), "not every request of create-payment carried one key: no key"),
    (_paid(""), lambda psp: psp.assert_one_key(attempts=1), "not every request of create-payment carried one key: ''"),
    (_both_operations, Psp.assert_one_key, "create-payment and create-refund arrived, which have keys of their own"),
    (_paid(), lambda psp: psp.assert_key("b"), "a request carried 'a', not the key 'b'"),
    (_nothing, lambda psp: psp.assert_key("b"), "no request of what moves money arrived that could carry the key 'b'"),
    (_one_key_for_two, Psp.assert_keys_unlike, "requests 1 and 2 are two calls, and share 'k'"),
    (_the_same_again, Psp.assert_keys_unlike, "requests 1 and 2 are two calls, and share 'k'"),
    (_paid(), Psp.assert_keys_unlike, "1 call arrived: unlike keys take two"),
    (_two_keys, lambda psp: psp.assert_one_effect(amount=1000), "money moved 2 times of 1000, not 1"),
    (_paid(), Psp.assert_no_effect, "money moved 1 times, not 0"),
    (_paid(), Psp.assert_nothing_sent, "1 request of what moves money arrived, not 0"),
    (_paid(None), Psp.assert_rules_hold, "every-post-carries-a-key (MUST): the POST has no Idempotency-Key"),
    (_two_keys, Psp.assert_rules_hold, "cannot tell: 2 requests of create-payment (exchanges 1, 2) have the same body"),
    (_an_order_twice, Psp.assert_rules_hold, "attempts-of-one-call-share-one-key (MUST): the payment of 1000 for 'order-7'"),
    (_nothing, Psp.assert_rules_hold, "nothing arrived that moves money"),
)  # fmt: skip


@pytest.mark.parametrize(("deed", "claim", "says"), WRONG, ids=[says for _, _, says in WRONG])
def test_what_is_wrong_is_said_in_a_sentence(deed: Deed, claim: Claim, says: str, psp: Psp, shop: Shop) -> None:
    """And under it stands what arrived, and which money moved."""
    deed(psp, shop)
    with pytest.raises(AssertionError) as failed:
        claim(psp)
    assert says in str(failed.value)
    assert "money that moved (minor units): " in str(failed.value)


@pytest.mark.parametrize(
    ("fault", "operation", "options", "says"),
    [
        ("rain", "create-payment", {}, "unknown fault 'rain'"),
        ("response-lost", "pay", {}, "unknown operation 'pay'"),
        ("response-lost", "create-payment", {"status": 1}, "fault 'response-lost' has no option 'status'"),
        ("status-answer", "create-payment", {"status": 99999}, "option status of fault 'status-answer' is 99999"),
        ("slow-answer", "create-payment", {"seconds": -1}, "option seconds of fault 'slow-answer' is -1"),
    ],
)
def test_a_fault_that_cannot_be_is_refused(
    fault: str, operation: str, options: dict[str, int], says: str, psp: Psp
) -> None:
    """At once, with what there is."""
    with pytest.raises(UsageError, match=says):
        psp.strike(fault, operation, **options)


def test_an_operation_that_does_not_exist_is_one_sentence(suite: pytest.Pytester) -> None:
    """In a fault and in an assertion, which would hold of nothing; under it stand no lines of the plugin."""
    suite.makepyfile(
        f"{SENDS}"
        "def test_fault(psp):\n    psp.lose_answer('create-paymnt')\n"
        "def test_strike(psp):\n    psp.strike('respnse-lost', 'create-payment')\n"
        "def test_claim(psp):\n    pay(psp)\n    psp.assert_no_effect('create-paymnt')\n"
    )
    result = suite.runpytest("-q")
    result.assert_outcomes(failed=3)
    shown = result.stdout.str()
    assert shown.count("unknown operation 'create-paymnt'; did you mean 'create-payment'?") >= 2
    assert "unknown fault 'respnse-lost'; did you mean 'response-lost'?" in shown
    assert "__tracebackhide__" not in shown
    assert "psp.py:" not in shown.replace("test_psp.py:", "")


def test_a_failure_shows_what_happened_without_its_secrets(psp: Psp) -> None:
    """Requests with their keys, the lost answer, the money; no credential and no card number."""
    psp.lose_answer()
    key = "sk_live_51Hidden-4242424242424242"
    lines = {"Authorization": "Bearer sk_live_51Hidden", "Idempotency-Key": key}
    with pytest.raises(httpx.TransportError):
        httpx.post(psp.base_url + "/payments", headers=lines, json={"amount": 10, "currency": "EUR"})
    with pytest.raises(AssertionError) as failed:
        psp.assert_nothing_sent()
    shown = str(failed.value)
    assert "answer lost: response-lost (the PSP had answered 201)" in shown
    assert "money that moved (minor units): payment pay_" in shown
    assert "Hidden" not in shown
    assert "4242" not in shown


# --- in a run of its own ----------------------------------------------------------------------------------------------

SENDS = """
import httpx
def pay(psp, **lines):
    return httpx.post(psp.base_url + "/payments", json={"amount": 5, "currency": "EUR"},
                      headers={"Authorization": "Bearer x", "Idempotency-Key": "k", **lines})
"""


def test_a_fault_that_meets_nothing_is_an_error(suite: pytest.Pytester) -> None:
    """A test whose answer was never lost proves nothing; one that failed already says nothing more, and shows no frame of ours."""
    suite.makepyfile(
        f"{SENDS}"
        "def test_green(psp):\n    psp.lose_answer('create-refund')\n    pay(psp)\n"
        "def test_red(psp):\n    psp.lose_answer('create-refund')\n    psp.assert_attempts(1)\n"
    )
    result = suite.runpytest("-q")
    result.assert_outcomes(passed=1, failed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["*response-lost was to strike request 1 of create-refund, and none arrived: what this test*"]
    )
    assert "sentences.py" not in result.stdout.str()


def test_each_test_has_new_books_and_no_fault_of_another(suite: pytest.Pytester) -> None:
    """The address stays, for an application that was set up once for a session."""
    suite.makepyfile(
        SENDS
        + """
seen = []
def test_one(psp):
    seen.append(psp.base_url)
    psp.answer(503)
    assert [pay(psp).status_code for _ in range(2)] == [503, 201]
def test_two(psp):
    assert psp.base_url == seen[0]
    assert (psp.exchanges, psp.effects, psp.keys()) == ((), (), [])
    psp.answer(503, times=2)
    assert [pay(psp).status_code for _ in range(3)] == [503, 503, 201]
    psp.assert_one_key(attempts=3)
    assert [x.number for x in psp.exchanges] == [1, 2, 3]
"""
    )
    suite.runpytest("-q").assert_outcomes(passed=2)


def test_the_profile_is_that_of_the_marker_the_option_or_the_settings(suite: pytest.Pytester) -> None:
    """In that order; `generic` where nobody says."""
    suite.makepyfile(
        'import pytest\ndef test_it(psp):\n    print("it is", psp.profile)\n'
        '@pytest.mark.psp(profile="mollie")\ndef test_marked(psp):\n    assert psp.profile == "mollie"\n'
    )
    for settings, arguments, expected in (
        ("", (), "generic"),
        ("psp_profile = stripe", (), "stripe"),
        ("psp_profile = stripe", ("--psp-profile", "adyen"), "adyen"),
    ):
        suite.makeini(f"{INI}{settings}\n")
        result = suite.runpytest("-q", "-s", "--strict-markers", *arguments)
        result.assert_outcomes(passed=2)
        assert f"it is {expected}" in result.stdout.str()


def test_an_unknown_profile_is_one_sentence(suite: pytest.Pytester) -> None:
    """With the nearest name."""
    suite.makepyfile("def test_it(psp): pass")
    result = suite.runpytest("-q", "--psp-profile", "strip")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["unknown profile 'strip'; did you mean 'stripe'?*"])
    assert "Traceback" not in result.stdout.str()


def test_workers_of_xdist_have_servers_of_their_own(suite: pytest.Pytester) -> None:
    """On free ports, at one time."""
    suite.makepyfile(
        SENDS
        + """
import pytest
@pytest.mark.parametrize("n", range(8))
def test_it(psp, n):
    psp.answer(503)
    for _ in range(2):
        pay(psp, **{"Idempotency-Key": f"order-{n}"})
    psp.assert_key(f"order-{n}")
    psp.assert_one_effect()
"""
    )
    suite.runpytest_subprocess("-q", "-n", "2").assert_outcomes(passed=8)


def test_a_suite_that_does_not_ask_for_it_pays_nothing_for_it(suite: pytest.Pytester) -> None:
    """The plugin is there, and no module that a server needs was imported."""
    suite.makepyfile(
        "import sys\ndef test_it():\n    assert 'psp_harness.pytest_plugin' in sys.modules\n"
        "    assert not {'uvicorn', 'h11', 'psp_harness.run', 'psp_harness.rules'} & set(sys.modules)\n"
    )
    suite.runpytest_subprocess("-q").assert_outcomes(passed=1)
