"""Published SDKs as addresses, and what an adapter makes of what an SDK tells; none of their packages is needed."""

from __future__ import annotations

import os
import tomllib
from contextlib import ExitStack
from pathlib import Path

import pytest

from psp_harness import profile, rules
from psp_harness.errors import UsageError
from psp_harness.model import Passed, Retries, Role
from psp_harness.run import Job, run
from psp_harness.subjects.sdks import SDKS, USES, use_of
from psp_harness.subjects.sdks.adapter import Adapter, Made, Params, SdkSubject, Told, by_status
from psp_harness.subjects.sdks.findings import FINDINGS, Finding
from psp_harness.subjects.sdks.trust import ProcessWide

ROOT = Path(__file__).parents[2]


def test_what_is_not_said_is_as_the_sdk_has_it() -> None:
    """And its address is the shortest."""
    use = use_of("razorpay")
    assert dict(use.chosen) == {"retry": "off", "key": "none"}
    assert use.address == "sdk:razorpay"
    assert use_of("razorpay?retry=off&key=header").address == "sdk:razorpay?key=header"


def test_options_come_in_any_order() -> None:
    """It is one and the same use."""
    assert use_of("razorpay?key=header&retry=on") == use_of("razorpay?retry=on&key=header")


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("strip", "unknown SDK 'strip'; did you mean 'stripe'?"),
        ("mollie?retry=on", "sdk:mollie has no option 'retry'; it takes none"),
        ("stripe?retries=on", "sdk:stripe has no option 'retries'; did you mean 'retry'?"),
        ("stripe?retry=yes", "option 'retry' of sdk:stripe is 'yes'; known: off, on"),
        ("stripe?retry", "option 'retry' of sdk:stripe is ''; known: off, on"),
    ],
)
def test_what_there_is_not_is_one_clear_error(rest: str, said: str) -> None:
    """With the nearest name, or all of them."""
    with pytest.raises(UsageError) as raised:
        use_of(rest)
    assert str(raised.value) == said


def test_every_way_of_use_has_an_address_that_leads_back_to_it() -> None:
    """Each once, each SDK in its defaults among them."""
    assert [use_of(use.address.removeprefix("sdk:")) for use in USES] == list(USES)
    assert len({use.address for use in USES}) == len(USES)
    assert {f"sdk:{name}" for name in SDKS} <= {use.address for use in USES}


def test_the_versions_that_were_checked_are_those_that_are_installed() -> None:
    """The extra `sdks` pins each package to the version whose findings stand here."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert {f"{sdk.package}=={sdk.checked}" for sdk in SDKS.values()} <= set(extras["sdks"])


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda each: f"{each.sdk}-{each.rule}")
def test_a_finding_can_be_shown(finding: Finding) -> None:
    """Its rule judges clients, and some way of use shows it."""
    assert rules.load()[finding.rule].role == "client"
    assert [use for use in USES if finding.holds_for(use)]
    assert finding.source
    assert finding.cases


# --- an adapter -----------------------------------------------------------------------------------------------------


def subject(*, made: Made | Exception, told: Told = "unknown", retries: Retries | None = None) -> SdkSubject:
    """An SDK that returns this, or raises it."""

    def call(params: Params) -> Made:
        if isinstance(made, Exception):
            raise made
        return made

    adapter = Adapter(call, call, lambda _: told, frozenset({"caller-keys"}), retries or Retries())
    return SdkSubject(use_of("adyen"), lambda _: adapter)


def started(sdk: SdkSubject) -> dict[str, object]:
    """What it claims."""
    pytest.importorskip("Adyen", reason="pip install 'psp-harness[sdks]'")
    claims = sdk.start("http://127.0.0.1:9", {"token": "token"}, 1.0)["ok"]
    assert isinstance(claims, dict)
    return claims


def test_it_claims_what_its_adapter_says() -> None:
    """Retries are a feature only where there are some."""
    claims = started(subject(made=Made("1"), retries=Retries(2, frozenset({"lost"}))))
    assert (claims["name"], claims["version"]) == ("Adyen", SDKS["adyen"].checked)
    assert claims["features"] == ["caller-keys", "parallel", "refunds", "retries", "tls"]
    assert claims["retries"] == {"max": 2, "on": ["lost"]}
    assert started(subject(made=Made("1")))["features"] == ["caller-keys", "parallel", "refunds", "tls"]


@pytest.mark.parametrize(
    ("made", "told", "answer"),
    [
        (Made("P1", "Authorised"), "unknown", {"ok": {"payment_id": "P1", "status": "Authorised"}}),
        (
            Made("P1", "Refused"),
            "unknown",
            {"failed": {"kind": "declined", "message": "it returned a payment in status 'Refused'"}},
        ),
        (OSError("broken pipe"), "unknown", {"failed": {"kind": "unknown", "message": "OSError: broken pipe"}}),
        (OSError("no"), "rejected", {"failed": {"kind": "rejected", "message": "OSError: no"}}),
        (ValueError("no key"), "refused", {"refused": {"message": "ValueError: no key"}}),
    ],
)
def test_it_says_what_the_sdk_told(made: Made | Exception, told: Told, answer: dict[str, object]) -> None:
    """A status that the profile calls failed is a decline, though the SDK raised nothing."""
    sdk = subject(made=made, told=told)
    started(sdk)
    assert sdk.do("create-payment", {}) == answer


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (None, "unknown"), (500, "unknown"), (502, "unknown"), (409, "unknown"), (429, "unknown"), (302, "unknown"),
        (400, "rejected"), (401, "rejected"), (404, "rejected"), (422, "rejected"), (402, "declined"),
    ],
)  # fmt: skip
def test_a_status_tells_whether_money_may_have_moved(status: int | None, told: Told) -> None:
    """No status, a conflict, and an error of the server do not say."""
    assert by_status(status) == told


def test_what_holds_for_the_whole_process_is_put_back_by_who_held_it_last() -> None:
    """Two cases at once need the same authority; what was there before is there again when both are over."""
    setting: list[str | None] = ["/etc/mine.pem"]
    everywhere = ProcessWide(lambda: setting[-1], setting.append)
    first, second = ExitStack(), ExitStack()
    everywhere.hold("ca.pem", first)
    everywhere.hold("ca.pem", second)
    first.close()
    assert setting[-1] == "ca.pem"
    second.close()
    assert setting[-1] == "/etc/mine.pem"
    everywhere.hold(None, first)
    first.close()
    assert setting[-1] == "/etc/mine.pem"


@pytest.mark.parametrize("name", ["mollie", "stripe"])
async def test_a_run_leaves_this_process_as_it_was(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over TLS these SDKs are told of our authority by what the whole process reads: afterwards nobody trusts it."""
    pytest.importorskip("stripe", reason="pip install 'psp-harness[sdks]'")
    pytest.importorskip("trustme", reason="pip install 'psp-harness[tls]'")
    import stripe

    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    before = stripe.ca_bundle_path
    job = Job(Role.CLIENT, f"sdk:{name}", profile.load(name), only=("client/*/payment-handshake-broken-once/*",))
    report = await run(job)
    assert any(isinstance(verdict.result, Passed) for verdict in report.verdicts)
    assert "REQUESTS_CA_BUNDLE" not in os.environ
    assert stripe.ca_bundle_path == before
